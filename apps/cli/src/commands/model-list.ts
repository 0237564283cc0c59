import { type ModelDefinition, models, type ParameterSpec } from '@tickfold/models';
import type { Outcome } from '../outcome.ts';
import type { System } from '../system.ts';
import { table } from '../table.ts';

type Role = 'champion' | 'challenger';

interface ListedParameter extends ParameterSpec {
  name: string;
}

interface ListedModel {
  name: string;
  description: string;
  /** Null while nobody is champion. */
  role: Role | null;
  parameters: ListedParameter[];
}

/** So that a line fits into 100 columns. */
const MEANING_WIDTH = 48;

export async function listModels(system: System): Promise<Outcome> {
  const champion = await system.champion();
  const listed = [...models.values()].map((definition) => describeModel(definition, champion));
  const challenger = listed.find(({ role }) => role === 'challenger');
  return {
    text: listed.map(asText).join('\n\n'),
    json: listed,
    exitStatus: 0,
    next: challenger === undefined ? 'snapshot create market@open' : `model promote ${challenger.name}`,
  };
}

function describeModel({ name, description, parameters }: ModelDefinition, champion: string | null): ListedModel {
  return {
    name,
    description,
    role: champion === null ? null : name === champion ? 'champion' : 'challenger',
    parameters: Object.entries(parameters).map(([parameter, spec]) => ({ name: parameter, ...spec })),
  };
}

function asText({ name, description, role, parameters }: ListedModel): string {
  return [
    `${name}${role === null ? '' : ` (${role})`}: ${description}`,
    table<ListedParameter>(parameters, [
      { title: 'Parameter', value: (parameter) => parameter.name },
      { title: 'Default', value: (parameter) => String(parameter.default), align: 'right' },
      { title: 'Range', value: rangeOf },
      { title: 'What it does', value: meaningOf, maxWidth: MEANING_WIDTH },
    ]),
  ].join('\n');
}

function rangeOf({ min, max, whole }: ParameterSpec): string {
  return `${min} to ${max}${whole === true ? ', whole' : ''}`;
}

function meaningOf({ description, unit }: ParameterSpec): string {
  return unit === '' ? description : `${description} Unit: ${unit}.`;
}
