const MARKS: Record<string, string> = { buy: '▲', sell: '▼', hold: '■', none: '·' };

export function ActionBadge({ action }: { action: string }) {
  return (
    <span className={`action ${action}`}>
      <span aria-hidden="true">{MARKS[action] ?? '?'}</span> {action}
    </span>
  );
}
