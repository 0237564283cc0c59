import Type, { type Static, type TSchema } from 'typebox';

/**
 * Every shape that leaves this server: the routes answer with it, OpenAPI is made from it, and the page's types are
 * taken from it. Money and prices are integers of 1/10,000 USD (`E4`), times are UTC milliseconds.
 */

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

const PriceE4 = Type.Integer({ description: '1/10,000 USD' });
const TimeMs = Type.Integer({ description: 'UTC milliseconds' });

export const MinuteBar = Type.Object({
  startMs: TimeMs,
  openE4: PriceE4,
  highE4: PriceE4,
  lowE4: PriceE4,
  closeE4: PriceE4,
  volume: Type.Integer({ description: 'shares' }),
});
export type MinuteBar = Static<typeof MinuteBar>;

export const SymbolRow = Type.Object({
  symbol: Type.String(),
  lastPriceE4: nullable(PriceE4),
  lastOfferE4: nullable(PriceE4),
  bidPriceE4: nullable(PriceE4),
  askPriceE4: nullable(PriceE4),
  changeBps: nullable(Type.Number({ description: 'last trade against the previous close, in basis points' })),
  volume: Type.Integer({ description: 'shares traded in this session' }),
  relativeVolume: nullable(
    Type.Number({ description: 'volume so far over the 20-session average of a whole session' }),
  ),
  vwapDeviation: nullable(Type.Number({ description: 'last trade from the 20-session VWAP, in standard deviations' })),
  tradeCount: Type.Integer(),
  quoteCount: Type.Integer(),
  offerCount: Type.Integer(),
  eventTimeMs: TimeMs,
  bar: nullable(MinuteBar),
});
export type SymbolRow = Static<typeof SymbolRow>;

export const Origin = Type.Union([Type.Literal('synthetic'), Type.Literal('real'), Type.Literal('none')]);
export type Origin = Static<typeof Origin>;

export const Feed = Type.Object({
  kind: nullable(Type.String({ description: '`sim`, `taq` or `lean`; null while unknown' })),
  description: nullable(Type.String({ description: 'kind, place and day, for people' })),
  speed: nullable(Type.Number({ description: 'times faster than real time; 0: as fast as it goes' })),
  malformedLines: nullable(Type.Integer({ description: 'lines sent to market.dead-letter since ingest started' })),
  complete: Type.Boolean({ description: 'the source is read to its end' }),
  historyOrigin: Origin,
  standIns: Type.Array(Type.String(), { description: 'features that history stands in for, in words' }),
  offersOnly: Type.Boolean({ description: 'offers, but no trade or quote yet: the models have nothing to act on' }),
});
export type Feed = Static<typeof Feed>;

export const Totals = Type.Object({
  ticks: Type.Integer(),
  trades: Type.Integer(),
  quotes: Type.Integer(),
  offers: Type.Integer(),
  symbols: Type.Integer(),
  withoutHistory: Type.Integer({ description: 'ticks of symbols that history does not know' }),
  undecodable: Type.Integer({ description: 'records that this page could not decode' }),
});
export type Totals = Static<typeof Totals>;

export const Stage = Type.Object({
  name: Type.String(),
  topic: Type.String(),
  lag: nullable(Type.Integer({ description: 'records behind its input; null where nothing is known, never 0 for it' })),
  ratePerSecond: nullable(Type.Number({ description: 'records that entered its input topic' })),
});
export type Stage = Static<typeof Stage>;

export const Clock = Type.Object({
  shownEventTimeMs: nullable(TimeMs),
  latestEventTimeMs: nullable(TimeMs),
  sessionDate: nullable(Type.String({ description: 'New York date, YYYY-MM-DD' })),
  phase: nullable(
    Type.Union([
      Type.Literal('pre-market'),
      Type.Literal('regular'),
      Type.Literal('post-market'),
      Type.Literal('closed'),
    ]),
  ),
});
export type Clock = Static<typeof Clock>;

export const Service = Type.Object({
  name: Type.String(),
  state: Type.Union([
    Type.Literal('starting', { description: 'not seen up yet' }),
    Type.Literal('up'),
    Type.Literal('not-ready'),
    Type.Literal('down', { description: 'was up and does not answer; the supervisor restarts it' }),
  ]),
  detail: nullable(Type.String()),
  startedAtMs: nullable(TimeMs),
  restartCount: Type.Integer({ description: 'restarts that this page has seen' }),
  restartedAtMs: nullable(TimeMs),
  status: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]), {
    description: 'what the app says of itself',
  }),
});
export type Service = Static<typeof Service>;

export const EquityPoint = Type.Object({
  minuteMs: TimeMs,
  equityE4: Type.Integer({ description: 'marked to market, gain or loss since the start' }),
});
export type EquityPoint = Static<typeof EquityPoint>;

