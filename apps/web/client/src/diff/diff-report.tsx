import { type DiffSide, describeKind, type VolumeDiff } from '@tickfold/evaluation/browser';
import { count, type Zone } from '../format.ts';
import { Values } from '../parts/values.tsx';
import { rangeText } from './diff-texts.ts';
import { DivergencePanel } from './divergence-panel.tsx';
import { ProfitPanel } from './profit-panel.tsx';

/** What was compared, how often they differ, the money, and where they part: what was acted on says more, so it comes first. */
export function DiffReport({ diff, zone }: { diff: VolumeDiff; zone: Zone }) {
  const { first, firstAction, profit } = diff;
  const actionIsLater = firstAction !== null && firstAction.source !== first?.source;
  return (
    <>
      <Compared diff={diff} />
      {profit !== null && <ProfitPanel profit={profit} zone={zone} />}
      {actionIsLater && (
        <DivergencePanel
          title="Where they first act differently"
          testId="diff-first-action"
          divergence={firstAction}
          zone={zone}
        />
      )}
      {first !== null && (
        <DivergencePanel title={firstTitle(diff)} testId="diff-first" divergence={first} zone={zone} />
      )}
    </>
  );
}

function firstTitle({ first, firstAction }: VolumeDiff): string {
  if (firstAction === null) return 'The first difference; both acted alike on every tick';
  return first?.source === firstAction.source
    ? 'Where they first part, and act differently'
    : 'The first difference of any kind';
}

function Compared({ diff }: { diff: VolumeDiff }) {
  return (
    <section className="panel" aria-labelledby="compared-title">
      <header className="panel-head">
        <h2 id="compared-title">What was compared</h2>
      </header>
      <p className="prose" data-testid="diff-range">
        {rangeText(diff)}
      </p>
      <div className="sides">
        <Side letter="A" side={diff.a} />
        <Side letter="B" side={diff.b} />
      </div>
      <div className="counts">
        <table className="tally">
          <caption>Records in the range</caption>
          <thead>
            <tr>
              <th scope="col" className="text">
                Topic
              </th>
              <th scope="col" className="number">
                A
              </th>
              <th scope="col" className="number">
                B
              </th>
              <th scope="col" className="number">
                Differ
              </th>
            </tr>
          </thead>
          <tbody>
            {diff.topics.map(({ topic, recordsA, recordsB, differing }) => (
              <tr key={topic} data-testid={`diff-topic-${topic}`}>
                <th scope="row" className="text">
                  {topic}
                </th>
                <td className="number" data-label="A">
                  {count(recordsA)}
                </td>
                <td className="number" data-label="B">
                  {count(recordsB)}
                </td>
                <td className="number strong" data-label="Differ">
                  {count(differing)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {diff.kinds.length > 0 && <Kinds diff={diff} />}
      </div>
    </section>
  );
}

function Kinds({ diff }: { diff: VolumeDiff }) {
  return (
    <table className="tally">
      <caption>Decisions that differ, each once, by the first of these that applies</caption>
      <thead>
        <tr>
          <th scope="col" className="text">
            Kind
          </th>
          <th scope="col" className="number">
            Decisions
          </th>
        </tr>
      </thead>
      <tbody>
        {diff.kinds.map(({ kind, count: decisions }) => (
          <tr key={kind} data-testid={`diff-kind-${kind}`}>
            <th scope="row" className="text">
              {describeKind(kind)}
            </th>
            <td className="number strong" data-label="Decisions">
              {count(decisions)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Side({ letter, side }: { letter: 'A' | 'B'; side: DiffSide }) {
  const { ref, model, parametersVersion, input } = side;
  const values = [
    { name: 'model', label: 'Written by', value: model ?? 'no model version' },
    { name: 'parameters', label: 'Parameters', value: parametersVersion ?? 'not known' },
    { name: 'input', label: 'From', value: input ?? 'not known' },
  ];
  return (
    <section className={`side ${letter === 'A' ? 'model-1' : 'model-2'}`} data-testid={`diff-${letter.toLowerCase()}`}>
      <h3>
        <span>
          <span className="side-letter">{letter}</span> {ref}
        </span>
      </h3>
      <Values values={values} />
    </section>
  );
}
