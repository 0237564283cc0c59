/** A source that cannot be read, or not be read on. The user mends it: the message names the path, `mend` what to do. */
export class FeedError extends Error {
  readonly mend: string;

  constructor(message: string, mend: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'FeedError';
    this.mend = mend;
  }
}

/** What the file system said, as a FeedError about `path`. */
export function fileError(source: string, path: string, error: unknown): FeedError {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new FeedError(
      `${source}: ${path} does not exist.`,
      'Check the path; a relative one starts where the command runs.',
    );
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new FeedError(`${source}: ${path} may not be read (${code}).`, `Give yourself the right to read ${path}.`);
  }
  return new FeedError(
    `${source}: ${path} cannot be read (${(error as Error).message}).`,
    'Check the disk, or copy the file again.',
    {
      cause: error,
    },
  );
}
