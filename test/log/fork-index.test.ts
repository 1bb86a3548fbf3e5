// One index file serves many forks of a log that goes on growing: they link it, and note what it leaves out when they are
// opened.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import * as batch from '../../protocol/records/batch.ts'
import { checkLog } from '../../src/log/check.ts'
import { forkLog } from '../../src/log/fork.ts'
import type { Inherited } from '../../src/log/inherited.ts'
import { Log } from '../../src/log/log.ts'
import { segmentName } from '../../src/log/segment-name.ts'
import { borrow, type Store } from '../../src/storage/file.ts'
import { type Place, places } from '../storage/stores.ts'
import { append, batchOf, smallConfig } from './log-environment.ts'

const config = { ...smallConfig, segmentBytes: 64 * 1024 * 1024 }
const outcomeOf = () => 'ABORT' as const
const indexOf = (folder: string) => `${folder}.${segmentName(0, 'index')}`

function fork(store: Store, parent: Log, folder: string, offset = parent.logEndOffset): Inherited {
  return forkLog(store, parent, folder, { offset, leaderEpoch: 1, now: 0, outcomeOf }).inherited
}

/** Batches of about 64 KiB, a second apart; every third is out of its time. */
function grow(log: Log, count: number): void {
  for (let i = 0; i < count; i++) {
    const at = log.logEndOffset
    append(log, ['x'.repeat(32_768), `y${at}`.padEnd(32_768)], { time: 1000 * (at % 3 === 0 ? at + 50 : at) })
  }
}

function contents(log: Log, upTo: number) {
  const bases: number[] = []
  for (let offset = 0; offset < upTo; offset = bases.at(-1)! + 2) {
    bases.push(borrow(log.read(offset, 1, upTo, true), (bytes) => batch.baseOffset(bytes, 0)))
  }
  const times = Array.from({ length: upTo + 60 }, (_, second) => log.offsetAt(1000 * second, upTo)?.offset)
  return { bases, times, largest: log.maxTimestamp()?.timestamp }
}

describe.each(places)('on a %s store, forks of a file that grows', (_name, make) => {
  let place: Place
  let store: Store
  let parent: Log
  beforeEach(() => {
    place = make()
    store = place.open()
    parent = new Log(store, 'topics/p/0', config)
    grow(parent, 8)
  })
  afterEach(() => {
    parent.release()
    store.close()
    place.remove()
  })

  test('link the index that the first of them has made, and find in it what their parent finds', async () => {
    const cuts: { folder: string; inherited: Inherited; shown: unknown }[] = []
    for (let i = 0; i < 4; i++) {
      const folder = `topics/c${i}/0`
      cuts.push({ folder, inherited: fork(store, parent, folder), shown: contents(parent, parent.logEndOffset) })
      grow(parent, 3)
    }
    const made = cuts.map(({ folder }) => store.load(indexOf(folder))!)
    for (const index of made) expect(index.equals(made[0]!)).toBe(true)
    for (const { folder, inherited, shown } of cuts) {
      for (const _ of ['first', 'again']) {
        const child = new Log(store, folder, config, inherited)
        expect(contents(child, inherited.offset)).toEqual(shown)
        child.append(batchOf(['own']), { leaderEpoch: 1, now: 1000 })
        expect(child.logEndOffset).toBeGreaterThan(inherited.offset)
        await child.close()
      }
      expect(checkLog(store, folder, undefined, inherited).findings).toEqual([])
    }
  })

  test('make one of their own where the cut lies in front of what it describes', () => {
    fork(store, parent, 'topics/a/0')
    const inherited = fork(store, parent, 'topics/b/0', 10)
    const child = new Log(store, 'topics/b/0', config, inherited)
    expect(contents(child, 10).bases).toEqual([0, 2, 4, 6, 8])
    expect(child.logEndOffset).toBe(10)
    expect(store.load(indexOf('topics/b/0'))!.equals(store.load(indexOf('topics/a/0'))!)).toBe(false)
    child.release()
  })

  test('of forks find the same as their parent did', () => {
    const inherited = fork(store, parent, 'topics/a/0')
    grow(parent, 2)
    const first = new Log(store, 'topics/a/0', config, inherited)
    const deeper = fork(store, first, 'topics/b/0')
    const second = new Log(store, 'topics/b/0', config, deeper)
    expect(contents(second, 16)).toEqual(contents(first, 16))
    for (const log of [second, first]) log.release()
  })

  test('are said to be damaged where the index that they link is wrong about what it describes', () => {
    fork(store, parent, 'topics/a/0')
    grow(parent, 2)
    const inherited = fork(store, parent, 'topics/b/0')
    // The index of another log of the same length.
    const other = new Log(store, 'topics/other/0', config)
    grow(other, 2)
    for (let i = 0; i < 6; i++) append(other, ['z'.repeat(40_000), 'z'.repeat(25_536)], { time: 5 })
    fork(store, other, 'topics/c/0')
    store.save(indexOf('topics/b/0'), store.load(indexOf('topics/c/0'))!, false)
    expect(checkLog(store, 'topics/b/0', undefined, inherited).findings.map(({ kind }) => kind)).toContain('damage')
    other.release()
  })
})
