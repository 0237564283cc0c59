import type { NamedValue } from '../contract.ts';

/** What something is made of, one labelled value a line. */
export function Values({ values }: { values: readonly NamedValue[] }) {
  return (
    <dl className="values">
      {values.map(({ name, label, value }) => (
        <div key={name}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
