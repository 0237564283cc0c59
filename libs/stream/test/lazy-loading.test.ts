import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const BUILT = join(import.meta.dirname, '../dist/index.js');

/** What kafkajs loads, told by a process of its own that imports this library and tries to connect. */
function kafkaJsModules(engine: string): number {
  const script = `
    import { createRequire } from 'node:module';
    import { connect } from ${JSON.stringify(BUILT)};
    const config = { engine: ${JSON.stringify(engine)}, brokers: ['127.0.0.1:9'], clientId: 'test', connectTimeoutMs: 1 };
    await connect(config).catch(() => {});
    console.log(Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes('kafkajs')).length);
  `;
  return Number(execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' }));
}

test('an app on the embedded engine does not load kafkajs; one on the Kafka engine does', () => {
  expect(kafkaJsModules('embedded')).toBe(0);
  expect(kafkaJsModules('kafka')).toBeGreaterThan(0);
});
