import { type Decision, type EnrichedTick, formatMoneyE4, formatNewYork, formatPriceE4 } from '@tickfold/market';
import type { DiffSide, Divergence, DivergentSide, ProfitDifference, VolumeDiff } from './volume-diff.ts';
import { describeKind, describePart, formatColumnE4 } from './wording.ts';

const WIDTH = 96;
/** A space at which no line is broken. */
const KEEP = '\u00a0';

/** A diff as plain text for people, in lines of at most 96 columns. */
export function describeDiff(diff: VolumeDiff): string {
  const sections = [
    sides(diff),
    verdict(diff),
    counts(diff),
    diff.kinds.length === 0 ? [] : ['Decisions that differ', ...kinds(diff)],
    ...divergences(diff),
    diff.profit === null ? [] : profit(diff.profit),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function sides({ a, b }: VolumeDiff): string[] {
  return columns(
    [
      ['A', a.ref, madeBy(a)],
      ['B', b.ref, madeBy(b)],
    ],
    ['left', 'left', 'left'],
  );
}

function madeBy({ model, parametersVersion, input }: DiffSide): string {
  const by = model ?? (parametersVersion === null ? '' : 'a model');
  const set = parametersVersion === null ? '' : ` (${parametersVersion})`;
  return `${by}${set}${input === null ? '' : `${by === '' ? '' : ', '}from ${input}`}`;
}

function verdict({ equal, topics, range }: VolumeDiff): string[] {
  const records = topics.reduce((sum, { recordsA }) => sum + recordsA, 0);
  const differing = topics.reduce((sum, topic) => sum + topic.differing, 0);
  const said = equal
    ? `EQUAL: ${count(records, 'record')} on each side, the same in content and order.`
    : `DIFFERENT: ${count(differing, 'record')} differ, or are on one side only.`;
  if (range.length === 0) return [said];
  const ticks = range.reduce((sum, { toInput }) => sum + Number(toInput), 0);
  const byPartition = range
    .map(({ partition, toInput }) => `${partition}:${KEEP}${number(Number(toInput))}`)
    .join(', ');
  const compared = `Compared: what both made of their first ${count(ticks, 'enriched tick')} (by partition ${byPartition}).`;
  return [said, ...wrapped(compared, '')];
}

function counts({ topics }: VolumeDiff): string[] {
  const rows = topics.map(({ topic, recordsA, recordsB, differing }) => [
    topic,
    number(recordsA),
    number(recordsB),
    number(differing),
  ]);
  return columns([['', 'in A', 'in B', 'differ'], ...rows], ['left', 'right', 'right', 'right']);
}

function kinds(diff: VolumeDiff): string[] {
  return columns(
    diff.kinds.map(({ kind, count: counted }) => [number(counted), describeKind(kind)]),
    ['right', 'left'],
    '  ',
  );
}

/** The first that was acted on says more than the first of all; where nothing was, the first of all is shown. */
function divergences({ first, firstAction }: VolumeDiff): string[][] {
  if (firstAction !== null) return [['The first on which they acted differently', ...divergence(firstAction)]];
  if (first !== null) return [['The first that differs', ...divergence(first)]];
  return [];
}

function divergence({ symbol, eventTimeMs, partition, inputOffset, source, tick, a, b }: Divergence): string[] {
  const place = `partition ${partition}, offset ${inputOffset}, source ${source}`;
  return [
    ...wrapped(`${symbol}, ${formatNewYork(eventTimeMs)} New York; ${place}`, '  '),
    ...(tick === null ? wrapped('The tick is no longer in the log.', '  ') : tickLines(tick)),
    ...sideLines('A', a),
    ...sideLines('B', b),
  ];
}

function tickLines(tick: EnrichedTick): string[] {
  const { changeBps, relativeVolume, vwapDeviation, sizePercentile } = tick;
  const said = [
    `The ${tick.kind}: ${number(tick.size)} at ${formatPriceE4(tick.priceE4)} USD on ${tick.exchange}`,
    feature('change', changeBps, (bps) => `${(bps / 100).toFixed(2)}% from the previous close`),
    feature('volume', relativeVolume, (times) => `${times.toFixed(3)} of an average day's volume so far`),
    feature('VWAP', vwapDeviation, (value) => `${value.toFixed(2)} standard deviations from the 20-session VWAP`),
    feature('size', sizePercentile, (value) => `larger than ${value.toFixed(0)}% of trades at this time of day`),
  ];
  return wrapped(said.join('; '), '  ', '    ');
}

function feature(name: string, value: number | null, write: (value: number) => string): string {
  return value === null ? `${name} against history unknown` : write(value);
}

function sideLines(name: string, { decision, reason }: DivergentSide): string[] {
  const lines = wrapped(`${name}: ${reason}`, '  ', '     ');
  return decision === null ? lines : [...lines, ...wrapped(stateOf(decision), '     ')];
}

function stateOf({ meanE4, deviationE4, signal, previousTarget, target }: Decision): string {
  const usd = (valueE4: number) => (valueE4 / 10_000).toFixed(4);
  const knew =
    meanE4 === null || deviationE4 === null
      ? 'no average yet'
      : `average ${usd(meanE4)}, standard deviation ${usd(deviationE4)}, signal ${signal?.toFixed(2) ?? 'none'}`;
  return `State: ${knew}; wanted ${number(previousTarget)} shares before, ${number(target)} after`;
}

function profit(difference: ProfitDifference): string[] {
  const { equityAE4, equityBE4, differenceE4, feesAE4, feesBE4, fillsA, fillsB, asOf, parts } = difference;
  if (asOf.length === 0) return ['Profit: no minute is marked by both yet.'];
  const latest = formatNewYork(Math.max(...asOf.map(({ minuteMs }) => minuteMs))).slice(0, 16);
  const [equityA, equityB, inDifference, ...amounts] = formatColumnE4([
    equityAE4,
    equityBE4,
    differenceE4,
    ...parts.map(({ amountE4 }) => amountE4),
  ]) as [string, string, string, ...string[]];
  const worth = columns(
    [
      ['A', equityA, `${count(fillsA, 'fill')}, ${formatMoneyE4(feesAE4)} in fees`],
      ['B', equityB, `${count(fillsB, 'fill')}, ${formatMoneyE4(feesBE4)} in fees`],
    ],
    ['left', 'right', 'left'],
    '  ',
  );
  const heading = `Profit in USD, positions at their last trade, as of ${latest} New York`;
  if (parts.length === 0) return [heading, ...worth, '  No trip differs.'];
  const width = Math.max(inDifference.length, ...amounts.map(({ length }) => length));
  return [
    heading,
    ...worth,
    '',
    'B less A, by trips (the way of a position from flat to flat)',
    ...parts.flatMap((part, index) => {
      const amount = `  ${amounts[index]!.padStart(width)}  `;
      return wrapped(describePart(part), amount, ' '.repeat(amount.length));
    }),
    `  ${'-'.repeat(width)}`,
    `  ${inDifference.padStart(width)}  difference`,
  ];
}

const number = (value: number): string => value.toLocaleString('en-US');

const count = (value: number, noun: string): string => `${number(value)} ${noun}${value === 1 ? '' : 's'}`;

function columns(rows: string[][], align: ('left' | 'right')[], indent = ''): string[] {
  const widths = align.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => {
    const cells = row.map((cell, column) =>
      align[column] === 'left' ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
    );
    return `${indent}${cells.join('  ')}`.trimEnd();
  });
}

/** Breaks between words; the first line begins with one indent, the others with the next. */
function wrapped(text: string, first: string, next = first): string[] {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of text.split(' ')) {
    if (!empty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = next;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line].map((each) => each.replaceAll(KEEP, ' '));
}
