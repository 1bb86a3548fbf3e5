// A disk that refuses once, at any moment of a merge, and takes everything afterwards: the command is tried again by itself, and
// comes to what it would have come to.

import { expect, test, vi } from 'vitest'
import type { FaultyStore } from '../../src/storage/faulty-file.ts'
import { eventually } from '../eventually.ts'
import { after, merge, Rooms, staged } from './merge-rooms.ts'

/** The command on a disk that is full at the n-th change and at no other; undefined where there are fewer. */
async function refusedAt(n: number): Promise<{ operation: string; store: FaultyStore; rooms: Rooms } | undefined> {
  const [store, rooms] = await staged()
  let changes = 0
  let refused: string | undefined
  store.fault = (operation, path) => {
    // A name that is gone, a flush and a rename need no room; 'commit' is no moment at which a disk is asked.
    if (!['create', 'stage', 'save', 'share'].includes(operation) || changes++ !== n) return undefined
    refused = `${n}: ${operation} of ${path}`
    return 'ENOSPC'
  }
  await rooms.command(merge).catch(() => rooms.command(merge))
  await rooms.told('m1', 1)
  if (refused === undefined) return undefined
  return { operation: refused, store, rooms }
}

// A simulation found it (seed 502): the merge was committed, its record did not fit on the disk, and the same command was planned
// again: it found nothing to do, and was told to have written nothing.
test('a merge during which the disk was full for a moment is told with what it has written, and once', {
  timeout: 120_000,
}, async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {}) // commands wait
  const runs = await Promise.all(Array.from({ length: 40 }, (_, n) => refusedAt(n)))
  const refused = runs.filter((run) => run !== undefined)
  expect(refused.length).toBeGreaterThan(8)
  expect(refused.length).toBeLessThan(40)
  for (const { operation, store, rooms } of refused) {
    // Where it was a marker that found no room, it is written a little later.
    await eventually(() => expect(rooms.seen('P'), operation).toEqual(after))
    const results = rooms.results('m1').filter((event) => event.replayed !== true)
    expect(results, operation).toHaveLength(1)
    expect(results[0]!.counts, operation).toEqual({ written: 3, same: 0, skipped: 0, conflicts: 1 })
    expect(rooms.broker.lineage.begun.size, operation).toBe(0)
    await rooms.stop()
    // What the metadata log says is the same.
    const found = await Rooms.open(store.after('kill'))
    expect(found.broker.lineage.begun.size, operation).toBe(0)
    expect(
      found.results('m1').filter((event) => event.replayed !== true),
      operation,
    ).toHaveLength(1)
    expect(found.seen('P'), operation).toEqual(after)
    await found.stop()
  }
})
