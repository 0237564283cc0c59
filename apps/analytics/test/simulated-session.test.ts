import { type Decision, newYorkToUtcMs, simulatorDefaults } from '@tickfold/market';
import { createModelFold, findModel } from '@tickfold/models';
import { beforeAll, expect, test } from 'vitest';
import { enrichedSession } from './enriched-session.ts';

interface Summary {
  decisions: number;
  fills: number;
}

const HOUR_MS = 3_600_000;
const [hour, minute] = simulatorDefaults.startAt.split(':').map(Number) as [number, number];
/** An hour of the session passes in a minute at the demo's 60 times. */
const firstHourEndMs = newYorkToUtcMs(simulatorDefaults.date, (hour + minute / 60 + 1) * HOUR_MS);

const summaries = new Map<string, Summary>();
let differences = 0;

beforeAll(async () => {
  const folds = ['reversion-1', 'reversion-2'].map((name) => createModelFold(findModel(name).create()));
  const states = folds.map((fold) => fold.createState(0));
  for (const { model } of folds) summaries.set(model.name, { decisions: 0, fills: 0 });

  let inputOffset = 0n;
  for (const tick of await enrichedSession()) {
    if (tick.eventTimeMs >= firstHourEndMs) break;
    const [one, two] = folds.map((fold, index) => {
      const { decision, fill } = fold.handle(states[index]!, tick, inputOffset);
      const summary = summaries.get(fold.model.name)!;
      if (decision !== undefined) summary.decisions++;
      if (fill !== undefined) summary.fills++;
      return decision;
    }) as [Decision?, Decision?];
    inputOffset++;
    if (one?.action !== two?.action) differences++;
  }
}, 180_000);

test.each(['reversion-1', 'reversion-2'])(
  '%s decides and trades often enough in the first hour to be compared',
  (name) => {
    const { decisions, fills } = summaries.get(name)!;
    expect(decisions).toBeGreaterThan(1_000);
    expect(fills).toBeGreaterThan(100);
  },
);

test('the versions differ within the first hour of the default session', () => {
  expect(differences).toBeGreaterThan(100);
});
