/** Something about the history that its user can mend: the message names the value, `mend` what to do. */
export class HistoryError extends Error {
  readonly mend: string;

  constructor(message: string, mend: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'HistoryError';
    this.mend = mend;
  }
}

/** The published history was built for something else, and nobody but its user may throw it away. */
export function otherHistoryError(path: string, present: string, wanted: string): HistoryError {
  return new HistoryError(
    `${path} is the history for ${present}; this run needs that for ${wanted}.`,
    'Run npm run clean to remove the data, or set DATA_DIR to another folder.',
  );
}

export function unreadableHistoryError(path: string, cause: unknown): HistoryError {
  return new HistoryError(
    `${path} cannot be opened as a history (${messageOf(cause)}).`,
    'Run npm run clean to remove the data; the next start builds it again.',
    { cause },
  );
}

export function unwritableFolderError(path: string, cause: unknown): HistoryError {
  return new HistoryError(
    `The history cannot be written to ${path} (${messageOf(cause)}).`,
    `Give yourself the right to write there, free some disk, or set DATA_DIR to another folder.`,
    { cause },
  );
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
}
