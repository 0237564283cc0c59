import { UNKNOWN } from '../format.ts';

/** A signed number whose direction is told by sign, arrow and colour. */
export function Change({ value, text }: { value: number | null; text: string }) {
  if (value === null) return <span className="muted">{UNKNOWN}</span>;
  const direction = value > 0 ? 'up' : value < 0 ? 'down' : 'flat';
  return (
    <span className={`change ${direction}`}>
      <span aria-hidden="true" className="arrow">
        {direction === 'up' ? '▲' : direction === 'down' ? '▼' : '■'}
      </span>
      {text}
    </span>
  );
}
