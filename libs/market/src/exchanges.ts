/** Exchange letters of the consolidated tape. Feeds may name others: those are accepted and counted. */
const exchangeNames: Readonly<Record<string, string>> = {
  A: 'NYSE American',
  B: 'Nasdaq BX',
  C: 'NYSE National',
  D: 'FINRA (off-exchange)',
  G: '24X',
  H: 'MIAX Pearl',
  I: 'ISE',
  J: 'Cboe EDGA',
  K: 'Cboe EDGX',
  L: 'LTSE',
  M: 'NYSE Chicago',
  N: 'NYSE',
  P: 'NYSE Arca',
  Q: 'Nasdaq',
  S: 'Consolidated Tape System',
  T: 'Nasdaq (tapes A and B)',
  U: 'MEMX',
  V: 'IEX',
  W: 'CBOE',
  X: 'Nasdaq PSX',
  Y: 'Cboe BYX',
  Z: 'Cboe BZX',
};

/** The name behind a letter, or undefined for one that nobody knows. */
export function exchangeName(letter: string): string | undefined {
  return exchangeNames[letter];
}
