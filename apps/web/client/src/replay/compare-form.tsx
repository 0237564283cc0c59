import { type FormEvent, useState } from 'react';
import { useNavigate } from 'react-router';
import type { Snapshot, Volume } from '../contract.ts';
import { diffAddress } from './diff-address.ts';
import { inReadingOrder, likelyPair } from './volume-texts.ts';

/** Two volumes, or two pictures of them, to be held side by side. */
export function CompareForm({
  volumes,
  snapshots,
  replayed,
}: {
  volumes: readonly Volume[];
  snapshots: readonly Snapshot[];
  replayed: { model: string; volume: string } | null;
}) {
  const navigate = useNavigate();
  const likely = likelyPair(volumes, replayed);
  const [chosen, setChosen] = useState<{ a?: string; b?: string }>({});
  const a = chosen.a ?? likely?.a ?? '';
  const b = chosen.b ?? likely?.b ?? '';

  function compare(event: FormEvent): void {
    event.preventDefault();
    if (a !== '' && b !== '') void navigate(diffAddress(a, b));
  }

  return (
    <form className="compare" onSubmit={compare}>
      <div className="field-row">
        <Picker
          side="a"
          value={a}
          volumes={volumes}
          snapshots={snapshots}
          onPick={(name) => setChosen({ ...chosen, a: name })}
        />
        <Picker
          side="b"
          value={b}
          volumes={volumes}
          snapshots={snapshots}
          onPick={(name) => setChosen({ ...chosen, b: name })}
        />
        <button
          type="submit"
          className="button primary"
          data-testid="compare-button"
          aria-disabled={a === '' || b === ''}
        >
          Compare
        </button>
      </div>
      {likely === null && <p className="muted">Two volumes that a model wrote are needed.</p>}
    </form>
  );
}

function Picker({
  side,
  value,
  volumes,
  snapshots,
  onPick,
}: {
  side: 'a' | 'b';
  value: string;
  volumes: readonly Volume[];
  snapshots: readonly Snapshot[];
  onPick: (name: string) => void;
}) {
  const ofModels = inReadingOrder(volumes).filter(({ model }) => model !== null);
  const others = volumes.filter(({ model }) => model === null);
  const groups = [
    { label: 'Written by model versions', names: ofModels.map(({ name }) => name) },
    { label: 'Other volumes', names: others.map(({ name }) => name) },
    { label: 'Snapshots', names: snapshots.map(({ name }) => name) },
  ];
  return (
    <label>
      {side.toUpperCase()}
      <select
        className="field"
        data-testid={`compare-${side}`}
        value={value}
        onChange={({ target }) => onPick(target.value)}
      >
        {value === '' && <option value="">none yet</option>}
        {groups.map(
          ({ label, names }) =>
            names.length > 0 && (
              <optgroup key={label} label={label}>
                {names.map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </optgroup>
            ),
        )}
      </select>
    </label>
  );
}
