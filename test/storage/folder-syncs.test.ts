// Names become durable by a sync of their folder. A stop of 5,000 logs asked for 15,000 of them, two thirds of which were of the same two
// folders.

import type * as NodeFs from 'node:fs'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Directory } from '../../src/storage/directory.ts'

type Done = (cause: Error | null) => void
/** Syncs that somebody waits for, in their order. */
const waiting: Done[] = []
vi.mock('node:fs', async (original) => ({
  ...(await original<typeof NodeFs>()),
  fsync: (_descriptor: number, done: Done) => void waiting.push(done),
}))

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'twiglog-test-'))
  waiting.length = 0
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const settled = () => new Promise((resolve) => setImmediate(resolve))

async function three(): Promise<string[]> {
  const directory = new Directory(root)
  directory.save('topics/a', Buffer.from('a'), false)
  const told: string[] = []
  for (const name of ['first', 'second', 'third']) {
    directory.syncFolder('topics').then(
      () => told.push(name),
      (cause: Error) => told.push(`${name}: ${cause.message}`),
    )
  }
  await settled()
  return told
}

test('whoever comes while a folder is synced waits for the next one, together with the others', async () => {
  const told = await three()
  const done = async () => {
    waiting.shift()!(null)
    await settled()
  }
  expect(waiting).toHaveLength(1)
  await done() // of the first; its root comes next, beside what the others have asked for
  expect([told, waiting.length]).toEqual([[], 2])
  while (waiting.length > 0) await done()
  expect(told.sort()).toEqual(['first', 'second', 'third'])
})

test('behind a sync that failed none that waited for it is believed', async () => {
  const told = await three()
  const cause = Object.assign(new Error('EIO'), { code: 'EIO' })
  waiting.shift()!(cause)
  await settled()
  expect(told.sort()).toEqual(['first: topics: EIO', 'second: topics: EIO', 'third: topics: EIO'])
  expect(waiting).toHaveLength(0)
})
