import type { ParameterRange } from '../contract.ts';
import { ParameterName } from '../parts/parameter-name.tsx';
import { figure, inDollars, readParameter } from './parameter-values.ts';

/** Every parameter with its default and its limits; those that are changed stand out. */
export function ParameterFields({
  ranges,
  texts,
  onText,
  onReset,
}: {
  ranges: readonly ParameterRange[];
  texts: Readonly<Record<string, string>>;
  onText: (name: string, text: string) => void;
  onReset: () => void;
}) {
  const isChanged = Object.values(texts).some((text) => text !== '');
  return (
    <fieldset className="parameter-fields">
      <legend className="visually-hidden">Parameters</legend>
      <div className="parameter-head">
        <h3>Parameters</h3>
        <button type="button" className="button" disabled={!isChanged} onClick={onReset}>
          All as by default
        </button>
      </div>
      <table className="parameters">
        <caption className="visually-hidden">Parameters, with default, range and unit</caption>
        <thead>
          <tr>
            <th scope="col" className="text">
              Parameter
            </th>
            <th scope="col" className="text">
              Value
            </th>
            <th scope="col" className="number">
              Default
            </th>
            <th scope="col" className="number">
              Range
            </th>
          </tr>
        </thead>
        <tbody>
          {ranges.map((range) => (
            <Field
              key={range.name}
              range={range}
              text={texts[range.name] ?? ''}
              onText={(text) => onText(range.name, text)}
            />
          ))}
        </tbody>
      </table>
    </fieldset>
  );
}

function Field({ range, text, onText }: { range: ParameterRange; text: string; onText: (text: string) => void }) {
  const entry = readParameter(range, text);
  const problem = 'problem' in entry ? entry.problem : null;
  const changed = 'changed' in entry && entry.changed;
  const dollars = 'value' in entry ? inDollars(range, entry.value) : null;
  const id = `parameter-${range.name}`;
  return (
    <tr className={changed ? 'differs' : ''}>
      <th scope="row" className="text">
        <label htmlFor={id}>
          <ParameterName name={range.name} label={range.label} />
        </label>
      </th>
      <td className="text parameter-value" data-label="Value">
        <input
          id={id}
          className="field"
          data-testid={id}
          inputMode={range.whole ? 'numeric' : 'decimal'}
          autoComplete="off"
          placeholder={String(range.default)}
          value={text}
          aria-invalid={problem !== null}
          aria-describedby={`${id}-note`}
          onChange={({ target }) => onText(target.value)}
        />
        <span
          id={`${id}-note`}
          className={problem === null ? 'muted' : 'problem'}
          role={problem === null ? undefined : 'alert'}
        >
          {problem ?? (
            <>
              {dollars ?? range.unit}
              {changed && <span className="tag">changed</span>}
            </>
          )}
        </span>
      </td>
      <td className="number" data-label="Default">
        {figure(range.default)}
      </td>
      <td className="number" data-label="Range">
        {figure(range.min)} to {figure(range.max)}
      </td>
    </tr>
  );
}
