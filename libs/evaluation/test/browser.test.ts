import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

test('what a page imports reaches no Node.js module and no Avro', async () => {
  const seen = new Set<string>();
  const visit = async (url: URL): Promise<void> => {
    if (seen.has(url.href)) return;
    seen.add(url.href);
    const source = await readFile(url, 'utf8');
    for (const [, from] of source.matchAll(/^(?:import|export) (?!type ).*? from '([^']+)';$/gm)) {
      if (from!.startsWith('.')) await visit(new URL(from!, url));
      else expect(from).toBe('@tickfold/market/browser');
    }
  };
  await visit(new URL('../src/browser.ts', import.meta.url));
  expect(seen.size).toBeGreaterThan(1);
});
