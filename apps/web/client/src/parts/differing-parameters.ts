import type { NamedValue } from '../contract.ts';

/** Parameters that not every version has with the same value. */
export function differingParameters(
  sides: readonly (readonly NamedValue[])[],
): { name: string; label: string; values: (string | undefined)[] }[] {
  const labels = new Map(sides.flat().map(({ name, label }) => [name, label]));
  return [...labels]
    .map(([name, label]) => ({
      name,
      label,
      values: sides.map((side) => side.find((parameter) => parameter.name === name)?.value),
    }))
    .filter(({ values }) => new Set(values).size > 1);
}
