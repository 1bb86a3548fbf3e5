// Compaction that is killed at any change of the disk: every key keeps its newest committed value, whatever was replaced
// by then; nothing that was taken back comes up again; sequences of producers are known.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { checkLog } from '../../src/log/check.ts'
import { Log } from '../../src/log/log.ts'
import type { LogConfig } from '../../src/log/log-config.ts'
import { FaultyStore, type Luck } from '../../src/storage/faulty-file.ts'
import { smallConfig } from '../log/log-environment.ts'
import { recordsCommitted, type Sent, stableOffset } from '../log/read-committed.ts'
import { numbersFrom } from './world.ts'

const folder = 'topics/t/0'
const config: LogConfig = {
  ...smallConfig,
  segmentBytes: 600,
  indexIntervalBytes: 100,
  compacts: true,
  deletes: false,
  minCleanableDirtyRatio: 0,
  deleteRetentionMs: 2000,
}

type Step =
  | { do: 'put'; keys: number[]; isTombstone: boolean; producer: number; codec: 'none' | 'gzip' }
  | { do: 'end'; producer: number; marker: 'COMMIT' | 'ABORT' }
  | { do: 'flush' | 'restart' }
  | { do: 'compact'; crashAt: number; isPowerCut: boolean; seed: number; bufferKeys: number }

/** -1 writes outside of transactions and without an id. */
const producer = fc.integer({ min: -1, max: 2 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      keys: fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 4 }),
      isTombstone: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
      producer,
      codec: fc.constantFrom('none' as const, 'none' as const, 'gzip' as const),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      producer: fc.nat({ max: 2 }),
      marker: fc.constantFrom('COMMIT' as const, 'ABORT' as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('flush' as const, 'restart' as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('compact' as const),
      crashAt: fc.nat({ max: 60 }),
      isPowerCut: fc.boolean(),
      seed: fc.nat(),
      bufferKeys: fc.constantFrom(0, 1000),
    }),
  },
)

class Killed extends Error {}

type Written = Sent & { keys: readonly string[]; isTombstone: boolean; sequence: number }

class World {
  store = new FaultyStore()
  log = new Log(this.store, folder, config)
  written: Written[] = []
  now = 1000
  #era = 0
  #count = 0

  put({ keys, isTombstone, producer: number, codec }: Extract<Step, { do: 'put' }>): void {
    const id = number < 0 ? -1 : 10 * this.#era + number
    const last = this.written.findLast((sent) => sent.producer === id && sent.marker === undefined)
    const sequence = id < 0 ? -1 : last === undefined ? 0 : last.sequence + last.keys.length
    const names = keys.map((key) => `k${key}`)
    const values = names.map(() => `${this.#count++}`.padEnd(20, '.'))
    const base = this.log.logEndOffset
    const isTransactional = id >= 0
    const sent = { base, keys: names, values, isTombstone, producer: id, isTransactional, sequence }
    expect(this.log.append(bytesOf(sent, codec), { leaderEpoch: 0, now: this.now })).toMatchObject({ baseOffset: base })
    this.written.push(sent)
  }

  end(id: number, marker: 'COMMIT' | 'ABORT'): void {
    if (!this.log.producers.hasOpenTransaction(id, 0)) return
    const base = this.log.logEndOffset
    const source = { producerId: id, producerEpoch: 0, coordinatorEpoch: 0, transactionVersion: 0 }
    this.log.appendMarker({ type: marker, ...source, timestamp: this.now }, { leaderEpoch: 0, now: this.now })
    const same = { keys: [], isTombstone: false, sequence: -1 }
    this.written.push({ base, values: ['marker'], producer: id, isTransactional: true, marker, ...same })
  }

