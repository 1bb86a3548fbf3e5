// What stops the event loop is done by the event loop: a thread of V8's that gives way, and has a share in it, held it up for as
// long as others had the core, with many forks a second for 1-150 ms at a time.

import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { growingPercent } from '../src/v8-threads.ts'
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

/** How often all of the heap was marked while values became old and went. */
async function markings(prelude: string): Promise<number> {
  await built('bundle/main.js')
  const aging = `
    ${prelude}
    const kept = Array.from({ length: 1e5 })
    for (let i = 0; i < 2e7; i++) kept[i % 1e5] = { i, of: [i] }`
  const words = ['--trace-gc-nvp', '--input-type=module', '--eval', aging]
  const { stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' })
  expect(stderr).toBe('')
  return [...stdout.matchAll(/gc=(ms|mc) /g)].length
}

test('a small heap is marked seldom', async () => {
  const seldom = `import { collectSeldom } from './dist/src/v8-threads.js'
    collectSeldom()`
  expect(2 * (await markings(seldom))).toBeLessThan(await markings(''))
})

test('a heap grows by no more than the room for what lies about; a large one as V8 has it', () => {
  const MiB = 1024 * 1024
  expect(growingPercent(16 * MiB)).toBe(400)
  expect(growingPercent(64 * MiB)).toBe(100)
  expect(growingPercent(65 * MiB)).toBe(0)
})
