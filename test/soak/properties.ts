// The property tests for as long as asked, with seeds that no run had before:
//
//   npm run soak -- --properties --minutes 30
//
// Every test file that reads TWIGLOG_SOAK_SECONDS takes part, in rounds of half a minute for each of its properties. A
// failure names its seed and ends the run with status 1. The last line is `N rounds, N passed, N failed`.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The exit code. */
export function playProperties(minutes: number): number {
  const until = Date.now() + minutes * 60_000
  const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
    .filter(
      (path) => path.endsWith('.test.ts') && readFileSync(join('test', path), 'utf8').includes('TWIGLOG_SOAK_SECONDS'),
    )
    .map((path) => `test/${path}`)
  const folder = mkdtempSync(join(tmpdir(), 'twiglog-soak-'))
  const report = join(folder, 'report.json')
  const sum = { rounds: 0, passed: 0, failed: 0 }
  console.log(`${minutes} minutes of\n  ${files.join('\n  ')}`)
  while (Date.now() < until && sum.failed === 0) {
    const seconds = Math.max(1, Math.min(30, Math.round((until - Date.now()) / 1000)))
    const args = ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...files]
    const env = { ...process.env, TWIGLOG_SOAK_SECONDS: String(seconds) }
    const { status } = spawnSync('npx', args, {
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
      shell: process.platform === 'win32',
    })
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8')) as Record<string, number>
    sum.rounds++
    sum.passed += numPassedTests!
    sum.failed += numFailedTests! + (status !== 0 && numFailedTests === 0 ? 1 : 0)
  }
  rmSync(folder, { recursive: true, force: true })
  console.log(`${sum.rounds} rounds, ${sum.passed} passed, ${sum.failed} failed`)
  return sum.failed === 0 ? 0 : 1
}
