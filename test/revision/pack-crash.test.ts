// A broker that dies at any operation of its packer on the disk, or whose disk fails there: every record is readable once, nothing half
// done stays, and packing goes on.

import { describe, expect, test, vi } from 'vitest'
import { iterateBatches, nextOffset } from '../../protocol/records/batch.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { readRecords } from '../../protocol/records/record.ts'
import { Broker } from '../../src/broker/broker.ts'
import { BrokerConfig } from '../../src/broker/broker-config.ts'
import type { Partition } from '../../src/broker/partition.ts'
import { checkStore } from '../../src/cli/check.ts'
import { systemClock } from '../../src/storage/clock.ts'
import { FaultyStore, type Luck } from '../../src/storage/faulty-file.ts'
import { borrow } from '../../src/storage/file.ts'
import { numbersFrom } from '../crash/world.ts'
import { revisionOf } from './packs.ts'

const configs = { 'revision.diff': 'true', 'revision.pack.lag.ms': '0', 'segment.bytes': '1048576' }
const keys = ['a', 'b', 'c', 'd']

class Rooms {
  readonly broker: Broker
  now = 1_700_000_000_000

  constructor(store: FaultyStore) {
    const clock = { ...systemClock, now: () => this.now }
    this.broker = new Broker({ store, clock, config: new BrokerConfig(new Map()) })
  }

  static async made(store: FaultyStore, more: Record<string, string> = {}): Promise<Rooms> {
    const rooms = new Rooms(store)
    await rooms.broker.createTopics([{ name: 'docs', partitions: 1, configs: { ...configs, ...more } }])
    return rooms
  }

  get partition(): Partition {
    return this.broker.topic('docs')!.partitions[0]!
  }

  /** So many rounds of a revision of each key, in segments of a round. */
  write(from: number, count: number): void {
    for (let round = from; round < from + count; round++) {
      const records = keys.map((key) => ({ key, value: revisionOf(key, round, 300), timestamp: 1000 + round }))
      this.partition.appendOwn(encodeBatch({ records }))
      this.partition.log.roll()
    }
  }

  /** One round of the packer. */
  async pack(): Promise<void> {
    await this.partition.flush()
    this.broker.housekeeping.packing.run()
    await this.broker.housekeeping.packing.settled()
  }

  /** `key:revision` of every record, in the order of offsets. */
  seen(): string[] {
    const { log } = this.partition
    const found: string[] = []
    for (let offset = log.logStartOffset; offset < log.logEndOffset; ) {
      borrow(log.read(offset, 1 << 20, log.logEndOffset, true), (bytes) => {
        for (const at of iterateBatches(bytes)) {
          for (const record of readRecords(bytes, at)) {
            if (record.offset < offset) continue
            found.push(`${record.offset} ${record.key} ${record.value}`)
          }
          offset = Math.max(offset, nextOffset(bytes, at))
        }
      })
    }
    return found
  }

  expectSound(): void {
    const { findings } = checkStore(this.broker.store)
    expect(findings.filter(({ kind }) => kind === 'damage')).toEqual([])
  }

  get endings(): string[] {
    const { store } = this.broker
    return store.list(this.partition.log.folder).map((name) => name.slice(name.indexOf('.')))
  }
}

const expected = (rounds: number) =>
  Array.from({ length: rounds * keys.length }, (_, offset) => {
    const key = keys[offset % keys.length]!
    return `${offset} ${key} ${revisionOf(key, Math.floor(offset / keys.length), 300)}`
  })

const whole = (seen: string[], rounds: number) => expect(seen).toEqual(expected(rounds))

async function moments(
  event: 'kill' | 'power cut',
  more: Record<string, string>,
): Promise<{ operation: string; left: FaultyStore }[]> {
  const store = new FaultyStore()
  const rooms = await Rooms.made(store, more)
  rooms.write(0, 4)
  await rooms.pack()
  rooms.write(4, 5)
  await rooms.partition.flush()
  const found: { operation: string; left: FaultyStore }[] = []
  store.fault = (operation, path) => {
    if (operation === 'read') return undefined
    const chance = numbersFrom(found.length)
    const luck: Luck = () => chance() < 0.5
    found.push({ operation: `${found.length}: ${operation} of ${path}`, left: store.after(event, 0, luck) })
    return undefined
  }
  await rooms.pack()
  store.fault = () => undefined
  found.push({ operation: 'the end', left: store.after(event) })
  expect(rooms.endings).toContain('.pack')
  return found
}

