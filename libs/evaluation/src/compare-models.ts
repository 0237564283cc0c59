import {
  analyticsGroup,
  type Decision,
  decisionSchema,
  type EventSchema,
  equityMarkSchema,
  fillSchema,
  headers,
  type ModelTopics,
  topics,
  volumeTopics,
} from '@tickfold/market';
import type { RecordView, Watermark } from '@tickfold/stream';
import { type ComparedVolume, type CompareOptions, recordCount, TopicCount, watermarksOf } from './compared-volume.ts';
import type { FoundDifference } from './decision-tally.ts';
import { decodeOutput } from './decode-output.ts';
import { EvaluationError } from './errors.ts';
import { type MarkPair, ModelComparison } from './model-comparison.ts';
import { mergeByInput, OutputReader, type PairedTopic } from './output-reader.ts';
import { sameContent } from './same-content.ts';
import type { ProfitDifference, VolumeDiff } from './volume-diff.ts';

/** Of a model's topics, those whose content is compared; for one input, a model writes them in this order. */
const comparedTopics = ['equity', 'fills', 'decisions', 'deadLetter'] as const;
type ComparedTopic = (typeof comparedTopics)[number];

export interface ModelDifference {
  range: { partition: number; toInput: bigint }[];
  topics: VolumeDiff['topics'];
  kinds: VolumeDiff['kinds'];
  first: FoundDifference | undefined;
  firstAction: FoundDifference | undefined;
  profit: ProfitDifference;
}

/** True where a model wrote the volume, live or in a replay. */
export async function isModelVolume({ volume, client }: ComparedVolume): Promise<boolean> {
  const { decisions, fills, equity } = volumeTopics(volume);
  const known = new Set((await client.admin.topics()).map(({ name }) => name));
  return [decisions, fills, equity].every((topic) => known.has(topic));
}

/**
 * Compares what two models made of the same ticks, in the range that both have handled. Outputs pair by the offset of the
 * tick that they were made from.
 *
 * @throws EvaluationError `beginning-lost`, `different-inputs`, `not-comparable`, `unreadable-output`
 */
export async function compareModels(
  a: ComparedVolume,
  b: ComparedVolume,
  options: CompareOptions,
): Promise<ModelDifference> {
  const sides = { a: await openSide(a), b: await openSide(b) };
  const range = commonRange(sides.a, sides.b);
  const comparing = new Comparing(sides, options);
  for (const { partition, toInput } of range) {
    if (toInput > 0n) await comparing.partition(partition, toInput);
  }
  const { comparison } = comparing;
  return {
    range,
    topics: comparing.counts(),
    kinds: comparison.tally.kinds(),
    first: comparison.tally.first,
    firstAction: comparison.tally.firstAction,
    profit: comparison.profit(),
  };
}

interface ModelSide extends ComparedVolume {
  topics: ModelTopics;
  /** By partition: the outputs of all inputs before it are durable. */
  handled: ReadonlyMap<number, bigint>;
  watermarks: Record<ComparedTopic, Watermark[]>;
}

/** Offsets first, watermarks second: what is committed is then within the watermarks. */
async function openSide(side: ComparedVolume): Promise<ModelSide> {
  const { ref, volume, client } = side;
  const names = volumeTopics(volume);
  const handled = await client.admin.committedOffsets(analyticsGroup(volume), topics.enriched);
  const watermarks = {} as ModelSide['watermarks'];
  for (const topic of comparedTopics) watermarks[topic] = await watermarksOf(side, names[topic]);
  return { ref, volume, client, topics: names, handled, watermarks };
}

/**
 * A side that has not committed anything yet has handled nothing.
 * @throws EvaluationError `not-comparable`
 */
