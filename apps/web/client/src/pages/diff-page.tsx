import type { VolumeDiff } from '@tickfold/evaluation/browser';
import { memo, useEffect } from 'react';
import { Link, useSearchParams } from 'react-router';
import type { Snapshot, Volume } from '../contract.ts';
import { DiffReport } from '../diff/diff-report.tsx';
import { verdictText } from '../diff/diff-texts.ts';
import type { Zone } from '../format.ts';
import { useJob } from '../live/use-job.ts';
import { useResource } from '../live/use-resource.ts';
import { JobProgressBar } from '../parts/job-progress-bar.tsx';
import { ResourceState } from '../parts/resource-state.tsx';
import { CompareForm } from '../replay/compare-form.tsx';
import { diffAddress } from '../replay/diff-address.ts';
import { Page } from './page.tsx';

/** Two volumes side by side. Its address names them, so that it can be shared. */
export const DiffPage = memo(function DiffPage({ zone }: { zone: Zone }) {
  const [search] = useSearchParams();
  const a = search.get('a') ?? '';
  const b = search.get('b') ?? '';
  return (
    <Page title="Compare" className="page">
      {a === '' || b === '' ? <Choose /> : <Comparison key={`${a} ${b}`} a={a} b={b} zone={zone} />}
    </Page>
  );
});

function Choose() {
  const volumes = useResource<Volume[]>('/api/volumes');
  const snapshots = useResource<Snapshot[]>('/api/snapshots');
  return (
    <section className="panel" aria-labelledby="choose-title">
      <header className="panel-head">
        <h2 id="choose-title">Which two volumes?</h2>
      </header>
      <ResourceState resource={volumes} />
      {volumes.state === 'ready' && (
        <div className="panel-part">
          <CompareForm
            volumes={volumes.value}
            snapshots={snapshots.state === 'ready' ? snapshots.value : []}
            replayed={null}
          />
        </div>
      )}
    </section>
  );
}

function Comparison({ a, b, zone }: { a: string; b: string; zone: Zone }) {
  const { job, start } = useJob<VolumeDiff>('cancel');
  useEffect(() => start('/api/diffs', { a, b }), [start, a, b]);

  return (
    <>
      <section className="panel" aria-labelledby="diff-title">
        <header className="panel-head">
          <h2 id="diff-title">
            <span className="side-letter">A</span> {a} <span className="muted">and</span>{' '}
            <span className="side-letter">B</span> {b}
          </h2>
          <p className="diff-actions">
            <Link to={diffAddress(b, a)} data-testid="diff-swap">
              Swap A and B
            </Link>
            <Link to="/replay">Choose others</Link>
            <button
              type="button"
              className="button"
              data-testid="diff-again"
              aria-disabled={job.state === 'running'}
              onClick={() => job.state !== 'running' && start('/api/diffs', { a, b })}
            >
              Compare again
            </button>
          </p>
        </header>
        <div className="diff-outcome">
          {job.state === 'running' && (
            <JobProgressBar testId="diff-progress" label={`Comparing ${a} and ${b}`} unit="records" progress={job} />
          )}
          <div role="status" data-testid="diff-status">
            {job.state === 'running' && <span className="visually-hidden">Comparing</span>}
            {job.state === 'failed' && (
              <p className="problem" data-testid="diff-problem">
                {job.reason}
              </p>
            )}
            {job.state === 'done' && <Verdict diff={job.result} />}
          </div>
        </div>
      </section>
      {job.state === 'done' && <DiffReport diff={job.result} zone={zone} />}
    </>
  );
}

function Verdict({ diff }: { diff: VolumeDiff }) {
  return (
    <p className="verdict">
      <strong className={diff.equal ? 'equal' : 'different'} data-testid="diff-verdict">
        {diff.equal ? 'Equal' : 'Different'}
      </strong>{' '}
      {verdictText(diff)}
    </p>
  );
}
