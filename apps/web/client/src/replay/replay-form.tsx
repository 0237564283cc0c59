import { type FormEvent, useEffect, useMemo, useState } from 'react';
import { Link } from 'react-router';
import type { ModelDescription, Snapshot, Volume } from '../contract.ts';
import { count } from '../format.ts';
import { useJob } from '../live/use-job.ts';
import type { Resource } from '../live/use-resource.ts';
import { JobProgressBar } from '../parts/job-progress-bar.tsx';
import { ResourceState } from '../parts/resource-state.tsx';
import { diffAddress } from './diff-address.ts';
import { freeName } from './free-name.ts';
import { ParameterFields } from './parameter-fields.tsx';
import { readParameters } from './parameter-values.ts';

interface ReplayResult {
  volume: string;
  decisions: number;
  fills: number;
}

export function ReplayForm({
  snapshots,
  models,
  volumes,
  onReplayed,
  onCancelled,
}: {
  snapshots: Resource<Snapshot[]>;
  models: Resource<ModelDescription[]>;
  volumes: Resource<Volume[]>;
  onReplayed: (model: string, volume: string) => void;
  onCancelled: () => void;
}) {
  return (
    <section className="panel replay" aria-labelledby="replay-title">
      <header className="panel-head">
        <h2 id="replay-title">Replay</h2>
        <p className="muted">the same code as live, on what is frozen</p>
      </header>
      {models.state === 'ready' && snapshots.state === 'ready' ? (
        <Fields
          models={models.value.filter(({ known }) => known)}
          snapshots={snapshots.value}
          volumes={volumes.state === 'ready' ? volumes.value : []}
          onReplayed={onReplayed}
          onCancelled={onCancelled}
        />
      ) : (
        <ResourceState resource={models.state === 'ready' ? snapshots : models} />
      )}
    </section>
  );
}

