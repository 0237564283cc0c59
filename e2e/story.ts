import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';
import type { VolumeDiff } from '@tickfold/evaluation';
import { decisionSchema, headers, promotionSchema, topics } from '@tickfold/market';
import { cli, cliJson } from './cli.ts';
import { test } from './test.ts';
import { cleanUp, type Running, startUp } from './tickfold.ts';
import { readTopic } from './topics.ts';

const FIVE_MINUTES = 300_000;

interface ReplayResult {
  volume: string;
  decisions: number;
  fills: number;
}

export interface StorySetUp {
  title: string;
  /** Called once, before Tickfold is started. */
  serve(): Promise<StoryStreams>;
  /** Whether it is told to its end: the pages themselves, and a snapshot while services are killed. */
  isWhole: boolean;
  /** Services that are killed amid a snapshot; what keeps the streams comes first, where it is ours. */
  killed: readonly [string, ...string[]];
}

/** Where the streams are kept. */
export interface StoryStreams {
  /** Tells Tickfold. */
  env: Record<string, string>;
  stop(): Promise<void>;
}

/** The first five minutes, as the README tells them, on the default start. Each test goes on where the one before ended. */
export function describeStory({ title, serve, isWhole, killed }: StorySetUp): void {
  test.describe
    .serial(title, () => {
      let tickfold: Running;
      let streams: StoryStreams;
      let page: Page;
      const problems: string[] = [];

      test.beforeAll(async ({ browser }) => {
        streams = await serve();
        tickfold = await startUp({ env: streams.env });
        page = await (await browser.newContext()).newPage();
        page.on('console', (message) => {
          if (message.type() === 'error') problems.push(message.text());
        });
        page.on('pageerror', (error) => problems.push(error.message));
      });
      test.afterAll(async () => {
        await cleanUp();
        await streams.stop();
      });

      test('is walked in the browser within five minutes of a fresh start', async () => {
        test.setTimeout(FIVE_MINUTES);

        await test.step('0:30 prices move, and say that they are simulated', async () => {
          await page.goto(tickfold.url);
          await expect(page.getByTestId('feed-badge')).toContainText(/simulated/i);
          await expect.poll(() => numberOf(page, 'tick-count')).toBeGreaterThan(1_000);
        });

        await test.step('1:00 two equity lines part; why? opens the tick on which they decided differently', async () => {
          await expect(page.getByTestId('equity-chart')).toBeVisible();
          await page.getByTestId('why-button').first().click({ timeout: 60_000 });
          await expect(page.getByTestId('why-dialog')).toContainText('reversion-2');
          await page.keyboard.press('Escape');
        });

        await test.step('2:00 freeze the input, once there is enough to compare', async () => {
          await expect
            .poll(() => fewestFills(tickfold), { timeout: 150_000, intervals: [1_000] })
            .toBeGreaterThanOrEqual(100);
          await page.getByTestId('snapshot-name').fill('market@open');
          await page.getByTestId('freeze-button').click();
          // On a cluster it is a copy, which takes its time on a busy machine.
          await expect(page.getByTestId('snapshot-status')).toContainText('market@open', { timeout: 60_000 });
        });

        await test.step('3:00 change one parameter, replay, see the priced diff', async () => {
          await page
            .getByRole('link', { name: /replay/i })
            .first()
            .click();
          await expect(page.getByTestId('snapshot-row-market@open')).toContainText(/features-1/);
          await page.getByTestId('replay-model').selectOption('reversion-2');
          await page.getByTestId('replay-from').selectOption('market@open');
          await page.getByTestId('parameter-entrySignal').fill('1.8');
          await page.getByTestId('replay-into').fill('try-1');
          await page.getByTestId('replay-button').click();
          await expect(page.getByTestId('volume-row-try-1')).toContainText('entrySignal=1.8', { timeout: 60_000 });
          await page.getByTestId('compare-a').selectOption('model-reversion-2');
          await page.getByTestId('compare-b').selectOption('try-1');
          await page.getByTestId('compare-button').click();
          await expect(page).toHaveURL(/\/diff\?a=model-reversion-2&b=try-1/);
          await expect(page.getByTestId('diff-verdict')).toContainText(/different/i, { timeout: 60_000 });
          await expect(page.getByTestId('diff-first')).toContainText(/VWAP/i);
          await expect(page.getByTestId('diff-part').first()).toBeVisible();
          expect(await page.getByTestId('diff-sum').textContent()).toBe(
            await page.getByTestId('diff-difference').textContent(),
          );
        });

        await test.step('4:00 promote, roll back', async () => {
          await page.getByRole('link', { name: /^live/i }).first().click();
          await expect(page.getByTestId('model-reversion-1').getByTestId('champion-badge')).toBeVisible();
          await page.getByTestId('promote-reversion-2').click();
          await page.getByTestId('confirm-promotion').click();
          await expect(page.getByTestId('model-reversion-2').getByTestId('champion-badge')).toBeVisible();
          await page.getByTestId('rollback-button').click();
          await page.getByTestId('confirm-promotion').click();
          await expect(page.getByTestId('model-reversion-1').getByTestId('champion-badge')).toBeVisible();
        });

        await test.step('5:00 one prepared SQL query joins live ticks, a model’s decisions and history', async () => {
          await page.getByRole('link', { name: /sql/i }).first().click();
          await page.getByTestId('query-button').click();
          await expect(page.getByTestId('query-status')).toContainText(/rows? in/, { timeout: 90_000 });
          await expect(page.getByTestId('query-row').first()).toBeVisible();
        });
        expect(problems).toEqual([]);
      });

      test('A/A: the same version replayed twice on one snapshot is equal', async () => {
        test.setTimeout(FIVE_MINUTES);
        for (const into of ['aa-1', 'aa-2']) {
          const result = await cliJson<ReplayResult>(tickfold, [
            ...['model', 'replay', 'reversion-1', '--from', 'market@open', '--into', into],
          ]);
          expect(result.decisions).toBeGreaterThanOrEqual(1_000);
          expect(result.fills).toBeGreaterThanOrEqual(100);
        }
        const diff = await cliJson<VolumeDiff>(tickfold, ['volume', 'diff', 'aa-1', 'aa-2']);
        expect(diff).toMatchObject({ equal: true, kinds: [], first: null, profit: { differenceE4: 0, parts: [] } });
        expect(recordsOf(diff, 'decisions')).toBeGreaterThanOrEqual(1_000);
        expect(recordsOf(diff, 'fills')).toBeGreaterThanOrEqual(100);
      });

      test('what a live model made of that range equals its replay', async () => {
        const diff = await cliJson<VolumeDiff>(tickfold, ['volume', 'diff', 'model-reversion-1', 'aa-1']);
        expect(diff.equal).toBe(true);
        expect(recordsOf(diff, 'decisions')).toBeGreaterThanOrEqual(1_000);
      });

      test('reversion-1 and reversion-2 differ, and the parts sum up to the difference in equity exactly', async () => {
        await cliJson(tickfold, ['model', 'replay', 'reversion-2', '--from', 'market@open', '--into', 'b-1']);
        const { equal, profit, firstAction } = await cliJson<VolumeDiff>(
          tickfold,
          ['volume', 'diff', 'aa-1', 'b-1'],
          1,
        );
        expect(equal).toBe(false);
        expect(firstAction?.tick?.symbol).toBe(firstAction?.symbol);
        expect(profit?.parts.reduce((sum, { amountE4 }) => sum + amountE4, 0)).toBe(profit?.differenceE4);
        expect(profit?.differenceE4).toBe((profit?.equityBE4 ?? 0) - (profit?.equityAE4 ?? 0));
        expect(profit?.parts.map(({ kind }) => kind)).not.toContain('unattributed');
      });

      test('live.decisions is the champion’s: each switch where the audit stream says', async () => {
        await cliJson(tickfold, ['model', 'promote', 'reversion-2']);
        await cliJson(tickfold, ['model', 'rollback']);
        const audit: { champion: string; fromInput: number[] }[] = [];
        await readTopic(tickfold.streams, topics.promotions, (record) => {
          const promotion = promotionSchema.decode(record.value!, record.header(headers.schema));
          if (promotion.action !== 'refused') audit.push(promotion);
        });
        expect(audit.map(({ champion }) => champion)).toEqual([
          ...['reversion-1', 'reversion-2', 'reversion-1', 'reversion-2', 'reversion-1'],
        ]);
        let misplaced = 0;
        let outOfOrder = 0;
        const last = new Map<number, number>();
        const count = await readTopic(tickfold.streams, topics.liveDecisions, (record) => {
          const input = Number(record.header(headers.input));
          const champion = audit.findLast(({ fromInput }) => (fromInput[record.partition] ?? 0) <= input)?.champion;
          if (record.header(headers.model) !== champion) misplaced += 1;
          if (input <= (last.get(record.partition) ?? -1)) outOfOrder += 1;
          last.set(record.partition, input);
          decisionSchema.decode(record.value!, record.header(headers.schema));
        });
        expect(count).toBeGreaterThan(1_000);
        expect({ misplaced, outOfOrder }).toEqual({ misplaced: 0, outOfOrder: 0 });
      });

      for (const [what, args, status, message] of [
        [
          'an unknown snapshot',
          ['model', 'replay', 'reversion-1', '--from', 'market@no', '--into', 'x-1'],
          1,
          /market@no.*market@open/s,
        ],
        [
          'an unknown model',
          ['model', 'replay', 'reversion-9', '--from', 'market@open', '--into', 'x-1'],
          2,
          /reversion-9.*reversion-1/s,
        ],
        [
          'a parameter out of range',
          ['model', 'replay', 'reversion-1', '--from', 'market@open', '--into', 'x-1', '--set', 'entrySignal=99'],
          2,
          /entrySignal=99.*from/s,
        ],
        [
          'a target volume that exists',
          ['model', 'replay', 'reversion-1', '--from', 'market@open', '--into', 'aa-1'],
          1,
          /aa-1.*Mend/s,
        ],
        ['a snapshot that exists', ['snapshot', 'create', 'market@open'], 1, /market@open.*Mend/s],
        ['a volume that is not there', ['volume', 'diff', 'aa-1', 'nothing'], 1, /nothing.*aa-1/s],
        ['a model that does not run', ['model', 'promote', 'reversion-9'], 1, /reversion-9.*reversion-1/s],
      ] as const) {
        test(`${what} is refused clearly, and leaves nothing behind`, async () => {
          const before = contents(tickfold.dataDir);
          const result = await cli(tickfold, ...args);
          expect(result.stderr).toMatch(message);
          expect(result.stderr).not.toMatch(/^\s+at /m);
          expect(result.status).toBe(status);
          expect(contents(tickfold.dataDir)).toEqual(before);
        });
      }

      if (!isWhole) return;

      test('has pages without an accessibility violation that axe knows, and that fit a narrow screen', async () => {
        test.setTimeout(FIVE_MINUTES);
        for (const path of ['/replay', '/diff?a=model-reversion-2&b=try-1', '/sql', '/nowhere']) {
          await page.goto(tickfold.url + path);
          if (path.startsWith('/diff')) await expect(page.getByTestId('diff-verdict')).toBeVisible({ timeout: 60_000 });
          const { violations } = await new AxeBuilder({ page }).analyze();
          expect(
            violations.map(({ id, nodes }) => `${path} ${id}: ${nodes.map(({ target }) => target).join(' ')}`),
          ).toEqual([]);
          await page.setViewportSize({ width: 360, height: 740 });
          await expect
            .poll(() => page.evaluate(() => document.documentElement.scrollWidth), { message: path })
            .toBeLessThanOrEqual(360);
          await page.setViewportSize({ width: 1280, height: 720 });
        }
      });

      test('a snapshot taken while everything is being killed is whole or not there', async () => {
        test.setTimeout(FIVE_MINUTES);
        const pids = killed.map((name) => tickfold.pid(name));
        const isBack = `${killed[0]} is back`;
        const backs = tickfold.output().split(isBack).length - 1;
        const attempts = ['market@kill-1', 'market@kill-2', 'market@kill-3'].map((name) =>
          cli(tickfold, 'snapshot', 'create', name).then((result) => ({ name, ...result })),
        );
        await Promise.race(attempts.map((attempt) => untilSnapshotBegins(tickfold, attempt)));
        for (const pid of pids) process.kill(pid, 'SIGKILL');
        const results = await Promise.all(attempts);
        await tickfold.untilOutput(new RegExp(`(${isBack}[^]*){${backs + 1}}`));

        const there = await cliJson<{ name: string }[]>(tickfold, ['snapshot', 'list']);
        for (const { name, status, stderr } of results) {
          const exists = there.some((snapshot) => snapshot.name === name);
          if (status === 0) expect(exists, name).toBe(true);
          else expect(stderr).toMatch(/Mend/);
          expect(stderr).not.toMatch(/^\s+at /m);
          if (exists)
            await cliJson(tickfold, [
              'model',
              'replay',
              'reversion-1',
              '--from',
              name,
              '--into',
              name.replace('market@', ''),
            ]);
        }
        expect(readdirSync(join(tickfold.dataDir, '.snapshots')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
        expect(stagedIn(tickfold.dataDir)).toEqual([]);
      });
    });
}

/** Resolves when the first sign of a snapshot in the making is there, or the attempt has ended. */
async function untilSnapshotBegins({ dataDir }: Running, attempt: Promise<unknown>): Promise<void> {
  let ended = false;
  void attempt.then(() => {
    ended = true;
  });
  await expect
    .poll(
      () =>
        ended ||
        stagedIn(dataDir).length > 0 ||
        readdirSync(join(dataDir, '.snapshots')).some((name) => name.includes('kill')),
      { intervals: [5] },
    )
    .toBe(true);
}

/** Volumes, snapshots and whatever is in the making. */
function contents(dataDir: string): string[] {
  const snapshots = join(dataDir, '.snapshots');
  return [
    ...readdirSync(dataDir),
    ...(existsSync(snapshots) ? readdirSync(snapshots) : []),
    ...stagedIn(dataDir),
  ].sort();
}

function stagedIn(dataDir: string): string[] {
  const staging = join(dataDir, '.staging');
  return existsSync(staging) ? readdirSync(staging) : [];
}

async function fewestFills({ url }: Running): Promise<number> {
  const overview = (await (await fetch(`${url}/api/overview`)).json()) as { models: { fills: number }[] };
  return Math.min(...overview.models.map(({ fills }) => fills));
}

function recordsOf(diff: VolumeDiff, topic: string): number {
  return diff.topics.find((one) => one.topic === topic)?.recordsA ?? 0;
}

async function numberOf(page: Page, testId: string): Promise<number> {
  const text = (await page.getByTestId(testId).textContent()) ?? '';
  return Number(/[\d,.]+/.exec(text)?.[0].replaceAll(',', '') ?? Number.NaN);
}
