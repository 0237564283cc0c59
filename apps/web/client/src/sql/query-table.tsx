import type { QueryResult } from '../contract.ts';
import { cellText, decimalsOf } from './query-texts.ts';

export function QueryTable({ result: { columns, rows } }: { result: QueryResult }) {
  const decimals = columns.map((_, index) => decimalsOf(rows, index));
  const alignment = decimals.map((digits) => (digits === null ? 'text' : 'number'));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section className="wide-table" tabIndex={0} aria-label="Rows, scrollable">
      <table className="query-result" data-testid="query-result">
        <thead>
          <tr>
            {columns.map(({ name, type }, index) => (
              <th key={name} scope="col" className={alignment[index]}>
                {name}
                <span className="explained">{type}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, line) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows have no name but their place, and never move
            <tr key={line} data-testid="query-row">
              {columns.map(({ name }, index) => (
                <td key={name} className={alignment[index]}>
                  {cellText(row[index] ?? null, decimals[index] ?? null)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length === 0 && <p className="empty">No row answers this yet.</p>}
    </section>
  );
}
