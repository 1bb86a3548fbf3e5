// A word that the benchmark does not know ended in a stack trace of Node.
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { built } from '../built.ts'

test('what the benchmark does not know it answers with what it knows', async () => {
  const main = await built('bench/main.js')
  for (const asked of [['--help'], ['no-such-journey'], ['start', '--rounds', '0']]) {
    const { status, stderr } = spawnSync(process.execPath, [main, ...asked], { encoding: 'utf8' })
    expect(status, stderr).toBe(2)
    expect(stderr).toMatch(/^npm run bench -- <journey>/m)
    expect(stderr).not.toContain('    at ')
  }
})
