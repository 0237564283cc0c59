import type { MarketPins } from '@tickfold/evaluation';
import { models, type ParameterValues, parametersVersion } from '@tickfold/models';
import { table } from './table.ts';

/** What a snapshot pins, a line for each. */
export function describePins(pins: Readonly<Record<string, unknown>>): string {
  const { source, enrichment, models: versions = {}, tickfoldVersion, nodeVersion } = pins as Partial<MarketPins>;
  const lines: [string, string][] = [
    ['source', source?.description ?? 'unknown'],
    ['enrichment', enrichment?.code ?? 'unknown'],
    ['history', enrichment?.history ?? 'none'],
    ...Object.entries(versions).map(([name, run]): [string, string] => [name, describeParameters(run)]),
    ['taken by', `Tickfold ${tickfoldVersion ?? '?'}, Node.js ${nodeVersion ?? '?'}`],
  ];
  return table(lines, [
    { title: 'Pinned', value: ([name]) => name },
    { title: '', value: ([, value]) => value },
  ]);
}

/** `defaults`, or what differs from them; as they were written down where this build does not know that version. */
export function describeParameters({ code, parameters }: { code: string; parameters: string }): string {
  const definition = models.get(code);
  if (definition === undefined) return parameters;
  return parametersVersion(definition.parameters, JSON.parse(parameters) as ParameterValues);
}
