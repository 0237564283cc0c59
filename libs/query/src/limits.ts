/** What a query may read and use. */
export interface QueryLimits {
  /** Newest ticks of each partition that are read; older ones are left out. */
  newestPerPartition: number;
  /** Of DuckDB, beside what Node.js itself uses. */
  memoryMiB: number;
  threads: number;
}

/** A whole default session fits in; memory and time stay bounded on any log. */
export const defaultLimits: QueryLimits = { newestPerPartition: 200_000, memoryMiB: 256, threads: 2 };