describe.each(['kill', 'power cut'] as const)('R25: after a %s at any operation of the packer', (event) => {
  test('every record is readable once, nothing half done is left, and packing goes on', async () => {
    const all = await moments(event, {})
    expect(all.length).toBeGreaterThan(15)
    for (const { operation, left } of all) {
      const rooms = new Rooms(left)
      rooms.expectSound()
      whole(rooms.seen(), 9)
      expect(rooms.endings, operation).not.toContain('.pack.tmp')
      rooms.write(9, 2)
      await rooms.pack()
      whole(rooms.seen(), 11)
      rooms.expectSound()
    }
  })

  test('the same where the keep rules let revisions go', async () => {
    const newest = (count: number) => expected(9).slice(-count * keys.length)
    for (const { operation, left } of await moments(event, { 'revision.keep': 'last:2' })) {
      const rooms = new Rooms(left)
      rooms.expectSound()
      const seen = rooms.seen()
      // Those that the first pack has kept are all there, or gone together with its place.
      expect(seen.slice(-2 * keys.length), operation).toEqual(newest(2))
      expect(new Set(seen).size, operation).toBe(seen.length)
      for (const one of seen) expect(expected(9), operation).toContain(one)
      await rooms.pack()
      expect(rooms.seen().slice(-2 * keys.length), operation).toEqual(newest(2))
    }
  })
})

test.each(['create', 'stage', 'commit', 'flush', 'save', 'rename', 'sync', 'remove'] as const)(
  'a disk that refuses to %s leaves everything readable, and what was closed is packed when it is well again',
  async (failing) => {
    const store = new FaultyStore()
    const rooms = await Rooms.made(store)
    rooms.write(0, 4)
    await rooms.partition.flush()
    const { packing } = rooms.broker.housekeeping
    let failures = 0
    store.fault = (operation, path) => {
      const fails = operation === failing && (path.includes('.pack') || (failing !== 'stage' && failing !== 'commit'))
      if (fails) failures++
      return fails ? 'ENOSPC' : undefined
    }
    await rooms.pack()
    store.fault = () => undefined
    expect(failures).toBeGreaterThan(0)
    expect(packing.counts.failures).toBe(1)
    whole(rooms.seen(), 4)
    rooms.now += 60_000
    await rooms.pack()
    whole(rooms.seen(), 4)
    expect(rooms.partition.log.segments[0]!.isPacked).toBe(true)
    expect(rooms.endings).not.toContain('.pack.tmp')
    rooms.expectSound()
    const again = new Rooms(store.after('kill'))
    whole(again.seen(), 4)
    again.expectSound()
  },
)

test('the numbers of revisions that are gone are checked too', async () => {
  const store = new FaultyStore()
  const rooms = await Rooms.made(store, { 'revision.keep': 'last:1' })
  rooms.write(0, 4)
  await rooms.pack()
  const path = `${rooms.partition.log.folder}/revisions`
  expect(checkStore(store).findings).toEqual([])
  const bytes = Buffer.from(store.load(path)!)
  bytes[bytes.length - 6]! ^= 1
  store.save(path, bytes, true)
  expect(checkStore(store).findings).toMatchObject([{ kind: 'damage', file: path }])
})

