import { type FormEvent, useState } from 'react';
import { Link } from 'react-router';
import type { Snapshot } from '../contract.ts';
import { byteSize, count } from '../format.ts';
import { postJson } from '../live/fetch-json.ts';
import { useResource } from '../live/use-resource.ts';
import { freeName } from './free-name.ts';

type Freezing =
  | { state: 'idle' }
  | { state: 'running'; name: string }
  | { state: 'done'; snapshot: Snapshot }
  | { state: 'failed'; reason: string };

/** Takes a snapshot. The session goes on; the picture does not change any more. */
export function FreezeForm({ onFrozen }: { onFrozen?: (snapshot: Snapshot) => void }) {
  const [typed, setTyped] = useState<string | null>(null);
  const [freezing, setFreezing] = useState<Freezing>({ state: 'idle' });
  const taken = useResource<Snapshot[]>('/api/snapshots', freezing.state);
  const names = taken.state === 'ready' ? taken.value.map(({ name }) => name) : [];
  const name = typed ?? freeName('market@open', names);

  function freeze(event: FormEvent): void {
    event.preventDefault();
    if (freezing.state === 'running') return;
    setFreezing({ state: 'running', name });
    postJson<Snapshot>('/api/snapshots', { name }).then(
      (snapshot) => {
        setFreezing({ state: 'done', snapshot });
        setTyped(null);
        onFrozen?.(snapshot);
      },
      (error: Error) => setFreezing({ state: 'failed', reason: error.message }),
    );
  }

  return (
    <form className="freeze" onSubmit={freeze}>
      <label>
        Freeze the input as{' '}
        <input
          className="field"
          data-testid="snapshot-name"
          value={name}
          required
          maxLength={200}
          spellCheck={false}
          autoComplete="off"
          onChange={({ target }) => setTyped(target.value)}
        />
      </label>
      <button type="submit" className="button" data-testid="freeze-button" aria-disabled={freezing.state === 'running'}>
        Freeze
      </button>
      <p className="outcome" role="status" data-testid="snapshot-status">
        <FreezeStatus freezing={freezing} />
      </p>
    </form>
  );
}

function FreezeStatus({ freezing }: { freezing: Freezing }) {
  switch (freezing.state) {
    case 'idle':
      return (
        <span className="muted">A picture of the ticks, their features and history so far. The session goes on.</span>
      );
    case 'running':
      return <>Freezing…</>;
    case 'failed':
      return <span className="problem">{freezing.reason}</span>;
    case 'done':
      return (
        <>
          Frozen: <strong>{freezing.snapshot.name}</strong>, {contentText(freezing.snapshot)}.{' '}
          <Link to="/replay">Replay it</Link>
        </>
      );
  }
}

/** `58,123 records of market.ticks, 12.3 MB` */
export function contentText({ records, sizeBytes }: Snapshot): string {
  const [topic, held] = Object.entries(records).sort(([, a], [, b]) => b - a)[0] ?? [];
  const content = topic === undefined ? 'no record' : `${count(held ?? 0)} records of ${topic}`;
  return `${content}, ${byteSize(sizeBytes)}`;
}
