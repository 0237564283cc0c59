import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DiskGoneError, FaultyDisk, SECTOR_BYTES } from './faulty-disk.ts';

const SEEDS = Array.from({ length: 200 }, (_, seed) => seed);
const CONTENT = Buffer.alloc(4 * SECTOR_BYTES, 'x');

async function diskWithFile(seed: number, ...syncs: ('file' | 'folder')[]): Promise<FaultyDisk> {
  const disk = new FaultyDisk({ seed });
  await disk.makeFolder('/d');
  await disk.syncFolder('/');
  const file = await disk.create('/d/f');
  await file.write([CONTENT], 0);
  if (syncs.includes('file')) await file.sync();
  if (syncs.includes('folder')) await disk.syncFolder('/d');
  return disk;
}

async function contentAfter(disk: FaultyDisk): Promise<Buffer | undefined> {
  return (await disk.list('/d'))?.includes('f') ? disk.contentOf('/d/f') : undefined;
}

test('bytes and names that were synced survive every loss of power', async () => {
  for (const seed of SEEDS) {
    const disk = (await diskWithFile(seed, 'file', 'folder')).afterPowerLoss();
    expect((await contentAfter(disk))?.equals(CONTENT)).toBe(true);
  }
});

test('bytes that were not synced may be there, gone, or there in part, by whole sectors', async () => {
  const kept = new Set<string>();
  for (const seed of SEEDS) {
    const content = await contentAfter((await diskWithFile(seed, 'folder')).afterPowerLoss());
    const sectors = Array.from({ length: content!.length / SECTOR_BYTES }, (_, i) =>
      content!.subarray(i * SECTOR_BYTES, (i + 1) * SECTOR_BYTES).toString('latin1'),
    );
    for (const sector of sectors) expect(['x'.repeat(SECTOR_BYTES), '\0'.repeat(SECTOR_BYTES)]).toContain(sector);
    kept.add(sectors.map((sector) => sector[0]).join(''));
  }
  expect(kept).toContain('');
  expect(kept).toContain('xxxx');
  expect([...kept].some((sectors) => /\0.*x/.test(sectors))).toBe(true);
});

test('a name that was not synced may be gone, however well its bytes were', async () => {
  const found = new Set<boolean>();
  for (const seed of SEEDS) {
    const content = await contentAfter((await diskWithFile(seed, 'file')).afterPowerLoss());
    expect(content?.equals(CONTENT) ?? true).toBe(true);
    found.add(content !== undefined);
  }
  expect(found).toEqual(new Set([true, false]));
});

test('a rename happens whole or not at all, and only for sure once its folder was synced', async () => {
  const outcomes = new Set<string>();
  for (const seed of SEEDS) {
    const disk = await diskWithFile(seed, 'file', 'folder');
    await disk.rename('/d/f', '/d/g');
    outcomes.add((await disk.afterPowerLoss().list('/d'))!.join());
  }
  expect(outcomes).toEqual(new Set(['f', 'g']));
  for (const seed of SEEDS) {
    const disk = await diskWithFile(seed, 'file', 'folder');
    await disk.rename('/d/f', '/d/g');
    await disk.syncFolder('/d');
    expect(await disk.afterPowerLoss().list('/d')).toEqual(['g']);
  }
});

test('a kill takes nothing of what was written, a loss of power behind it may', async () => {
  const losses = [];
  for (const seed of SEEDS) {
    const killed = (await diskWithFile(seed)).afterKill();
    expect((await contentAfter(killed))?.equals(CONTENT)).toBe(true);
    losses.push(await contentAfter(killed.afterPowerLoss()));
  }
  expect(losses.some((content) => content === undefined || !content.equals(CONTENT))).toBe(true);
});

test('after a sync that failed once the bytes are shown as before, and a second sync does not save them', async () => {
  const outcomes = new Set<boolean>();
  for (const seed of SEEDS) {
    const disk = await diskWithFile(seed, 'folder');
    const file = await disk.openForWriting('/d/f');
    disk.fail({ call: 'sync', code: 'EIO' });
    await expect(file.sync()).rejects.toMatchObject({ code: 'EIO', path: '/d/f' });
    await file.sync();
    expect(disk.contentOf('/d/f').equals(CONTENT)).toBe(true);
    outcomes.add((await contentAfter(disk.afterPowerLoss()))!.equals(CONTENT));
  }
  expect(outcomes).toEqual(new Set([true, false]));
});

