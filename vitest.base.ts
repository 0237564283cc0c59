import { defineConfig } from 'vitest/config';

/** Shared by every project: workspace packages resolve to their sources, results are written for the final count. */
export default defineConfig({
  resolve: { conditions: ['@tickfold/source'] },
  ssr: { resolve: { conditions: ['@tickfold/source', 'node', 'import'] } },
  test: {
    include: ['src/**/*.test.{ts,tsx}', 'test/**/*.test.ts'],
    environment: 'node',
    passWithNoTests: true,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
    reporters: ['default', ['json', { outputFile: 'test-results/vitest.json' }]],
  },
});
