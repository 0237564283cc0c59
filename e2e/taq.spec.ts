import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { test } from './test.ts';
import { cleanUp, hasTaq, type Running, startUp, TAQ } from './tickfold.ts';
import { readTopic, TickAudit, untilLength } from './topics.ts';

const FILES = ['080449', '080450'];
const LINES = 58_000;

test.describe('two seconds of offers between traders (taq)', () => {
  test.skip(!hasTaq, `needs the sample files at ${TAQ}`);
  let tickfold: Running;

  test.beforeAll(async () => {
    tickfold = await startUp({ args: ['--source', `taq:${TAQ}`, '--speed', '0'] });
  });
  test.afterAll(cleanUp);

  for (const topic of ['market.ticks', 'market.enriched']) {
    test(`every line reaches ${topic} once, in order per symbol`, async () => {
      await untilLength(tickfold.broker, topic, LINES);
      const audit = new TickAudit();
      await readTopic(tickfold.broker, topic, (record) => audit.add(record, lineOrder(record.header('source') ?? '')));
      const expected = FILES.flatMap((file) =>
        Array.from({ length: LINES / FILES.length }, (_, line) => `${file}:${line + 1}`),
      );
      expect(audit.repeated).toEqual([]);
      expect(audit.outOfOrder).toEqual([]);
      expect([...audit.sources].sort()).toEqual(expected.sort());
    });
  }

  test('kcat prints the lines of the files byte for byte', async () => {
    test.skip(!existsSync('/usr/bin/kcat'), 'needs kcat');
    await untilLength(tickfold.broker, 'market.ticks', LINES);
    const printed = execFileSync('kcat', ['-C', '-e', '-q', '-b', tickfold.broker, '-t', 'market.ticks'], {
      maxBuffer: 64 << 20,
      encoding: 'latin1',
    });
    const original = FILES.map((file) => readFileSync(join(TAQ, file), 'latin1')).join('');
    expect(sortedDigest(printed)).toBe(sortedDigest(original));
  });

  test('the page says that there are only offers, so that the models idle', async ({ page }) => {
    await page.goto(tickfold.url);
    await expect(page.getByText(/offers only/i).first()).toBeVisible();
    await expect(page.getByTestId('tick-count')).toContainText('58,000');
  });
});

function lineOrder(source: string): number {
  const [file = '', line = ''] = source.split(':');
  return FILES.indexOf(file) * 1_000_000 + Number(line);
}

function sortedDigest(text: string): string {
  return createHash('sha256').update(text.split('\n').filter(Boolean).sort().join('\n')).digest('hex');
}
