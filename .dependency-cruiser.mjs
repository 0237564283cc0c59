/**
 * The import boundaries, as data: which project may import which. Arrows point one way,
 * apps → stream, history, models → market, and broker → log-engine → kafka-protocol.
 */
const allowed = {
  'libs/kafka-protocol': [],
  'libs/market': [],
  'libs/app-runtime': [],
  'libs/supervisor': [],
  'libs/log-engine': ['libs/kafka-protocol'],
  'libs/broker': ['libs/log-engine', 'libs/kafka-protocol'],
  'libs/stream': ['libs/kafka-protocol'],
  'libs/history': ['libs/market'],
  'libs/models': ['libs/market'],
  'libs/volumes': ['libs/stream', 'libs/log-engine'],
  'libs/evaluation': ['libs/volumes', 'libs/stream', 'libs/log-engine', 'libs/models', 'libs/market'],
  'libs/promotion': ['libs/stream', 'libs/market'],
  'libs/query': ['libs/history', 'libs/volumes', 'libs/stream', 'libs/market'],
  'libs/testkit': ['libs/broker', 'libs/log-engine', 'libs/kafka-protocol', 'libs/stream', 'libs/market'],
  'apps/broker': ['libs/app-runtime', 'libs/broker', 'libs/log-engine'],
  'apps/history': ['libs/app-runtime', 'libs/history', 'libs/market'],
  'apps/ingest': ['libs/app-runtime', 'libs/stream', 'libs/market'],
  'apps/enrichment': ['libs/app-runtime', 'libs/stream', 'libs/market', 'libs/history'],
  'apps/analytics': ['libs/app-runtime', 'libs/stream', 'libs/market', 'libs/models'],
  'apps/decisions': ['libs/app-runtime', 'libs/stream', 'libs/market', 'libs/promotion'],
  'apps/cli': [
    'libs/app-runtime',
    'libs/stream',
    'libs/market',
    'libs/models',
    'libs/log-engine',
    'libs/volumes',
    'libs/evaluation',
    'libs/promotion',
  ],
  'apps/web/server': [
    'libs/app-runtime',
    'libs/stream',
    'libs/market',
    'libs/history',
    'libs/models',
    'libs/log-engine',
    'libs/volumes',
    'libs/evaluation',
    'libs/promotion',
    'libs/query',
  ],
  'apps/web/client': ['libs/market', 'libs/models', 'libs/evaluation'],
};

/** Files that say what two apps tell each other over HTTP: one copy, imported for its types by the other side. */
const contracts = { 'apps/web/client': ['^apps/web/server/src/contract\\.ts$'] };

const projects = Object.keys(allowed);
/** Projects that run in a page, or hold parts that do: they may use the parts of others made for it. */
const inPages = ['apps/web/client', 'libs/models', 'libs/evaluation'];
/** Tests may start whatever they need. */
const TEST_FILES = String.raw`(\.test\.tsx?$|/test/|/bench/|\.bench\.ts$)`;

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...projects.map((project) => ({
      name: `boundary-${project.replaceAll('/', '-')}`,
      severity: 'error',
      comment: `${project} may import only: ${allowed[project].join(', ') || 'nothing of ours'}`,
      from: { path: `^${project}/`, pathNot: TEST_FILES },
      to: {
        path: '^(libs|apps)/',
        pathNot: [
          `^${project}/`,
          ...allowed[project].map((other) => `^${other}/src/index\\.ts$`),
          ...(inPages.includes(project) ? allowed[project].map((other) => `^${other}/src/browser\\.ts$`) : []),
          ...(contracts[project] ?? []),
        ],
      },
    })),
    {
      name: 'no-lib-imports-an-app',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^apps/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'every-project-has-a-boundary',
      severity: 'error',
      comment: 'A new project under libs or apps needs a line in `allowed`.',
      from: { path: '^(libs|apps)/', pathNot: projects.map((project) => `^${project}/`) },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', 'dist'] },
    exclude: { path: ['/dist/', '/node_modules/'] },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@tickfold/source', 'import', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json'],
    },
  },
};
