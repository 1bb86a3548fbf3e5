// Random lives of a revision topic, held against a list: records of all codecs, transactions, tombstones, closed segments, rounds of the
// packer, kills and clean ends, deleted records, keep rules. Whatever was packed, readers are given what was written.

import { expect, test } from 'vitest'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { codecs } from '../../protocol/records/compression.ts'
import type { StoredRecord } from '../../protocol/records/record.ts'
import { eachBatchAtOnce, Fates, noWalk, recordOf, walkBatch } from '../../src/branch/reading.ts'
import { Broker } from '../../src/broker/broker.ts'
import { BrokerConfig } from '../../src/broker/broker-config.ts'
import type { Partition } from '../../src/broker/partition.ts'
import { checkStore } from '../../src/cli/check.ts'
import { systemClock } from '../../src/storage/clock.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { type Draw, document, drawing, edited } from './delta-pairs.ts'

const keys = ['a', 'b', 'c', 'ключ', '']
const producers = [11, 12]

/** What was written at an offset. */
type Written = { key: string; text: string; producer: number; fate: 'open' | 'committed' | 'aborted' }
type Sent = { bytes: Buffer; baseOffset: number; sequence: number }

const textOf = ({ key, value, timestamp, headers }: Omit<StoredRecord, 'offset'>): string =>
  JSON.stringify([
    String(key),
    value?.toString('latin1') ?? null,
    timestamp,
    headers.map((header) => [header.key, header.value?.toString('latin1') ?? null]),
  ])

class Life {
  readonly #draw: Draw
  readonly keep: number
  #store = new FaultyStore()
  #broker: Broker
  #now = 1_700_000_000_000
  readonly #written = new Map<number, Written>()
  readonly #values = new Map<string, Buffer>()
  readonly #sequences = new Map<number, number>()
  readonly #last = new Map<number, Sent>()
  packs = 0

  private constructor(draw: Draw) {
    this.#draw = draw
    this.keep = draw(3) === 0 ? 1 + draw(3) : Infinity
    this.#broker = this.#open()
  }

  static async begin(draw: Draw): Promise<Life> {
    const life = new Life(draw)
    const configs = {
      'revision.diff': 'true',
      'revision.pack.lag.ms': '0',
      'revision.keyframe.every': String(2 + draw(40)),
      'revision.keep': Number.isFinite(life.keep) ? `last:${life.keep}` : 'all',
      'compression.type': draw(4) === 0 ? 'gzip' : 'producer',
    }
    await life.#broker.createTopics([{ name: 'docs', partitions: 1, configs }])
    return life
  }

  #open(): Broker {
    const clock = { ...systemClock, now: () => this.#now }
    return new Broker({ store: this.#store, clock, config: new BrokerConfig(new Map()) })
  }

  get #partition(): Partition {
    return this.#broker.topic('docs')!.partitions[0]!
  }

  async step(): Promise<void> {
    this.#now += this.#draw(10_000)
    const chance = this.#draw(100)
    if (chance < 40) this.#write(-1)
    else if (chance < 52) this.#write(producers[this.#draw(producers.length)]!)
    else if (chance < 60) this.#end(producers[this.#draw(producers.length)]!)
    else if (chance < 76) this.#partition.log.roll()
    else if (chance < 92) await this.#pack()
    else if (chance < 94) this.#delete()
    else await this.#restart(chance < 97)
  }

  #write(producer: number): void {
    const draw = this.#draw
    const records = Array.from({ length: 1 + draw(6) }, () => {
      const key = keys[draw(keys.length)]!
      const before = this.#values.get(key) ?? document(draw, draw(900))
      const value = draw(9) === 0 ? null : draw(9) === 0 ? before : edited(draw, before, 1 + draw(3))
      if (value !== null) this.#values.set(key, value)
      const headers = draw(4) === 0 ? [{ key: 'h', value: draw(3) === 0 ? null : Buffer.from(`${draw(99)}`) }] : []
      return { key, value, headers, timestamp: this.#now - draw(1000) }
    })
    const sequence = this.#sequences.get(producer) ?? 0
    const codec = codecs[draw(2) * draw(codecs.length)]!
    const ids =
      producer < 0 ? {} : { producerId: producer, producerEpoch: 0, baseSequence: sequence, isTransactional: true }
    const bytes = encodeBatch({ records, codec, ...ids })
    const sent = Buffer.from(bytes)
    const appended = this.#partition.append(bytes, 9)
    if (!('baseOffset' in appended)) throw new Error(`${appended.error}: ${appended.message}`)
    const { baseOffset } = appended
    if (producer >= 0) {
      this.#sequences.set(producer, sequence + records.length)
      this.#last.set(producer, { bytes: sent, baseOffset, sequence })
    }
    for (const [i, record] of records.entries()) {
      const text = textOf({ ...record, key: Buffer.from(record.key) })
      this.#written.set(baseOffset + i, { key: record.key, text, producer, fate: producer < 0 ? 'committed' : 'open' })
    }
  }

  #end(producer: number): void {
    const { log } = this.#partition
    if (!log.producers.hasOpenTransaction(producer, 0)) return
    const type = this.#draw(2) === 0 ? 'COMMIT' : 'ABORT'
    const source = { producerId: producer, producerEpoch: 0, coordinatorEpoch: 0, transactionVersion: 0 }
    log.appendMarker({ type, ...source, timestamp: this.#now }, { leaderEpoch: 0, now: this.#now })
    for (const one of this.#written.values()) {
      if (one.producer === producer && one.fate === 'open') one.fate = type === 'COMMIT' ? 'committed' : 'aborted'
    }
  }

  async #pack(): Promise<void> {
    await this.#partition.flush()
    const { packing } = this.#broker.housekeeping
    const before = packing.counts.packs
    // What packs have changed is looked at anew in the next round.
    for (let round = 0; round < 3; round++) {
      packing.run()
      await packing.settled()
    }
    this.packs += packing.counts.packs - before
    expect(packing.counts.failures).toBe(0)
  }

  #delete(): void {
    const { log, lastStableOffset } = this.#partition
    // Who has an open transaction there keeps it.
    const offset = log.logStartOffset + this.#draw(1 + lastStableOffset - log.logStartOffset)
    log.deleteBelow(offset)
  }

