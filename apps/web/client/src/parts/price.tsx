import { price } from '../format.ts';

/** A price in a column: parts of a cent stand behind the cents, in room that is always kept, so that nothing jumps. */
export function ColumnPrice({ priceE4 }: { priceE4: number | null }) {
  const text = price(priceE4);
  const cents = text.indexOf('.') + 3;
  const whole = priceE4 === null ? text : text.slice(0, cents);
  return (
    <>
      {whole}
      <span className="part-cents">{text.slice(whole.length)}</span>
    </>
  );
}
