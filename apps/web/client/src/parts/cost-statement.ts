import type { ModelDescription } from '../contract.ts';

/** How paper orders are filled and what they cost; null where nothing is known of the versions' fees. */
export function costStatement(models: readonly Pick<ModelDescription, 'parameters'>[]): string | null {
  const fees = models.map(({ parameters }) => {
    const told = (name: string) => parameters.find((parameter) => parameter.name === name)?.value;
    const perShare = told('feePerShareE4');
    const minimum = told('feeMinimumE4');
    return perShare === undefined || minimum === undefined ? null : `${perShare}, at least ${minimum}`;
  });
  const [first] = fees;
  if (first === undefined || fees.includes(null)) return null;
  const cost = fees.every((fee) => fee === first) ? `Fee: ${first}.` : 'Fees differ: see the parameters.';
  return `Paper orders fill at the first opposite quote after the decision. ${cost}`;
}
