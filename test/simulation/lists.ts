// Topics that one actor alone writes to, beside a model that is a list of values for each name: after every command each name shows
// just its list.

import { listOffsets } from '../../protocol/messages/02-list-offsets.ts'
import { createTopics } from '../../protocol/messages/19-create-topics.ts'
import { deleteTopics } from '../../protocol/messages/20-delete-topics.ts'
import type { BranchTold } from '../crash-lab/history.ts'
import { walk } from '../crash-lab/log-reader.ts'
import type { Orders } from '../crash-lab/orders.ts'
import { attempt } from './attempt.ts'
import { type Caller, Lost } from './caller.ts'
import { writeOnce } from './write-once.ts'

/** What a disk that is full, slow or broken makes of a command; nothing else may. */
const excused = new Set(['KAFKA_STORAGE_ERROR'])

export class Lists {
  readonly #caller: Caller
  readonly #orders: Orders
  readonly #chance: () => number
  readonly wrong: (what: string) => void
  readonly #right: () => void
  /** What each name shows. */
  readonly #lives = new Map<string, readonly string[]>()
  #n = 0
  /** Something was asked for, and nobody knows what became of it. */
  #isLost = false

  constructor(caller: Caller, orders: Orders, chance: () => number, wrong: (what: string) => void, right: () => void) {
    this.#caller = caller
    this.#orders = orders
    this.#chance = chance
    this.wrong = wrong
    this.#right = right
  }

  get names(): readonly string[] {
    return [...this.#lives.keys()]
  }

  of(name: string): readonly string[] {
    return this.#lives.get(name)!
  }

  set(name: string, values: readonly string[]): void {
    this.#lives.set(name, values)
  }

  forget(name: string): void {
    this.#lives.delete(name)
  }

  isLess(than: number): boolean {
    return this.#chance() < than
  }

  below(count: number): number {
    return Math.floor(this.#chance() * count)
  }

  /** One life, as far as it comes; none any more where nobody knows how things stand. */
  async live(life: (n: number) => Promise<void>): Promise<void> {
    if (this.#isLost) return
    await attempt(this.#caller, () => life(++this.#n))
  }

  /** By a new connection. */
  async lookAnew(): Promise<void> {
    this.#caller.close()
    await this.look()
  }

  /** Every name and what it shows to who reads committed records. Throws where nobody answers. */
  async look(): Promise<void> {
    if (this.#isLost) return
    for (const [name, wanted] of this.#lives) {
      const found = (await this.#shown(name)).map(({ value }) => value).join()
      if (found === wanted.join()) this.#right()
      else this.wrong(`${name} shows ${found} where ${wanted.join()} should be`)
    }
  }

  async #shown(name: string): Promise<{ offset: number; value: string }[]> {
    const found: { offset: number; value: string }[] = []
    await walk(await this.#caller.client(), { topic: name, partition: 0 }, 0, 1, ({ offset, value }, _, isOut) => {
      if (!isOut) found.push({ offset, value: String(value) })
    })
    return found
  }

  /** Where to cut a name so that so many of its first values are left: between two batches, within one, or at its end. */
  async pointBehind(name: string, count: number): Promise<string> {
    this.#know()
    const next = (await this.#shown(name))[count]
    return next === undefined ? 'latest' : `offset:${next.offset}`
  }

  /** Whoever does not know how things stand does nothing more. Throws Lost. */
  #know(): void {
    if (this.#isLost) throw new Lost('nobody knows how things stand')
  }

  /** How it ended; a refusal changes nothing. */
  async order(id: string, command: object): Promise<BranchTold['status'] | undefined> {
    this.#know()
    const result = await this.#orders.give(id, { id, ...command })
    this.#isLost ||= result === undefined
    if (result?.status === 'rejected' && !excused.has(result.error?.code ?? ''))
      this.wrong(`${id} was rejected: ${JSON.stringify(result.error)}`)
    return result?.status
  }

  /** Once: each batch has a producer of its own, so a second try writes nothing twice. */
  async write(name: string): Promise<void> {
    const count = 1 + this.below(3)
    const values = Array.from({ length: count }, (_, i) => `${name}.${this.#n}.${this.of(name).length + i}`)
    this.#know()
    this.#isLost = true // until it is known
    await writeOnce(this.#caller, name, values)
    this.#isLost = false
    this.set(name, [...this.of(name), ...values])
  }

  /** By its name; whoever hears that it is there has made it, in a try that was not answered. */
  async create(name: string): Promise<void> {
    this.#know()
    this.#isLost = true
    const topics = [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
    const body = { topics, timeoutMs: 5000, validateOnly: false }
    const known = ['TOPIC_ALREADY_EXISTS']
    await this.#caller.insist(createTopics, 5, body, (told) => told.topics.map((of) => of.errorCode), known)
    // That try may be under way still.
    const partitions = [{ partitionIndex: 0, timestamp: -1, currentLeaderEpoch: -1 }]
    const asked = { replicaId: -1, isolationLevel: 0, topics: [{ name, partitions }] }
    const errorsOf = (told: { topics: readonly { partitions: readonly { errorCode: number }[] }[] }) =>
      told.topics.flatMap((of) => of.partitions.map(({ errorCode }) => errorCode))
    await this.#caller.insist(listOffsets, 5, asked, errorsOf)
    this.#isLost = false
    this.set(name, [])
  }

  /** Deleted before nobody heard of it is deleted too. */
  async delete(name: string): Promise<void> {
    this.#know()
    this.#isLost = true
    const giveUp = ['UNKNOWN_TOPIC_OR_PARTITION']
    const body = { topicNames: [name], timeoutMs: 5000 }
    await this.#caller.insist(deleteTopics, 4, body, ({ responses }) => responses.map((of) => of.errorCode), giveUp)
    this.#isLost = false
    this.forget(name)
  }
}
