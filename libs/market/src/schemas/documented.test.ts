import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decisionVersions } from './decision.ts';
import { enrichedTickVersions } from './enriched-tick.ts';
import { equityMarkVersions } from './equity-mark.ts';
import { fillVersions } from './fill.ts';
import { promotionVersions } from './promotion.ts';
import { promotionCommandVersions } from './promotion-command.ts';
import {
  decisionSchema,
  enrichedTickSchema,
  equityMarkSchema,
  fillSchema,
  promotionCommandSchema,
  promotionSchema,
  runSchema,
  sourceSessionSchema,
} from './registry.ts';
import { runVersions } from './run.ts';
import { sourceSessionVersions } from './source-session.ts';

const document = readFileSync(new URL('../../../../docs/formats/schemas.md', import.meta.url), 'utf8');

const events: [string, readonly { fields: readonly { name: string; type: unknown }[] }[]][] = [
  [enrichedTickSchema.id, enrichedTickVersions],
  [decisionSchema.id, decisionVersions],
  [fillSchema.id, fillVersions],
  [equityMarkSchema.id, equityMarkVersions],
  [sourceSessionSchema.id, sourceSessionVersions],
  [runSchema.id, runVersions],
  [promotionCommandSchema.id, promotionCommandVersions],
  [promotionSchema.id, promotionVersions],
];

test.each(events)('docs/formats/schemas.md shows the fields and types of %s', (id, versions) => {
  const section = document.split(`\n## ${id}\n`)[1]?.split('\n## ')[0] ?? '';
  const documented = section
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, field, type]) => `${field}: ${type}`)
    .slice(1);
  expect(documented).toEqual(versions.at(-1)!.fields.map(({ name, type }) => `${name}: ${typeText(type)}`));
});

test('every event of the registry is documented, and none that is not there', () => {
  const headings = [...document.matchAll(/^## (\S+\/\d+)$/gm)].map(([, id]) => id);
  expect(headings).toEqual(events.map(([id]) => id));
});

function typeText(type: unknown): string {
  if (typeof type === 'string') return type;
  if (Array.isArray(type)) return `${typeText(type[1])} or null`;
  const {
    type: name,
    symbols,
    logicalType,
    items,
  } = type as { type: string; symbols?: string[]; logicalType?: string; items?: unknown };
  if (name === 'array') return `array of ${typeText(items)}`;
  return logicalType ?? `${name} ${symbols?.join(', ')}`;
}
