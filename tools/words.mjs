// What the words of a command line mean, and how a tool tells that they mean nothing.
import { parseArgs } from 'node:util';

/** Ends the process: with status 0 and the text, or with what is wrong and how to mend it. */
export function endWith(status, text, mend) {
  if (status === 0) process.stdout.write(`${text}\n`);
  else process.stderr.write(`tickfold: ${text}\nMend: ${mend}\n`);
  process.exit(status);
}

/**
 * Reads options. `--help` shows the usage and ends with 0; a word that is no option, or an option without its value, ends
 * with a message and 2.
 */
export function readWords(words, { values = [], flags = [], usage }) {
  const options = {
    help: { type: 'boolean', short: 'h' },
    ...Object.fromEntries(values.map((name) => [name, { type: 'string', multiple: true }])),
    ...Object.fromEntries(flags.map((name) => [name, { type: 'boolean' }])),
  };
  try {
    const read = parseArgs({ args: words, options }).values;
    if (read.help) endWith(0, usage);
    return read;
  } catch (error) {
    const [sentence] = error.message.split('. ');
    endWith(2, `${sentence}.`, usage);
  }
}
