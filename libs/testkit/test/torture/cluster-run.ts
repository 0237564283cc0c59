import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { modelTopics, openSource, topics } from '@tickfold/market';
import type { StreamConfig } from '@tickfold/stream';
import { type ApacheKafka, startApacheKafka } from '@tickfold/testkit/apache-kafka';
import { SeededRandom } from '@tickfold/testkit/seeded-random';
import { type Content, Follower, MODELS } from './follower.ts';
import { type System, startSystem } from './system.ts';

const BROKERS = 3;
const LOOK_MS = 100;
/** Far more than a broker's end, its restart and the way back of its followers take. */
const STUCK_MS = 180_000;
/** A broker stays away for this long at most: some are back before the others miss it, 9 s. */
const LONGEST_ABSENCE_MS = 15_000;
const SYMBOLS = 20;

export interface ClusterPlan {
  seed: number;
  kills: number;
  /** At the day's busiest, for each second of event time. */
  ticksPerSecond: number;
  speed: number;
  /** Where data is kept while it runs. */
  parent: string;
  onProgress(text: string): void;
}

export interface ClusterTally {
  items: number;
  /** In all topics. */
  records: number;
  kills: number;
  longestStallMs: number;
  /** What was said of services that ended and were started again. */
  restarts: readonly string[];
}

/**
 * Runs a simulated day through the whole system twice: undisturbed on the embedded engine, then on three brokers of Apache
 * Kafka that are killed and restarted one after another. @throws Error where the second differs from the first in any record
 */
