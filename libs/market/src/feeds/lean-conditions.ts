/**
 * LEAN keeps sale and quote conditions as hexadecimal sets of flags; the layouts keep letters. A sale condition has four
 * places, as on the consolidated tape: settlement, trade-through reason, extended hours or sold, detail. A place shows
 * the first flag of its list that is set. The tables are documented in docs/formats/ticks.md.
 */

export interface ConditionLetter {
  readonly bit: number;
  readonly letter: string;
  readonly name: string;
}

/** The four places of a sale condition, in their order. */
export const saleConditionPlaces: Readonly<
  Record<'settlement' | 'tradeThrough' | 'hoursOrSold' | 'detail', readonly ConditionLetter[]>
> = {
  settlement: [
    { bit: 1, letter: 'C', name: 'cash' },
    { bit: 2, letter: 'N', name: 'next day' },
    { bit: 3, letter: 'R', name: 'seller' },
    { bit: 0, letter: '@', name: 'regular' },
  ],
  tradeThrough: [
    { bit: 5, letter: 'F', name: 'intermarket sweep' },
    { bit: 6, letter: 'O', name: 'opening print' },
    { bit: 7, letter: '6', name: 'closing print' },
    { bit: 8, letter: '5', name: 'reopening print' },
    { bit: 9, letter: '4', name: 'derivatively priced' },
  ],
  hoursOrSold: [
    { bit: 10, letter: 'T', name: 'form T' },
    { bit: 13, letter: 'T', name: 'extended hours' },
    { bit: 11, letter: 'L', name: 'sold last' },
    { bit: 14, letter: 'Z', name: 'out of sequence; U together with extended hours' },
  ],
  detail: [
    { bit: 26, letter: 'Q', name: 'official open' },
    { bit: 24, letter: 'M', name: 'official close' },
    { bit: 25, letter: 'P', name: 'prior reference price' },
    { bit: 21, letter: 'X', name: 'cross' },
    { bit: 20, letter: 'W', name: 'average price' },
    { bit: 18, letter: 'V', name: 'stock-option' },
    { bit: 22, letter: 'H', name: 'price variation' },
    { bit: 23, letter: 'K', name: 'rule 155' },
    { bit: 28, letter: 'E', name: 'automatic execution' },
    { bit: 31, letter: 'I', name: 'odd lot' },
    { bit: 27, letter: 'I', name: 'CAP election, which had the letter before odd lots did' },
    { bit: 15, letter: 'S', name: 'split' },
    { bit: 16, letter: 'A', name: 'acquisition' },
    { bit: 17, letter: 'B', name: 'bunched' },
    { bit: 19, letter: 'D', name: 'distribution' },
    { bit: 4, letter: 'Y', name: 'yellow flag' },
    { bit: 12, letter: '1', name: 'stopped' },
  ],
};
const OUT_OF_SEQUENCE_BIT = 14;

export const quoteConditionLetters: readonly ConditionLetter[] = [
  { bit: 11, letter: 'O', name: 'opening quote' },
  { bit: 3, letter: 'C', name: 'closing quote' },
  { bit: 8, letter: 'L', name: 'closed market maker' },
  { bit: 10, letter: 'N', name: 'non-firm' },
  { bit: 1, letter: 'W', name: 'slow on both sides' },
  { bit: 2, letter: 'A', name: 'gap' },
  { bit: 20, letter: 'H', name: 'manual' },
  { bit: 21, letter: 'F', name: 'fast trading' },
  { bit: 4, letter: 'D', name: 'news dissemination' },
  { bit: 5, letter: 'P', name: 'news pending' },
  { bit: 6, letter: 'G', name: 'trading range indication' },
  { bit: 7, letter: 'I', name: 'order imbalance' },
  { bit: 22, letter: 'E', name: 'order influx' },
  { bit: 9, letter: 'M', name: 'volatility trading pause' },
  { bit: 12, letter: 'S', name: 'due to a related security' },
  { bit: 13, letter: 'T', name: 'resume' },
  { bit: 14, letter: 'V', name: 'in view of common' },
  { bit: 15, letter: 'X', name: 'equipment changeover' },
  { bit: 16, letter: 'Y', name: 'sub-penny trading' },
  { bit: 17, letter: 'Z', name: 'no open, no resume' },
  { bit: 18, letter: 'U', name: 'limit up-limit down band' },
  { bit: 19, letter: 'U', name: 'the same, republished' },
  { bit: 0, letter: 'R', name: 'regular' },
];
const QUOTE_CONDITION_LETTERS = 4;

/** Four characters, spaces on the right left out: `20000020` is ` F`, an intermarket sweep. */
export function saleConditionOfFlags(flags: number): string {
  const { settlement, tradeThrough, hoursOrSold, detail } = saleConditionPlaces;
  const sold = letterOf(hoursOrSold, flags);
  const soldOrBoth = sold === 'T' && isSet(flags, OUT_OF_SEQUENCE_BIT) ? 'U' : sold;
  return (letterOf(settlement, flags) + letterOf(tradeThrough, flags) + soldOrBoth + letterOf(detail, flags)).trimEnd();
}

/** Up to four letters: `1` is `R`, regular. */
export function quoteConditionOfFlags(flags: number): string {
  const letters = quoteConditionLetters.filter(({ bit }) => isSet(flags, bit)).map(({ letter }) => letter);
  return letters.slice(0, QUOTE_CONDITION_LETTERS).join('');
}

function letterOf(letters: readonly ConditionLetter[], flags: number): string {
  return letters.find(({ bit }) => isSet(flags, bit))?.letter ?? ' ';
}

/** Flags use 32 bits, of which JavaScript's `&` would take the highest for a sign. */
function isSet(flags: number, bit: number): boolean {
  return Math.floor(flags / 2 ** bit) % 2 === 1;
}
