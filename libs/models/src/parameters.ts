import { ModelError } from './errors.ts';

/** One number that a user may turn. Money is whole 1/10,000 USD, so that every figure stays exact. */
export interface ParameterSpec {
  default: number;
  min: number;
  max: number;
  /** What one of it is, such as `shares`; empty for a plain number. */
  unit: string;
  /** True where only whole numbers make sense. */
  whole?: boolean;
  /** What it does, for a person who turns it. */
  description: string;
}

export type ParameterSpecs = Readonly<Record<string, ParameterSpec>>;

export type ParameterValues<Specs extends ParameterSpecs = ParameterSpecs> = { readonly [Name in keyof Specs]: number };

/** A name with its specs: what parameters are checked against. */
interface Parameterised<Specs extends ParameterSpecs> {
  name: string;
  parameters: Specs;
}

/**
 * Every parameter of a model: the overrides where given, else the defaults.
 *
 * @throws ModelError naming parameter, value and range
 */
export function resolveParameters<Specs extends ParameterSpecs>(
  model: Parameterised<Specs>,
  overrides: Readonly<Record<string, unknown>> = {},
): ParameterValues<Specs> {
  for (const [name, value] of Object.entries(overrides)) checkParameter(model, name, value);
  const values: Record<string, number> = {};
  for (const [name, spec] of Object.entries(model.parameters))
    values[name] = (overrides[name] ?? spec.default) as number;
  return values as ParameterValues<Specs>;
}

function checkParameter(model: Parameterised<ParameterSpecs>, name: string, value: unknown): void {
  const spec = Object.hasOwn(model.parameters, name) ? model.parameters[name] : undefined;
  if (spec === undefined) {
    throw new ModelError(
      'unknown-parameter',
      `${model.name} has no parameter ${name}.`,
      `Choose from ${Object.keys(model.parameters).join(', ')}.`,
    );
  }
  const range = `${spec.whole === true ? 'a whole number' : 'a number'} from ${spec.min} to ${spec.max}`;
  if (typeof value !== 'number' || !Number.isFinite(value) || (spec.whole === true && !Number.isInteger(value))) {
    throw new ModelError(
      'parameter-not-a-number',
      `${model.name}: ${name}=${typeof value === 'number' ? value : JSON.stringify(value)} is not ${range}.`,
      `Give ${name} ${range}, or leave it out for ${spec.default}.`,
    );
  }
  if (value < spec.min || value > spec.max) {
    throw new ModelError(
      'parameter-out-of-range',
      `${model.name}: ${name}=${value} is outside of ${spec.min} to ${spec.max}.`,
      `Give ${name} ${range}, or leave it out for ${spec.default}.`,
    );
  }
}

/**
 * Reads overrides as people write them: a JSON object, or `NAME=VALUE` pairs separated by commas or spaces.
 * An empty text overrides nothing. Names and ranges are checked by {@link resolveParameters}.
 *
 * @throws ModelError where the text is neither
 */
export function parseParameters(text: string): Record<string, unknown> {
  const trimmed = text.trim();
  return trimmed.startsWith('{') ? parseJsonObject(trimmed) : parsePairs(trimmed);
}

function parseJsonObject(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new ModelError(
      'parameters-unreadable',
      `The parameters ${JSON.stringify(text)} are not a JSON object: ${(error as Error).message}.`,
      'Write {"name": value, ...} or name=value pairs.',
    );
  }
}

function parsePairs(text: string): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const pair of text.split(/[\s,]+/)) {
    if (pair === '') continue;
    const [name, value, ...rest] = pair.split('=');
    if (name === undefined || name === '' || value === undefined || value === '' || rest.length > 0) {
      throw new ModelError(
        'parameters-unreadable',
        `The parameter ${JSON.stringify(pair)} is not of the form name=value.`,
        'Write name=value pairs, separated by commas or spaces, or a JSON object.',
      );
    }
    const number = Number(value);
    values[name] = Number.isNaN(number) ? value : number;
  }
  return values;
}

/**
 * Says which parameters a decision was made with: `defaults`, or what differs from them, such as
 * `entrySignal=2.5,halfLifeMinutes=3`. The defaults themselves belong to the version's code.
 */
export function parametersVersion<Specs extends ParameterSpecs>(specs: Specs, values: ParameterValues<Specs>): string {
  const changed = Object.entries(specs)
    .filter(([name, spec]) => values[name] !== spec.default)
    .map(([name]) => `${name}=${values[name]}`);
  return changed.length === 0 ? 'defaults' : changed.join(',');
}
