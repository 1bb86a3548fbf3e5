// Bytes that were hit after they were written: never taken for the torn end of a log, and never the end of more than one
// partition.

import { describe, expect, test } from 'vitest'
import { Corruption } from '../../protocol/errors.ts'
import { iterateBatches } from '../../protocol/records/batch.ts'
import { Partition } from '../../src/broker/partition.ts'
import type { PartitionConfig } from '../../src/broker/partition-config.ts'
import { BatchRefusal, Log } from '../../src/log/log.ts'
import { systemClock } from '../../src/storage/clock.ts'
import type { FaultyStore } from '../../src/storage/faulty-file.ts'
import { batchOf, counted, readAll } from '../log/log-environment.ts'
import { folder, World } from './world.ts'

/** The leader epoch is outside the checksum, and any number could be one. */
const epochBytes = [12, 13, 14, 15]

function written(): World {
  const world = new World({ segmentBytes: 1200 })
  for (let i = 0; i < 40; i++) world.append({ values: [world.value(10 + i), 'x'], producer: 1 })
  return world
}

function change(store: FaultyStore, path: string, edit: (bytes: Buffer) => Buffer | undefined): void {
  const bytes = store.load(path)!
  const edited = edit(bytes) ?? bytes
  store.remove(path)
  const file = store.create(path, edited.length)
  edited.copy(file.stage(edited.length))
  file.commit(edited.length)
}

const segmentsOf = (store: FaultyStore): string[] =>
  store
    .list(folder)
    .filter((name) => name.endsWith('.log'))
    .map((name) => `${folder}/${name}`)

function flipped(store: FaultyStore, path: string, at: number, bit: number): FaultyStore {
  const copy = store.after('kill')
  change(copy, path, (bytes) => {
    bytes[at]! ^= 1 << bit
    return undefined
  })
  return copy
}

describe('after a kill', () => {
  const world = written()
  const { config } = world
  // As if it had died before any checkpoint: nothing is vouched for, all is scanned.
  const store = world.store.after('kill')
  const [first, second] = segmentsOf(store)
  const active = segmentsOf(store).at(-1)!
  const open = (of: FaultyStore) => new Log(of, folder, config)

  test('a bit that is flipped in any byte of a batch is found, if any batch follows', () => {
    for (const path of [first!, second!, active]) {
      const bytes = store.load(path)!
      const positions = [...iterateBatches(bytes)]
      // Of a sealed segment the last batch too: another segment follows.
      const [from, to] = path === active ? [positions[0]!, positions[1]!] : [positions.at(-1)!, bytes.length]
      for (let at = from; at < to; at++) {
        if (epochBytes.includes(at - from)) continue
        expect(() => open(flipped(store, path, at, at % 8)), `${path} byte ${at}`).toThrow(Corruption)
      }
    }
  })

  test('a page of zeros in the middle is found, however long it is', () => {
    for (const byteCount of [100, 5000, 200_000]) {
      const copy = store.after('kill')
      change(copy, active, (bytes) => {
        const at = [...iterateBatches(bytes)][1]!
        return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(byteCount), bytes.subarray(at)])
      })
      expect(() => open(copy)).toThrow(Corruption)
    }
  })

  test('a segment that is gone, cut or put in the place of another is found', () => {
    const gone = store.after('kill')
    gone.remove(second!)
    expect(() => open(gone)).toThrow(/is missing/)
    const cut = store.after('kill')
    change(cut, second!, (bytes) => bytes.subarray(0, [...iterateBatches(bytes)].at(-1)!))
    expect(() => open(cut)).toThrow(Corruption)
    const swapped = store.after('kill')
    const bytes = swapped.load(first!)!
    change(swapped, second!, () => bytes)
    expect(() => open(swapped)).toThrow(Corruption)
  })

  test('a record that holds the bytes of another log is not taken for a part of this one', () => {
    const inner = batchOf(['inside', 'another', 'log'])
    const carrier = batchOf([inner.toString('latin1'), 'y'.repeat(50)])
    for (let torn = 1; torn < carrier.length; torn += 7) {
      const copy = store.after('kill')
      change(copy, active, (bytes) => Buffer.concat([bytes, carrier.subarray(0, torn)]))
      world.expectWhole(open(copy))
    }
  })

  test('what is damaged stays as it is for whoever wants to save it', () => {
    const copy = flipped(store, active, 70, 1)
    const before = new Map(copy.list(folder).map((name) => [name, copy.load(`${folder}/${name}`)]))
    expect(() => open(copy)).toThrow(Corruption)
    for (const path of segmentsOf(copy)) {
      expect(copy.load(path)).toEqual(before.get(path.slice(folder.length + 1)))
    }
  })
})

describe('after a power cut', () => {
  test('the same picture is the end of the log, and what was vouched for is damage all the same', async () => {
    const world = written()
    const cut = world.store.after('power cut', 0, () => true)
    const [, second] = segmentsOf(cut)
    change(cut, second!, (bytes) => {
      bytes[[...iterateBatches(bytes)][2]! + 70]! ^= 1
      return undefined
    })
    // Written by the test just now; the power failed before that.
    cut.mayHaveLost = () => true
    const log = new Log(cut, folder, world.config)
    const end = log.logEndOffset
    expect(end).toBeGreaterThan(4)
    expect(end).toBeLessThan(80)
    expect(readAll(log).map(([offset]) => offset)).toEqual(counted(0, end).map(([offset]) => offset))
    await world.restart()
    const vouched = world.store.after('kill')
    change(vouched, segmentsOf(vouched)[1]!, (bytes) => bytes.subarray(0, 100))
    vouched.mayHaveLost = () => true
    expect(() => new Log(vouched, folder, world.config)).toThrow(Corruption)
  })
})

test('a damaged partition answers KAFKA_STORAGE_ERROR, and the others go on', () => {
  const world = written()
  const store = world.store.after('kill')
  change(store, segmentsOf(store)[0]!, (bytes) => {
    bytes[80]! ^= 1
    return undefined
  })
  const config: PartitionConfig = { ...world.config, flushMessages: Infinity, flushMs: Infinity, minInsyncReplicas: 1 }
  const damaged = new Partition(store, systemClock, folder, 0, config)
  const sound = new Partition(store, systemClock, 'topics/t/1', 1, config)
  for (let i = 0; i < 2; i++) {
    const answer = damaged.append(batchOf(['v']), 9)
    expect(answer).toBeInstanceOf(BatchRefusal)
    expect(answer).toMatchObject({ error: 'KAFKA_STORAGE_ERROR' })
    expect(damaged.read(0, 1000, false, true)).toMatchObject({ error: 'KAFKA_STORAGE_ERROR' })
    expect(sound.append(batchOf(['v']), 9)).toMatchObject({ baseOffset: i })
  }
  expect(damaged.offline).toBeInstanceOf(Corruption)
})