function commonRange(a: ModelSide, b: ModelSide): ModelDifference['range'] {
  const [countA, countB] = [a, b].map(({ watermarks }) => watermarks.decisions.length);
  if (countA !== countB) {
    throw new EvaluationError(
      'not-comparable',
      `${a.ref} has ${countA} partitions, ${b.ref} has ${countB}: they were not made from the same input.`,
      'Compare two volumes that were made from one input, such as two replays of one snapshot.',
    );
  }
  const range = a.watermarks.decisions.map(({ partition }) => {
    const [handledA, handledB] = [a, b].map(({ handled }) => handled.get(partition) ?? 0n) as [bigint, bigint];
    return { partition, toInput: handledA < handledB ? handledA : handledB };
  });
  if (range.every(({ toInput }) => toInput === 0n)) throw nothingToCompare(a, b);
  return range;
}

/** Two that share nothing would count as equal. */
function nothingToCompare(a: ModelSide, b: ModelSide): EvaluationError {
  const idle = [a, b].filter(({ handled }) => [...handled.values()].every((offset) => offset === 0n));
  const [one, other] = new Set(idle.map(({ ref }) => ref));
  let said = `No tick of the same partition has been handled yet by both ${a.ref} and ${b.ref}`;
  if (one !== undefined) said = `No tick has been handled yet by ${one}`;
  if (other !== undefined) said = `No tick has been handled yet by ${one} or ${other}`;
  const awaited = one !== undefined && other === undefined ? 'it has' : 'both have';
  return new EvaluationError(
    'not-comparable',
    `${said}: there is nothing to compare.`,
    `Wait until ${awaited}, or replay both versions from one snapshot and compare the replays.`,
  );
}

