// A log on a faulty disk beside a model of what its clients were told: ten lines of truth that every crash is held against.

import { expect } from 'vitest'
import type { CodecName } from '../../protocol/records/compression.ts'
import { checkLog } from '../../src/log/check.ts'
import { BatchRefusal, Log } from '../../src/log/log.ts'
import type { LogConfig } from '../../src/log/log-config.ts'
import { FaultyStore, type Luck } from '../../src/storage/faulty-file.ts'
import { batchOf, readAll, smallConfig } from '../log/log-environment.ts'
import { committedOf, openFrom, readCommitted, stableOffset } from '../log/read-committed.ts'

export const folder = 'topics/t/0'

export type Batch = {
  base: number
  values: string[]
  producer: number
  sequence: number
  time: number
  codec: CodecName
  isTransactional: boolean
  /** It ends the transaction of its producer. */
  marker?: 'COMMIT' | 'ABORT'
}
type Known = (batch: Batch) => boolean

/** What clients know: what was acknowledged, and where the log began when they last asked. */
export type Model = {
  batches: Batch[]
  start: number
  end: number
  /** A flush has resolved for everything below. */
  flushed: number
}

export type Append = {
  values: string[]
  producer: number
  codec?: CodecName
  epoch?: number
  isTransactional?: boolean
}

/** What a marker looks like to those who take it for a record: versions and epoch are 0. */
const markerValue = '\0'.repeat(6)

export class World {
  store: FaultyStore
  log: Log
  readonly config: LogConfig
  model: Model = { batches: [], start: 0, end: 0, flushed: 0 }
  /** The batch that is being appended: it may or may not be there after a crash. */
  pending: Batch | undefined
  /** The log start may be moving. */
  isTrimming = false
  now = 1000
  /** Producers begin anew after a power cut, as clients do whose broker was away for so long. */
  #era = 0
  /** Batches from before the last power cut that were deleted by then: nothing need remember them. */
  #forgottenBelow = 0
  #count = 0

  constructor(config: Partial<LogConfig> = {}) {
    this.config = { ...smallConfig, ...config }
    this.store = new FaultyStore()
    this.log = new Log(this.store, folder, this.config)
  }

  value(size: number): string {
    return `${this.#count++}`.padEnd(size, '.')
  }

