// A log some of whose segments lie packed is the same log: to readers, forks, retention, checks, and to a start after anything.

import { describe, expect, test } from 'vitest'
import { DamagedRecords } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { checkLog } from '../../src/log/check.ts'
import { forkLog } from '../../src/log/fork.ts'
import type { Inherited } from '../../src/log/inherited.ts'
import { Log } from '../../src/log/log.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { borrow, type Store } from '../../src/storage/file.ts'
import { places } from '../storage/stores.ts'
import { headBytes, openFake, packFake, writeFake } from './fake-pack.ts'
import { append, appended, batchOf, counted, readAll, smallConfig } from './log-environment.ts'

const folder = 'topics/t/0'
const config = { ...smallConfig, openPacked: openFake }
const open = (store: Store, inherited?: Inherited, at = folder) => new Log(store, at, config, inherited)

/** `count` records in batches of one, and time in tens. */
function fill(log: Log, count: number): void {
  const leaderEpoch = Math.max(0, log.epochs.latest)
  const from = log.logEndOffset
  for (let i = from; i < from + count; i++) {
    log.append(batchOf([`v${i}`], { time: 1000 + 10 * i }), { leaderEpoch, now: 1000 })
  }
}

async function filled(store: Store, count = 120): Promise<Log> {
  const log = open(store)
  fill(log, count)
  await log.flush()
  return log
}

const endings = (store: Store, at = folder) =>
  store
    .list(at)
    .filter((name) => /\.(log|pack|tmp)$/.test(name))
    .map((name) => name.replace(/^0+(?=\d)/, ''))

function expectSound(store: Store, inherited?: Inherited, at = folder): void {
  const { findings } = checkLog(store, at, undefined, inherited, openFake)
  expect(findings.filter(({ kind }) => kind === 'damage')).toEqual([])
}

