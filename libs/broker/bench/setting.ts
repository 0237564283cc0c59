/** How much is measured. */
export interface Setting {
  rounds: number;
  records: number;
  javaRecords: number;
  latencySeconds: number;
  /** Bytes of the volume that a broker begins with. */
  bigVolumeBytes: number;
  topics: number;
  memorySeconds: number;
}

export const FULL: Setting = {
  rounds: 5,
  records: 3_000_000,
  javaRecords: 2_000_000,
  latencySeconds: 10,
  bigVolumeBytes: 5e9,
  topics: 10_000,
  memorySeconds: 15,
};

/** Tells whether everything works, and roughly how fast. */
export const QUICK: Setting = {
  rounds: 1,
  records: 500_000,
  javaRecords: 300_000,
  latencySeconds: 3,
  bigVolumeBytes: 300e6,
  topics: 2_000,
  memorySeconds: 4,
};