  async take(next: Step): Promise<void> {
    this.now += 300
    if (next.do === 'put') return this.put(next)
    if (next.do === 'end') return this.end(10 * this.#era + next.producer, next.marker)
    if (next.do === 'compact') await this.compact(next)
    else if (next.do === 'flush') await this.log.flush()
    else await this.restart()
    this.expectNewest()
  }

  async restart(): Promise<void> {
    await this.log.close()
    this.log = new Log(this.store, folder, config)
    expect(this.log.recovered.scannedBytes).toBe(0)
  }

  async compact({ crashAt, isPowerCut, seed, bufferKeys }: Extract<Step, { do: 'compact' }>): Promise<void> {
    await this.log.flush()
    const flushed = this.log.logEndOffset
    Object.assign(config, { dedupeBufferBytes: bufferKeys * 24 })
    let left = crashAt
    let isDead = false
    this.store.fault = (operation) => {
      isDead ||= operation !== 'read' && left-- <= 0
      if (isDead) throw new Killed()
      return undefined
    }
    try {
      await this.log.compact(this.now)
    } catch (cause) {
      if (!(cause instanceof Killed)) throw cause
    }
    this.store.fault = () => undefined
    if (!isDead) return
    const chance = numbersFrom(seed)
    const luck: Luck = () => chance() < 0.5
    this.store = this.store.after(isPowerCut ? 'power cut' : 'kill', 0, luck)
    expect(checkLog(this.store, folder).findings.filter(({ kind }) => kind === 'damage')).toEqual([])
    this.log = new Log(this.store, folder, config)
    expect(this.log.logEndOffset).toBe(flushed)
    this.expectNewest()
    this.expectRetries()
  }

  /** The newest committed value of every key, as a reader from the start ends up with. */
  expectNewest(): void {
    const bound = stableOffset(this.log)
    const expected = new Map<string, string>()
    const open = (sent: Written) =>
      this.written.find((m) => m.marker && m.producer === sent.producer && m.base > sent.base)
    for (const sent of this.written) {
      if (sent.marker !== undefined || sent.base >= bound) continue
      if (sent.isTransactional && open(sent)?.marker !== 'COMMIT') continue
      sent.keys.forEach((key, i) => {
        if (sent.isTombstone) expected.delete(key)
        else expected.set(key, sent.values[i]!)
      })
    }
    const found = new Map<string, string>()
    for (const { key, value } of recordsCommitted(this.log, 300)) {
      if (value === null) found.delete(key)
      else found.set(key, value)
    }
    expect(new Map([...found].sort())).toEqual(new Map([...expected].sort()))
  }

  /** After a round that nobody disturbed each key stands once where it went. */
  expectClean(): void {
    const keys = recordsCommitted(this.log, 300).filter(({ offset }) => offset < this.log.cleanOffset)
    expect(new Set(keys.map(({ key }) => key)).size).toBe(keys.length)
  }

  /** What each producer sent last is known as sent. */
  expectRetries(): void {
    for (const id of new Set(this.written.map((sent) => sent.producer))) {
      const last = this.written.findLast((sent) => sent.producer === id && sent.marker === undefined)
      if (id < 0 || last === undefined) continue
      const answer = this.log.append(bytesOf(last, 'none'), { leaderEpoch: 0, now: this.now })
      expect(answer).toMatchObject({ baseOffset: last.base, duplicate: true })
    }
  }
}

function bytesOf({ keys, values, isTombstone, producer: id, sequence }: Omit<Written, 'base'>, codec: 'none' | 'gzip') {
  return encodeBatch({
    records: keys.map((key, i) => ({ key, value: isTombstone ? null : values[i]!, timestamp: 1000 })),
    codec,
    isTransactional: id >= 0,
    ...(id < 0 ? {} : { producerId: id, producerEpoch: 0, baseSequence: sequence }),
  })
}

const put = (isTombstone: boolean, ...keys: number[]): Step => ({
  do: 'put',
  keys,
  isTombstone,
  producer: 0,
  codec: 'none',
})
/** All of the first segment is taken back; the round that empties it dies, and the next one meets it again. */
const emptied: Step[] = [
  put(true, 0),
  put(true, 0),
  put(false, 0, 0, 0),
  put(false, 0, 0, 0, 0),
  put(false, 0, 0, 0),
  { do: 'end', producer: 0, marker: 'ABORT' },
  { do: 'compact', crashAt: 7, isPowerCut: false, seed: 0, bufferKeys: 0 },
  put(true, 0),
  put(true, 0),
  { do: 'end', producer: 0, marker: 'COMMIT' },
  put(true, 0),
]

test('random histories with compaction that dies anywhere keep the newest of every key', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 80 }), async (steps) => {
      const world = new World()
      for (const next of steps) await world.take(next)
      for (let i = 0; i < 3; i++) {
        await world.take({ do: 'compact', crashAt: Infinity, isPowerCut: false, seed: 1, bufferKeys: 1000 })
        world.now += 3000
      }
      world.expectClean()
      await world.take({ do: 'restart' })
    }),
    { examples: [[emptied]], numRuns: 800, seed: Number(process.env['TWIGLOG_SEED'] ?? Date.now() % 1_000_000) },
  )
})
