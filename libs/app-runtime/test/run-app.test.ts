import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const LIBRARY = new URL('../dist/index.js', import.meta.url).href;

describe('runApp', () => {
  let folder: string;
  let running: ChildProcess[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tickfold-app-'));
  });
  afterEach(() => {
    for (const child of running) child.kill('SIGKILL');
    running = [];
    rmSync(folder, { recursive: true, force: true });
  });

  function start(
    main: string,
    { ipc = false, env = {} } = {},
  ): { child: ChildProcess; output: () => string; errors: () => string } {
    const script = join(folder, 'app.mjs');
    writeFileSync(
      script,
      `import { runApp, aborted, UserError, UsageError } from ${JSON.stringify(LIBRARY)};\nrunApp({ name: 'sample', main: async (app) => { ${main} } });`,
    );
    const child = spawn(process.execPath, [script], {
      stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])],
      env: { ...process.env, HEALTH_PORT: '0', ...env },
    });
    running.push(child);
    let output = '';
    let errors = '';
    child.stdout?.on('data', (data) => {
      output += data;
    });
    child.stderr?.on('data', (data) => {
      errors += data;
    });
    return { child, output: () => output, errors: () => errors };
  }

  it('ends with status 0 when it is asked to by SIGTERM', async () => {
    const { child } = start(`console.log('up'); await aborted(app.signal);`);
    await once(child.stdout!, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('leaves a Ctrl-C to its supervisor, and ends when the supervisor is gone', async () => {
    const { child, output } = start(
      `process.on('SIGINT', () => console.log('interrupted')); console.log('up'); await aborted(app.signal);`,
      { ipc: true },
    );
    await once(child.stdout!, 'data');
    child.kill('SIGINT');
    await once(child.stdout!, 'data');
    child.disconnect();
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(output()).toContain('interrupted');
  });

  it('prints an error with its mend and without a stack trace', async () => {
    const { child, errors } = start(`throw new UsageError('MODEL=x is unknown.', 'Use one of: y.');`);
    const [status] = await once(child, 'close');
    expect(status).toBe(2);
    expect(errors()).toBe('sample: MODEL=x is unknown.\nMend: Use one of: y.\n');
  });

  it('is alive before it is ready, and tells both', async () => {
    const script = `
      const { port } = await new Promise((resolve) => { resolve({ port: Number(process.env.HEALTH_PORT) }); });
      const ask = async (path) => (await fetch('http://127.0.0.1:' + port + path));
      const before = await ask('/readyz'); const alive = await ask('/healthz');
      app.reportStatus({ lag: 3 }); app.setReady(true);
      const after = await ask('/readyz'); const metrics = await (await ask('/metrics')).text();
      console.log(JSON.stringify([before.status, alive.status, after.status, (await after.json()).lag, metrics.includes('process_cpu')]));`;
    const { createServer } = await import('node:net');
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as import('node:net').AddressInfo;
    probe.close();
    const { child, output } = start(script, { env: { HEALTH_PORT: String(port) } });
    await once(child, 'close');
    expect(JSON.parse(output())).toEqual([503, 200, 200, 3, true]);
  });
});