describe.each(places)('on a %s store', (_, make) => {
  test('packed segments read as they did before, also for a reader in the midst of them', async () => {
    const place = make()
    const store = place.open()
    const log = await filled(store)
    const held = log.read(3, 500, 120, true)
    const before = Buffer.from(held.bytes)
    const count = log.packable.length
    expect(count).toBeGreaterThan(3)
    const [first, ...others] = log.packable
    expect(await packFake(store, log, [first!, ...others.slice(0, 2)])).toBe(true)
    expect(log.segments[0]!.isPacked).toBe(true)
    expect(held.bytes.equals(before)).toBe(true)
    held.release()
    expect(readAll(log)).toEqual(counted(0, 120))
    expect(log.offsetAt(1000 + 10 * 7, 120)?.offset).toBe(7)
    expect(endings(store).filter((name) => name.endsWith('.pack'))).toEqual(['0.pack'])
    expect(log.segments).toHaveLength(count + 1 - 2)
    expectSound(store)
    await log.close()
    store.close()
    place.remove()
  })

  test.each(['clean', 'kill'])(
    'a start after a %s end finds packed files as they were left, and scans none of them',
    async (end) => {
      const place = make()
      const store = place.open()
      const log = await filled(store)
      await packFake(store, log)
      if (end === 'clean') await log.close()
      else log.release()
      const again = open(place.reopen())
      expect(again.segments[0]!.isPacked).toBe(true)
      expect(readAll(again)).toEqual(counted(0, 120))
      fill(again, 10)
      expect(readAll(again)).toEqual(counted(0, 130))
      await again.close()
      expectSound(store)
      place.remove()
    },
  )

  test('a packed file is packed again together with its neighbours, and an index that is gone is made again', async () => {
    const place = make()
    const store = place.open()
    const log = await filled(store)
    const [one, two, three] = log.packable
    await packFake(store, log, [one!, two!])
    await packFake(store, log, [one!, three!], [4, 5])
    expect(readAll(log)).toEqual(counted(0, 120).filter(([offset]) => offset !== 4 && offset !== 5))
    expect(log.compactedOffset).toBe(one!.nextOffset)
    log.release()
    store.remove(`${folder}/${'0'.repeat(20)}.index`)
    const again = open(place.reopen())
    expect(again.segments[0]!.nextOffset).toBe(one!.nextOffset)
    expect(readAll(again)).toHaveLength(118)
    expectSound(store)
    await again.close()
    place.remove()
  })

  // Found by the crash lab: a partition was offline after a kill -9, as both packed files counted.
  test.each([2, 3])('a kill while %i packed files become one leaves the new one alone', async (count) => {
    const place = make()
    const store = place.open()
    const log = await filled(store)
    const segments = log.packable.slice(0, count)
    for (const segment of segments.slice(1)) await packFake(store, log, [segment])
    const packs = endings(store).filter((name) => name.endsWith('.pack'))
    expect(packs).toHaveLength(count - 1)
    // Under another name the store does not take them for segments of the log.
    for (const name of packs) store.share(`${folder}/${name.padStart(25, '0')}`, `topics/t/kept.${name}`)
    await packFake(store, log, log.packable.slice(0, count))
    expect(endings(store).filter((name) => name.endsWith('.pack'))).toEqual(['0.pack'])
    log.release()
    for (const name of packs) store.share(`topics/t/kept.${name}`, `${folder}/${name.padStart(25, '0')}`)
    expectSound(place.reopen())
    const again = open(place.reopen())
    expect(endings(store).filter((name) => name.endsWith('.pack'))).toEqual(['0.pack'])
    expect(readAll(again)).toEqual(counted(0, 120))
    expectSound(store)
    await again.close()
    place.remove()
  })

  test('a fork shares packed files up to its bound, and packs them for itself', async () => {
    const place = make()
    const store = place.open()
    const log = await filled(store)
    await packFake(store, log, log.packable.slice(0, 2))
    const cut = log.segments[0]!.nextOffset - 3
    for (const offset of [cut, 100]) {
      const at = `topics/c${offset}/0`
      const { inherited } = forkLog(store, log, at, { offset, leaderEpoch: 1, now: 1000, outcomeOf: () => 'ABORT' })
      let child = open(store, inherited, at)
      expect(readAll(child)).toEqual(counted(0, offset))
      expectSound(store, inherited, at)
      append(child, ['own'])
      await child.flush()
      const segments = child.packable.filter(({ baseOffset }) => baseOffset < inherited.ownFrom)
      expect(segments.length).toBeGreaterThan(0)
      expect(await packFake(store, child, segments)).toBe(true)
      expect(child.segments[0]!.isShared).toBe(false)
      const expected = [...counted(0, offset), [offset, 'own']]
      expect(readAll(child)).toEqual(expected)
      const beside = () => store.list(`topics/c${offset}`).filter((name) => name.startsWith('0.'))
      expect(beside()).toEqual([])
      child.release()
      child = new Log(store, at, config, inherited)
      expect(readAll(child)).toEqual(expected)
      expectSound(store, inherited, at)
      expect(readAll(log)).toEqual(counted(0, 120))
      await child.close()
    }
    await log.close()
    expectSound(store)
    place.remove()
  })

  test('retention and deleted records take packed files whole', async () => {
    const place = make()
    const store = place.open()
    const log = await filled(store)
    await packFake(store, log, log.packable.slice(0, 2))
    const second = log.segments[1]!.baseOffset
    log.deleteBelow(second - 1)
    expect(endings(store)).toContain('0.pack')
    log.deleteBelow(second)
    expect(endings(store)).not.toContain('0.pack')
    expect(readAll(log)).toEqual(counted(second, 120))
    await log.close()
    place.remove()
  })

  test('what a branch shares of a file that is packed since stays as it was', async () => {
    const place = make()
    const store = place.open()
    const log = await filled(store)
    const at = 'topics/c/0'
    const { inherited } = forkLog(store, log, at, { offset: 80, leaderEpoch: 1, now: 1, outcomeOf: () => 'ABORT' })
    await packFake(store, log)
    const child = open(store, inherited, at)
    expect(child.segments.some(({ isPacked }) => isPacked)).toBe(false)
    expect(readAll(child)).toEqual(counted(0, 80))
    await log.close()
    await child.close()
    place.remove()
  })

  test('a retry of the last batch before a pack is a duplicate, also after a start that finds no later snapshot', async () => {
    const place = make()
    const store = place.open()
    const log = open(store)
    const producer = (sequence: number) => ({ id: 7, epoch: 0, sequence })
    const value = 'x'.repeat(400)
    for (let i = 0; i < 8; i++) appended(log, [`${i}${value}`], { producer: producer(i) })
    await log.flush()
    const packed = log.packable
    await packFake(store, log, packed)
    const last = packed.at(-1)!.nextOffset - 1
    for (let i = last; i < 8; i++)
      expect(append(log, [`${i}${value}`], { producer: producer(i) })).toMatchObject({ baseOffset: i, duplicate: true })
    log.release()
    const again = open(place.reopen())
    expect(append(again, [`7${value}`], { producer: producer(7) })).toMatchObject({ baseOffset: 7, duplicate: true })
    await again.close()
    place.remove()
  })
})

