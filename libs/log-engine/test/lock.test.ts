import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { kill, startChild } from './child.ts';
import { openEngine } from './engines.ts';
import { temporaryFolder } from './temporary-folder.ts';

test('a second opener is refused, and told the folder and its owner', async () => {
  const dataDir = temporaryFolder();
  const first = await openEngine({ dataDir });
  await expect(openEngine({ dataDir })).rejects.toMatchObject({
    code: 'folder-in-use',
    message: `${dataDir} is in use by process ${process.pid}`,
  });
  await first.close();
  await expect(openEngine({ dataDir })).resolves.toBeDefined();
});

test('of many openers at the same time just one gets the folder', async () => {
  const dataDir = temporaryFolder();
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => openEngine({ dataDir })));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('the folder of another process is taken over only when that was killed', async () => {
  const dataDir = temporaryFolder();
  const child = startChild('writing-child.mjs', [dataDir]);
  for await (const _ of createInterface({ input: child.stdout })) {
    await expect(openEngine({ dataDir })).rejects.toMatchObject({
      code: 'folder-in-use',
      message: `${dataDir} is in use by process ${child.pid}`,
    });
    await kill(child);
    break;
  }
  await expect(openEngine({ dataDir })).resolves.toBeDefined();
});

test('a process that is stopped for a while keeps its folder, and goes on when it is woken', async () => {
  const dataDir = temporaryFolder();
  const child = startChild('writing-child.mjs', [dataDir]);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  child.kill('SIGSTOP');
  await expect(openEngine({ dataDir })).rejects.toMatchObject({
    code: 'folder-in-use',
    message: expect.stringContaining('does not answer'),
  });
  const bytesWritten = (): number => statSync(join(dataDir, 'v', 'journal', '0000000001.segment')).size;
  const before = bytesWritten();
  child.kill('SIGCONT');
  while (bytesWritten() === before) expect((await lines.next()).done).toBe(false);
  await kill(child);
  await expect(openEngine({ dataDir })).resolves.toBeDefined();
});

test('a folder whose path is too long for a socket is owned all the same', async () => {
  const dataDir = join(temporaryFolder(), 'long'.repeat(30));
  await openEngine({ dataDir });
  await expect(openEngine({ dataDir })).rejects.toMatchObject({ code: 'folder-in-use' });
});

test('a data folder that is a file is refused with its path and what to do', async () => {
  const dataDir = join(temporaryFolder(), 'file');
  writeFileSync(dataDir, 'not a folder');
  await expect(openEngine({ dataDir })).rejects.toMatchObject({
    code: 'folder-unusable',
    message: expect.stringContaining(dataDir),
    mend: expect.stringContaining('DATA_DIR'),
  });
  expect(readFileSync(dataDir, 'utf8')).toBe('not a folder');
});

test.skipIf(process.getuid?.() === 0)('a read-only data folder is refused with its path', async () => {
  const dataDir = join(temporaryFolder(), 'read-only');
  mkdirSync(dataDir, { mode: 0o500 });
  await expect(openEngine({ dataDir })).rejects.toMatchObject({
    code: 'folder-unusable',
    message: expect.stringContaining(dataDir),
  });
});
