// compat/ and bench/ are not vitest's. In CI a report in JSON is left beside the readable one, for the counts.

import { configDefaults, defineConfig } from 'vitest/config'

const { TWIGLOG_TEST_REPORT: report } = process.env

/**
 * Files and folders whose tests have processes of their own, for they put other modules in the place of ours, or count what a
 * process holds. All others share one for each core: to load the broker anew for every file took longer than most of them take.
 */
export const alone = [
  'test/branch/storage.test.ts',
  'test/fuzz/',
  'test/http/tail.test.ts',
  'test/log/footprint.test.ts',
  'test/net/',
  'test/protocol/crc32c.test.ts',
  'test/protocol/reader.test.ts',
  'test/protocol/records-compression.test.ts',
  'test/protocol/records-golden.test.ts',
  'test/revision/equal-hashes.test.ts',
  'test/simulation/',
  'test/storage/',
]
const patterns = alone.map((path) => (path.endsWith('/') ? `${path}**/*.test.ts` : path))

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: '100%', // else one core is left to vitest itself, which has little to do
    testTimeout: 120_000, // a machine may be busy with other things
    hookTimeout: 120_000,
    expect: { poll: { timeout: 50_000 } }, // as long as test/eventually.ts
    disableConsoleIntercept: true,
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    projects: [
      { extends: true, test: { name: 'alone', include: patterns } },
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...patterns],
          isolate: false,
        },
      },
    ],
  },
})
