// Makes branches, writes into them, merges them, takes merges back and drops branches, by commands.

import type { Connect } from '../wire-client.ts'
import { documentOf } from './documents.ts'
import type { Telling } from './history.ts'
import { Orders, patienceMs } from './orders.ts'
import { pause } from './pause.ts'

const partitions = 2
/** Each branch that is there is read by every audit and every check. */
const betweenMs = 250

export class Commander {
  readonly #orders: Orders
  readonly #parents: readonly string[]
  readonly #history: Telling
  readonly #chance: () => number
  #n = 0
  /** Names of topics that an audit looks at. */
  readonly branches = new Set<string>()
  readonly done = { fork: 0, merge: 0, revert: 0, abandon: 0 }
  readonly refused: string[] = []

  /** `parents`: whose branches it makes, one after the other. */
  constructor(parents: readonly string[], connect: Connect, history: Telling, chance: () => number) {
    this.#orders = new Orders(connect, 'crash-lab-commands')
    this.#parents = parents
    this.#history = history
    this.#chance = chance
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.live()
      await pause(betweenMs)
    }
    this.close()
  }

  close(): void {
    this.#orders.close()
  }

  get failures(): number {
    return this.#orders.failures
  }

  get lastError(): string {
    return this.#orders.lastError
  }

  /** Of one branch, from its fork to its end. */
  async live(): Promise<void> {
    const parent = this.#parents[this.#n % this.#parents.length]!
    const branch = `${parent}--b${++this.#n}`
    const to = branch
    if (!(await this.#command('fork', `fork-${this.#n}`, parent, branch, { from: parent, to }))) return
    this.branches.add(branch)
    let written = 0
    for (let i = 0; i < 3; i++) written += await this.#write(branch, i)
    const id = `merge-${this.#n}`
    const strategy = this.#chance() < 0.5 ? 'three-way' : 'replay'
    const merging = { from: branch, into: parent, strategy, onConflict: 'theirs' }
    const merged = await this.#command('merge', id, parent, branch, merging)
    // A merge that brings nothing leaves only its event: there is nothing to take back.
    if (merged && this.#chance() < 0.4 && written > 0) {
      await this.#command('revert', `revert-${this.#n}`, parent, '', { topic: parent, merge: id, onConflict: 'ours' })
    }
    if (this.branches.size <= 3) return
    const [oldest] = this.branches
    this.branches.delete(oldest!)
    await this.#command('abandon', `abandon-${this.#n}`, oldest!, '', { branch: oldest })
  }

  /** Of its own keys, each of which is written once, and of keys that the parent's producers write too. Answers how many are there for sure. */
  async #write(branch: string, turn: number): Promise<number> {
    const partition = turn % partitions
    let written = 0
    for (const kind of ['own', 'both'] as const) {
      const producer = `${kind}.${branch}.${turn}`
      const count = 4
      const call = this.#history.nextCall()
      this.#history.tell({ t: 'sent', call, producer, topic: branch, partition, from: 0, count, isBatch: true })
      const records = Array.from({ length: count }, (_, i) => ({
        key: kind === 'own' ? `${producer}.${i}` : `k${i}`,
        value: documentOf(`${producer}#${i}`),
        timestamp: Date.now(),
        headers: [],
      }))
      const offset = await this.#orders.produce(branch, partition, records)
      if (offset === undefined) this.#history.tell({ t: 'unknown', call, error: 'no answer' })
      else {
        this.#history.tell({ t: 'acked', call, offsets: records.map((_, i) => offset + i) })
        written += count
      }
    }
    return written
  }

  /** Whether it was done. */
  async #command(
    op: keyof Commander['done'],
    id: string,
    topic: string,
    from: string,
    fields: { merge?: string; [name: string]: unknown },
  ): Promise<boolean> {
    const of = fields.merge === undefined ? {} : { of: fields.merge }
    this.#history.tell({ t: 'command', id, op, topic, from, ...of })
    const result = await this.#orders.give(id, { op, id, ...fields }, () => this.#history.tell({ t: 'commanded', id }))
    const isDone = result?.status === 'done' || result?.status === 'committed'
    if (isDone) this.done[op]++
    else if (result === undefined) this.refused.push(`${id}: no result within ${patienceMs} ms`)
    else this.refused.push(`${id}: ${JSON.stringify(result).slice(0, 300)}`)
    return isDone
  }
}