test('retention counts what the disk holds', async () => {
  const store = new FaultyStore()
  const log = await filled(store)
  await packFake(store, log)
  const [first] = log.segments
  expect(first!.storedBytes).toBe(first!.length + headBytes)
  expect(log.byteCount).toBe(log.segments.reduce((sum, { storedBytes }) => sum + storedBytes, 0))
})

test('records that are damaged in a packed file are named, and all others are read', async () => {
  const store = new FaultyStore()
  const log = await filled(store)
  await packFake(store, log, log.packable.slice(0, 2))
  const path = log.segments[0]!.path
  const { position } = log.segments[0]!.find(5)!
  await log.close()
  const bytes = Buffer.from(store.load(path)!)
  bytes[headBytes + position + batch.headerBytes + 4]! ^= 1
  store.save(path, bytes, true)
  const again = open(store)
  const readOne = (offset: number) => borrow(again.read(offset, 1, 120, true), (found) => batch.baseOffset(found, 0))
  expect(() => readOne(5)).toThrow(DamagedRecords)
  for (const offset of [0, 4, 6, 30, 119]) expect(readOne(offset)).toBe(offset)
  const { findings } = checkLog(store, folder, undefined, undefined, openFake)
  expect(findings).toEqual([{ kind: 'damage', file: path, message: 'the batch at offset 5 is damaged' }])
})

test('a packed file that is not whole does not count while what it was made of is there; alone its log is offline or it costs itself', async () => {
  const store = new FaultyStore()
  const log = await filled(store)
  const { path, discard: _ } = await writeFake(store, folder, log.packable.slice(0, 2))
  log.release()
  const torn = Buffer.from(store.load(path)!)
  torn[9]! ^= 1
  store.save(`${folder}/${'0'.repeat(20)}.pack`, torn, true)
  const again = open(store)
  expect(endings(store).filter((name) => name.includes('pack'))).toEqual([])
  expect(readAll(again)).toEqual(counted(0, 120))
  await again.flush()
  await packFake(store, again, again.packable.slice(0, 2))
  const { path: packed, nextOffset } = again.segments[0]!
  await again.close()
  const bytes = Buffer.from(store.load(packed)!)
  bytes[9]! ^= 1
  store.save(packed, bytes, true)
  const third = open(store)
  expect(() => readAll(third, 0)).toThrow(DamagedRecords)
  expect(readAll(third, nextOffset)).toEqual(counted(nextOffset, 120))
})

/** Everything that a packer does on the disk, with what each moment leaves. */
async function moments(
  event: 'kill' | 'power cut',
  pack: (log: Log, store: FaultyStore) => Promise<unknown>,
  prepare: (log: Log, store: FaultyStore) => Promise<unknown> = async () => {},
): Promise<{ operation: string; left: FaultyStore }[]> {
  const store = new FaultyStore()
  const log = await filled(store)
  await prepare(log, store)
  await log.flush()
  const found: { operation: string; left: FaultyStore }[] = []
  let luck = 1
  store.fault = (operation, path) => {
    if (operation === 'read') return undefined
    const chance = () => {
      luck = (Math.imul(luck, 1664525) + 1013904223) >>> 0
      return luck > 2 ** 31
    }
    found.push({ operation: `${found.length}: ${operation} of ${path}`, left: store.after(event, 0, chance) })
    return undefined
  }
  await pack(log, store)
  store.fault = () => undefined
  found.push({ operation: 'the end', left: store.after(event, 0, () => false) })
  return found
}