  async #restart(isClean: boolean): Promise<void> {
    if (isClean) await this.#broker.close()
    this.#store = this.#store.after('kill')
    this.#broker = this.#open()
  }

  /** Readers of committed data are given all that is there, and nothing else. */
  check(): void {
    const { log } = this.#partition
    const stable = this.#partition.lastStableOffset
    const found = new Map<number, string>()
    const fates = new Fates(log, log.logStartOffset, stable)
    eachBatchAtOnce(log, log.logStartOffset, stable, (bytes, at) => {
      if (fates.of(bytes, at) !== 'committed') return noWalk
      return walkBatch(bytes, at, log.logStartOffset, stable, (cursor, offset) => {
        expect(found.has(offset)).toBe(false)
        found.set(offset, textOf(recordOf(bytes, at, cursor)))
      })
    })
    const counts = new Map<string, number>()
    const wanted = [...this.#written].filter(([offset, { fate }]) => fate === 'committed' && offset < stable).reverse()
    for (const [offset, { key, text }] of wanted) {
      const count = (counts.get(key) ?? 0) + 1
      counts.set(key, count)
      if (offset < log.logStartOffset) continue
      // Those beyond the keep rule may be there until they are packed.
      if (count <= this.keep || found.has(offset)) expect(found.get(offset), `offset ${offset}`).toBe(text)
    }
    expect(found.size).toBeLessThanOrEqual(wanted.length)
    for (const offset of found.keys()) expect(this.#written.get(offset)?.fate).toBe('committed')
    this.#checkNumbers(stable)
  }

  /** A revision has the number that it has got, whatever went. */
  #checkNumbers(stable: number): void {
    const { revisions, log } = this.#partition
    while (revisions.catchUp()) {}
    if (revisions.isOutdated) return
    const counts = new Map<string, number>()
    const numbers = new Map<number, number>()
    for (const [offset, { key, fate }] of this.#written) {
      if (fate !== 'committed' || offset >= stable) continue
      counts.set(key, (counts.get(key) ?? 0) + 1)
      numbers.set(offset, counts.get(key)!)
    }
    for (const key of keys) {
      for (const { offset, rev } of revisions.of(Buffer.from(key))) {
        expect(offset).toBeGreaterThanOrEqual(log.logStartOffset)
        expect(rev, `revision at offset ${offset}`).toBe(numbers.get(offset))
      }
    }
  }

  /** A producer that never heard an answer is told of its first one. */
  checkRetries(): void {
    for (const { bytes, baseOffset } of this.#last.values()) {
      if (baseOffset < this.#partition.logStartOffset) continue
      expect(this.#partition.append(Buffer.from(bytes), 9)).toMatchObject({ baseOffset, duplicate: true })
    }
  }

  checkFiles(): void {
    const { findings } = checkStore(this.#store)
    expect(findings.filter(({ kind }) => kind === 'damage')).toEqual([])
  }
}

const cases = 500

test('R2: random lives of a revision topic read the same before, between and after rounds of the packer', {
  timeout: 400_000,
}, async () => {
  const seconds = Number(process.env['TWIGLOG_SOAK_SECONDS'] ?? 0)
  const first = Date.now() % 1_000_000
  console.log(`seeds from ${first}`)
  const until = Date.now() + 1000 * seconds
  let packs = 0
  for (let seed = first; seed < first + cases || Date.now() < until; seed++) {
    const draw = drawing(seed)
    const life = await Life.begin(draw)
    try {
      const steps = 8 + draw(30)
      for (let i = 0; i < steps; i++) {
        await life.step()
        if (draw(5) === 0) life.check()
      }
      life.check()
      life.checkRetries()
      if (draw(10) === 0) life.checkFiles()
      packs += life.packs
    } catch (cause) {
      throw new Error(`seed ${seed}: ${(cause as Error).message}`, { cause })
    }
  }
  expect(packs).toBeGreaterThan(cases / 4)
})
