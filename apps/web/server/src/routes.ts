import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import {
  DifferenceDetail,
  Differences,
  EquityPoint,
  LiveFrame,
  MinuteBar,
  ModelDescription,
  Overview,
  Service,
  SymbolDetail,
  SymbolRow,
} from './contract.ts';
import { MAX_DIFFERENCES } from './difference-join.ts';
import { ProblemError } from './problem.ts';
import { ANYWHERE, answers, problemAnswer, type TypeBoxProvider } from './route-answers.ts';
import type { ServerParts } from './server.ts';

const SymbolParams = Type.Object({ symbol: Type.String({ minLength: 1, maxLength: 16 }) });

export function addApiRoutes(server: FastifyInstance, { state, frames, hub, details }: ServerParts): void {
  const api = server.withTypeProvider<TypeBoxProvider>();
  api.get(
    '/overview',
    { schema: { summary: 'Feed, clock, totals, lag, services and models', response: answers(Overview) } },
    async () => state.overview(),
  );

  api.get(
    '/symbols',
    {
      schema: {
        summary: 'Symbols of this session, most active first',
        querystring: Type.Object({
          limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 50 }),
          search: Type.String({ maxLength: 16, default: '', description: 'part of the symbol' }),
        }),
        response: answers(Type.Array(SymbolRow), 400),
      },
    },
    async ({ query }) => state.market.ranking(query.limit, query.search.toUpperCase()),
  );

  api.get(
    '/symbols/:symbol',
    {
      schema: {
        summary: 'One symbol: minute bars of the session, and its history',
        params: SymbolParams,
        response: answers(SymbolDetail, 400, 404),
      },
    },
    async ({ params }) => {
      const row = knownRow(params.symbol);
      const { symbol } = row;
      const days = await details.earlierDays(symbol);
      return {
        row,
        sessionDate: state.market.sessionDateOf(symbol),
        bars: [...state.market.bars(symbol)],
        history: { origin: state.history.origin, ...state.market.reference(symbol), days },
      };
    },
  );

  api.get(
    '/symbols/:symbol/bars',
    {
      schema: {
        summary: 'Minute bars of the session from a minute on',
        params: SymbolParams,
        querystring: Type.Object({ fromMs: Type.Integer({ minimum: 0, default: 0 }) }),
        response: answers(
          Type.Object({ sessionDate: SymbolDetail.properties.sessionDate, bars: Type.Array(MinuteBar) }),
          400,
          404,
        ),
      },
    },
    async ({ params, query }) => {
      const { symbol } = knownRow(params.symbol);
      const bars = state.market.bars(symbol).filter(({ startMs }) => startMs >= query.fromMs);
      return { sessionDate: state.market.sessionDateOf(symbol), bars };
    },
  );

  api.get(
    '/models',
    {
      schema: {
        summary: 'Model versions: parameters, fees, assumptions and where their money stands',
        response: answers(Type.Array(ModelDescription)),
      },
    },
    async () =>
      state.models.map((model, index) => ({ model, ...details.modelFacts(model), summary: state.modelSummary(index) })),
  );

  api.get(
    '/models/equity',
    {
      schema: {
        summary: 'Equity of every version by minute of event time',
        response: answers(Type.Record(Type.String(), Type.Array(EquityPoint))),
      },
    },
    async () => state.equityByModel(),
  );

  api.get(
    '/differences',
    {
      schema: {
        summary: 'The newest ticks on which the versions decided differently',
        querystring: Type.Object({
          limit: Type.Integer({ minimum: 1, maximum: MAX_DIFFERENCES, default: MAX_DIFFERENCES }),
        }),
        response: answers(Differences, 400),
      },
    },
    async ({ query }) => {
      const all = state.differenceList();
      return { ...all, newest: all.newest.slice(0, query.limit) };
    },
  );

  api.get(
    '/differences/:id',
    {
      schema: {
        summary: 'Why: the tick, its features, both decisions with their reasons',
        params: Type.Object({ id: Type.String({ pattern: '^\\d{1,5}-\\d{1,19}$' }) }),
        response: answers(DifferenceDetail, 400, 404),
      },
    },
    async ({ params }) => {
      const difference = state.differences.find(params.id);
      if (!difference) {
        throw new ProblemError(
          404,
          `The difference ${params.id} is not among the newest ${MAX_DIFFERENCES}. /api/differences lists those.`,
        );
      }
      return details.explain(difference);
    },
  );

  api.get(
    '/services',
    { schema: { summary: 'Every app: up, not ready, down, restarted', response: answers(Type.Array(Service)) } },
    async () => state.services.list(),
  );

  api.get(
    '/live',
    {
      schema: {
        summary: 'Server-sent events: one whole frame, then about four frames of changes a second',
        produces: ['text/event-stream'],
        response: {
          200: { description: 'each event holds one frame', content: { 'text/event-stream': { schema: LiveFrame } } },
          ...Object.fromEntries(ANYWHERE.map((status) => [status, problemAnswer(status)])),
        },
      },
    },
    async (_request, reply) => {
      reply.hijack();
      for (const [name, value] of Object.entries(reply.getHeaders())) {
        if (value !== undefined) reply.raw.setHeader(name, value);
      }
      hub.add(reply.raw, frames.whole());
    },
  );

  function knownRow(symbol: string): SymbolRow {
    const row = state.market.row(symbol.toUpperCase());
    if (!row) {
      throw new ProblemError(404, `The symbol ${symbol} has had no tick. /api/symbols lists those that had.`);
    }
    return row;
  }
}
