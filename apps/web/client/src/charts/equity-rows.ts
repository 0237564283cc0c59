import type { EquityPoint } from '../contract.ts';
import { downsample } from './downsample.ts';

/** One x of the equity chart: a minute, and each model's equity then in USD. */
export interface EquityRow {
  minuteMs: number;
  [model: string]: number;
}

/** Lines of several models on one axis: each model's last value is carried to the minutes that only others have. */
export function equityRows(equity: Readonly<Record<string, readonly EquityPoint[]>>, limit: number): EquityRow[] {
  const models = Object.keys(equity);
  const byMinute = new Map<number, EquityRow>();
  for (const model of models) {
    for (const { minuteMs, equityE4 } of equity[model]!) {
      let row = byMinute.get(minuteMs);
      if (!row) {
        row = { minuteMs };
        byMinute.set(minuteMs, row);
      }
      row[model] = equityE4 / 10_000;
    }
  }
  const rows = [...byMinute.values()].sort((a, b) => a.minuteMs - b.minuteMs);
  const last: Record<string, number> = {};
  for (const row of rows) {
    for (const model of models) {
      if (row[model] !== undefined) last[model] = row[model];
      else if (last[model] !== undefined) row[model] = last[model];
    }
  }
  return downsample(
    withoutIdleStart(rows, models),
    limit,
    ({ minuteMs }) => minuteMs,
    // The spread between the versions is what the chart is looked at for.
    (row) => models.reduce((sum, model, index) => sum + (row[model] ?? 0) * (index % 2 === 0 ? 1 : -1), 0),
  );
}

/** The hours before any version first held something say nothing: one minute of them stays. */
function withoutIdleStart(rows: EquityRow[], models: readonly string[]): EquityRow[] {
  const first = rows.findIndex((row) => models.some((model) => (row[model] ?? 0) !== 0));
  return first < 1 ? rows : rows.slice(first - 1);
}
