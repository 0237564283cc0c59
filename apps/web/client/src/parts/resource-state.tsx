import type { Resource } from '../live/use-resource.ts';

/** What stands where a value will be, or would have been. */
export function ResourceState({ resource }: { resource: Resource<unknown> }) {
  if (resource.state === 'loading') return <p className="empty">Loading…</p>;
  if (resource.state === 'failed') {
    return (
      <p className="empty problem" role="alert">
        {resource.reason}
      </p>
    );
  }
  return null;
}
