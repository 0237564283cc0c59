import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  isMalformed,
  openTaqFeed,
  SAMPLE_SESSION_FILE,
  sampleSession,
  sampleSessionOptions,
  sessionOf,
} from '../src/index.ts';
import { readAll } from './scratch.ts';

const folder = join(import.meta.dirname, '../../../data/sample');
const file = join(folder, SAMPLE_SESSION_FILE);
const readme = readFileSync(join(folder, 'README.md'), 'utf8');

describe('the committed sample session (data/sample)', () => {
  test('is what the simulator makes of its seed today, to the byte', () => {
    expect(sampleSession().equals(readFileSync(file))).toBe(true);
  });

  test('has the hash, size, seed and date that its README names, and is small', () => {
    const hash = createHash('sha256').update(readFileSync(file)).digest('hex');
    expect(readme).toContain(hash);
    expect(readme).toContain(statSync(file).size.toLocaleString('en-US'));
    expect(readme).toContain(`seed ${sampleSessionOptions.seed}`);
    expect(readme).toContain(sampleSessionOptions.date);
    expect(statSync(file).size).toBeLessThan(500_000);
  });

  test('is read by the taq feed without a malformed line, on its own date, trades and offers both', async () => {
    const feed = await openTaqFeed(folder);
    const items = await readAll(feed);
    expect(feed.eventDate).toBe(sampleSessionOptions.date);
    expect(feed.warnings).toEqual([]);
    const kinds = new Map<string, number>();
    for (const item of items) {
      if (isMalformed(item)) expect.fail(item.reason);
      if (sessionOf(item.eventTimeMs) === 'closed') expect.fail(`${item.source} is outside of all sessions`);
      kinds.set(item.kind, (kinds.get(item.kind) ?? 0) + 1);
    }
    expect(readme).toContain(items.length.toLocaleString('en-US'));
    expect(kinds.get('trade')).toBeGreaterThan(1000);
    expect(kinds.get('offer')).toBeGreaterThan(500);
  });
});
