import Table from 'cli-table3';

export interface Column<Row> {
  title: string;
  value(row: Row): string;
  align?: 'left' | 'right';
  /** Longer texts are broken between words. */
  maxWidth?: number;
}

const COLUMN_GAP = '  ';
const noBorders = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
  ].map((name) => [name, '']),
);

/** Columns of text under their titles, without lines around them; no line ends in spaces. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const cells = rows.map((row) => columns.map(({ value }) => value(row)));
  const drawn = new Table({
    head: columns.map(({ title }) => title),
    colAligns: columns.map(({ align = 'left' }) => align),
    colWidths: columns.map(({ title, maxWidth }, index) =>
      maxWidth === undefined ? null : Math.min(maxWidth, longest([title, ...cells.map((row) => row[index] ?? '')])),
    ),
    wordWrap: true,
    chars: { ...noBorders, middle: COLUMN_GAP },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  drawn.push(...cells);
  return drawn.toString().replace(/ +$/gm, '');
}

function longest(texts: string[]): number {
  return Math.max(...texts.map((text) => text.length));
}
