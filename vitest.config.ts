import { defineConfig } from 'vitest/config';

export default defineConfig({
  // One seed for all properties, so that a run can be repeated.
  resolve: { alias: [{ find: /^fast-check$/, replacement: './test/seeded-fast-check.ts' }] },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    reporters: ['default', './test/closing-line.ts'],
    // Far above what a test takes: these machines may be busy.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
