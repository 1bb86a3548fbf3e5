// The ready-made fixtures, in a project of a user's: by the names under which they are imported, as they are built.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { built } from './built.ts'

const folderOf = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const vitest = folderOf('../node_modules/vitest/vitest.mjs')

/** What vitest reports of a project's run, in a process that knows nothing of the run we are in. */
async function runOf(project: string) {
  await built('bundle/vitest.js')
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(VITEST|TEST$|NODE_ENV)/.test(name)))
  const args = [vitest, 'run', '--root', folderOf(`fixture/${project}`), '--reporter', 'json']
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, timeout: 120_000 }).catch(
    (failed: { stdout: string; stderr: string }) => ({ stdout: failed.stdout || failed.stderr }),
  )
  return JSON.parse(stdout.slice(stdout.indexOf('{')))
}

test('twiglog/vitest: every test file begins with what was seeded, and none sees what others write', async () => {
  const report = await runOf('vitest')
  expect(report).toMatchObject({ success: true, numPassedTests: 2, numFailedTests: 0, numTotalTests: 2 })
})
