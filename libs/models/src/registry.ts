import { ModelError } from './errors.ts';
import type { ModelDefinition } from './model.ts';
import { reversion1 } from './reversion-1.ts';
import { reversion2 } from './reversion-2.ts';

/** Every model version that this build knows. A new one is added here and nowhere else. */
export const models: ReadonlyMap<string, ModelDefinition> = new Map(
  [reversion1, reversion2].map((definition) => [definition.name, definition]),
);

/** @throws ModelError listing the known names */
export function findModel(name: string): ModelDefinition {
  const definition = models.get(name);
  if (definition !== undefined) return definition;
  throw new ModelError(
    'unknown-model',
    name === '' ? 'No model was named.' : `There is no model ${name}.`,
    `Choose one of ${[...models.keys()].join(', ')}.`,
  );
}
