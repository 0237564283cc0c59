import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Everything that a module imports for its values, directly or by way of others. */
function importsOf(file: URL, found = new Set<string>()): Set<string> {
  const source = readFileSync(file, 'utf8');
  for (const [, typeOnly, specifier = ''] of source.matchAll(/^(?:import|export)( type)? [^;]*?from '([^']+)';$/gms)) {
    if (typeOnly !== undefined || found.has(specifier)) continue;
    if (!specifier.startsWith('.')) found.add(specifier);
    else importsOf(new URL(specifier, file), found);
  }
  return found;
}

test('what a page may import needs neither Node.js nor a package', () => {
  expect([...importsOf(new URL('./browser.ts', import.meta.url))]).toEqual([]);
});

test('the whole library does, so the check can fail', () => {
  const imports = importsOf(new URL('./index.ts', import.meta.url));
  expect(imports).toContain('avsc');
  expect(imports).toContain('node:fs/promises');
});
