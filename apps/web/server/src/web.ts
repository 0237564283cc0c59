import { type App, readPort, readText, UserError } from '@tickfold/app-runtime';
import { historyPath } from '@tickfold/history';
import { sessionOf } from '@tickfold/market';
import { explain } from '@tickfold/models';
import { type StreamClient, streamConfigFromEnv } from '@tickfold/stream';
import { clusterClient } from '@tickfold/volumes';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { DashboardState, FrameMaker, type Phase } from './dashboard-state.ts';
import { explainDifference } from './explain-difference.ts';
import { HistoryReader } from './history-reader.ts';
import { JobBoard } from './jobs/job-board.ts';
import { jobKinds } from './jobs/job-kinds.ts';
import { LiveHub } from './live-hub.ts';
import { startLiveTicker } from './live-ticker.ts';
import { modelFacts } from './model-facts.ts';
import { pause } from './pause.ts';
import { parseAllowedHosts } from './security.ts';
import { buildServer } from './server.ts';
import { parseServices, pollServices, SELF, ServiceBoard } from './services.ts';
import { followStreams } from './stream-feed.ts';
import { createWorkbench } from './workbench.ts';

const SERVICE_POLL_MS = 1_000;
const HISTORY_POLL_MS = 3_000;

/** The web app: folds the streams into the dashboard's state and serves it until it is asked to end. */
export async function runWeb(app: App): Promise<void> {
  const { env, signal } = app;
  const host = readText(env, 'HOST', '127.0.0.1');
  const port = readPort(env, 'PORT', 3_000);
  const models = splitNames(readText(env, 'MODELS', 'reversion-1,reversion-2'));
  const services = parseServices(readText(env, 'SERVICES', ''));
  const stream = streamConfigFromEnv(env, 'web');
  const dataDir = readText(env, 'DATA_DIR', 'data/volumes');

  const board = new ServiceBoard([...services.map(({ name }) => name), SELF]);
  const state = new DashboardState(models, board, phaseAt);
  const frames = new FrameMaker(state);
  const hub = new LiveHub();
  const history = new HistoryReader(historyPath(dataDir));
  const factsOf = (model: string) => modelFacts(model, state.services.answerOfModel(model));

  let client: StreamClient | undefined;
  const jobs = new JobBoard({
    kinds: jobKinds,
    onFault: ({ id, kind }, text) => app.log.warn({ job: id, kind, text }, 'a job told a fault'),
  });

  const server = await buildServer({
    state,
    frames,
    hub,
    details: {
      earlierDays: (symbol) => history.earlierDays(symbol),
      modelFacts: factsOf,
      explain: (difference) => explainDifference(difference, explain, factsOf),
    },
    workbench: createWorkbench({
      dataDir,
      models,
      championship: state.championship,
      client: () => client,
      onDamaged: ({ message, mend }) => app.log.warn({ reason: message, mend }, 'a snapshot cannot be read'),
    }),
    jobs,
    jobPlace: { dataDir, stream },
    health: app,
    hostPolicy: { host, allowedHosts: parseAllowedHosts(readText(env, 'ALLOWED_HOSTS', '')) },
    log: app.log as FastifyBaseLogger,
  });
  await listen(server, host, port);
  app.setReady(false, 'waiting for the broker');

  const stopTicker = startLiveTicker(frames, hub);
  const failure = await Promise.race([
    Promise.all([
      followStreams({
        state,
        stream,
        signal,
        onConnection: (connected, reason) => app.setReady(connected, connected ? 'ok' : reason),
        onClient: (connected) => {
          const isCluster = connected && stream.engine === 'kafka';
          client = isCluster ? clusterClient(connected, dataDir) : connected;
        },
      }),
      every(SERVICE_POLL_MS, signal, async () => {
        board.apply(SELF, { ...app.healthJson() }, Date.now());
        await pollServices(board, services);
      }),
      every(HISTORY_POLL_MS, signal, () => readHistoryFacts(history, state, app)),
    ]).then(() => undefined),
    aborted(signal),
  ]).catch((error: unknown) => ({ error }));

  stopTicker();
  hub.close();
  await Promise.all([jobs.close(), server.close()]);
  history.close();
  if (failure) throw failure.error;
}

function phaseAt(eventTimeMs: number): Phase {
  return ({ pre: 'pre-market', regular: 'regular', post: 'post-market', closed: 'closed' } as const)[
    sessionOf(eventTimeMs)
  ];
}

/** @throws UserError naming the port when it is taken or not allowed */
export async function listen(server: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    await server.listen({ host, port });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new UserError(`Port ${port} on ${host} is taken by another program.`, `Set a free one: PORT=${port + 1}.`);
    }
    if (code === 'EACCES') {
      throw new UserError(`Port ${port} may not be opened by this user.`, 'Set one above 1023, such as PORT=3000.');
    }
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new UserError(`HOST=${host} is no address of this machine (${message}).`, 'Set HOST=127.0.0.1.');
    }
    throw error;
  }
}

async function readHistoryFacts(history: HistoryReader, state: DashboardState, app: App): Promise<void> {
  try {
    const facts = await history.facts();
    if (facts) state.history = facts;
  } catch (error) {
    app.log.warn({ err: error }, 'the history cannot be read');
  }
}

async function every(intervalMs: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await work();
    await pause(intervalMs, signal);
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

function splitNames(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
