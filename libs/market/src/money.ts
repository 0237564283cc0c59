/** Money is whole ten-thousandths of a dollar ("E4") everywhere, within bounds in which sums and encodings are exact. */

export class MoneyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MoneyError';
  }
}

/** 1 USD. */
export const E4 = 10_000;

/**
 * Amounts reach from minus to plus this: 450 billion USD. JavaScript counts exactly to twice as much, but the events'
 * encoding (a zigzag of doubled numbers) does not.
 */
export const AMOUNT_E4_MAX = 2 ** 52 - 1;

/** The amount itself. @throws MoneyError when it is no whole number or too large to be exact */
export function checkedAmountE4(amountE4: number): number {
  if (!Number.isInteger(amountE4) || Math.abs(amountE4) > AMOUNT_E4_MAX)
    throw new MoneyError(`${amountE4} is not an exact amount of 1/10,000 USD.`);
  return amountE4;
}

/** @throws MoneyError when the sum is not exact */
export function addE4(leftE4: number, rightE4: number): number {
  return checkedAmountE4(leftE4 + rightE4);
}

/** Value of `size` shares at a price. @throws MoneyError when the product is not exact */
export function notionalE4(priceE4: number, size: number): number {
  return checkedAmountE4(priceE4 * size);
}

/**
 * A fee or a share of an amount: `amountE4 * basisPoints / 10,000`, half away from zero.
 * @throws MoneyError when the intermediate product is not exact
 */
export function basisPointsOfE4(amountE4: number, basisPoints: number): number {
  const product = checkedAmountE4(amountE4 * basisPoints);
  return Math.sign(product) * Math.floor((Math.abs(product) + 5_000) / 10_000);
}

/** `10.33`; prices below a whole cent keep their four decimals: `10.3325`. */
export function formatPriceE4(priceE4: number): string {
  const wholeCents = priceE4 % 100 === 0;
  return wholeCents ? (priceE4 / E4).toFixed(2) : (priceE4 / E4).toFixed(4);
}

/** `-1,234.50`: dollars and cents for people, rounded half away from zero. */
export function formatMoneyE4(amountE4: number): string {
  const cents = Math.round(Math.abs(amountE4) / 100);
  const dollars = Math.floor(cents / 100).toLocaleString('en-US');
  const sign = amountE4 < 0 && cents > 0 ? '-' : '';
  return `${sign}${dollars}.${String(cents % 100).padStart(2, '0')}`;
}
