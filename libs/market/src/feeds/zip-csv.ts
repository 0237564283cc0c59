import { crc32 } from 'node:zlib';
import yauzl from 'yauzl';
import { FeedError, fileError } from './feed-error.ts';

const READ_AGAIN = 'Copy the file again from where it came from, or remove it to go without it.';

interface OpenEntry {
  zip: yauzl.ZipFile;
  entry: yauzl.Entry;
}

/**
 * The bytes of the one CSV of a LEAN zip, streamed; the CRC is checked at its end.
 * @throws FeedError naming the file when it is missing or damaged
 */
export async function* readZippedCsv(path: string): AsyncGenerator<Buffer, void, undefined> {
  const { zip, entry } = await openFirstEntry(path);
  try {
    let crc = 0;
    for await (const chunk of await openEntryStream(zip, entry)) {
      crc = crc32(chunk as Buffer, crc);
      yield chunk as Buffer;
    }
    if (crc !== entry.crc32) throw new Error(`the checksum of ${entry.fileName} does not match`);
  } catch (error) {
    throw damaged(path, error);
  } finally {
    zip.close();
  }
}

/** Reads a zip through, so that damage is told before its first tick is sent. @throws FeedError */
export async function verifyZip(path: string): Promise<void> {
  for await (const _ of readZippedCsv(path));
}

async function openFirstEntry(path: string): Promise<OpenEntry> {
  const zip = await new Promise<yauzl.ZipFile>((resolve, reject) => {
    yauzl.open(path, { lazyEntries: true, autoClose: false }, (error, opened) =>
      error
        ? reject(isFileSystemError(error) ? fileError('lean', path, error) : damaged(path, error))
        : resolve(opened),
    );
  });
  try {
    return { zip, entry: await firstFile(zip) };
  } catch (error) {
    zip.close();
    throw damaged(path, error);
  }
}

function firstFile(zip: yauzl.ZipFile): Promise<yauzl.Entry> {
  return new Promise((resolve, reject) => {
    zip.on('entry', (entry: yauzl.Entry) => (entry.fileName.endsWith('/') ? zip.readEntry() : resolve(entry)));
    zip.on('error', reject);
    zip.on('end', () => reject(new Error('there is no file in it')));
    zip.readEntry();
  });
}

function openEntryStream(zip: yauzl.ZipFile, entry: yauzl.Entry): Promise<NodeJS.ReadableStream> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)));
  });
}

function isFileSystemError(error: Error): boolean {
  return (error as NodeJS.ErrnoException).syscall !== undefined;
}

function damaged(path: string, error: unknown): FeedError {
  if (error instanceof FeedError) return error;
  return new FeedError(`lean: ${path} is a damaged zip (${(error as Error).message}).`, READ_AGAIN, { cause: error });
}