export const ModelSummary = Type.Object({
  model: Type.String(),
  role: Type.Union([Type.Literal('first'), Type.Literal('second'), Type.Literal('further')]),
  equityE4: nullable(Type.Integer()),
  cashE4: nullable(Type.Integer()),
  positionValueE4: nullable(Type.Integer()),
  feesE4: Type.Integer(),
  maxDrawdownE4: nullable(Type.Integer({ description: 'largest fall of equity from an earlier minute, 0 or more' })),
  decisions: Type.Integer(),
  fills: Type.Integer(),
  eventTimeMs: nullable(TimeMs),
});
export type ModelSummary = Static<typeof ModelSummary>;

export const NamedValue = Type.Object({
  name: Type.String(),
  label: Type.String(),
  value: Type.String({ description: 'as text for people, with its unit' }),
});
export type NamedValue = Static<typeof NamedValue>;

/** One parameter as it can be set: in the unit that `unit` tells, money in whole 1/10,000 USD. */
export const ParameterRange = Type.Object({
  name: Type.String(),
  label: Type.String(),
  default: Type.Number(),
  min: Type.Number(),
  max: Type.Number(),
  unit: Type.String({ description: 'what one of it is; empty for a plain number' }),
  whole: Type.Boolean({ description: 'only whole numbers' }),
});
export type ParameterRange = Static<typeof ParameterRange>;

export const ModelDescription = Type.Object({
  model: Type.String(),
  known: Type.Boolean({ description: 'this build knows its code' }),
  summary: ModelSummary,
  description: Type.String(),
  parameters: Type.Array(NamedValue, { description: 'that it runs with' }),
  ranges: Type.Array(ParameterRange, { description: 'what a replay may set' }),
  assumptions: Type.Array(Type.String()),
});
export type ModelDescription = Static<typeof ModelDescription>;

export const DecisionSide = Type.Object({
  model: Type.String(),
  action: Type.String({ description: '`none` where the model wrote no decision for this tick' }),
});
export type DecisionSide = Static<typeof DecisionSide>;

export const Difference = Type.Object({
  id: Type.String({ description: 'partition and offset of the enriched tick: `2-4711`' }),
  source: Type.String({ description: 'source id of the tick, `<file>:<line>`' }),
  symbol: Type.String(),
  eventTimeMs: TimeMs,
  priceE4: PriceE4,
  sides: Type.Array(DecisionSide),
});
export type Difference = Static<typeof Difference>;

export const DifferenceDetail = Type.Object({
  difference: Difference,
  tick: Type.Array(NamedValue),
  features: Type.Array(NamedValue),
  sides: Type.Array(
    Type.Object({
      model: Type.String(),
      action: Type.String(),
      reason: Type.String({ description: 'one sentence' }),
      values: Type.Array(NamedValue, { description: 'what the version knew and compared' }),
      parametersVersion: nullable(Type.String({ description: '`defaults`, or what differs from them' })),
      parameters: Type.Array(NamedValue),
    }),
  ),
});
export type DifferenceDetail = Static<typeof DifferenceDetail>;

export const Differences = Type.Object({
  total: Type.Integer({ description: 'ticks on which the versions differed, all of them' }),
  compared: Type.Integer({ description: 'ticks on which at least one version decided' }),
  newest: Type.Array(Difference, { description: 'newest first, at most 200' }),
});
export type Differences = Static<typeof Differences>;

export const Overview = Type.Object({
  feed: Feed,
  clock: Clock,
  totals: Totals,
  ticksPerSecond: nullable(Type.Number()),
  stages: Type.Array(Stage),
  services: Type.Array(Service),
  models: Type.Array(ModelSummary),
  champion: nullable(Type.String({ description: 'the version whose decisions are in live.decisions' })),
  brokerConnected: Type.Boolean(),
  catchingUp: Type.Boolean({ description: 'the page still reads what happened before it started' }),
});
export type Overview = Static<typeof Overview>;

export const HistoricDay = Type.Object({
  date: Type.String(),
  openE4: PriceE4,
  highE4: PriceE4,
  lowE4: PriceE4,
  closeE4: PriceE4,
  volume: Type.Integer(),
});
export type HistoricDay = Static<typeof HistoricDay>;

export const SymbolDetail = Type.Object({
  row: SymbolRow,
  sessionDate: nullable(Type.String()),
  bars: Type.Array(MinuteBar),
  history: Type.Object({
    origin: Origin,
    previousCloseE4: nullable(PriceE4),
    vwapE4: nullable(Type.Number()),
    standardDeviationE4: nullable(Type.Number()),
    averageVolume: nullable(Type.Number()),
    days: Type.Array(HistoricDay),
  }),
});
export type SymbolDetail = Static<typeof SymbolDetail>;

/** One message of `/api/live`. The first after connecting is whole; later ones carry only what changed. */
export const LiveFrame = Type.Object({
  whole: Type.Boolean(),
  overview: Overview,
  symbols: Type.Array(SymbolRow, { description: 'changed rows of the most active symbols' }),
  ranking: Type.Array(Type.String(), { description: 'most active symbols, most active first' }),
  sparklines: Type.Optional(Type.Record(Type.String(), Type.Array(PriceE4))),
  equity: Type.Record(Type.String(), Type.Array(EquityPoint), { description: 'by model: minutes that changed' }),
  differences: Differences,
});
export type LiveFrame = Static<typeof LiveFrame>;

