import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execaNode } from 'execa';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ServiceFailed, supervise } from '../src/index.ts';
import { createFixture, EventLog, type Fixture, isAlive } from './fixtures.ts';

describe('supervise', () => {
  let fixture: Fixture;
  let stop: AbortController;
  let log: EventLog;
  beforeEach(() => {
    fixture = createFixture();
    stop = new AbortController();
    log = new EventLog();
  });
  afterEach(() => {
    stop.abort();
    fixture.remove();
  });

  it('says that all are ready only when every service has been ready', async () => {
    const services = [await fixture.service('one'), await fixture.service('two', { after: ['one'] })];
    const readyBefore: string[] = [];
    const run = supervise({
      topology: { tasks: [], services },
      signal: stop.signal,
      onEvent: log.add,
      onAllReady: () => {
        for (const event of log.events) if (event.kind === 'ready') readyBefore.push(event.name);
        stop.abort();
      },
    });
    await run;
    expect(readyBefore).toEqual(['one', 'two']);
  });

  it('starts a killed service again and says so', async () => {
    const run = supervise({
      topology: { tasks: [], services: [await fixture.service('one')] },
      signal: stop.signal,
      onEvent: log.add,
      onAllReady: () => {},
    });
    await log.until((event) => event.kind === 'ready');
    process.kill(startedPid(log, 1), 'SIGKILL');
    const ended = await log.until((event) => event.kind === 'ended');
    await log.until((event) => event.kind === 'ready' && event.attempt === 2);
    stop.abort();
    await run;
    expect(ended).toMatchObject({ name: 'one', reason: 'SIGKILL' });
    expect(startedPid(log, 2)).not.toBe(startedPid(log, 1));
  });

  it('waits longer before each restart of a service that keeps dying', async () => {
    const dyingOnceReady = `
      import { createServer } from 'node:http';
      createServer((request, response) => { response.end('{}', () => process.exit(3)); }).listen(Number(process.env.HEALTH_PORT), '127.0.0.1');`;
    const run = supervise({
      topology: { tasks: [], services: [await fixture.service('one', { source: dyingOnceReady })] },
      signal: stop.signal,
      onEvent: log.add,
      onAllReady: () => {},
    });
    await vi.waitFor(() => expect(log.events.filter(({ kind }) => kind === 'ended').length).toBeGreaterThanOrEqual(3), {
      timeout: 20_000,
    });
    stop.abort();
    await run;
    const waits = log.events.flatMap((event) => (event.kind === 'ended' ? [event.restartInMs] : []));
    expect(waits.slice(0, 3)).toEqual([250, 500, 1000]);
  });

  it('gives up when a service ends before it was ever ready, and ends the others', async () => {
    const services = [
      await fixture.service('ground'),
      await fixture.service('broken', { source: 'process.exit(2);', after: ['ground'] }),
    ];
    const run = supervise({
      topology: { tasks: [], services },
      signal: stop.signal,
      onEvent: log.add,
      onAllReady: () => {},
    });
    await expect(run).rejects.toThrow(ServiceFailed);
    expect(isAlive(startedPid(log, 1))).toBe(false);
  });

  it('leaves no process behind, not even one that ignores SIGTERM', async () => {
    const stubborn = `
      import { createServer } from 'node:http';
      process.on('SIGTERM', () => {});
      createServer((request, response) => response.end('{}')).listen(Number(process.env.HEALTH_PORT), '127.0.0.1');`;
    const services = [await fixture.service('one'), await fixture.service('stubborn', { source: stubborn })];
    await supervise({
      topology: { tasks: [], services },
      signal: stop.signal,
      onEvent: log.add,
      onAllReady: () => stop.abort(),
    });
    const pids = log.events.flatMap((event) => (event.kind === 'started' ? [event.pid] : []));
    expect(pids).toHaveLength(2);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('fails with the name of a task that fails, before any service starts', async () => {
    const entry = join(fixture.folder, 'task.mjs');
    writeFileSync(entry, 'process.exit(7);');
    const run = supervise({
      topology: { tasks: [{ name: 'prepare', entry, env: {} }], services: [await fixture.service('one')] },
      signal: stop.signal,
      onEvent: log.add,
      onAllReady: () => {},
    });
    await expect(run).rejects.toThrow('prepare could not start: exit status 7');
    expect(log.events).toEqual([]);
  });

  it('takes its services with it when it is killed itself', async () => {
    const service = await fixture.service('one');
    const script = join(fixture.folder, 'supervisor.mjs');
    const library = new URL('../dist/index.js', import.meta.url).href;
    writeFileSync(
      script,
      `import { supervise } from ${JSON.stringify(library)};
       await supervise({ topology: { tasks: [], services: [${JSON.stringify(service)}] }, signal: new AbortController().signal,
         onEvent: (event) => console.log(JSON.stringify(event)), onAllReady: () => {} });`,
    );
    const supervisor = execaNode(script, { reject: false, buffer: false });
    const pid = await new Promise<number>((resolve) => {
      let started = 0;
      createInterface({ input: supervisor.stdout }).on('line', (line) => {
        const event = JSON.parse(line) as { kind: string; pid?: number };
        if (event.kind === 'started') started = event.pid ?? 0;
        if (event.kind === 'ready') resolve(started);
      });
    });
    supervisor.kill('SIGKILL');
    await supervisor;
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 10_000 });
  });
});

function startedPid(log: EventLog, attempt: number): number {
  const event = log.events.find((other) => other.kind === 'started' && other.attempt === attempt);
  return event?.kind === 'started' ? event.pid : Number.NaN;
}
