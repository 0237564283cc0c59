import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { printError, UserError } from '@tickfold/app-runtime';
import type { WorkOptions } from '@tickfold/log-engine';
import type { Promotion, PromotionCommandAction } from '@tickfold/market';
import type { StreamClient, StreamConfig } from '@tickfold/stream';
import type { OpenStreams } from '@tickfold/volumes';
import { type Progress, showBar, showProgress } from './progress.ts';
import type { Settings } from './settings.ts';
import type { ReplayRequest, System, VolumeEntry } from './system.ts';

export interface SystemOptions extends Settings {
  /** Progress of long work is told there. */
  stderr: NodeJS.WriteStream;
  /** Aborted when the command is to end early. */
  signal: AbortSignal;
}

/**
 * Tickfold as the settings name it: through its broker while that runs, else by its data folder. Libraries are loaded by
 * the command that needs them.
 */
export function createSystem(options: SystemOptions): System {
  const { dataDir } = options;
  return {
    async snapshots() {
      const { listSnapshots } = await import('@tickfold/log-engine');
      return listSnapshots(dataDir, (damaged) => printError('tickfold', damaged));
    },
    async deleteSnapshot(name) {
      const { deleteSnapshot } = await import('@tickfold/log-engine');
      await deleteSnapshot(dataDir, name).catch((error) => rethrow(error, dataDir));
    },
    async createSnapshot(name, others) {
      const { createMarketSnapshot } = await import('@tickfold/evaluation');
      return withStreams(options, ({ client }) => createMarketSnapshot(client, name, others));
    },

    async verifySnapshot(name) {
      const { verifySnapshot } = await import('@tickfold/log-engine');
      return onSnapshot(options, `verifying ${name}`, (work) => verifySnapshot(dataDir, name, work));
    },
    async exportSnapshot(name, path) {
      const { exportSnapshot } = await import('@tickfold/log-engine');
      return onSnapshot(options, `exporting ${name}`, (work) => exportSnapshot(dataDir, name, path, work));
    },
    async importSnapshot(path, as) {
      const { importSnapshot } = await import('@tickfold/log-engine');
      const named = as === undefined ? {} : { as };
      return onSnapshot(options, `importing ${path}`, (work) => importSnapshot(dataDir, path, { ...work, ...named }));
    },
    restoreSnapshot: (name, volume) => restore(options, name, volume),

    volumes: () => withStreams(options, ({ client }) => listVolumes(client)),
    deleteVolume: (name, mayRun) => withStreams(options, (streams) => deleteVolume(streams, name, mayRun)),

    freeVolumeName: () => freeVolumeName(options),
    replay: (request) => replay(options, request),
    diff: (a, b) => diff(options, a, b),

    promote: (model) => ask(options, 'promote', model),
    rollback: () => ask(options, 'rollback', null),
    async promotions() {
      const { readPromotions } = await import('@tickfold/promotion');
      return withStreams(options, ({ client }) => readPromotions(client));
    },
    champion: () => champion(options),
  };
}

async function withStreams<Result>(
  options: SystemOptions,
  use: (streams: OpenStreams) => Promise<Result>,
): Promise<Result> {
  const { dataDir, brokers, signal } = options;
  const { openStreams } = await import('@tickfold/volumes');
  const cluster = await clusterOf(options);
  const streams = await openStreams({ dataDir, brokers: [brokers], cluster, signal });
  try {
    await mustServe(streams, options);
    return await use(streams);
  } finally {
    await streams.close();
  }
}

/** @throws StreamError `bad-setting` */
async function clusterOf({ cluster }: Settings): Promise<StreamConfig | undefined> {
  if (cluster === undefined) return undefined;
  const { streamConfigFromEnv } = await import('@tickfold/stream');
  return streamConfigFromEnv(cluster, 'tickfold');
}

/**
 * A broker that keeps another folder than ours: what it would freeze or delete is not what was meant.
 * @throws UserError
 */
async function mustServe({ client, through }: OpenStreams, { dataDir, brokers }: Settings): Promise<void> {
  if (through !== 'broker' || !existsSync(dataDir)) return;
  const volumes = await client.volumes.list();
  const elsewhere = volumes.filter(({ name }) => !existsSync(join(dataDir, name)));
  if (elsewhere.length === 0) return;
  throw new UserError(
    `The broker at ${brokers} keeps another data folder than ${dataDir}: ${elsewhere[0]?.name} is not in this one.`,
    'Set DATA_DIR and BROKER_PORT as they were set for npm start.',
  );
}

