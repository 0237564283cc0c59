import { type FormEvent, memo, useState } from 'react';
import type { ModelDescription, PreparedQuery, QueryResult } from '../contract.ts';
import { useJob } from '../live/use-job.ts';
import { useResource } from '../live/use-resource.ts';
import { JobProgressBar } from '../parts/job-progress-bar.tsx';
import { ResourceState } from '../parts/resource-state.tsx';
import { QueryTable } from '../sql/query-table.tsx';
import { resultText } from '../sql/query-texts.ts';
import { Page } from './page.tsx';

/** Prepared questions over live ticks, a version's decisions and years of history, in one statement each. */
export const SqlPage = memo(function SqlPage() {
  const queries = useResource<PreparedQuery[]>('/api/queries');
  const models = useResource<ModelDescription[]>('/api/models');
  return (
    <Page title="SQL" className="page">
      {queries.state === 'ready' && models.state === 'ready' ? (
        <Ask queries={queries.value} models={models.value.map(({ model }) => model)} />
      ) : (
        <section className="panel" aria-label="Prepared queries">
          <ResourceState resource={queries.state === 'ready' ? models : queries} />
        </section>
      )}
    </Page>
  );
});

function Ask({ queries, models }: { queries: readonly PreparedQuery[]; models: readonly string[] }) {
  const [chosen, setChosen] = useState<string | null>(null);
  const [model, setModel] = useState(models[0] ?? '');
  const { job, start, cancel } = useJob<QueryResult>('cancel');
  const query = queries.find(({ name }) => name === chosen) ?? queries[0];
  if (query === undefined) return <p className="empty">No query has been prepared.</p>;

  function run(event: FormEvent): void {
    event.preventDefault();
    if (job.state !== 'running' && query !== undefined) start('/api/queries', { name: query.name, model });
  }

  return (
    <>
      <section className="panel" aria-labelledby="query-title">
        <header className="panel-head">
          <h2 id="query-title">{query.title}</h2>
        </header>
        <p className="prose">{query.description}</p>
        <form className="panel-part" onSubmit={run}>
          <div className="field-row">
            {queries.length > 1 && (
              <label>
                Query
                <select
                  className="field"
                  data-testid="query-name"
                  value={query.name}
                  onChange={({ target }) => setChosen(target.value)}
                >
                  {queries.map(({ name, title }) => (
                    <option key={name} value={name}>
                      {title}
                    </option>
                  ))}
                </select>
              </label>
            )}
            <label>
              Version
              <select
                className="field"
                data-testid="query-model"
                value={model}
                onChange={({ target }) => setModel(target.value)}
              >
                {models.map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            </label>
            <button
              type="submit"
              className="button primary"
              data-testid="query-button"
              aria-disabled={job.state === 'running'}
            >
              Run
            </button>
            {job.state === 'running' && (
              <button type="button" className="button" aria-disabled={job.cancelling} onClick={cancel}>
                {job.cancelling ? 'Cancelling…' : 'Cancel'}
              </button>
            )}
          </div>
        </form>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
        <section className="sql-text" tabIndex={0} aria-label="Statement, scrollable">
          <pre>
            <code data-testid="query-sql">{query.sql}</code>
          </pre>
        </section>
      </section>
      <section className="panel" aria-labelledby="result-title" aria-busy={job.state === 'running'}>
        <header className="panel-head">
          <h2 id="result-title">Result</h2>
        </header>
        {(job.state === 'idle' || job.state === 'cancelled') && (
          <p className="empty">Nothing has been asked yet: press Run.</p>
        )}
        {job.state === 'running' && (
          <div className="panel-part">
            <JobProgressBar testId="query-progress" label="Running the query" unit="records" progress={job} />
          </div>
        )}
        <div role="status" data-testid="query-status">
          {job.state === 'running' && <span className="visually-hidden">Running the query</span>}
          {job.state === 'failed' && <p className="prose problem">{job.reason}</p>}
          {job.state === 'done' && <p className="prose">{resultText(job.result)}</p>}
        </div>
        {job.state === 'done' && <QueryTable result={job.result} />}
      </section>
    </>
  );
}
