import { defineConfig } from 'vitest/config';

/** All projects in one run, as `npm test` makes it: a third quicker than one after the other. */
export default defineConfig({
  test: {
    projects: ['libs/*/vitest.config.ts', 'apps/*/vitest.config.ts', 'apps/web/*/vitest.config.ts'],
    maxWorkers: 2,
    // Test files share the modules that they import: half of the time went into loading them again and again.
    isolate: false,
    reporters: ['default', ['json', { outputFile: 'test-results/vitest.json' }]],
  },
});
