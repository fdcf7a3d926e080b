import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { alias: { firn: fileURLToPath(new URL('./core/firn.ts', import.meta.url)) } },
  test: {
    include: ['test/**/*.test.ts'],
    // A generous bound against hanging; no test asserts on how long something took.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Stand-ins and workers of several files at once are what a machine of two cores can carry.
    maxWorkers: 2,
  },
});
