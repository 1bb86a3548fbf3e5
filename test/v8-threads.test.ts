// What stops the event loop is done by the event loop: a thread of V8's that gives way, and has a share in it, held it up for as
// long as others had the core, with many forks a second for 1-150 ms at a time.

import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { built } from './built.ts'

/** For each collection of young values how long other threads worked at it, ms. */
async function sharesOfOthers(): Promise<number[]> {
  await built('bundle/main.js')
  const collecting = `
    import { collectAlone } from './dist/src/v8-threads.js'
    collectAlone()
    for (let values = [], i = 0; i < 2e6; i++) {
      values.push({ i })
      if (values.length > 1e5) values = []
    }`
  const words = ['--trace-gc-nvp', '--input-type=module', '--eval', collecting]
  const { stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' })
  expect(stderr).toBe('')
  return [...stdout.matchAll(/background\.scavenge\.parallel=([\d.]+)/g)].map(([, ms]) => Number(ms))
}

test('young values are collected by the event loop alone', async () => {
  const shares = await sharesOfOthers()
  expect(shares.length).toBeGreaterThan(0)
  expect(Math.max(...shares)).toBe(0)
})
