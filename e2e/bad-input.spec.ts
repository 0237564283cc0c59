import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { expect } from '@playwright/test';
import { test } from './test.ts';
import { cleanUp, type Running, start, startUp, temporaryFolder } from './tickfold.ts';
import { readTopic, untilLength } from './topics.ts';

/** A trade line of the Daily Trades layout, made up for these tests. */
const GOOD_LINE = `093000000N${'TFLD'.padEnd(16)}@   ${'100'.padStart(9, '0')}${'103300'.padStart(11, '0')}N00${'1'.padStart(16, '0')}CN`;

async function refusal(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ status: number | null; output: string }> {
  const tickfold = await start({ args, env });
  const status = await new Promise<number | null>((resolve) => tickfold.process.once('close', resolve));
  return { status, output: tickfold.output() };
}

function expectClear({ output }: { output: string }, ...parts: (string | RegExp)[]): void {
  for (const part of parts)
    expect(output).toMatch(part instanceof RegExp ? part : new RegExp(part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')));
  expect(output).toContain('Mend: ');
  expect(output, 'no stack trace').not.toMatch(/^\s+at .+:\d+:\d+/m);
}

test.describe('what cannot be started is refused with value and mend', () => {
  test.afterEach(cleanUp);

  for (const [title, args, status, parts] of [
    ['an unknown option', ['--sped', '60'], 2, ['--sped', '--help']],
    ['a speed that is no number', ['--speed', 'fast'], 2, ['--speed fast']],
    ['a date that does not exist', ['--date', '2013-02-30'], 2, ['--date 2013-02-30']],
    ['an unknown kind of source', ['--source', 'itch:/tmp/x'], 2, ['itch', 'sim', 'taq:', 'lean:']],
    ['a path that is missing', ['--source', 'taq:/nowhere/at/all'], 1, ['/nowhere/at/all']],
  ] as [string, string[], number, string[]][]) {
    test(title, async () => {
      const result = await refusal(args);
      expectClear(result, ...parts);
      expect(result.status).toBe(status);
    });
  }

  test('a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as import('node:net').AddressInfo;
    const result = await refusal([], { PORT: String(port) });
    other.close();
    expectClear(result, String(port), 'PORT=');
    expect(result.status).toBe(1);
  });

  test('a data folder that cannot be written', async () => {
    // Also root cannot make folders here.
    const result = await refusal([], { DATA_DIR: '/proc/tickfold-volumes' });
    expectClear(result, '/proc/tickfold-volumes', 'DATA_DIR');
    expect(result.status).toBe(1);
  });

  test('a damaged zip', async () => {
    const folder = temporaryFolder();
    const zip = join(folder, 'equity/usa/tick/tfld/20131008_trade.zip');
    mkdirSync(dirname(zip), { recursive: true });
    writeFileSync(zip, 'PK\u0003\u0004 this is not the rest of a zip file');
    const result = await refusal(['--source', `lean:${folder}`, '--date', '2013-10-08']);
    expectClear(result, '20131008_trade.zip');
    expect(result.status).toBe(1);
  });

  test('a folder without any tick file', async () => {
    const result = await refusal(['--source', `taq:${temporaryFolder()}`]);
    expectClear(result, 'tickfold-e2e-');
    expect(result.status).toBe(1);
  });
});

test.describe('a running system', () => {
  let tickfold: Running;
  test.afterAll(cleanUp);
  test.beforeAll(async () => {
    const folder = temporaryFolder();
    const lines = [
      'Time,Exchange,Symbol (a header line)',
      GOOD_LINE,
      'short',
      GOOD_LINE.replace('00000103300', '0000010x300'),
      GOOD_LINE.replace('093000000N', '093000000?'),
    ];
    writeFileSync(join(folder, 'trades'), lines.join('\r\n'));
    tickfold = await startUp({ args: ['--source', `taq:${folder}`, '--speed', '0', '--date', '2013-10-08'] });
  });

  test('puts malformed lines into the dead letters with file, line and reason, and goes on', async () => {
    await untilLength(tickfold.broker, 'market.ticks', 2);
    await untilLength(tickfold.broker, 'market.dead-letter', 2);
    const letters: string[] = [];
    await readTopic(tickfold.broker, 'market.dead-letter', (record) =>
      letters.push(`${record.header('source')} ${record.header('reason')}`),
    );
    expect(letters.sort()).toEqual([
      expect.stringMatching(/^trades:3 .*(short|length|bytes)/i),
      expect.stringMatching(/^trades:4 .*price/i),
    ]);
  });

  test('refuses what the page of another site posts, and names that site', async ({ request }) => {
    const response = await request.post(`${tickfold.url}/api/overview`, {
      headers: { origin: 'https://evil.example' },
      data: {},
    });
    expect(response.status()).toBe(403);
    expect(response.headers()['content-type']).toContain('application/problem+json');
    expect(await response.text()).toContain('https://evil.example');
  });

  test('refuses to be reached by a foreign host name, as DNS rebinding would', async ({ request }) => {
    const response = await request.get(`${tickfold.url}/api/overview`, { headers: { host: 'rebound.example' } });
    expect(response.status()).toBe(421);
    expect(await response.text()).toContain('rebound.example');
  });

  test('keeps a web page from posting to the port of the broker', async ({ request }) => {
    await expect(request.post(`http://${tickfold.broker}/`, { data: 'x' })).rejects.toThrow();
    await untilLength(tickfold.broker, 'market.ticks', 2);
  });
});
