import { assumptions, findModel, models } from '@tickfold/models';
import type { ModelFacts } from './explain-difference.ts';
import type { HealthAnswer } from './services.ts';

/**
 * Parameters with what they mean, and what the figures take for granted.
 *
 * @param running what the app that runs the model says of itself: its parameters, where they are not the defaults
 */
export function modelFacts(name: string, running: HealthAnswer): ModelFacts {
  if (!models.has(name)) {
    const description = `This build does not know ${name}.`;
    return { known: false, description, parameters: [], ranges: [], assumptions: [] };
  }
  const definition = findModel(name);
  const model = definition.create(parametersOf(running));
  return {
    known: true,
    description: definition.description,
    parameters: Object.entries(model.parameters).map(([parameter, value]) => {
      const spec = definition.parameters[parameter];
      return {
        name: parameter,
        label: spec?.description ?? parameter,
        value: withUnit(value, spec?.unit ?? ''),
      };
    }),
    ranges: Object.entries(definition.parameters).map(([parameter, { description, whole, ...range }]) => ({
      name: parameter,
      label: description,
      ...range,
      whole: whole === true,
    })),
    assumptions: assumptions(model),
  };
}

const E4_UNIT = '1/10,000 USD';

/** Money is kept in whole 1/10,000 USD; people read dollars. */
function withUnit(value: number, unit: string): string {
  if (unit.startsWith(E4_UNIT)) {
    const dollars = (value / 10_000).toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 4 });
    return `${dollars} USD${unit.slice(E4_UNIT.length)}`;
  }
  if (unit === 'percentile') return `percentile ${value}`;
  return unit === '' ? String(value) : `${value} ${unit}`;
}

function parametersOf(running: HealthAnswer): Record<string, unknown> {
  const parameters = running?.parameters;
  return typeof parameters === 'object' && parameters !== null ? (parameters as Record<string, unknown>) : {};
}
