// A log that is let go while something waits: its topic was deleted, or a merge has put other files in its place. Whoever went on with
// it opened files once more that nobody closed, so that a deleted topic kept its space on the disk until the broker was started again.

import { expect, test } from 'vitest'
import { Corruption } from '../../protocol/errors.ts'
import { Log } from '../../src/log/log.ts'
import type { File, OpenOptions } from '../../src/storage/file.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import { openFake, packFake } from './fake-pack.ts'
import { append, batchOf, smallConfig } from './log-environment.ts'

/** Counts files that are open. */
class CountingStore extends MemoryStore {
  openFiles = 0

  override create(path: string, growthMax: number): File {
    return this.#counted(super.create(path, growthMax))
  }

  override open(path: string, growthMax: number, options?: OpenOptions): File {
    return this.#counted(super.open(path, growthMax, options))
  }

  #counted(file: File): File {
    this.openFiles++
    const close = file.close.bind(file)
    let isOpen = true
    file.close = () => {
      if (isOpen) this.openFiles--
      isOpen = false
      close()
    }
    return file
  }
}

test('a flush that waited for another one does not open files again', async () => {
  const store = new CountingStore()
  const log = new Log(store, 'topics/t/0', smallConfig)
  for (let i = 0; i < 60; i++) append(log, [`v${i}`.padEnd(100, '.')])
  const flushes = [log.flush(), log.flush()]
  append(log, ['late'])
  log.release()
  const [, second] = await Promise.allSettled(flushes)
  expect(second).toMatchObject({ status: 'rejected', reason: { code: 'ENOENT' } })
  expect(store.openFiles).toBe(0)
})

test('one that cannot be opened holds none of its files, packed ones neither', async () => {
  const store = new CountingStore()
  const config = { ...smallConfig, openPacked: openFake }
  const log = new Log(store, 'topics/t/0', config)
  for (let i = 0; i < 60; i++) append(log, [`v${i}`.padEnd(100, '.')])
  await log.flush()
  const [one, two, , four] = log.packable
  expect(await packFake(store, log, [one!, two!])).toBe(true)
  await log.close()
  for (const path of [one!.indexPath, four!.path]) store.remove(path)
  const before = store.openFiles
  expect(() => new Log(store, 'topics/t/0', config)).toThrow(Corruption)
  expect(store.openFiles).toBe(before)
})

test('a round of compaction does not ask the indexes again', async () => {
  const store = new CountingStore()
  const config = { ...smallConfig, compacts: true, deletes: false }
  const log = new Log(store, 'topics/t/0', config)
  const producer = { id: 7, epoch: 0, sequence: 0 }
  log.append(batchOf(['open'], { producer, isTransactional: true }), { leaderEpoch: 0, now: 1000 })
  const marker = { type: 'ABORT', producerId: 7, producerEpoch: 0, coordinatorEpoch: 0, timestamp: 1000 } as const
  log.appendMarker({ ...marker, transactionVersion: 0 }, { leaderEpoch: 0, now: 1000 })
  for (let i = 0; i < 60; i++) append(log, ['same'.padEnd(100, '.')])
  await log.flush()
  await log.close()
  const again = new Log(store, 'topics/t/0', config)
  append(again, ['more'])
  await again.flush()
  let turns = 0
  const rest = async () => {
    if (++turns === 2) again.release()
  }
  await again.compact(1e9, { seed: Buffer.alloc(32), rest, isOver: () => false })
  expect(turns).toBeGreaterThan(1)
  expect(store.openFiles).toBe(0)
})
