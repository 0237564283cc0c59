/** Headers that a processor puts on its records. */
export const processorHeaders = {
  /** Offset of the input record, in the partition of the same number. */
  input: 'input',
  /** Source id of the input record, where it has one. */
  source: 'source',
  /** Why a record is a dead letter, and which group says so. */
  reason: 'reason',
  app: 'app',
  /** Of a kept state: offset of the first input record that is not in it. */
  next: 'next',
  /** W3C Trace Context: as the input record has them, on all that comes of it. */
  traceparent: 'traceparent',
  tracestate: 'tracestate',
} as const;
