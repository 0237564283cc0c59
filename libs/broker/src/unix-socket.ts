import { chmod, lstat, unlink } from 'node:fs/promises';
import type { Server } from 'node:net';

/** The system keeps a socket's path in a field of 108 bytes with its end. */
const MOST_PATH_BYTES = 107;

/**
 * Listens for clients of the same user on this machine. What a broker that was killed left at the path is put away: whoever
 * names it has to know that no other broker is at it, as the owner of a data folder does.
 * @throws Error with `code` and `mend`
 */
export async function listenOnUnixSocket(server: Server, path: string): Promise<void> {
  const pathBytes = Buffer.byteLength(path);
  if (pathBytes > MOST_PATH_BYTES) {
    throw Object.assign(
      new Error(`The path of the socket ${path} takes ${pathBytes} bytes, ${MOST_PATH_BYTES} are allowed.`),
      {
        code: 'ENAMETOOLONG',
        mend: 'Give it a shorter path.',
      },
    );
  }
  await removeLeftOver(path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
  await chmod(path, 0o600);
}

async function removeLeftOver(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket()) await unlink(path);
}
