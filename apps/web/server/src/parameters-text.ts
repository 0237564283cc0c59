import { models, type ParameterValues, parametersVersion } from '@tickfold/models';

/** `defaults`, or what differs from them; null for a version that this build does not know. */
export function parametersText({ code, parameters }: { code: string; parameters: string }): string | null {
  const definition = models.get(code);
  if (definition === undefined) return null;
  return parametersVersion(definition.parameters, JSON.parse(parameters) as ParameterValues);
}
