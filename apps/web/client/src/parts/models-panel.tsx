import { lazy, Suspense, useMemo, useState } from 'react';
import { equityRows } from '../charts/equity-rows.ts';
import type { ModelDescription, ModelSummary } from '../contract.ts';
import { count, gain, money, type Zone } from '../format.ts';
import type { LiveState } from '../live/live-state.ts';
import { useResource } from '../live/use-resource.ts';
import { useThrottled } from '../live/use-throttled.ts';
import { ChampionshipBar } from '../promotion/championship-bar.tsx';
import type { Change } from '../promotion/promotion-texts.ts';
import { costStatement } from './cost-statement.ts';
import { ParameterName, ParameterValue } from './parameter-name.tsx';

/** As in the symbol's panel: asked for at once, waited for by nobody. */
const equityChart = import('../charts/equity-chart.tsx');
const EquityChart = lazy(() => equityChart);

/** SVG lines stay quick up to about a thousand points. */
const MAX_POINTS = 600;
const REDRAW_MS = 2_000;

const FIGURES: { label: string; title: string; of: (summary: ModelSummary) => string }[] = [
  {
    label: 'Equity',
    title: 'Profit since the start, marked to market, fees taken off, USD',
    of: (m) => gain(m.equityE4),
  },
  {
    label: 'Net position',
    title: 'Open positions, long less short, at their last trade, USD',
    of: (m) => money(m.positionValueE4),
  },
  {
    label: 'Max. drawdown',
    title: 'Largest fall of equity from an earlier high, USD',
    of: (m) => money(m.maxDrawdownE4),
  },
  { label: 'Fees', title: 'Fees paid, USD', of: (m) => money(m.feesE4) },
  { label: 'Fills', title: 'Paper orders filled', of: (m) => count(m.fills) },
  { label: 'Decisions', title: 'Trades judged', of: (m) => count(m.decisions) },
];

export function ModelsPanel({ live, zone }: { live: LiveState; zone: Zone }) {
  const summaries = live.overview?.models ?? [];
  const champion = live.overview?.champion ?? null;
  const [asked, setAsked] = useState<Change | null>(null);
  const names = summaries.map(({ model }) => model).join(' ');
  const models = useMemo(() => names.split(' ').filter(Boolean), [names]);
  const equity = useThrottled(live.equity, REDRAW_MS);
  const rows = useMemo(() => equityRows(pick(equity, models), MAX_POINTS), [equity, models]);
  return (
    <section className="panel models" aria-labelledby="models-title">
      <header className="panel-head">
        <h2 id="models-title">Model versions, side by side</h2>
        <p className="muted">profit in USD, marked every minute of event time</p>
      </header>
      <div className="chart-place" data-testid="equity-chart">
        {rows.length < 2 ? (
          <p className="empty">
            {live.overview?.feed.offersOnly
              ? 'Offers only: models idle.'
              : 'No equity yet: it is marked once a minute of event time.'}
          </p>
        ) : (
          <Suspense fallback={<p className="empty">Loading the chart…</p>}>
            <EquityChart rows={rows} models={models} zone={zone} label={equityLabel(summaries)} />
          </Suspense>
        )}
      </div>
      {summaries.length > 0 && <Figures summaries={summaries} champion={champion} onAsk={setAsked} />}
      {summaries.length > 0 && (
        <ChampionshipBar champion={champion} connection={live.connection} zone={zone} asked={asked} onAsk={setAsked} />
      )}
      <Assumptions runs={`${live.connection} ${live.overview?.services.map(({ startedAtMs }) => startedAtMs)}`} />
    </section>
  );
}

