import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '@tickfold/app-runtime';
import { afterAll, expect, test } from 'vitest';
import { readReferences } from '../src/references.ts';

const folder = mkdtempSync(join(tmpdir(), 'tickfold-enrichment-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a missing history is refused by its path, with how to build it', async () => {
  const refusal = await readReferences(folder, '2025-10-07').catch((error) => error);
  expect(refusal).toBeInstanceOf(UserError);
  expect(refusal.message).toContain(join(folder, 'market', 'tables', 'history.duckdb'));
  expect(refusal.mend).toContain('npm start');
});
