import { type EventSchema, headers } from '@tickfold/market';
import type { RecordView } from '@tickfold/stream';
import { EvaluationError } from './errors.ts';

/** The event that a model or a run wrote. @throws EvaluationError `unreadable-output` */
export function decodeOutput<T>(schema: EventSchema<T>, record: RecordView): T {
  try {
    return schema.decode(record.value ?? new Uint8Array(), record.header(headers.schema));
  } catch (cause) {
    throw new EvaluationError(
      'unreadable-output',
      `Offset ${record.offset} of ${record.topic}, partition ${record.partition}, cannot be read: ${(cause as Error).message}`,
      'Only the process of a model writes to this topic: replay the model into a new volume, and compare that.',
      { cause },
    );
  }
}
