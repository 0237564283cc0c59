/** Libraries begin some messages in lower case. A name that begins one, such as `reversion-1`, stays as it is written. */
export function asSentence(message: string): string {
  const sentence = message.replace(/^[a-z]+(?= )/, (word) => word.charAt(0).toUpperCase() + word.slice(1));
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
