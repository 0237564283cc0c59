/** What a command found, said twice: for people and for programs. */
export interface Outcome {
  /** For people; lines without the last line break. */
  text: string;
  /** For programs: plain JSON. */
  json: unknown;
  /** 1 where the answer is no: `volume diff` of two that differ. Failures are thrown instead. */
  exitStatus: 0 | 1;
  /** The command that comes next in the story; people only. */
  next?: string;
}
