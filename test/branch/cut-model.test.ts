// Cuts through topics that transactions write to together, at any moment of their lives: whatever one branch shows of a
// transaction, the other shows too.

import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { Refusal } from '../../protocol/errors.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import type { Partition } from '../../src/broker/partition.ts'
import { readCommitted } from '../../src/command/committed-records.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import { BrokerProcess } from './process.ts'

const { TWIGLOG_SEED, TWIGLOG_SOAK_SECONDS } = process.env
const seed = Number(TWIGLOG_SEED ?? Date.now() % 1_000_000_000)
const soakMs = TWIGLOG_SOAK_SECONDS === undefined ? undefined : Number(TWIGLOG_SOAK_SECONDS) * 1000
const extent =
  soakMs === undefined ? { numRuns: 600 } : { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: soakMs }

type Step =
  | { do: 'write'; producer: number; topic: number }
  /** `turns`: how far the end has come before the next step is taken. */
  | { do: 'end'; producer: number; outcome: 'commit' | 'abort'; turns: number }
  | { do: 'fork' }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('write' as const), producer: fc.nat(2), topic: fc.nat(1) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      producer: fc.nat(2),
      outcome: fc.constantFrom('commit' as const, 'abort' as const),
      turns: fc.nat(12),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fork' as const) }) },
)

const names = ['a', 'b']
let running: BrokerProcess | undefined
afterEach(() => running?.stop())

class Writer {
  readonly #process: BrokerProcess
  readonly #id: string
  #had: { producerId: number; producerEpoch: number } | undefined
  #sequences = [0, 0]
  /** Of the transaction that is open. */
  #written: Set<number> | undefined
  #ending: Promise<unknown> = Promise.resolve()
  #transaction = 0

  constructor(process: BrokerProcess, id: number) {
    this.#process = process
    this.#id = `t${id}`
  }

  /** One record that says which transaction it belongs to, the first time in each topic. */
  async write(topic: number): Promise<void> {
    await this.#ending
    const { transactions } = this.#process
    if (this.#had === undefined) {
      const made = await transactions.init({ id: this.#id, timeoutMs: 60_000, had: undefined })
      if (typeof made === 'string') throw new Error(made)
      this.#had = made
    }
    if (this.#written === undefined) {
      this.#written = new Set()
      this.#transaction++
    }
    if (this.#written.has(topic)) return
    this.#written.add(topic)
    const claim = { id: this.#id, ...this.#had }
    const [error] = await transactions.admit(claim, [{ topic: names[topic]!, partition: 0 }], { implicit: true })
    if (error !== 'NONE') throw new Error(error)
    const records = [{ key: this.#id, value: String(this.#transaction), timestamp: 1 }]
    const options = { ...this.#had, baseSequence: this.#sequences[topic]!++, isTransactional: true }
    const appended = this.#partition(topic).append(encodeBatch({ records, ...options }), 12)
    if (!('baseOffset' in appended)) throw new Error(appended.message)
  }

  #partition(topic: number): Partition {
    return this.#process.broker.topic(names[topic]!)!.partitions[0]!
  }

  /** A transaction that is to be whole writes to both, and its end goes on while others do something else. */
  async end(outcome: 'commit' | 'abort', turns: number): Promise<void> {
    await this.#ending
    if (this.#written === undefined) return
    for (const topic of [0, 1]) await this.write(topic)
    this.#written = undefined
    const claim = { id: this.#id, ...this.#had! }
    this.#ending = this.#process.transactions.end({ ...claim, outcome, clientVersion: 2 }).then((next) => {
      if (typeof next === 'string') throw new Error(next)
      if (next.producerEpoch !== claim.producerEpoch) this.#sequences = [0, 0]
      this.#had = next
    })
    for (let turn = 0; turn < turns; turn++) await Promise.resolve()
  }

  settled(): Promise<unknown> {
    return this.#ending
  }
}

/** Transactions that a reader of committed records sees, in their order. */
function seen(partition: Partition): string[] {
  const found: string[] = []
  for (let from = 0; ; ) {
    const portion = readCommitted(partition, from)
    if (portion instanceof Refusal) throw new Error(portion.message)
    if (portion === undefined) return found
    for (const { key, value } of portion.records) found.push(`${key} ${value}`)
    from = portion.nextOffset
  }
}

test(`B10: no transaction is half inside a cut, whenever it is made, seed ${seed}`, {
  timeout: (soakMs ?? 0) + 240_000,
}, async () => {
  let cuts = 0
  let inside = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 40 }), async (steps) => {
      running = await BrokerProcess.on(new MemoryStore())
      const { broker, branches } = running
      await broker.createTopics(names.map((name) => ({ name, partitions: 1, configs: {} })))
      const writers = [0, 1, 2].map((id) => new Writer(running!, id))
      const sets: string[] = []
      for (const next of steps) {
        if (next.do === 'write') await writers[next.producer]!.write(next.topic)
        else if (next.do === 'end') await writers[next.producer]!.end(next.outcome, next.turns)
        else {
          const set = `s${sets.length}`
          const topics = names.map((from) => ({ from, to: `${from}--${set}` }))
          const forked = await branches.fork({ by: 'User:test', set, topics })
          expect(forked).toHaveProperty('topics')
          sets.push(set)
        }
      }
      await Promise.all(writers.map((writer) => writer.settled()))
      for (const set of sets) {
        const [a, b] = names.map((name) => broker.topic(`${name}--${set}`)!.partitions[0]!)
        expect(a!.lastStableOffset).toBe(a!.logEndOffset)
        expect(seen(a!).sort()).toEqual(seen(b!).sort())
        cuts++
        inside += seen(a!).length
      }
      await running.stop()
      running = undefined
    }),
    { ...extent, seed },
  )
  // A test that never cuts anything would be content with everything.
  expect(cuts).toBeGreaterThan(100)
  expect(inside).toBeGreaterThan(100)
})
