import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SeededRandom } from '@tickfold/testkit/faulty-disk';
import { type FuzzTally, fuzzCodecs, fuzzRound, NO_FUZZ } from './fuzz.ts';
import { FrameMaker } from './some-frames.ts';
import type { Target } from './target.ts';
import { mustHold } from './violation.ts';
import { Witness } from './witness.ts';

/** A data folder serves so many rounds before the next one begins empty: topics and groups add up. */
const ROUNDS_A_FOLDER = 100;
/** The broker is ended and started again after so many. */
const ROUNDS_A_LIFE = 25;
const CODEC_FRAMES_A_ROUND = 1_000;
const MOST_MEMORY_BYTES = 700 * 1024 * 1024;

export interface WireTally extends FuzzTally {
  rounds: number;
  codecFrames: number;
  restarts: number;
  acknowledged: number;
  slowestMs: number;
  mostMemoryBytes: number;
}

export interface WireOptions {
  parent: string;
  start: (dataDir: string) => Promise<Target>;
  onProgress?: (done: number) => void;
}

/**
 * Runs so many rounds, each from a seed of its own, the first from `seed`.
 * @throws Violation at the first that may not be
 */
export async function runWireRounds(seed: number, rounds: number, options: WireOptions): Promise<WireTally> {
  const tally: WireTally = {
    ...NO_FUZZ,
    rounds: 0,
    codecFrames: 0,
    restarts: 0,
    acknowledged: 0,
    slowestMs: 0,
    mostMemoryBytes: 0,
  };
  const maker = new FrameMaker(recordedFrames());
  mkdirSync(options.parent, { recursive: true });
  while (tally.rounds < rounds) {
    const dataDir = mkdtempSync(join(resolve(options.parent), 'torture-wire-'));
    try {
      await runOnOneFolder(dataDir, { seed, rounds, maker, tally, ...options });
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  }
  return tally;
}

interface OneFolder extends WireOptions {
  seed: number;
  rounds: number;
  maker: FrameMaker;
  tally: WireTally;
}

async function runOnOneFolder(dataDir: string, { seed, rounds, maker, tally, ...options }: OneFolder): Promise<void> {
  const witness = new Witness();
  const isOver = (end: number): boolean => tally.rounds >= Math.min(end, rounds);
  for (const folderEnd = tally.rounds + ROUNDS_A_FOLDER; !isOver(folderEnd); ) {
    const target = await options.start(dataDir);
    let how: 'close' | 'kill' = 'kill';
    try {
      await witness.connect(target.port);
      await witness.findEverything();
      for (const lifeEnd = tally.rounds + ROUNDS_A_LIFE; !isOver(Math.min(lifeEnd, folderEnd)); ) {
        await inRound(seed + tally.rounds, async (random) => {
          const served = witness.produce();
          const [found] = await Promise.all([fuzzRound(random, maker, target, served), served]);
          for (const name of Object.keys(NO_FUZZ) as (keyof FuzzTally)[]) tally[name] += found[name];
          fuzzCodecs(random, maker, CODEC_FRAMES_A_ROUND);
        });
        tally.codecFrames += CODEC_FRAMES_A_ROUND;
        tally.mostMemoryBytes = Math.max(tally.mostMemoryBytes, await target.memoryBytes());
        mustHold(
          tally.mostMemoryBytes < MOST_MEMORY_BYTES,
          'memory',
          () => `${tally.mostMemoryBytes} bytes in round ${seed + tally.rounds}`,
        );
        tally.rounds++;
        options.onProgress?.(tally.rounds);
      }
      await witness.findEverything();
      how = tally.restarts % 2 === 0 ? 'close' : 'kill';
    } finally {
      witness.close();
      await target.end(how);
    }
    tally.restarts++;
    tally.slowestMs = Math.max(tally.slowestMs, Math.round(witness.slowestMs));
  }
  tally.acknowledged += witness.acknowledged;
}

async function inRound(seed: number, work: (random: SeededRandom) => Promise<void>): Promise<void> {
  try {
    await work(new SeededRandom(seed));
  } catch (error) {
    throw new Error(`npm run torture -- wire --seed ${seed} --rounds 1`, { cause: error });
  }
}

/** Requests of real clients, as the tests of the codecs keep them. */
function recordedFrames(): Buffer[] {
  const path = join('libs', 'kafka-protocol', 'test', 'fixtures', 'foreign-requests.json');
  const { frames } = JSON.parse(readFileSync(join(repository(), path), 'utf8')) as { frames: { request: string }[] };
  return frames.map(({ request }) => Buffer.from(request, 'hex'));
}

/** The same from the sources and from what is built of them. */
function repository(): string {
  const here = import.meta.dirname;
  return here.slice(0, here.lastIndexOf(join('libs', 'broker')));
}