test('a flipped bit in the footer of a pack costs nothing, is told of, and is gone when the packer has come by: it cost all of the pack', async () => {
  const store = new FaultyStore()
  const rooms = await Rooms.made(store)
  rooms.write(0, 40)
  await rooms.pack()
  const { path } = rooms.partition.log.segments[0]!
  const bytes = Buffer.from(store.load(path)!)
  const footerAt = bytes.readDoubleLE(bytes.length - bytes.readUInt32LE(bytes.length - 8))
  const error = vi.spyOn(console, 'error').mockImplementation(() => {})
  try {
    const chance = numbersFrom(3)
    for (let flip = 0; flip < 8; flip++) {
      const damaged = Buffer.from(bytes)
      const at = footerAt + Math.floor(chance() * (bytes.length - footerAt))
      damaged[at]! ^= 1 << Math.floor(8 * chance())
      const left = store.after('kill')
      left.save(path, damaged, true)
      const told = checkStore(left).findings.filter(({ kind }) => kind === 'damage')
      expect(told).toMatchObject([{ file: path, message: expect.stringContaining('all that it holds can be read') }])
      const { length } = error.mock.calls
      const again = new Rooms(left)
      whole(again.seen(), 40)
      whole(again.seen(), 40)
      // Whatever bit it is, it is told of in one of a few ways, and each is said once in the life of a process.
      for (const [said] of error.mock.calls.slice(length)) expect(said).toContain(path)
      await again.pack()
      again.expectSound()
      whole(again.seen(), 40)
      expect(again.partition.log.segments[0]!.isPacked).toBe(true)
    }
    expect(error.mock.calls.length).toBeGreaterThan(0)
    expect(new Set(error.mock.calls.map(([said]) => said)).size).toBe(error.mock.calls.length)
  } finally {
    error.mockRestore()
  }
})

test('R26: a flipped bit costs the records of its place alone', async () => {
  const store = new FaultyStore()
  const rooms = await Rooms.made(store)
  const { log } = rooms.partition
  // Two packs, which no later one joins: each holds many blocks.
  const fill = async (from: number) => {
    for (let round = from; round < from + 40; round++) {
      const records = Array.from({ length: 50 }, (_, i) => ({
        key: `${i}`,
        value: numbersOf(round * 50 + i),
        timestamp: 1000,
      }))
      rooms.partition.appendOwn(encodeBatch({ records }))
    }
    log.roll()
    await rooms.pack()
  }
  const numbersOf = (seed: number): Buffer => {
    const chance = numbersFrom(seed)
    return Buffer.from(Array.from({ length: 300 }, () => Math.floor(256 * chance())))
  }
  await fill(0)
  await fill(40)
  const packs = log.segments.filter(({ isPacked }) => isPacked)
  const path = packs[0]!.path
  const read = (partition: Partition, offset: number): string => {
    const result = partition.read(offset, 1, false, true)
    if ('error' in result) return `${result.error}: ${result.message}`
    return borrow(result.lease, (bytes) => {
      for (const record of readRecords(bytes, 0)) if (record.offset === offset) return record.value!.toString('hex')
      return 'nothing'
    })
  }
  const bytes = Buffer.from(store.load(path)!)
  const chance = numbersFrom(7)
  let harmed = 0
  for (let flip = 0; flip < 12; flip++) {
    const damaged = Buffer.from(bytes)
    const at = Math.floor(chance() * 0.8 * bytes.length)
    damaged[at]! ^= 1 << Math.floor(8 * chance())
    const left = store.after('kill')
    left.save(path, damaged, true)
    const { partition } = new Rooms(left)
    let errors = 0
    for (let offset = 0; offset < partition.logEndOffset; offset += 7) {
      const found = read(partition, offset)
      if (!found.startsWith('CORRUPT_MESSAGE')) expect(found).toBe(numbersOf(offset).toString('hex'))
      else {
        errors++
        // Once: whoever passed an error on has not put the name in front again.
        expect(found.split(path)).toHaveLength(2)
        expect(offset).toBeLessThan(packs[0]!.nextOffset)
      }
    }
    expect(partition.offline).toBeUndefined()
    expect(partition.append(encodeBatch({ records: [{ key: 'k', value: 'v', timestamp: 1000 }] }), 9)).toMatchObject({
      duplicate: false,
    })
    if (errors > 0) {
      harmed++
      expect(errors).toBeLessThan(partition.logEndOffset / 7)
      const { findings } = checkStore(left)
      const said = findings.filter(({ kind, file }) => kind === 'damage' && file === path)
      expect(said.length).toBeGreaterThan(0)
      for (const { message } of said) expect(message).not.toContain(path)
    }
  }
  expect(harmed).toBeGreaterThan(6)
})
