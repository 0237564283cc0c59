/** What cannot be opened, in words for whoever asked for it. */
export class VolumeError extends Error {
  override name = 'VolumeError';
  /** What to do about it. */
  readonly mend: string;

  constructor(message: string, mend: string, options?: ErrorOptions) {
    super(message, options);
    this.mend = mend;
  }
}