  #lastOf(producer: number): Batch | undefined {
    return this.model.batches.findLast((batch) => batch.producer === producer && batch.marker === undefined)
  }

  /** Appends as the next batch of a producer; true where it was taken. */
  append({ values, producer: number, codec = 'none', epoch = 0, isTransactional = false }: Append): boolean {
    const producer = 10 * this.#era + number
    const last = this.#lastOf(producer)
    const sequence = last === undefined ? 0 : last.sequence + last.values.length
    const batch: Batch = { base: this.model.end, values, producer, sequence, time: this.now, codec, isTransactional }
    this.pending = batch
    const leaderEpoch = Math.max(epoch, this.log.epochs.latest)
    const result = this.log.append(bytesOf(batch), { leaderEpoch, now: this.now })
    this.pending = undefined
    if (result instanceof BatchRefusal) return false
    expect(result).toMatchObject({ baseOffset: batch.base, duplicate: false })
    this.model.batches.push(batch)
    this.model.end += values.length
    return true
  }

  /** Ends the transaction of a producer, if it has one open. */
  end(number: number, marker: 'COMMIT' | 'ABORT'): void {
    this.#endOf(10 * this.#era + number, marker)
  }

  #endOf(producer: number, marker: 'COMMIT' | 'ABORT'): void {
    if (!this.log.producers.hasOpenTransaction(producer, 0)) return
    const source = { producerId: producer, producerEpoch: 0, coordinatorEpoch: 0, transactionVersion: 0 }
    const same = { base: this.model.end, producer, sequence: -1, time: this.now, codec: 'none' as const }
    const batch: Batch = { ...same, values: [markerValue], isTransactional: true, marker }
    this.pending = batch
    const leaderEpoch = Math.max(0, this.log.epochs.latest)
    const result = this.log.appendMarker(
      { type: marker, ...source, timestamp: this.now },
      { leaderEpoch, now: this.now },
    )
    this.pending = undefined
    expect(result).toMatchObject({ baseOffset: batch.base })
    this.model.batches.push(batch)
    this.model.end++
  }

  /** A batch that fails its checksum: staged, looked at, and not taken. */
  refuse(): void {
    const bad = batchOf([this.value(30)])
    bad[bad.length - 1]! ^= 1
    expect(this.log.append(bad, { leaderEpoch: 0, now: this.now })).toBeInstanceOf(BatchRefusal)
  }

  async flush(): Promise<void> {
    const { end } = this.model
    await this.log.flush()
    this.model.flushed = Math.max(this.model.flushed, end)
  }

  deleteBelow(offset: number): void {
    this.isTrimming = true
    this.log.deleteBelow(offset)
    this.isTrimming = false
    this.model.start = Math.max(this.model.start, offset)
  }

  retain(now: number): void {
    this.isTrimming = true
    this.log.retain(now)
    this.isTrimming = false
    expect(this.log.logStartOffset).toBeGreaterThanOrEqual(this.model.start)
    this.model.start = this.log.logStartOffset
  }

  async restart(): Promise<void> {
    await this.log.close()
    expectNoDamage(this.store)
    this.model.flushed = this.model.end
    this.log = new Log(this.store, folder, this.config)
    expect(this.log.recovered).toEqual({ scannedBytes: 0, cutBytes: 0 })
    this.expectWhole(this.log)
  }

  /** The process dies now; a new one opens what it finds. */
  kill(tornBytes = 0, aheadBytes = 0): void {
    const epochs = this.isTrimming || this.pending ? undefined : this.log.epochs
    this.store = this.store.after('kill', tornBytes, undefined, aheadBytes)
    expectNoDamage(this.store)
    this.log = new Log(this.store, folder, this.config)
    this.#settle()
    this.expectWhole(this.log)
    if (epochs !== undefined) expect(this.log.epochs.entries).toEqual(epochs.entries)
  }

  /** The machine loses power now; what was not flushed may be lost, from the end backwards. */
  powerCut(luck?: Luck): void {
    this.store = this.store.after('power cut', 0, luck)
    expectNoDamage(this.store)
    this.log = new Log(this.store, folder, this.config)
    this.expectFlushed(this.log)
    this.#era++
    this.#forgottenBelow = this.log.logStartOffset
    const { logStartOffset: start, logEndOffset: end } = this.log
    const batches = this.model.batches.filter(({ base, values }) => base + values.length <= end)
    this.model = { batches, start, end, flushed: end }
    this.pending = undefined
    // Whose producers are gone, a coordinator ends.
    for (const [producer, { transactionStart }] of [...this.log.producers.entries()]) {
      if (transactionStart !== undefined) this.#endOf(producer, 'ABORT')
    }
  }

  /** What was pending when the process died is decided now. */
  #settle(): void {
    if (this.pending !== undefined && this.log.logEndOffset > this.model.end) {
      this.model.batches.push(this.pending)
      this.model.end += this.pending.values.length
    }
    this.pending = undefined
    if (this.isTrimming) this.model.start = this.log.logStartOffset
    this.isTrimming = false
  }

  #expected(from: number, to: number): [number, string][] {
    const batches = this.pending === undefined ? this.model.batches : [...this.model.batches, this.pending]
    return batches
      .flatMap(({ base, values }) => values.map((value, i): [number, string] => [base + i, value]))
      .filter(([offset]) => offset >= from && offset < to)
  }

  /** Every acknowledged record is there once and in order, and nothing else but the pending batch as a whole. */
  expectWhole(log: Log): void {
    const { start, end } = this.model
    const pendingEnd = end + (this.pending?.values.length ?? 0)
    expect([end, pendingEnd]).toContain(log.logEndOffset)
    if (!this.isTrimming) expect(log.logStartOffset).toBe(start)
    expect(log.logStartOffset).toBeGreaterThanOrEqual(start)
    expect(readAll(log)).toEqual(this.#expected(log.logStartOffset, log.logEndOffset))
    this.#expectCommitted(log)
    this.#expectRetries(log, ({ base }) => base >= this.#forgottenBelow)
  }

  /** A beginning of the history is there, as far as it was flushed at least. */
  expectFlushed(log: Log): void {
    const { end, flushed } = this.model
    expect(log.logEndOffset).toBeGreaterThanOrEqual(flushed)
    expect(log.logEndOffset).toBeLessThanOrEqual(end + (this.pending?.values.length ?? 0))
    expect(log.logStartOffset).toBeLessThanOrEqual(log.logEndOffset)
    expect(readAll(log)).toEqual(this.#expected(log.logStartOffset, log.logEndOffset))
    this.#expectCommitted(log)
    // Of what was deleted the power cut may have taken the memory too.
    this.#expectRetries(log, ({ base }) => base >= log.logStartOffset)
  }

  /** Readers of committed data see what the model says, and stop where it does. */
  #expectCommitted(log: Log): void {
    const all = this.pending === undefined ? this.model.batches : [...this.model.batches, this.pending]
    const there = all.filter(({ base, values }) => base + values.length <= log.logEndOffset)
    const isLeft = ({ base, values }: Batch) => base + values.length > log.logStartOffset
    const { logStartOffset, logEndOffset } = log
    const bound = stableOffset(log)
    const stable = Math.max(logStartOffset, openFrom(there.filter(isLeft)) ?? logEndOffset)
    // A transaction whose records are all deleted may be forgotten, or hold readers back at the log start.
    const isForgotten = openFrom(there) !== undefined && bound === logStartOffset
    if (!isForgotten) expect(bound).toBe(stable)
    const expected = committedOf(there, bound).filter(([offset]) => offset >= logStartOffset && offset < bound)
    expect(readCommitted(log, 700)).toEqual(expected)
  }

  #expectRetries(log: Log, isKnown: Known): void {
    for (const producer of new Set(this.model.batches.map((batch) => batch.producer))) {
      const kept = this.model.batches.filter(
        (batch) =>
          batch.producer === producer &&
          batch.marker === undefined &&
          batch.base + batch.values.length <= log.logEndOffset,
      )
      const last = kept.at(-1)
      if (last === undefined || !isKnown(last)) continue
      const answer = log.append(bytesOf(last), { leaderEpoch: 0, now: this.now })
      expect(answer).toMatchObject({ baseOffset: last.base, duplicate: true })
    }
  }
}

const bytesOf = ({ values, producer, sequence, time, codec, isTransactional }: Batch): Buffer =>
  batchOf(values, { producer: { id: producer, epoch: 0, sequence }, codec, time, isTransactional })

function expectNoDamage(store: FaultyStore): void {
  const { findings } = checkLog(store, folder)
  expect(findings.filter(({ kind }) => kind === 'damage')).toEqual([])
}

/** Numbers that look random and are the same for every run. */
export function numbersFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
