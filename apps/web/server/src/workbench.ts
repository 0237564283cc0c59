import { createMarketSnapshot } from '@tickfold/evaluation';
import { type EngineError, listSnapshots } from '@tickfold/log-engine';
import type { PromotionCommandAction } from '@tickfold/market';
import { requestPromotion } from '@tickfold/promotion';
import type { StreamClient } from '@tickfold/stream';
import { type ChampionshipState, promotionJson } from './championship-state.ts';
import type { Promotion, Snapshot, Volume } from './contract.ts';
import { ProblemError } from './problem.ts';
import { snapshotJson } from './snapshot-json.ts';
import { listVolumes } from './volume-list.ts';

/** What people do here rather than look at: freeze, list, promote. Long work is the job board's. */
export interface Workbench {
  /** Newest last. */
  snapshots(): Promise<Snapshot[]>;
  /** @throws ProblemError, StreamError */
  createSnapshot(name: string): Promise<Snapshot>;
  /** @throws ProblemError, StreamError */
  volumes(): Promise<Volume[]>;
  /** Resolves with a refusal too. @throws ProblemError, StreamError, PromotionError */
  changeChampion(action: PromotionCommandAction, model: string | null): Promise<Promotion>;
}

export interface WorkbenchOptions {
  dataDir: string;
  /** Versions that run. */
  models: readonly string[];
  championship: ChampionshipState;
  /** The connection to the broker; undefined while there is none. */
  client(): StreamClient | undefined;
  /** Told about a snapshot that cannot be read, which is left out of the list. */
  onDamaged(error: EngineError): void;
}

/** Who asks, as the audit stream says it. */
const BY = 'browser';
/** How long the page's own reading of the audit stream is waited for. */
const READ_LIMIT_MS = 2_000;

export function createWorkbench(options: WorkbenchOptions): Workbench {
  const { dataDir, models, championship, onDamaged } = options;
  const client = (): StreamClient => {
    const connected = options.client();
    if (connected) return connected;
    throw new ProblemError(503, 'The broker does not answer. It is restarted by itself: try again in some seconds.');
  };
  return {
    snapshots: async () => (await listSnapshots(dataDir, onDamaged)).map(snapshotJson),
    createSnapshot: async (name) => snapshotJson(await createMarketSnapshot(client(), name)),
    volumes: () => listVolumes(client(), models),
    async changeChampion(action, model) {
      const promotion = await requestPromotion(client(), { action, model, by: BY });
      // What is asked next, such as the audit stream, knows of it.
      if (promotion.commandId !== null) {
        await championship.untilAnswered(promotion.commandId, AbortSignal.timeout(READ_LIMIT_MS));
      }
      return promotionJson(promotion);
    },
  };
}