class Comparing {
  readonly comparison = new ModelComparison();
  readonly #sides: { a: ModelSide; b: ModelSide };
  readonly #options: CompareOptions;
  readonly #counts: Record<ComparedTopic, TopicCount> = {
    decisions: new TopicCount('decisions'),
    fills: new TopicCount('fills'),
    equity: new TopicCount('equity'),
    deadLetter: new TopicCount('dead-letter'),
  };
  readonly #total: number;
  #done = 0;

  constructor(sides: { a: ModelSide; b: ModelSide }, options: CompareOptions) {
    this.#sides = sides;
    this.#options = options;
    this.#total = [sides.a, sides.b]
      .flatMap(({ watermarks }) => Object.values(watermarks))
      .reduce((sum, watermarks) => sum + recordCount(watermarks), 0);
  }

  counts(): VolumeDiff['topics'] {
    return Object.values(this.#counts).map((count) => count.counted());
  }

  async partition(partition: number, toInput: bigint): Promise<void> {
    for (const side of [this.#sides.a, this.#sides.b]) mustBeWhole(side, partition);
    const comparison = this.comparison.partition(await this.#lastCommonMark(partition, toInput));
    const paired = (topic: ComparedTopic, handle: PairHandler): PairedTopic =>
      this.#paired(topic, partition, toInput, (inputOffset, a, b) => {
        const same = a !== undefined && b !== undefined && this.#same(a, b);
        this.#counts[topic].add(a, b, same);
        handle({ partition, inputOffset }, a, b, same);
      });

    const topicsInOrder = [
      paired('equity', () => {}),
      paired('fills', (at, a, b, same) => {
        const [fillA, fillB] = decodeBoth(fillSchema, a, b, same);
        comparison.fills(at, fillA, fillB);
      }),
      paired('decisions', (at, a, b, same) => {
        const [decisionA, decisionB] = decodeBoth<Decision>(decisionSchema, a, b, same);
        const source = (a ?? b)!.header(headers.source) ?? '';
        // Not a spread: that costs a quarter of the whole comparison.
        const { inputOffset } = at;
        comparison.decisions({ partition, inputOffset, source, a: decisionA, b: decisionB }, same);
      }),
      paired('deadLetter', () => {}),
    ];
    await mergeByInput(topicsInOrder, {
      onTurn: async (records) => {
        this.#done += records;
        this.#options.onProgress?.({ done: this.#done, total: this.#total });
        await this.#options.onTurn();
      },
    });
    comparison.close();
  }

  /** The marks are few: reading them first tells which fills the last of them holds. */
  async #lastCommonMark(partition: number, toInput: bigint): Promise<MarkPair | undefined> {
    let first: { a: RecordView | undefined; b: RecordView | undefined } | undefined;
    let last: { inputOffset: bigint; a: RecordView; b: RecordView } | undefined;
    const marks = this.#paired('equity', partition, toInput, (inputOffset, a, b) => {
      first ??= { a, b };
      if (a !== undefined && b !== undefined) last = { inputOffset, a, b };
    });
    await mergeByInput([marks], { onTurn: () => this.#options.onTurn() });
    if (first !== undefined) this.#mustBeginTogether(partition, first);
    if (last === undefined) return undefined;
    const { inputOffset } = last;
    const [a, b] = decodeBoth(equityMarkSchema, last.a, last.b, false);
    return { partition, inputOffset, a: a!, b: b! };
  }

  #paired(topic: ComparedTopic, partition: number, toInput: bigint, handle: PairedTopic['handle']): PairedTopic {
    const open = ({ client, topics: names, watermarks }: ModelSide) => {
      const watermark = watermarks[topic].find((one) => one.partition === partition);
      return new OutputReader(client, names[topic], watermark ?? { partition, logStart: 0n, high: 0n }, toInput);
    };
    return { a: open(this.#sides.a), b: open(this.#sides.b), handle };
  }

  /** @throws EvaluationError `different-inputs`: then nothing that follows would mean anything */
  #same(a: RecordView, b: RecordView): boolean {
    const { a: sideA, b: sideB } = this.#sides;
    if (sameContent(a, b, { a: sideA.volume, b: sideB.volume })) return true;
    const [sourceA, sourceB] = [a, b].map((record) => record.header(headers.source));
    if (sourceA === sourceB) return false;
    throw new EvaluationError(
      'different-inputs',
      `${sideA.ref} and ${sideB.ref} were not made from the same ticks: the one at offset ${a.header(headers.input)}` +
        ` of partition ${a.partition} was ${sourceA} for the first, ${sourceB} for the second.`,
      'Compare two volumes that were made from one input, such as two replays of one snapshot.',
    );
  }

  /** A model's first output is a mark, for its first tick: a side without it began later, with another state. */
  #mustBeginTogether(partition: number, { a, b }: { a: RecordView | undefined; b: RecordView | undefined }): void {
    if (a !== undefined && b !== undefined) return;
    const { a: sideA, b: sideB } = this.#sides;
    const [early, late, mark] = a !== undefined ? [sideA, sideB, a] : [sideB, sideA, b!];
    throw new EvaluationError(
      'beginning-lost',
      `${early.ref} begins with tick ${mark.header(headers.input)} of partition ${partition}, ${late.ref} later:` +
        ' it was made from an input that had lost its beginning.',
      'Replay both versions from one snapshot and compare the replays.',
    );
  }
}

type PairHandler = (
  at: { partition: number; inputOffset: bigint },
  a: RecordView | undefined,
  b: RecordView | undefined,
  same: boolean,
) => void;

/** @throws EvaluationError `beginning-lost` where retention dropped the first outputs of a partition */
function mustBeWhole({ topics: names, watermarks }: ModelSide, partition: number): void {
  for (const topic of comparedTopics) {
    const start = watermarks[topic].find((one) => one.partition === partition)?.logStart ?? 0n;
    if (start === 0n) continue;
    throw new EvaluationError(
      'beginning-lost',
      `The first ${start} records of ${names[topic]}, partition ${partition}, are gone: the volume had grown to its quota.`,
      'Replay the versions from a snapshot and compare the replays; VOLUME_QUOTA_BYTES sets how much a volume keeps.',
    );
  }
}

/** Where the records are the same, one decoding does for both. @throws EvaluationError `unreadable-output` */
function decodeBoth<T>(
  schema: EventSchema<T>,
  a: RecordView | undefined,
  b: RecordView | undefined,
  same: boolean,
): [T | undefined, T | undefined] {
  const eventA = a === undefined ? undefined : decodeOutput(schema, a);
  if (same) return [eventA, eventA];
  return [eventA, b === undefined ? undefined : decodeOutput(schema, b)];
}
