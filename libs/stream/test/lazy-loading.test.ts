import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const BUILT = join(import.meta.dirname, '../dist/index.js');

/** How connecting failed, and how many modules of kafkajs were loaded, told by a process of its own that imports this library and tries to connect. */
function attempt(engine: string): { code: string; kafkaJsModules: number } {
  const script = `
    import { createRequire } from 'node:module';
    import { connect } from ${JSON.stringify(BUILT)};
    const config = { engine: ${JSON.stringify(engine)}, brokers: ['127.0.0.1:9'], clientId: 'test', connectTimeoutMs: 1 };
    const { code } = await connect(config).catch((error) => error);
    const loaded = Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes('/kafkajs/'));
    console.log(JSON.stringify({ code, kafkaJsModules: loaded.length }));
  `;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' }));
}

test('an app on the embedded engine does not load kafkajs; one on the Kafka engine does', () => {
  expect(attempt('embedded')).toEqual({ code: 'unreachable', kafkaJsModules: 0 });
  expect(attempt('kafka')).toEqual({ code: 'unreachable', kafkaJsModules: expect.toSatisfy((count) => count > 0) });
});
