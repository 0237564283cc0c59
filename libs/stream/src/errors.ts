/** Who can do something about an error. `nobody`: it passes by itself, running again is enough. */
export type ErrorActor = 'nobody' | 'user' | 'operator' | 'programmer';

interface CatalogueEntry {
  actor: ErrorActor;
  /** Whether the same call may succeed later without anybody's doing. */
  retry: boolean;
  mend: string;
}

/** Every way in which this library fails. */
export const streamErrors = {
  unreachable: {
    actor: 'operator',
    retry: true,
    mend: 'Is the broker running? Start it, or set BROKERS=host:port to where it listens.',
  },
  disconnected: {
    actor: 'nobody',
    retry: true,
    mend: 'Connect again and resume from what the log holds; runResumably does both.',
  },
  unavailable: {
    actor: 'operator',
    retry: true,
    mend: 'The broker cannot serve this now. It passes when the broker starts or stops; otherwise look at its log.',
  },
  rebalanced: {
    actor: 'nobody',
    retry: true,
    mend: 'Others read these partitions now: drop what was made of them. The consumer joins its group again by itself.',
  },
  closed: { actor: 'programmer', retry: false, mend: 'Do not use a client, producer or consumer after closing it.' },
  rejected: { actor: 'operator', retry: false, mend: 'Look at what the broker says, and at its log.' },
  unauthenticated: {
    actor: 'operator',
    retry: false,
    mend: 'Correct KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD, or add the user to the cluster.',
  },
  'broker-too-old': {
    actor: 'operator',
    retry: false,
    mend: 'Run Apache Kafka 3.6 or newer.',
  },
  'record-too-large': {
    actor: 'user',
    retry: false,
    mend: 'Send smaller records, or raise max.message.bytes of the topic.',
  },
  'unknown-topic': {
    actor: 'user',
    retry: false,
    mend: 'Make the topic first (ensureTopics), or correct its name.',
  },
  'partition-mismatch': {
    actor: 'operator',
    retry: false,
    mend: 'Partition counts do not change: delete the topic, or ask for the count that it has.',
  },
  'offset-out-of-range': {
    actor: 'operator',
    retry: false,
    mend: 'Start from the log start; if the reader was overtaken by retention, raise the quota of the volume.',
  },
  'corrupt-batch': {
    actor: 'operator',
    retry: false,
    mend: 'Check the disk and memory of the broker; the bytes changed on their way or were never a record batch.',
  },
  'foreign-output': {
    actor: 'operator',
    retry: false,
    mend: 'Only this processor may write to its output topics: delete the topic, or name another.',
  },
  'output-ahead': {
    actor: 'operator',
    retry: false,
    mend: 'The outputs were made from another input: delete the volume of the outputs, or bring the input back.',
  },
  'handler-contract': {
    actor: 'programmer',
    retry: false,
    mend: 'A handler emits at most one record per input record to each of the topics in outputTopics.',
  },
  fenced: {
    actor: 'user',
    retry: false,
    mend: 'Another instance took over, or a transaction took longer than transactionTimeoutMs. If this one should go on, run it again.',
  },
  'volume-refused': { actor: 'user', retry: false, mend: 'See what the owner of the volumes says.' },
  'no-volumes': {
    actor: 'user',
    retry: false,
    mend: 'Ask a Tickfold broker: those of other makers keep topics, but neither volumes nor snapshots.',
  },
  'read-only': {
    actor: 'programmer',
    retry: false,
    mend: 'Write to topics of another volume, through a client of the engine that owns it.',
  },
  'not-assigned': {
    actor: 'programmer',
    retry: false,
    mend: 'Name partitions that this consumer reads now: onAssigned tells those of a group.',
  },
  'bad-record': {
    actor: 'programmer',
    retry: false,
    mend: 'timestampMs is an integer of UTC milliseconds; partition is one that the topic has.',
  },
  'bad-setting': { actor: 'user', retry: false, mend: 'Correct the setting.' },
} as const satisfies Record<string, CatalogueEntry>;

export type StreamErrorCode = keyof typeof streamErrors;

/** Every error that this library throws. `message` names the value, `mend` says what to do. */
export class StreamError extends Error {
  override name = 'StreamError';
  readonly code: StreamErrorCode;
  readonly actor: ErrorActor;
  readonly retry: boolean;
  readonly mend: string;

  /** The code that the owner of the log has for it, where its words are passed on: `snapshot-exists`. */
  readonly reason: string | undefined;

  constructor(
    code: StreamErrorCode,
    message: string,
    options: ErrorOptions & { mend?: string | undefined; reason?: string | undefined } = {},
  ) {
    super(message, options);
    const entry: CatalogueEntry = streamErrors[code];
    this.code = code;
    this.reason = options.reason;
    this.actor = entry.actor;
    this.retry = entry.retry;
    this.mend = options.mend ?? entry.mend;
  }
}

export function partitionMismatch(topic: string, actual: number, wanted: number): StreamError {
  return new StreamError(
    'partition-mismatch',
    `topic '${topic}' has ${actual} partitions where ${wanted} are asked for`,
  );
}

/** The error for a position that the log does not hold, naming what it does hold. */
export function outOfRange(
  at: { topic: string; partition: number; offset: bigint },
  logStart: bigint,
  high: bigint,
): StreamError {
  return new StreamError(
    'offset-out-of-range',
    `'${at.topic}' partition ${at.partition} has no offset ${at.offset}: it starts at ${logStart} and ends before ${high}`,
  );
}

/** True for errors that end by themselves: run again. */
export function isRetriable(error: unknown): error is StreamError {
  return error instanceof StreamError && error.retry;
}
