import { describePart, type ProfitDifference, type ProfitPart } from '@tickfold/evaluation/browser';
import { clockTime, count, exactAmounts, type Zone, zoneName } from '../format.ts';
import { asOfText, sumE4 } from './diff-texts.ts';

/** The difference in money, and the parts that it consists of. The sum below them is added up here, not told. */
export function ProfitPanel({ profit, zone }: { profit: ProfitDifference; zone: Zone }) {
  const { equityAE4, equityBE4, differenceE4, feesAE4, feesBE4, fillsA, fillsB, parts } = profit;
  const totalE4 = sumE4(parts.map(({ amountE4 }) => amountE4));
  const amountsE4 = [equityAE4, equityBE4, feesAE4, feesBE4, ...parts.map(({ amountE4 }) => amountE4)];
  const { gain, money } = exactAmounts([...amountsE4, ...parts.map(({ example }) => example?.amountE4 ?? 0)]);
  return (
    <section className="panel" aria-labelledby="profit-title" data-testid="diff-profit">
      <header className="panel-head">
        <h2 id="profit-title">What it is worth</h2>
        <p className="muted">USD, B less A</p>
      </header>
      <p className="worth">
        <strong data-testid="diff-difference">{gain(differenceE4)}</strong> <span>{worthText(differenceE4)}</span>
      </p>
      <p className="note" data-testid="diff-as-of">
        B less A: a positive amount is what B has more than A. Marked to market as of {asOfText(profit.asOf, zone)}, the
        last mark that both have; fees are taken off.
      </p>
      <div className="counts">
        <table className="tally">
          <caption className="visually-hidden">Equity, fees and fills of both</caption>
          <thead>
            <tr>
              <th scope="col" className="text">
                <span className="visually-hidden">Figure</span>
              </th>
              <th scope="col" className="number">
                A
              </th>
              <th scope="col" className="number">
                B
              </th>
              <th scope="col" className="number">
                B less A
              </th>
            </tr>
          </thead>
          <tbody>
            <FigureRow name="Equity" a={equityAE4} b={equityBE4} write={gain} />
            <FigureRow name="Fees paid" a={feesAE4} b={feesBE4} write={money} />
            <FigureRow name="Fills" a={fillsA} b={fillsB} write={count} />
          </tbody>
        </table>
      </div>
      <table className="figures parts">
        <caption>By trips: the way of a position from flat to flat</caption>
        <thead>
          <tr>
            <th scope="col" className="text">
              What happened
            </th>
            <th scope="col" className="text">
              The largest of them
            </th>
            <th scope="col" className="number">
              B less A
            </th>
          </tr>
        </thead>
        <tbody>
          {parts.length === 0 && (
            <tr>
              <td className="text muted" colSpan={3}>
                No trip differs.
              </td>
            </tr>
          )}
          {parts.map((part) => (
            <PartRow key={`${part.kind} ${part.reasonA} ${part.reasonB}`} part={part} gain={gain} zone={zone} />
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row" className="text" colSpan={2}>
              Sum of the parts
            </th>
            <td className="number strong" data-label="B less A" data-testid="diff-sum">
              {gain(totalE4)}
            </td>
          </tr>
        </tfoot>
      </table>
      {totalE4 !== differenceE4 && (
        <p className="note problem" role="alert">
          The parts do not sum up to the difference: {gain(differenceE4 - totalE4)} is missing. That is a defect; please
          report it with both volumes.
        </p>
      )}
    </section>
  );
}

function worthText(differenceE4: number): string {
  if (differenceE4 === 0) return 'B made as much as A';
  return differenceE4 > 0 ? 'B made more than A' : 'B made less than A';
}

function FigureRow({ name, a, b, write }: { name: string; a: number; b: number; write: (value: number) => string }) {
  return (
    <tr>
      <th scope="row" className="text">
        {name}
      </th>
      <td className="number" data-label="A">
        {write(a)}
      </td>
      <td className="number" data-label="B">
        {write(b)}
      </td>
      <td className="number" data-label="B less A">
        {write(b - a)}
      </td>
    </tr>
  );
}

function PartRow({ part, gain, zone }: { part: ProfitPart; gain: (amountE4: number) => string; zone: Zone }) {
  const { amountE4, example } = part;
  return (
    <tr data-testid="diff-part">
      <th scope="row" className="text">
        {describePart(part)}
      </th>
      <td className="text" data-label="The largest of them">
        {example !== null && (
          <>
            {example.symbol}, {clockTime(example.eventTimeMs, zone)} {zoneName(example.eventTimeMs, zone)}:{' '}
            <span className="amount">{gain(example.amountE4)}</span>
          </>
        )}
      </td>
      <td className="number strong" data-label="B less A">
        {gain(amountE4)}
      </td>
    </tr>
  );
}
