/** How much is measured. */
export interface Setting {
  rounds: number;
  /** Records that pass through in one round. */
  records: number;
  /** The same for the slower ones: small batches, and clients of others. */
  fewerRecords: number;
  latencySeconds: number;
  processedRecords: number;
}

export const FULL: Setting = {
  rounds: 5,
  records: 5_000_000,
  fewerRecords: 1_000_000,
  latencySeconds: 10,
  processedRecords: 2_000_000,
};

/** Tells whether everything works, and roughly how fast. */
export const QUICK: Setting = {
  rounds: 1,
  records: 1_000_000,
  fewerRecords: 200_000,
  latencySeconds: 3,
  processedRecords: 400_000,
};
