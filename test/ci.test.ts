// What `.ci/run` says in the end, whatever became of the runners: its last line is the sum, and no run that was cut short has passed.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const canRun = ['bash', 'timeout'].every((program) => spawnSync(program, ['--version']).status === 0)

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'twiglog-ci-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

type Runner = 'ci' | 'test' | 'check' | 'golden' | 'compat' | 'crash-lab' | 'again'

const reportOf = (...results: ('passed' | 'failed')[]): string => {
  const testResults = results.map((status, i) => ({
    name: join(folder, `test/${i}.test.ts`),
    status,
    assertionResults: [{ status, fullName: `test ${i}`, failureMessages: [] }],
  }))
  return JSON.stringify({ success: !results.includes('failed'), testResults })
}
const leaves = (report: string, code = 0) => `printf %s '${report}' > "$TWIGLOG_TEST_REPORT"; exit ${code}`

/** `.ci/run` in a clone whose runners do what is said here, or pass. */
function begin(does: Partial<Record<Runner, string>>) {
  cpSync(fileURLToPath(new URL('../.ci', import.meta.url)), join(folder, '.ci'), { recursive: true })
  for (const path of ['dist/bundle', 'compat/vcdiff', 'bin']) mkdirSync(join(folder, path), { recursive: true })
  writeFileSync(join(folder, 'dist/bundle/main.js'), '')
  writeFileSync(join(folder, 'compat/vcdiff/run.mjs'), `console.log('2 passed, 0 failed, 0 skipped')`)
  const usual: Partial<Record<Runner, string>> = {
    test: leaves(reportOf('passed')),
    golden: 'echo 900 passed, 0 failed',
    compat: 'echo 30 passed, 0 failed, 7 skipped',
    'crash-lab': 'echo 400 passed, 0 failed, 0 skipped',
  }
  const cases = Object.entries({ ...usual, ...does }).map(([name, script]) => `${name}) ${script} ;;`)
  const script = `#!/bin/sh\nfor word; do case $word in run | --*) ;; *) break ;; esac; done\ncase $word in\n${cases.join('\n')}\nesac\n`
  writeFileSync(join(folder, 'bin/npm'), script)
  writeFileSync(join(folder, 'bin/npx'), `#!/bin/sh\n${does.again ?? 'exit 1'}\n`)
  for (const name of ['npm', 'npx']) chmodSync(join(folder, 'bin', name), 0o755)
  const env = { ...process.env, PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH']}` }
  const child = spawn('bash', [join(folder, '.ci/run')], { env, stdio: ['ignore', 'pipe', 'ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stdout!.on('data', (bytes) => {
    said += bytes
  })
  // The last pipe is held by all that the run has begun: it is closed when none of them is left.
  const ended = new Promise<{ code: number | null; lines: string[] }>((resolve) =>
    child.once('close', (code) => resolve({ code, lines: said.trimEnd().split('\n') })),
  )
  return { child, ended }
}

test.runIf(canRun)('the sum is that of all runners, but for the lines of data', async () => {
  const { code, lines } = await begin({}).ended
  expect(lines.at(-1)).toBe('433 passed, 0 failed, 7 skipped')
  expect(code).toBe(0)
})

test.runIf(canRun)('a file that fails is played once more by itself, and counts as it ended then', async () => {
  const failing = leaves(reportOf('passed', 'failed'), 1)
  const mended = await begin({ test: failing, again: leaves(reportOf('passed', 'passed')) }).ended
  expect(mended).toMatchObject({ code: 0, lines: expect.arrayContaining(['# played once more: test/1.test.ts']) })
  expect(mended.lines.at(-1)).toBe('434 passed, 0 failed, 7 skipped')
  const failed = await begin({ test: failing, again: leaves(reportOf('passed', 'failed'), 1) }).ended
  expect([failed.code, failed.lines.at(-1)]).toEqual([1, '433 passed, 1 failed, 7 skipped'])
})

// A report that was cut in the middle ended the sum itself, and the run without its last line.
test.runIf(canRun).each<[what: string, does: Partial<Record<Runner, string>>, sum: string]>([
  ['the tests cannot be installed', { ci: 'exit 1' }, '432 passed, 1 failed, 7 skipped'],
  ['the tests are killed', { test: 'kill -9 $$' }, '432 passed, 1 failed, 7 skipped'],
  ['their report is cut in the middle', { test: leaves('{"testResu', 1) }, '432 passed, 1 failed, 7 skipped'],
  ['the check fails', { check: 'exit 1' }, '433 passed, 1 failed, 7 skipped'],
  ['the vectors are killed', { golden: 'kill -9 $$' }, '433 passed, 1 failed, 7 skipped'],
  ['the clients are killed', { compat: 'echo ok 1 - a; kill -9 $$' }, '403 passed, 1 failed, 0 skipped'],
  ['the crash lab says no sum', { 'crash-lab': 'exit 0' }, '33 passed, 1 failed, 7 skipped'],
])('where %s, the run has failed', async (_what, does, sum) => {
  const { code, lines } = await begin(does).ended
  expect([code, lines.at(-1)]).toEqual([1, sum])
})

test.runIf(canRun).each(['SIGTERM', 'SIGINT'] as const)(
  '%s ends what is played, and then the sum is said',
  async (signal) => {
    const { child, ended } = begin({ compat: 'echo begun >&4; sleep 600' })
    await once(child.stdio[4] as Readable, 'data')
    child.kill(signal)
    const { code, lines } = await ended
    // Clients, deltas and kills have not come to their ends.
    expect([code, lines.at(-1)]).toEqual([1, '1 passed, 3 failed, 0 skipped'])
  },
)
