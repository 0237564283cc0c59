import cliProgress from 'cli-progress';

export interface Progress {
  /** @param fraction 0 to 1 */
  update(fraction: number): void;
  /** Ends the bar's line, if there is one. */
  stop(): void;
}

const LINE_EVERY_PERCENT = 20;

/** A bar on a terminal, a line now and then elsewhere; nothing until the first update, so that no work shows no bar. */
export function showProgress(output: NodeJS.WriteStream): Progress {
  return output.isTTY ? progressBar(output) : progressLines(output);
}

function progressBar(output: NodeJS.WriteStream): Progress {
  const bar = new cliProgress.SingleBar(
    { format: 'history [{bar}] {percentage}%', stream: output, hideCursor: true },
    cliProgress.Presets.shades_classic,
  );
  let started = false;
  return {
    update: (fraction) => {
      if (!started) bar.start(100, 0);
      started = true;
      bar.update(Math.floor(fraction * 100));
    },
    stop: () => {
      if (started) bar.stop();
    },
  };
}

function progressLines(output: NodeJS.WritableStream): Progress {
  let nextPercent = LINE_EVERY_PERCENT;
  return {
    update: (fraction) => {
      const percent = Math.floor(fraction * 100);
      if (percent < nextPercent) return;
      output.write(`history ${percent}%\n`);
      nextPercent = percent - (percent % LINE_EVERY_PERCENT) + LINE_EVERY_PERCENT;
    },
    stop: () => {},
  };
}