async function listVolumes(client: StreamClient): Promise<VolumeEntry[]> {
  const [volumes, topics] = await Promise.all([client.volumes.list(), client.admin.topics()]);
  const known = new Set(topics.map(({ name }) => name));
  const { lastRunOfVolume } = await import('@tickfold/evaluation');
  const entries: VolumeEntry[] = [];
  for (const volume of volumes) {
    entries.push({ ...volume, run: (await lastRunOfVolume(client, volume.name, known)) ?? null });
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function deleteVolume({ client, through }: OpenStreams, name: string, mayRun: boolean): Promise<void> {
  // Of a cluster nobody can say whether something runs on it.
  if (mayRun && through !== 'folder') {
    throw new UserError(
      `The volume ${name} belongs to a version that runs live.`,
      'End Tickfold first (Ctrl-C where npm start runs), then delete it.',
    );
  }
  await client.volumes.delete(name);
}

/** Volumes are folders here, unless a cluster keeps their streams. */
async function freeVolumeName(options: SystemOptions): Promise<string> {
  const list = ({ client }: OpenStreams) => client.volumes.list();
  const volumes = options.cluster === undefined ? [] : await withStreams(options, list);
  const isTaken = (name: string) =>
    volumes.some((volume) => volume.name === name) || existsSync(join(options.dataDir, name));
  let number = 1;
  while (isTaken(`try-${number}`)) number++;
  return `try-${number}`;
}

/** The folder is opened for the adoption only: whoever starts Tickfold meanwhile does not have to wait. */
async function replay(options: SystemOptions, { model, from, into }: ReplayRequest) {
  const { replayModel } = await import('@tickfold/evaluation');
  const { dataDir, volumeQuotaBytes, signal, stderr } = options;
  return withProgress(showProgress(`replaying ${from}`, 'tick', stderr), (progress) =>
    replayModel({
      ...{ dataDir, model, from, into, signal },
      ...(volumeQuotaBytes === undefined ? {} : { volumeQuotaBytes }),
      adopt: (stagingId) => withStreams(options, ({ client }) => client.volumes.adopt(stagingId)),
      onProgress: progress.update,
    }).catch((error) => rethrow(error, dataDir)),
  );
}

/** Reads all of a snapshot, and shows how far it is. */
async function onSnapshot<Result>(
  { dataDir, signal, stderr }: SystemOptions,
  what: string,
  read: (work: WorkOptions) => Promise<Result>,
): Promise<Result> {
  return withProgress(showProgress(what, 'byte', stderr), ({ update }) =>
    read({ signal, onProgress: update }).catch((error) => rethrow(error, dataDir)),
  );
}

/** The volume is made here and adopted by whoever owns the data folder, as a replay is. */
async function restore(options: SystemOptions, name: string, volume: string | undefined): Promise<string> {
  const { stageSnapshot } = await import('@tickfold/log-engine');
  const { dataDir } = options;
  const which = volume === undefined ? {} : { volume };
  const restored = await stageSnapshot(dataDir, name, which).catch((error) => rethrow(error, dataDir));
  try {
    await withStreams(options, ({ client }) => client.volumes.adopt(restored.id));
    return restored.volume;
  } finally {
    await restored.discard();
  }
}

/** Who looks for a snapshot in the wrong folder sees which one that is. */
function rethrow(error: unknown, dataDir: string): never {
  if (error instanceof Error && 'code' in error && error.code === 'unknown-snapshot') {
    throw new UserError(
      `${error.message}.`,
      `npx tickfold snapshot list shows what ${dataDir} holds; DATA_DIR names another folder.`,
    );
  }
  throw error;
}

async function diff(options: SystemOptions, a: string, b: string) {
  const { describeDiff, diffVolumes } = await import('@tickfold/evaluation');
  const { openVolume } = await import('@tickfold/volumes');
  const { dataDir, signal, stderr } = options;
  return withStreams(options, async (streams) => {
    const viewA = await openVolume(a, { dataDir, streams });
    try {
      const viewB = await openVolume(b, { dataDir, streams });
      try {
        const found = await withProgress(showBar('comparing', 'record', stderr), ({ update }) =>
          diffVolumes(viewA, viewB, { dataDir, market: streams.client, signal, onProgress: update }),
        );
        return { diff: found, description: describeDiff(found) };
      } finally {
        await viewB.close();
      }
    } finally {
      await viewA.close();
    }
  });
}

async function withProgress<Result>(
  progress: Progress,
  work: (progress: Progress) => Promise<Result>,
): Promise<Result> {
  try {
    return await work(progress);
  } finally {
    progress.stop();
  }
}

/** @throws UserError where nothing runs that could answer */
async function ask(options: SystemOptions, action: PromotionCommandAction, model: string | null): Promise<Promotion> {
  const { isFolderOwned } = await import('@tickfold/log-engine');
  const isHere = options.cluster === undefined && existsSync(options.dataDir);
  if (isHere && !(await isFolderOwned(options.dataDir))) {
    throw new UserError(
      `Tickfold does not run on ${options.dataDir}: nobody is there to change the champion.`,
      'Start it with npm start; where it runs on another folder, set DATA_DIR to that one here too.',
    );
  }
  const { requestPromotion } = await import('@tickfold/promotion');
  return withStreams(options, ({ client }) =>
    requestPromotion(client, { action, model, by: `${userName()} (command line)`, signal: options.signal }),
  );
}

async function champion(options: SystemOptions): Promise<string | null> {
  const { championOf, readPromotions } = await import('@tickfold/promotion');
  const { VolumeError } = await import('@tickfold/volumes');
  try {
    return await withStreams(options, async ({ client }) => championOf(await readPromotions(client)).champion);
  } catch (error) {
    // Before the first start there is neither a folder nor a broker, and nobody is champion.
    if (error instanceof VolumeError && !existsSync(options.dataDir)) return null;
    throw error;
  }
}

/** In a container the user may have a number only. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}
