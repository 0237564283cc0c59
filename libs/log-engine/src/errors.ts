/** Who can do something about an error: who called, who runs the machine, or who wrote the code. */
export type ErrorActor = 'user' | 'operator' | 'programmer';

interface CatalogueEntry {
  actor: ErrorActor;
  /** True when the same call may succeed later without anybody changing it. */
  retry: boolean;
  mend: string;
}

/** Every error of the engine: who acts, whether to retry, and what to do. */
export const ENGINE_ERRORS = {
  'batch-corrupt': {
    actor: 'programmer',
    retry: true,
    mend: 'Send the batch again; if it fails again, its encoder is wrong.',
  },
  'batch-too-large': {
    actor: 'user',
    retry: false,
    mend: "Send smaller batches, or raise the topic's max.message.bytes.",
  },
  'out-of-order-sequence': {
    actor: 'programmer',
    retry: false,
    mend: 'Send the batches that are missing first; a producer that cannot opens anew, with a higher epoch.',
  },
  'producer-fenced': {
    actor: 'user',
    retry: false,
    mend: 'Stop this producer: another one took over. Where there is none, open it anew.',
  },
  'unknown-producer': {
    actor: 'user',
    retry: false,
    mend: 'Open the producer first, or again: a transactional id that is not used for long is forgotten.',
  },
  'invalid-transaction-state': {
    actor: 'programmer',
    retry: false,
    mend: 'Begin a transaction before writing in it, and end each one once.',
  },
  'concurrent-transactions': {
    actor: 'user',
    retry: true,
    mend: 'Try again: what goes before is being ended.',
  },
  'illegal-transaction-timeout': {
    actor: 'user',
    retry: false,
    mend: "Set the producer's transaction timeout to a whole number of milliseconds within the limit.",
  },
  'offset-out-of-range': {
    actor: 'user',
    retry: false,
    mend: "Read from an offset between the log's start and its end.",
  },
  'read-failed': {
    actor: 'operator',
    retry: true,
    mend: 'Read again; if it fails again, look after the disk.',
  },
  'topic-exists': { actor: 'user', retry: false, mend: 'Use the topic that is there, or choose another name.' },
  'unknown-topic': { actor: 'user', retry: false, mend: 'Create the topic first.' },
  'illegal-name': {
    actor: 'user',
    retry: false,
    mend: 'Use a-z A-Z 0-9 . _ - (at most 249).',
  },
  'illegal-setting': { actor: 'user', retry: false, mend: 'Correct or leave out the setting that the message names.' },
  'volume-full': {
    actor: 'operator',
    retry: false,
    mend: "Raise the volume's quota, or send smaller batches.",
  },
  'volume-stopped': {
    actor: 'operator',
    retry: false,
    mend: 'Look after the disk, then open the engine again: it recovers everything acknowledged as synced.',
  },
  'disk-full': {
    actor: 'operator',
    retry: false,
    mend: 'Make room on that disk, then start again: everything acknowledged as synced is there.',
  },
  'unknown-volume': { actor: 'user', retry: false, mend: 'Name a volume that is there.' },
  'volume-exists': { actor: 'user', retry: false, mend: 'Choose another name, or delete that volume first.' },
  'unknown-staging': { actor: 'user', retry: false, mend: 'Stage the volume again: what was staged is gone.' },
  'file-exists': { actor: 'user', retry: false, mend: 'Choose another name, or remove that file first.' },
  'unknown-file': { actor: 'user', retry: false, mend: 'Name a file that is there.' },
  'snapshot-exists': { actor: 'user', retry: false, mend: 'Choose another name, or delete that snapshot first.' },
  'unknown-snapshot': { actor: 'user', retry: false, mend: 'Name a snapshot that is there.' },
  'snapshot-damaged': { actor: 'operator', retry: false, mend: 'Restore it from a copy, or delete it.' },
  'archive-damaged': {
    actor: 'user',
    retry: false,
    mend: 'Copy it again from where it was exported, or export the snapshot again.',
  },
  'folder-unusable': {
    actor: 'operator',
    retry: false,
    mend: 'Make it a folder that this process may read and write, or set DATA_DIR to another one.',
  },
  'folder-in-use': {
    actor: 'operator',
    retry: false,
    mend: 'Stop the process that owns it, or set DATA_DIR to another folder.',
  },
  'format-newer': {
    actor: 'operator',
    retry: false,
    mend: 'Run the version that wrote it, or a newer one.',
  },
  'not-a-segment': {
    actor: 'operator',
    retry: false,
    mend: 'Restore the file from a copy; moved away, the journal opens without what only this file held.',
  },
  'journal-damaged': {
    actor: 'operator',
    retry: false,
    mend: 'Restore the volume from a copy, or move its folder away to start it anew.',
  },
} as const satisfies Record<string, CatalogueEntry>;

export type EngineErrorCode = keyof typeof ENGINE_ERRORS;

/** An error from the catalogue; `message` names the value and the limit, `mend` what to do. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: EngineErrorCode;
  readonly actor: ErrorActor;
  readonly retry: boolean;
  readonly mend: string;

  /** @param options `mend` and `retry` replace the catalogue's where the case at hand has better ones */
  constructor(code: EngineErrorCode, message: string, options?: ErrorOptions & { mend?: string; retry?: boolean }) {
    super(message, options);
    const entry = ENGINE_ERRORS[code];
    this.code = code;
    this.actor = entry.actor;
    this.retry = options?.retry ?? entry.retry;
    this.mend = options?.mend ?? entry.mend;
  }
}