test('at the k-th call the disk is gone, and nothing after that reaches it', async () => {
  for (let k = 1; k <= 4; k++) {
    const disk = new FaultyDisk({ seed: k });
    disk.crashAfter(k);
    const work = async (): Promise<void> => {
      await disk.makeFolder('/d');
      for (const name of ['a', 'b', 'c']) await disk.create(`/d/${name}`);
    };
    await expect(work()).rejects.toBeInstanceOf(DiskGoneError);
    await expect(disk.makeFolder('/e')).rejects.toBeInstanceOf(DiskGoneError);
    const after = disk.afterKill();
    expect(await after.list('/e')).toBeUndefined();
    const names = (await after.list('/d')) ?? [];
    expect([k - 2, k - 1]).toContain(names.length);
  }
});

test('a write that does not fit puts down what does and fails as the system does', async () => {
  const disk = new FaultyDisk({ seed: 1, capacityBytes: 700 });
  const file = await disk.create('/f');
  await file.write([Buffer.alloc(500)], 0);
  await expect(file.write([Buffer.alloc(500)], 500)).rejects.toMatchObject({ code: 'ENOSPC' });
  expect(await file.sizeBytes()).toBe(700);
  expect(await disk.freeBytes('/')).toBe(0);
  disk.heal();
  await file.write([Buffer.alloc(500)], 500);
  expect(await file.sizeBytes()).toBe(1000);
});

test('a fault hits the calls, the path and the number that it names, and is counted', async () => {
  const disk = new FaultyDisk({ seed: 1 });
  disk.fail({ call: 'open', code: 'EMFILE', path: 'b', after: 1, times: 2 });
  for (const name of ['a', 'b']) await (await disk.create(`/${name}`)).close();
  const open = async (path: string): Promise<string> =>
    disk.openForReading(path).then(
      () => 'open',
      (error) => error.code,
    );
  expect([await open('/a'), await open('/b'), await open('/b'), await open('/b'), await open('/b')]).toEqual([
    'open',
    'open',
    'EMFILE',
    'EMFILE',
    'open',
  ]);
  expect(disk.injected).toEqual(new Map([['EMFILE of open', 2]]));
  expect(disk.openFiles).toBe(3);
});

test('late calls end in another order than they began, the same for the same seed', async () => {
  const orderOf = async (seed: number): Promise<string> => {
    const disk = new FaultyDisk({ seed, isLate: true });
    const order: number[] = [];
    await Promise.all(Array.from({ length: 8 }, (_, i) => disk.makeFolder(`/${i}`).then(() => order.push(i))));
    return order.join('');
  };
  expect(await orderOf(7)).toBe(await orderOf(7));
  const orders = new Set(await Promise.all(SEEDS.slice(0, 20).map(orderOf)));
  expect(orders.size).toBeGreaterThan(5);
});

test('a flipped bit and a misdirected write are there for good', async () => {
  const disk = await diskWithFile(1, 'file', 'folder');
  disk.flipBit('/d/f', 700, 3);
  disk.misdirect('/d/f', 10, Buffer.from('elsewhere'));
  const expected = Buffer.from(CONTENT);
  expected[700]! ^= 8;
  expected.write('elsewhere', 10);
  expect(disk.contentOf('/d/f')).toEqual(expected);
  expect(await contentAfter(disk.afterPowerLoss())).toEqual(expected);
});

test('a disk whose sync is a lie loses what was synced', async () => {
  const kept = await Promise.all(
    SEEDS.map(async (seed) => {
      const disk = new FaultyDisk({ seed, syncIsALie: true });
      const file = await disk.create('/f');
      await file.write([CONTENT], 0);
      await file.sync();
      await disk.syncFolder('/');
      return disk.afterPowerLoss().list('/');
    }),
  );
  expect(kept.some((names) => names!.length === 0)).toBe(true);
});

test('without a crash it is a file system like any other: what is written is read', async () => {
  const write = fc.record({ position: fc.nat(3000), bytes: fc.uint8Array({ maxLength: 1500 }), sync: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(write), async (writes) => {
      const disk = new FaultyDisk({ seed: 1 });
      const file = await disk.create('/f');
      let expected = Buffer.alloc(0);
      for (const { position, bytes, sync } of writes) {
        await file.write([Buffer.from(bytes)], position);
        const end = bytes.length === 0 ? expected.length : Math.max(expected.length, position + bytes.length);
        expected = Buffer.concat([expected], end);
        expected.set(bytes, bytes.length === 0 ? 0 : position);
        if (sync) await file.sync();
      }
      const read = Buffer.alloc(await file.sizeBytes());
      expect(await file.read(read, 0)).toBe(expected.length);
      expect(read).toEqual(expected);
    }),
  );
});
