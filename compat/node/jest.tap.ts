// Jest, in a project that takes its Kafka from twiglog/jest: no client, but how many who have one test with it.
import { existsSync } from 'node:fs'
import { mkdir, symlink } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import tap from 'tap'
import { missing, run } from '../process.ts'
import { installed } from './install.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const project = fileURLToPath(new URL('jest/', import.meta.url))

async function ready(): Promise<string | undefined> {
  const absent = missing('npm')
  if (absent) return absent
  if (process.env['COMPAT_BOOTSTRAP']) return 'the fixtures start a broker of their own'
  if (!existsSync(`${root}dist/bundle/jest.cjs`)) return 'twiglog is not built: npm run build'
  try {
    await installed('jest')
    await mkdir(`${project}node_modules`, { recursive: true })
    // By its name, as in a project that has installed it.
    await symlink(root, `${project}node_modules/twiglog`, 'dir').catch((problem: NodeJS.ErrnoException) => {
      if (problem.code !== 'EEXIST') throw problem
    })
    return undefined
  } catch (problem) {
    console.error(problem) // no network, for one
    return 'Jest could not be made ready (no network?)'
  }
}

tap.setTimeout(300_000)
const reason = await ready()
if (reason !== undefined) tap.plan(0, reason)
else {
  await tap.test('jest: every test file begins with what was seeded, and none sees what others write', async (t) => {
    const args = ['node_modules/jest/bin/jest.js', '--json', '--workerThreads=false']
    const { stdout, stderr } = await run(process.execPath, args, { cwd: project, timeoutMs: 120_000 })
    const report = JSON.parse(stdout.toString() || '{}')
    t.equal(report.numPassedTests, 2, stderr)
    t.equal(report.numFailedTests, 0)
    t.equal(report.success, true)
  })
}