function Fields({
  models,
  snapshots,
  volumes,
  onReplayed,
  onCancelled,
}: {
  models: readonly ModelDescription[];
  snapshots: readonly Snapshot[];
  volumes: readonly Volume[];
  onReplayed: (model: string, volume: string) => void;
  onCancelled: () => void;
}) {
  const newestFirst = useMemo(() => [...snapshots].sort((a, b) => b.createdAtMs - a.createdAtMs), [snapshots]);
  const [chosenModel, setModel] = useState<string | null>(null);
  const [chosenFrom, setFrom] = useState<string | null>(null);
  const [typedInto, setInto] = useState<string | null>(null);
  /** By version: what suits one may not suit the other. */
  const [typed, setTyped] = useState<Readonly<Record<string, Readonly<Record<string, string>>>>>({});
  const { job, start, cancel } = useJob<ReplayResult>('let-it-run');
  const [asked, setAsked] = useState({ model: '', from: '' });

  const model = models.find((one) => one.model === chosenModel) ?? models.at(-1);
  const from = newestFirst.find(({ name }) => name === chosenFrom)?.name ?? newestFirst[0]?.name;
  const names = volumes.map(({ name }) => name);
  const into = typedInto ?? freeName('try', names);
  const texts = (model && typed[model.model]) ?? {};
  const parameters = model && readParameters(model.ranges, texts);
  const missing = missingText(model, from, parameters);

  const volume = job.state === 'done' ? job.result.volume : null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: told once, when it is there
  useEffect(() => {
    if (volume === null) return;
    setInto(null);
    onReplayed(asked.model, volume);
  }, [volume]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: told once, when it is so
  useEffect(() => {
    if (job.state === 'cancelled') onCancelled();
  }, [job.state]);

  if (model === undefined) return <p className="empty">This build knows none of the running versions.</p>;

  function replay(event: FormEvent): void {
    event.preventDefault();
    if (missing !== null || job.state === 'running' || model === undefined || from === undefined) return;
    setAsked({ model: model.model, from });
    start('/api/replays', { model: model.model, from, into, parameters });
  }

  return (
    <form className="replay-form" onSubmit={replay}>
      <div className="field-row">
        <label>
          Version
          <select
            className="field"
            data-testid="replay-model"
            value={model.model}
            onChange={({ target }) => setModel(target.value)}
          >
            {models.map(({ model: name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <label>
          Snapshot
          <select
            className="field"
            data-testid="replay-from"
            value={from ?? ''}
            onChange={({ target }) => setFrom(target.value)}
          >
            {from === undefined && <option value="">none yet</option>}
            {newestFirst.map(({ id, name }) => (
              <option key={id}>{name}</option>
            ))}
          </select>
        </label>
        <label>
          Into the new volume
          <input
            className="field"
            data-testid="replay-into"
            value={into}
            required
            maxLength={100}
            spellCheck={false}
            autoComplete="off"
            onChange={({ target }) => setInto(target.value)}
          />
        </label>
      </div>
      <ParameterFields
        key={model.model}
        ranges={model.ranges}
        texts={texts}
        onText={(name, text) => setTyped({ ...typed, [model.model]: { ...texts, [name]: text } })}
        onReset={() => setTyped({ ...typed, [model.model]: {} })}
      />
      <div className="form-end">
        <button
          type="submit"
          className="button primary"
          data-testid="replay-button"
          aria-disabled={missing !== null || job.state === 'running'}
          aria-describedby="replay-missing"
        >
          Replay
        </button>
        {job.state === 'running' && (
          <button
            type="button"
            className="button"
            data-testid="replay-cancel"
            aria-disabled={job.cancelling}
            onClick={cancel}
          >
            {job.cancelling ? 'Cancelling…' : 'Cancel'}
          </button>
        )}
        <p id="replay-missing" className="muted">
          {missing ?? `${model.model} on ${from}, ${changedText(parameters ?? {})}.`}
        </p>
      </div>
      {job.state === 'running' && (
        <JobProgressBar testId="replay-progress" label={`Replaying ${asked.from}`} unit="ticks" progress={job} />
      )}
      <div role="status" data-testid="replay-status">
        {job.state === 'running' && <p className="visually-hidden">Replaying {asked.from}</p>}
        {job.state === 'cancelled' && <p>Cancelled.</p>}
        {job.state === 'failed' && <p className="problem">{job.reason}</p>}
        {job.state === 'done' && <Replayed result={job.result} model={asked.model} volumes={volumes} />}
      </div>
    </form>
  );
}

/** What has to be there before anything can be replayed; null when it is. */
function missingText(
  model: ModelDescription | undefined,
  from: string | undefined,
  parameters: Record<string, number> | undefined,
): string | null {
  if (model === undefined) return 'There is no version to replay.';
  if (from === undefined) return 'There is no snapshot yet: freeze the input first.';
  return parameters === undefined ? 'A parameter is out of its range: see above.' : null;
}

function changedText(parameters: Readonly<Record<string, number>>): string {
  const changed = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  return changed.length === 0 ? 'all parameters as they are by default' : `with ${changed.join(', ')}`;
}

/** The live volume of the same version first: what the change made. */
function Replayed({ result, model, volumes }: { result: ReplayResult; model: string; volumes: readonly Volume[] }) {
  const others = volumes
    .filter((volume) => volume.model !== null && volume.name !== result.volume)
    .sort((a, b) => Number(isLiveOf(b, model)) - Number(isLiveOf(a, model)));
  return (
    <>
      <p>
        Replayed into <strong>{result.volume}</strong>: {count(result.decisions)} decisions, {count(result.fills)}{' '}
        fills.
      </p>
      {others.length > 0 && (
        <p className="compare-links">
          What did it change? Compare with{' '}
          {others.map((other, index) => (
            <span key={other.name}>
              {index > 0 && ', '}
              <Link to={diffAddress(other.name, result.volume)}>{other.name}</Link>
              {isLiveOf(other, model) && ' (the live one)'}
            </span>
          ))}
          .
        </p>
      )}
    </>
  );
}

const isLiveOf = (volume: Volume, model: string): boolean => volume.live && volume.model === model;
