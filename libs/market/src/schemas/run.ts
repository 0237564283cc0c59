/** `<volume>.runs`: a process began, or began again, to write this volume. Not a part of its canonical content. */
export interface Run {
  /** `enrichment`, `analytics` or `replay`. */
  app: string;
  /** Which code: a model version, or the version of the features. */
  code: string;
  /** All parameters as a JSON object. */
  parameters: string;
  /** `market.ticks`, `market.enriched`, or the snapshot that was replayed: `market@open`. */
  input: string;
  /** Identity of the snapshot that was replayed; null for a live input. */
  inputId: string | null;
  /** Identity of the history that was joined; null where none was. */
  history: string | null;
  tickfoldVersion: string;
  nodeVersion: string;
  /** Wall clock, UTC milliseconds. */
  startedAtMs: number;
}

const nullableString = { type: ['null', 'string'], default: null };

/** Oldest first; the last one is written. */
export const runVersions = [
  {
    type: 'record',
    name: 'Run',
    namespace: 'tickfold',
    fields: [
      { name: 'app', type: 'string' },
      { name: 'code', type: 'string' },
      { name: 'parameters', type: 'string' },
      { name: 'input', type: 'string' },
      { name: 'inputId', ...nullableString },
      { name: 'history', ...nullableString },
      { name: 'tickfoldVersion', type: 'string' },
      { name: 'nodeVersion', type: 'string' },
      { name: 'startedAtMs', type: { type: 'long', logicalType: 'timestamp-millis' } },
    ],
  },
] as const;
