import { explain } from '@tickfold/models';
import { DashboardState, FrameMaker } from '../src/dashboard-state.ts';
import { explainDifference } from '../src/explain-difference.ts';
import { JobBoard } from '../src/jobs/job-board.ts';
import { LiveHub } from '../src/live-hub.ts';
import { modelFacts } from '../src/model-facts.ts';
import type { ServerParts } from '../src/server.ts';
import { ServiceBoard } from '../src/services.ts';
import type { Workbench } from '../src/workbench.ts';
import { jobKindsOf } from './job-kinds.ts';

/** A server's parts as they are before anything has happened; nothing runs beside it. */
export function serverParts(changes: Partial<ServerParts> = {}): ServerParts {
  const state =
    changes.state ??
    new DashboardState(['reversion-1', 'reversion-2'], new ServiceBoard(['broker', 'decisions']), () => 'regular');
  const factsOf = (model: string) => modelFacts(model, null);
  return {
    state,
    frames: new FrameMaker(state),
    hub: new LiveHub(),
    details: {
      earlierDays: async () => [{ date: '2013-10-07', openE4: 1, highE4: 4, lowE4: 1, closeE4: 3, volume: 9 }],
      modelFacts: factsOf,
      explain: (difference) => explainDifference(difference, explain, factsOf),
    },
    workbench: idleWorkbench(),
    jobs: new JobBoard({ kinds: jobKindsOf({}), onFault: () => {} }),
    jobPlace: { dataDir: '/nonexistent', stream: { brokers: ['127.0.0.1:1'], clientId: 'web' } },
    health: {
      healthJson: () => ({ app: 'web' }),
      isReady: () => true,
      metrics: { contentType: 'text/plain; version=0.0.4', metrics: async () => 'up 1\n' },
    },
    hostPolicy: { host: '127.0.0.1', allowedHosts: [] },
    clientFolder: '/nonexistent',
    ...changes,
  };
}

/** Has nothing, and does nothing. */
export function idleWorkbench(changes: Partial<Workbench> = {}): Workbench {
  const refuse = async (): Promise<never> => {
    throw new Error('not asked for in this test');
  };
  return {
    snapshots: async () => [],
    volumes: async () => [],
    createSnapshot: refuse,
    changeChampion: refuse,
    ...changes,
  };
}
