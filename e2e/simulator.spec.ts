import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';
import { test } from './test.ts';
import { cleanUp, type Running, startUp, temporaryFolder } from './tickfold.ts';
import { readTopic, topicLength, withClient } from './topics.ts';

const SERVICES = ['broker', 'ingest', 'enrichment', 'reversion-1', 'reversion-2', 'decisions'];

test.describe('the default start', () => {
  let tickfold: Running;
  let problems: string[];

  test.beforeAll(async () => {
    tickfold = await startUp();
  });
  test.afterAll(cleanUp);
  test.beforeEach(({ page }) => {
    problems = [];
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    page.on('pageerror', (error) => problems.push(error.message));
  });
  test.afterEach(() => {
    expect(problems).toEqual([]);
  });

  test('shows live ticks without a reload, says that they are simulated, and that all services are well', async ({
    page,
  }) => {
    await page.goto(tickfold.url);
    await expect(page.getByTestId('feed-badge')).toContainText(/simulated/i);
    await expect.poll(() => tickCount(page)).toBeGreaterThan(0);
    const first = await tickCount(page);
    await expect.poll(() => tickCount(page)).toBeGreaterThan(first + 1000);
    await expect.poll(() => numberOf(page, 'tick-rate')).toBeGreaterThan(0);
    for (const service of SERVICES) await expect(page.getByTestId(`service-${service}`)).toContainText(/ok|ready/i);
    await expect(page.getByTestId('clock')).toContainText(/E[DS]T/);
  });

  test('shows one symbol against its history, which it calls synthetic', async ({ page }) => {
    await page.goto(tickfold.url);
    const row = page.getByTestId(/^symbol-row-/).first();
    await row.getByRole('button').first().or(row).first().click();
    await expect(page.getByText(/synthetic/i).first()).toBeVisible();
    await expect(page.locator('canvas').first()).toBeVisible();
  });

  test('shows where the two versions differ, and why, with the tick, the features and both reasons', async ({
    page,
  }) => {
    await page.goto(tickfold.url);
    await expect(page.getByTestId('equity-chart')).toBeVisible();
    await page.getByTestId('why-button').first().click({ timeout: 60_000 });
    const dialog = page.getByTestId('why-dialog');
    await expect(dialog).toBeVisible();
    for (const part of [/reversion-1/, /reversion-2/, /price/i, /VWAP/i, /sim-42-/])
      await expect(dialog).toContainText(part);
    await page.keyboard.press('Escape');
    await expect(dialog).toBeHidden();
  });

  test('has no accessibility violation that axe knows', async ({ page }) => {
    await page.goto(tickfold.url);
    await expect(page.getByTestId('why-button').first()).toBeVisible({ timeout: 60_000 });
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(' ')}`)).toEqual([]);
  });

  test('fits a narrow screen without scrolling sideways', async ({ page }) => {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.goto(tickfold.url);
    await expect.poll(() => tickCount(page)).toBeGreaterThan(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  });

  for (const victim of SERVICES) {
    test(`says that ${victim} is gone when it is killed, and that it came back`, async ({ page }) => {
      await page.goto(tickfold.url);
      await expect(page.getByTestId(`service-${victim}`)).toContainText(/ok|ready/i);
      const before = (tickfold.output().match(new RegExp(`${victim} is back`, 'g')) ?? []).length;
      process.kill(tickfold.pid(victim), 'SIGKILL');
      await expect(page.getByTestId(`service-${victim}`)).toContainText(/down|restart/i);
      await tickfold.untilOutput(new RegExp(`(${victim} is back[^]*){${before + 1}}`));
      await expect(page.getByTestId(`service-${victim}`)).toContainText(/restarted|ok|ready/i);
      const count = await tickCount(page);
      await expect.poll(() => tickCount(page), { timeout: 30_000 }).toBeGreaterThan(count);
    });
  }

  test('ends at Ctrl-C with status 0, and goes on where it was at the next start', async ({ page }) => {
    await page.goto(tickfold.url);
    await expect.poll(() => tickCount(page)).toBeGreaterThan(0);
    const before = await tickCount(page);
    await page.goto('about:blank');
    const { status } = await tickfold.stop();
    expect(status).toBe(0);

    tickfold = await startUp({ dataDir: tickfold.dataDir });
    const seen = new Map<number, number>();
    const lastOfPartition = new Map<number, number>();
    await page.goto(tickfold.url);
    await expect.poll(() => tickCount(page)).toBeGreaterThan(before);
    await readTopic(tickfold.broker, 'market.ticks', (record) => {
      const position = Number(record.header('position'));
      seen.set(position, (seen.get(position) ?? 0) + 1);
      lastOfPartition.set(record.partition, position);
    });
    // Ticks go on: a partition may be ahead of another by what was on its way when this was read.
    const whole = Math.min(...lastOfPartition.values());
    const notOnce = Array.from({ length: whole }, (_, position) => position).filter((each) => seen.get(each) !== 1);
    expect(whole).toBeGreaterThan(0);
    expect(notOnce).toEqual([]);
  });
});

test.describe('npm start', () => {
  test.afterAll(cleanUp);

  test('does set-up with visible progress, starts everything, and leaves nothing behind', async () => {
    test.setTimeout(180_000);
    const tickfold = await startUp({ throughNpm: true, dataDir: `${temporaryFolder()}/volumes` });
    expect(tickfold.output()).toMatch(/set-up: build/);
    expect(tickfold.output()).toMatch(/history/i);
    const pids = [...SERVICES, 'web'].map((service) => tickfold.pid(service));
    expect(pids.every(isAlive)).toBe(true);
    expect(await withClient(tickfold.broker, (client) => topicLength(client, 'market.ticks'))).toBeGreaterThan(0);
    await tickfold.stop();
    await expect.poll(() => pids.filter(isAlive), { timeout: 5_000 }).toEqual([]);
  });
});

async function tickCount(page: Page): Promise<number> {
  return numberOf(page, 'tick-count');
}

async function numberOf(page: Page, testId: string): Promise<number> {
  const text = (await page.getByTestId(testId).textContent()) ?? '';
  return Number(/[\d,.]+/.exec(text)?.[0].replaceAll(',', '') ?? Number.NaN);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