describe.each(['kill', 'power cut'] as const)('after a %s at any moment of packing', (event) => {
  test('every record is there once', async () => {
    const all = await moments(event, (log, store) => packFake(store, log, log.packable.slice(0, 3)))
    expect(all.length).toBeGreaterThan(10)
    for (const { operation, left } of all) {
      expectSound(left)
      const log = open(left)
      expect(readAll(log), operation).toEqual(counted(0, 120).slice(0, log.logEndOffset))
      expect(log.logEndOffset, operation).toBe(120)
      expect(
        endings(left).filter((name) => name.endsWith('.tmp')),
        operation,
      ).toEqual([])
      fill(log, 20)
      await log.flush()
      await packFake(left, log)
      expect(readAll(log), operation).toEqual(counted(0, 140))
      await log.close()
      expectSound(left)
    }
  })

  test('a packed file that is packed again is the old one or the new one', async () => {
    const both = [counted(0, 120), counted(0, 120).filter(([offset]) => offset !== 3)]
    const all = await moments(
      event,
      (log, store) => packFake(store, log, log.segments.slice(0, 2), [3]),
      (log, store) => packFake(store, log, log.packable.slice(0, 2)),
    )
    for (const { operation, left } of all) {
      expectSound(left)
      const log = open(left)
      expect(both, operation).toContainEqual(readAll(log))
      await log.close()
    }
  })

  test('a branch that packs what it shares shows all of it', async () => {
    let inherited: Inherited | undefined
    const at = 'topics/c/0'
    const child = async (log: Log, store: FaultyStore) => {
      const forked = forkLog(store, log, at, { offset: 100, leaderEpoch: 1, now: 1, outcomeOf: () => 'ABORT' })
      inherited = forked.inherited
      await store.syncFolder('topics/c', at)
    }
    const pack = async (_: Log, store: FaultyStore) => {
      const log = open(store, inherited, at)
      await packFake(store, log, log.segments.slice(0, 3))
    }
    for (const { operation, left } of await moments(event, pack, child)) {
      expectSound(left, inherited, at)
      const log = open(left, inherited, at)
      expect(readAll(log), operation).toEqual(counted(0, 100))
      fill(log, 3)
      expect(readAll(log), operation).toEqual(counted(0, 103))
      await log.close()
      expectSound(left, inherited, at)
    }
  })
})

test('an operation on the disk that fails leaves everything readable, and packing works afterwards', async () => {
  const count = (await moments('kill', (log, store) => packFake(store, log, log.packable.slice(0, 3)))).length
  for (let failing = 0; failing < count; failing++) {
    const store = new FaultyStore()
    const log = await filled(store)
    let done = 0
    store.fault = (operation) => (operation !== 'read' && done++ === failing ? 'ENOSPC' : undefined)
    await packFake(store, log, log.packable.slice(0, 3)).catch(() => {})
    store.fault = () => undefined
    expect(readAll(log)).toEqual(counted(0, 120))
    await packFake(store, log)
    expect(readAll(log)).toEqual(counted(0, 120))
    log.release()
    const again = open(store)
    expect(readAll(again)).toEqual(counted(0, 120))
    expectSound(store)
  }
})

// The names of what had been packed stayed until the next start, and with them the room that packing was to give back.
test('an index that finds no room keeps nothing of what was packed', async () => {
  const store = new FaultyStore()
  const log = await filled(store)
  const packed = log.packable.map(({ path }) => path)
  store.fault = (operation, path) => (operation === 'save' && path.endsWith('.index') ? 'ENOSPC' : undefined)
  expect(await packFake(store, log)).toBe(true)
  expect(packed.filter((path) => store.exists(path))).toEqual([])
  expect(readAll(log)).toEqual(counted(0, 120))
  expect(readAll(open(store.after('kill')))).toEqual(counted(0, 120))
})

// A fork linked an index that was not there, and every later one was refused as well.
test('an index that went before a packing that was refused is made again for a fork', async () => {
  const store = new FaultyStore()
  const log = await filled(store)
  const [first] = log.packable
  expect(first!.saveIndexFor(first!.length)).toBe(true)
  store.fault = (operation) => (operation === 'sync' ? 'EMFILE' : undefined)
  await expect(packFake(store, log)).rejects.toThrow('EMFILE')
  store.fault = () => undefined
  expect(first!.saveIndexFor(first!.length)).toBe(true)
  expect(store.exists(first!.indexPath)).toBe(true)
})