export async function runOnFailingCluster(plan: ClusterPlan): Promise<ClusterTally> {
  const folder = await mkdtemp(join(plan.parent, 'cluster-'));
  try {
    plan.onProgress('the day undisturbed, on the embedded engine');
    const expected = await undisturbed(plan, join(folder, 'undisturbed'));
    plan.onProgress('three brokers start');
    return await disturbed(plan, { dataDir: join(folder, 'disturbed'), parentDir: folder }, expected);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function undisturbed(plan: ClusterPlan, dataDir: string): Promise<Content> {
  const { seed } = plan;
  const items = await countItems(plan);
  const system = await startSystem({ dataDir, speed: 0, seed, env: sourceEnv(plan) });
  const follower = new Follower({ brokers: [system.broker], clientId: 'follower' });
  const following = follower.run();
  try {
    await untilThrough(follower, system, items, following);
  } finally {
    follower.stop();
    await system.stop();
    await following;
  }
  return follower.content;
}

async function disturbed(
  plan: ClusterPlan,
  { dataDir, parentDir }: { dataDir: string; parentDir: string },
  expected: Content,
): Promise<ClusterTally> {
  const kafka = await startApacheKafka({
    brokers: BROKERS,
    heapMb: 320,
    parentDir,
    settings: { 'min.insync.replicas': 2, 'auto.create.topics.enable': 'false' },
  });
  const brokers = kafka.bootstrap.split(',');
  const config: StreamConfig = { engine: 'kafka', brokers, clientId: 'follower' };
  const env = {
    ...sourceEnv(plan),
    ...{ STREAM_ENGINE: 'kafka', KAFKA_BROKERS: kafka.bootstrap, KAFKA_REPLICATION_FACTOR: String(BROKERS) },
  };
  let system: System | undefined;
  const follower = new Follower(config);
  const following = follower.run();
  try {
    system = await startSystem({ dataDir, speed: plan.speed, seed: plan.seed, env });
    const wanted = lengthOf(expected);
    const kills = await killOneAfterAnother(plan, kafka, { system, follower, following, wanted });
    plan.onProgress('the rest of the day');
    await untilMoved(follower, system, following, () => follower.total >= wanted);
    // Whoever ends in an orderly way commits what it has: what came too often would show now.
    await system.stop();
    await delay(LOOK_MS);
    mustEqual(follower.content, expected);
    return {
      items: follower.count(topics.ticks) + follower.count(topics.marketDeadLetter),
      records: follower.total,
      kills,
      longestStallMs: Math.round(follower.longestStallMs),
      restarts: system.restarts,
    };
  } finally {
    follower.stop();
    await system?.stop();
    await kafka.stop();
    await following;
  }
}

interface Watched {
  system: System;
  follower: Follower;
  following: Promise<void>;
  /** Records of the whole day. */
  wanted: number;
}

/** Each broker in its turn; none before records flow again with the one before it. @returns kills amid the load */
async function killOneAfterAnother(plan: ClusterPlan, kafka: ApacheKafka, watched: Watched): Promise<number> {
  const { follower, system, following, wanted } = watched;
  const random = new SeededRandom(plan.seed);
  let kills = 0;
  const someMore = () => {
    const until = follower.total + Math.ceil(wanted / (4 * plan.kills));
    return untilMoved(follower, system, following, () => follower.total >= Math.min(until, wanted));
  };
  await someMore();
  while (kills < plan.kills && follower.total < wanted) {
    const id = (kills % BROKERS) + 1;
    await kafka.kill(id);
    kills++;
    plan.onProgress(`kill ${kills} of ${plan.kills}: broker ${id}; ${follower.total} of ${wanted} records`);
    await delay(random.below(LONGEST_ABSENCE_MS));
    await kafka.restart(id);
    await someMore();
  }
  return kills;
}

/** Until all that the source gives has gone all the way. */
async function untilThrough(
  follower: Follower,
  system: System,
  items: number,
  following: Promise<void>,
): Promise<void> {
  const [champion] = MODELS;
  let before = -1;
  let same = 0;
  await untilMoved(follower, system, following, () => {
    const ticks = follower.count(topics.ticks);
    const isThrough =
      ticks + follower.count(topics.marketDeadLetter) === items &&
      follower.count(topics.enriched) === ticks &&
      follower.count(topics.liveDecisions) === follower.count(modelTopics(champion).decisions);
    same = isThrough && follower.total === before ? same + 1 : 0;
    before = follower.total;
    // Models write some topics more seldom than others: three seconds without a record, and the last one is there.
    return same * LOOK_MS >= 3_000;
  });
}

/** @throws Error where nothing comes any more, or the system or the follower has ended */
async function untilMoved(
  follower: Follower,
  system: System,
  following: Promise<void>,
  isDone: () => boolean,
): Promise<void> {
  let failure: unknown;
  following.catch((error) => {
    failure = error ?? new Error('the follower failed');
  });
  let [total, atMs] = [follower.total, performance.now()];
  while (!isDone()) {
    system.mustRun();
    if (failure !== undefined) throw failure;
    if (follower.total !== total) [total, atMs] = [follower.total, performance.now()];
    else if (performance.now() - atMs > STUCK_MS)
      throw new Error(`nothing has come for ${STUCK_MS} ms:\n${countsOf(follower.content)}`);
    await delay(LOOK_MS);
  }
}

/** @throws Error naming the first difference of each place */
function mustEqual(found: Content, expected: Content): void {
  const differences: string[] = [];
  for (const lane of new Set([...found.keys(), ...expected.keys()])) {
    const [is, shall] = [found.get(lane) ?? [], expected.get(lane) ?? []];
    const at = shall.findIndex((content, index) => content !== is[index]);
    if (at !== -1) differences.push(`${lane}, record ${at}: "${is[at]}" instead of "${shall[at]}"`);
    else if (is.length !== shall.length) differences.push(`${lane}: ${is.length} records instead of ${shall.length}`);
  }
  if (differences.length > 0) throw new Error(`not the same day:\n${differences.join('\n')}`);
}

function lengthOf(content: Content): number {
  let length = 0;
  for (const records of content.values()) length += records.length;
  return length;
}

function countsOf(content: Content): string {
  return [...content].map(([lane, records]) => `${lane}: ${records.length}`).join('\n');
}

function sourceEnv({ ticksPerSecond }: ClusterPlan): Record<string, string> {
  return { SIM_RATE: String(ticksPerSecond), SIM_SYMBOLS: String(SYMBOLS), MODELS: MODELS.join(',') };
}

async function countItems({ seed, ticksPerSecond }: ClusterPlan): Promise<number> {
  const sim = { seed, symbolCount: SYMBOLS, peakTicksPerSecond: ticksPerSecond };
  const feed = await openSource({ kind: 'sim' }, { sim });
  let items = 0;
  for await (const chunk of feed.records()) items += chunk.length;
  return items;
}
