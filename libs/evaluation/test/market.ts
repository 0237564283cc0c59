import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LogEngine, openLogEngine } from '@tickfold/log-engine';
import type { StreamClient } from '@tickfold/stream';
import { inProcessClient } from '@tickfold/volumes';
import type { ComparedVolume, VolumeDiff } from '../src/index.ts';
import { diffVolumes } from '../src/index.ts';

/** A data folder with its owner, in the test's own process. */
export interface Market {
  dataDir: string;
  engine: LogEngine;
  client: StreamClient;
  volume(name: string): ComparedVolume;
  diff(a: string, b: string): Promise<VolumeDiff>;
  /** What is being made and not there yet. */
  staged(): Promise<string[]>;
  close(): Promise<void>;
}

export async function openMarket(): Promise<Market> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tickfold-evaluation-'));
  const engine = await openLogEngine({ dataDir });
  const client = inProcessClient(engine, engine);
  const volume = (name: string) => ({ ref: name, volume: name, client });
  return {
    dataDir,
    engine,
    client,
    volume,
    diff: (a, b) => diffVolumes(volume(a), volume(b), { dataDir }),
    staged: () => readdir(join(dataDir, '.staging')).catch(() => []),
    async close() {
      await client.close();
      await engine.close();
      await rm(dataDir, { recursive: true });
    },
  };
}
