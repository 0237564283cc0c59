import { useEffect, useRef, useState } from 'react';

/**
 * The newest value, but at most one change in so many milliseconds: for what is costly to draw. A change after a quiet
 * time shows at once.
 */
export function useThrottled<T>(value: T, intervalMs: number): T {
  const [shown, setShown] = useState(value);
  const newest = useRef(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const shownAtMs = useRef(Number.NEGATIVE_INFINITY);
  newest.current = value;

  useEffect(() => {
    if (Object.is(value, shown) || timer.current !== undefined) return;
    const waitMs = Math.max(0, shownAtMs.current + intervalMs - performance.now());
    timer.current = setTimeout(() => {
      timer.current = undefined;
      shownAtMs.current = performance.now();
      setShown(newest.current);
    }, waitMs);
  }, [value, shown, intervalMs]);

  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
  return shown;
}
