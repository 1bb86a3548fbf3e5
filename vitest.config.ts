// compat/ and bench/ are not vitest's. In CI a report in JSON is left beside the readable one, for the counts.

import { defineConfig } from 'vitest/config'

const { TWIGLOG_TEST_REPORT: report } = process.env

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 50_000 } }, // as long as test/eventually.ts
    disableConsoleIntercept: true,
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
  },
})
