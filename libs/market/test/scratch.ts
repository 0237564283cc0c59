import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { type FeedItem, type FeedSource, isMalformed } from '../src/index.ts';

/** A folder that is removed when the test ends. */
export async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tickfold-market-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function readAll(feed: FeedSource, from?: number): Promise<FeedItem[]> {
  const items: FeedItem[] = [];
  for await (const chunk of feed.records(from)) items.push(...chunk);
  return items;
}

export function lineOf(item: FeedItem): string {
  return Buffer.from(item.line).toString('latin1');
}

/** What a test compares: source, then the line, or the reason why it is none. */
export function shown(items: FeedItem[]): string[] {
  return items.map((item) => `${item.source} ${isMalformed(item) ? item.reason : lineOf(item)}`);
}

/** A zip of one deflated file, as LEAN has them. */
export function zipOf(fileName: string, content: string): Buffer {
  const name = Buffer.from(fileName);
  const data = Buffer.from(content, 'latin1');
  const packed = deflateRawSync(data);
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(8, 4);
  common.writeUInt32LE(crc32(data), 10);
  common.writeUInt32LE(packed.length, 14);
  common.writeUInt32LE(data.length, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, name, packed]);
  const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, Buffer.alloc(14), name]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}
