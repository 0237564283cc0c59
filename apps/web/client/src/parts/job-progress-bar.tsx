import { count } from '../format.ts';
import type { JobProgress } from '../live/run-job.ts';

/** How far a job is; without an end while its total is not known. */
export function JobProgressBar({
  progress: { done, total },
  label,
  unit,
  testId,
}: {
  progress: JobProgress;
  label: string;
  unit: string;
  testId: string;
}) {
  const text = total > 0 ? `${count(done)} of ${count(total)} ${unit}` : 'Working…';
  return (
    <div className="job-progress">
      <progress
        data-testid={testId}
        aria-label={label}
        aria-valuetext={text}
        max={total > 0 ? total : 1}
        {...(total > 0 ? { value: Math.min(done, total) } : {})}
      />
      <span className="muted">{text}</span>
    </div>
  );
}
