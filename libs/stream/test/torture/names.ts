export const PARTITIONS = 6;

/** Topics and groups of a run. */
export interface Names {
  input: string;
  output: string;
  deadLetter: string;
  /** Of the processor. */
  group: string;
  /** Transactional id of the one that writes the input, and the group that holds its position. */
  feeder: string;
}

export const names: Names = {
  input: 'torture.input',
  output: 'torture.output',
  deadLetter: 'torture.dead-letter',
  group: 'torture.counter',
  feeder: 'torture.feeder',
};
