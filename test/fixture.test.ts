// The ready-made fixtures, in a project of a user's: by the names under which they are imported, as they are built.

import { execFile } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

// Vitest 3 does not let itself be loaded by a globalSetup, and so no run ever began.
test('twiglog/vitest: a globalSetup needs no Vitest, and a test file that has none is told so', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'twiglog-fixture-'))
  try {
    copyFileSync(await built('bundle/vitest.js'), join(folder, 'vitest.mjs'))
    const script = `import { globalBroker, useBranch } from './vitest.mjs'
      console.log(typeof globalBroker({ topics: ['orders'] }))
      try { useBranch() } catch (cause) { console.log(cause.message) }`
    const args = ['--input-type=module', '-e', script]
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder })
    expect(stdout).toBe('function\nuseBranch is for test files: Vitest cannot be loaded here.\n')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
