import cliProgress from 'cli-progress';
import { countOf, formatElapsed } from './quantities.ts';

export interface Progress {
  update(progress: { done: number; total: number }): void;
  /** Ends the bar's line, if there is one. */
  stop(): void;
}

/** A bar on a terminal. Elsewhere a line at the start and one at the end, so that a log is not filled with it. */
export function showProgress(what: string, unit: string, output: NodeJS.WriteStream): Progress {
  return output.isTTY ? progressBar(what, unit, output) : progressLines(what, unit, output);
}

/** A bar on a terminal, and nothing elsewhere. */
export function showBar(what: string, unit: string, output: NodeJS.WriteStream): Progress {
  return output.isTTY ? progressBar(what, unit, output) : { update() {}, stop() {} };
}

function progressBar(what: string, unit: string, output: NodeJS.WriteStream): Progress {
  const bar = new cliProgress.SingleBar(
    {
      format: `${what} [{bar}] {percentage}% of {total} ${unit}s, {eta_formatted} left`,
      formatTime: (seconds) => (Number.isFinite(seconds) ? `${seconds} s` : '…'),
      formatValue: (value, _options, type) => (type === 'total' ? value.toLocaleString('en-US') : String(value)),
      stream: output,
      hideCursor: true,
      clearOnComplete: true,
      etaBuffer: 50,
    },
    cliProgress.Presets.shades_classic,
  );
  let started = false;
  return {
    update({ done, total }) {
      if (!started) bar.start(total, done);
      started = true;
      bar.setTotal(total);
      bar.update(done);
    },
    stop() {
      if (started) bar.stop();
    },
  };
}

function progressLines(what: string, unit: string, output: NodeJS.WritableStream): Progress {
  const startedAtMs = performance.now();
  let last: { done: number; total: number } | undefined;
  return {
    update(progress) {
      if (last === undefined) output.write(`${what}: ${countOf(progress.total, unit)} to read\n`);
      last = progress;
    },
    stop() {
      if (last === undefined) return;
      const elapsed = formatElapsed(performance.now() - startedAtMs);
      output.write(`${what}: read ${countOf(last.done, unit)} in ${elapsed}\n`);
    },
  };
}
