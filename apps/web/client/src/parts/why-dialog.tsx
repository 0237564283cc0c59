import { useEffect, useRef } from 'react';
import type { Difference, DifferenceDetail } from '../contract.ts';
import { dateText, preciseTime, price, type Zone, zoneName } from '../format.ts';
import { useResource } from '../live/use-resource.ts';
import { ActionBadge } from './action-badge.tsx';
import { differingParameters } from './differing-parameters.ts';
import { ModelName } from './models-panel.tsx';
import { ParameterName, ParameterValue } from './parameter-name.tsx';
import { Values } from './values.tsx';

/** The tick on which versions differ, what both could know, and what each made of it. */
export function WhyDialog({ difference, zone, onClose }: { difference: Difference; zone: Zone; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const resource = useResource<DifferenceDetail>(`/api/differences/${difference.id}`);
  useEffect(() => {
    if (dialog.current?.open === false) dialog.current.showModal();
  }, []);

  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a modal dialog by itself
    <dialog
      ref={dialog}
      className="why"
      data-testid="why-dialog"
      aria-labelledby="why-title"
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) dialog.current.close();
      }}
    >
      <div className="why-body">
        <header className="panel-head">
          <h2 id="why-title">Why did they differ?</h2>
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            Close
          </button>
        </header>
        <p className="why-lead">
          <strong>{difference.symbol}</strong> traded at <strong>{price(difference.priceE4)} USD</strong>,{' '}
          {dateText(difference.eventTimeMs, zone)}, {preciseTime(difference.eventTimeMs, zone)}{' '}
          {zoneName(difference.eventTimeMs, zone)}.
        </p>
        {resource.state === 'loading' && <p className="empty">Loading…</p>}
        {resource.state === 'failed' && <p className="empty">{resource.reason}</p>}
        {resource.state === 'ready' && <Explanation detail={resource.value} />}
      </div>
    </dialog>
  );
}

function Explanation({ detail }: { detail: DifferenceDetail }) {
  const differing = differingParameters(detail.sides.map(({ parameters }) => parameters));
  return (
    <>
      <div className="sides">
        {detail.sides.map((side, index) => (
          <section
            key={side.model}
            className={`side model-${Math.min(index, 2) + 1}`}
            data-testid={`why-${side.model}`}
          >
            <h3>
              <ModelName model={side.model} index={index} /> <ActionBadge action={side.action} />
            </h3>
            <p className="reason">{side.reason}</p>
            <Values values={side.values} />
            {side.parametersVersion !== null && (
              <p className="note">
                Parameters: <code>{side.parametersVersion}</code>
              </p>
            )}
          </section>
        ))}
      </div>
      <section className="shared">
        <h3>What both saw</h3>
        <Values values={[...detail.tick, ...detail.features]} />
      </section>
      {differing.length > 0 && (
        <section>
          <h3>Parameters that differ</h3>
          <table className="parameters">
            <thead>
              <tr>
                <th scope="col" className="text">
                  Parameter
                </th>
                {detail.sides.map(({ model }) => (
                  <th key={model} scope="col" className="number">
                    {model}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {differing.map(({ name, label, values }) => (
                <tr key={name}>
                  <th scope="row" className="text">
                    <ParameterName name={name} label={label} />
                  </th>
                  {values.map((value, index) => (
                    <td key={detail.sides[index]!.model} className="number">
                      <ParameterValue value={value} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </>
  );
}