function Figures({
  summaries,
  champion,
  onAsk,
}: {
  summaries: readonly ModelSummary[];
  champion: string | null;
  onAsk: (change: Change) => void;
}) {
  return (
    <table className="figures">
      <caption className="visually-hidden">Where each version stands</caption>
      <thead>
        <tr>
          <th scope="col" className="text">
            Version
          </th>
          {FIGURES.map(({ label, title }) => (
            <th key={label} scope="col" className="number" title={title}>
              {label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {summaries.map((summary, index) => (
          <tr key={summary.model} data-testid={`model-${summary.model}`}>
            <th scope="row" className="text">
              <ModelName model={summary.model} index={index} />
              {champion !== null && <Role model={summary.model} champion={champion} onAsk={onAsk} />}
            </th>
            {FIGURES.map(({ label, of }) => (
              <td key={label} data-label={label} className={label === 'Equity' ? 'number strong' : 'number'}>
                {of(summary)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The champion's decisions are acted on; a challenger runs in its shadow, and can take over. */
function Role({ model, champion, onAsk }: { model: string; champion: string; onAsk: (change: Change) => void }) {
  if (model === champion) {
    return (
      <span className="role">
        <span className="champion" data-testid="champion-badge">
          Champion
        </span>
      </span>
    );
  }
  return (
    <span className="role">
      challenger
      <button
        type="button"
        className="button"
        data-testid={`promote-${model}`}
        aria-haspopup="dialog"
        onClick={() => onAsk({ action: 'promote', model })}
      >
        Promote<span className="visually-hidden"> {model}</span>
      </button>
    </span>
  );
}

/** A version's name with its line as the chart draws it. */
export function ModelName({ model, index }: { model: string; index: number }) {
  return (
    <span className="model-name">
      <svg width="22" height="8" aria-hidden="true" className={`swatch model-${Math.min(index, 2) + 1}`}>
        <line x1="0" y1="4" x2="22" y2="4" />
      </svg>
      {model}
    </span>
  );
}

/** @param runs changes when an app was restarted, and perhaps with other parameters */
function Assumptions({ runs }: { runs: string }) {
  const resource = useResource<ModelDescription[]>('/api/models', runs);
  if (resource.state !== 'ready') return null;
  const models = resource.value;
  const assumptions = [...new Set(models.flatMap((model) => model.assumptions))];
  const names = [...new Set(models.flatMap(({ parameters }) => parameters.map(({ name }) => name)))];
  const costs = costStatement(models);
  return (
    <details className="assumptions">
      <summary>Assumptions, fees and parameters{costs !== null && <span className="costs">{costs}</span>}</summary>
      <ul>
        {models.map(({ model, description }) => (
          <li key={model}>
            <strong>{model}</strong>: {description}
          </li>
        ))}
        {assumptions.map((assumption) => (
          <li key={assumption}>{assumption}</li>
        ))}
      </ul>
      <table className="parameters">
        <caption className="visually-hidden">Parameters of each version; rows that differ are marked</caption>
        <thead>
          <tr>
            <th scope="col" className="text">
              Parameter
            </th>
            {models.map(({ model }) => (
              <th key={model} scope="col" className="number">
                {model}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {names.map((name) => {
            const values = models.map(({ parameters }) => parameters.find((parameter) => parameter.name === name));
            const differs = new Set(values.map((value) => value?.value)).size > 1;
            return (
              <tr key={name} className={differs ? 'differs' : ''}>
                <th scope="row" className="text">
                  <ParameterName name={name} label={values.find(Boolean)?.label ?? name} differs={differs} />
                </th>
                {values.map((value, index) => (
                  <td key={models[index]!.model} className="number">
                    <ParameterValue value={value?.value} />
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </details>
  );
}

function pick<T>(record: Readonly<Record<string, T>>, keys: readonly string[]): Record<string, T> {
  return Object.fromEntries(keys.flatMap((key) => (record[key] === undefined ? [] : [[key, record[key]]])));
}

function equityLabel(summaries: readonly ModelSummary[]): string {
  return `Equity over event time. ${summaries.map(({ model, equityE4 }) => `${model} ${gain(equityE4)} USD`).join(', ')}`;
}
