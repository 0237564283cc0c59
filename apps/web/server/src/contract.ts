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

export const ModelDescription = Type.Object({
  model: Type.String(),
  known: Type.Boolean({ description: 'this build knows its code' }),
  summary: ModelSummary,
  description: Type.String(),
  parameters: Type.Array(NamedValue),
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

/** RFC 9457. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  instance: Type.String(),
});
export type Problem = Static<typeof Problem>;
