/** `812,345` */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** `1 record`, `812,345 records` */
export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

const BYTE_UNITS = ['kB', 'MB', 'GB', 'TB'];

/** `843 B`, `12.3 kB`, `1.2 GB`: thousands, not 1,024s. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), BYTE_UNITS.length);
  return `${(bytes / 1_000 ** power).toFixed(1)} ${BYTE_UNITS[power - 1]}`;
}

/** `4.2 s`, `3 min 05 s` */
export function formatElapsed(elapsedMs: number): string {
  if (elapsedMs < 60_000) return `${(elapsedMs / 1_000).toFixed(1)} s`;
  const seconds = Math.round(elapsedMs / 1_000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/**
 * A wall-clock time in the zone of whoever reads it, with the zone's name: `2026-03-02 15:04:05 UTC`.
 * @param timeZone IANA name; left out: the machine's
 */
export function formatWallClock(timeMs: number, timeZone?: string): string {
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' },
    hourCycle: 'h23',
    timeZoneName: 'short',
    ...(timeZone === undefined ? {} : { timeZone }),
  });
  const part = Object.fromEntries(format.formatToParts(timeMs).map(({ type, value }) => [type, value]));
  return `${part.year}-${part.month}-${part.day} ${part.hour}:${part.minute}:${part.second} ${part.timeZoneName}`;
}