/** What `live.promotions` says. */
export const Promotion = Type.Object({
  action: Type.Union([
    Type.Literal('initial'),
    Type.Literal('promote'),
    Type.Literal('rollback'),
    Type.Literal('refused'),
  ]),
  champion: Type.String(),
  previous: nullable(Type.String()),
  by: Type.String(),
  atMs: Type.Integer({ description: 'wall clock, UTC milliseconds' }),
  fromInput: Type.Array(Type.Integer(), {
    description: 'for each partition of market.enriched: the first offset that this champion answers',
  }),
  reason: nullable(Type.String({ description: 'why it was refused' })),
});
export type Promotion = Static<typeof Promotion>;

export const Championship = Type.Object({
  champion: nullable(Type.String({ description: 'null while nothing has been decided yet' })),
  rollsBackTo: nullable(Type.String({ description: 'champion after a rollback; null where there is none to undo' })),
  audit: Type.Array(Promotion, { description: 'newest first, at most 50' }),
});
export type Championship = Static<typeof Championship>;

export const PromoteRequest = Type.Object({ model: Type.String({ minLength: 1, maxLength: 100 }) });

export const Snapshot = Type.Object({
  name: Type.String({ description: '`market@open`' }),
  id: Type.String(),
  createdAtMs: Type.Integer({ description: 'wall clock, UTC milliseconds' }),
  sizeBytes: Type.Integer(),
  records: Type.Record(Type.String(), Type.Integer(), { description: 'by topic' }),
  pins: Type.Array(NamedValue, { description: 'history, enrichment, parameters, Node.js: what produced it' }),
});
export type Snapshot = Static<typeof Snapshot>;

export const SnapshotRequest = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 200, description: '`market@open`' }),
});

export const Volume = Type.Object({
  name: Type.String(),
  sizeBytes: Type.Integer(),
  model: nullable(Type.String({ description: 'the version that wrote it; null where none did' })),
  live: Type.Boolean({ description: 'a running version writes it' }),
  input: nullable(Type.String({ description: 'of a replay: the snapshot' })),
  parametersVersion: nullable(Type.String()),
});
export type Volume = Static<typeof Volume>;

export const ReplayRequest = Type.Object({
  model: Type.String({ minLength: 1, maxLength: 100 }),
  from: Type.String({ minLength: 1, maxLength: 200, description: 'a snapshot: `market@open`' }),
  into: Type.String({ minLength: 1, maxLength: 100, description: 'the volume to make' }),
  parameters: Type.Record(Type.String(), Type.Number(), { description: 'those that differ from the defaults' }),
});
export type ReplayRequest = Static<typeof ReplayRequest>;

export const DiffRequest = Type.Object({
  a: Type.String({ minLength: 1, maxLength: 200 }),
  b: Type.String({ minLength: 1, maxLength: 200 }),
});
export type DiffRequest = Static<typeof DiffRequest>;

/** A statement that is ready to be run, with the one thing that can be chosen. */
export const PreparedQuery = Type.Object({
  name: Type.String(),
  title: Type.String(),
  description: Type.String(),
  sql: Type.String(),
});
export type PreparedQuery = Static<typeof PreparedQuery>;

export const QueryRequest = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 100 }),
  model: Type.String({ minLength: 1, maxLength: 100 }),
});
export type QueryRequest = Static<typeof QueryRequest>;

export const QueryResult = Type.Object({
  sql: Type.String(),
  columns: Type.Array(Type.Object({ name: Type.String(), type: Type.String() })),
  rows: Type.Array(Type.Array(nullable(Type.Union([Type.String(), Type.Number(), Type.Boolean()])))),
  elapsedMs: Type.Integer(),
  read: Type.Record(Type.String(), Type.Integer(), { description: 'records that were read, by topic or table' }),
});
export type QueryResult = Static<typeof QueryResult>;

/** Work that takes longer than an answer may: a replay, a diff, a query. Runs in a process of its own. */
export const Job = Type.Object({
  id: Type.String(),
  kind: Type.Union([Type.Literal('replay'), Type.Literal('diff'), Type.Literal('query')]),
  state: Type.Union([Type.Literal('running'), Type.Literal('done'), Type.Literal('failed')]),
  done: Type.Integer({ description: 'records handled' }),
  total: Type.Integer({ description: 'records to handle; 0 while unknown' }),
  /** A replay: `{volume, decisions, fills}`. A diff: VolumeDiff of libs/evaluation. A query: QueryResult. */
  result: Type.Unknown(),
  problem: nullable(Type.Object({ detail: Type.String(), mend: Type.String() })),
});
export type Job = Static<typeof Job>;

/** RFC 9457. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  instance: Type.String(),
});
export type Problem = Static<typeof Problem>;
