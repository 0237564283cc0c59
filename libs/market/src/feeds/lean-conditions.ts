/**
 * LEAN keeps sale and quote conditions as hexadecimal sets of flags; the layouts keep letters. A sale condition has four
 * places, as on the consolidated tape: settlement, trade-through reason, extended hours or sold, detail. A place shows
 * the first flag of its list that is set. The tables are documented in docs/formats/ticks.md.
 */

interface Letter {
  bit: number;
  letter: string;
}

const settlement: readonly Letter[] = [
  { bit: 1, letter: 'C' }, // cash
  { bit: 2, letter: 'N' }, // next day
  { bit: 3, letter: 'R' }, // seller
  { bit: 0, letter: '@' }, // regular
];

const tradeThrough: readonly Letter[] = [
  { bit: 5, letter: 'F' }, // intermarket sweep
  { bit: 6, letter: 'O' }, // opening print
  { bit: 7, letter: '6' }, // closing print
  { bit: 8, letter: '5' }, // reopening print
  { bit: 9, letter: '4' }, // derivatively priced
];

const EXTENDED_HOURS_BITS = [10, 13] as const; // form T; extended hours
const OUT_OF_SEQUENCE_BIT = 14;
const SOLD_LAST_BIT = 11;

const detail: readonly Letter[] = [
  { bit: 26, letter: 'Q' }, // official open
  { bit: 24, letter: 'M' }, // official close
  { bit: 25, letter: 'P' }, // prior reference price
  { bit: 21, letter: 'X' }, // cross
  { bit: 20, letter: 'W' }, // average price
  { bit: 18, letter: 'V' }, // stock-option
  { bit: 22, letter: 'H' }, // price variation
  { bit: 23, letter: 'K' }, // rule 155
  { bit: 28, letter: 'E' }, // automatic execution
  { bit: 31, letter: 'I' }, // odd lot
  { bit: 27, letter: 'I' }, // CAP election, which had the letter before odd lots did
  { bit: 15, letter: 'S' }, // split
  { bit: 16, letter: 'A' }, // acquisition
  { bit: 17, letter: 'B' }, // bunched
  { bit: 19, letter: 'D' }, // distribution
  { bit: 4, letter: 'Y' }, // yellow flag
  { bit: 12, letter: '1' }, // stopped
];

const quoteLetters: readonly Letter[] = [
  { bit: 11, letter: 'O' }, // opening quote
  { bit: 3, letter: 'C' }, // closing quote
  { bit: 8, letter: 'L' }, // closed market maker
  { bit: 10, letter: 'N' }, // non-firm
  { bit: 1, letter: 'W' }, // slow on both sides
  { bit: 2, letter: 'A' }, // gap
  { bit: 20, letter: 'H' }, // manual
  { bit: 21, letter: 'F' }, // fast trading
  { bit: 4, letter: 'D' }, // news dissemination
  { bit: 5, letter: 'P' }, // news pending
  { bit: 6, letter: 'G' }, // trading range indication
  { bit: 7, letter: 'I' }, // order imbalance
  { bit: 22, letter: 'E' }, // order influx
  { bit: 9, letter: 'M' }, // volatility trading pause
  { bit: 12, letter: 'S' }, // due to a related security
  { bit: 13, letter: 'T' }, // resume
  { bit: 14, letter: 'V' }, // in view of common
  { bit: 15, letter: 'X' }, // equipment changeover
  { bit: 16, letter: 'Y' }, // sub-penny trading
  { bit: 17, letter: 'Z' }, // no open, no resume
  { bit: 18, letter: 'U' }, // limit up-limit down band
  { bit: 19, letter: 'U' }, // the same, republished
  { bit: 0, letter: 'R' }, // regular
];
const QUOTE_CONDITION_LETTERS = 4;

/** Four characters, spaces on the right left out: `20000020` is ` F`, an intermarket sweep. */
export function saleConditionOfFlags(flags: number): string {
  return (
    letterOf(settlement, flags) +
    letterOf(tradeThrough, flags) +
    soldLetterOf(flags) +
    letterOf(detail, flags)
  ).trimEnd();
}

/** Up to four letters: `1` is `R`, regular. */
export function quoteConditionOfFlags(flags: number): string {
  const letters = quoteLetters.filter(({ bit }) => isSet(flags, bit)).map(({ letter }) => letter);
  return letters.slice(0, QUOTE_CONDITION_LETTERS).join('');
}

function soldLetterOf(flags: number): string {
  const extended = EXTENDED_HOURS_BITS.some((bit) => isSet(flags, bit));
  const outOfSequence = isSet(flags, OUT_OF_SEQUENCE_BIT);
  if (extended) return outOfSequence ? 'U' : 'T';
  if (isSet(flags, SOLD_LAST_BIT)) return 'L';
  return outOfSequence ? 'Z' : ' ';
}

function letterOf(letters: readonly Letter[], flags: number): string {
  return letters.find(({ bit }) => isSet(flags, bit))?.letter ?? ' ';
}

/** Flags use 32 bits, of which JavaScript's `&` would take the highest for a sign. */
function isSet(flags: number, bit: number): boolean {
  return Math.floor(flags / 2 ** bit) % 2 === 1;
}
