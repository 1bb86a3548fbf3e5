// Forks of all topics that transactions write to, while they do (extensions §1.2): of every transaction such a set shows all or nothing,
// to whoever reads committed records alone, and the same whenever it is looked at.

import { createTopics } from '../../protocol/messages/19-create-topics.ts'
import { idOf } from '../crash-lab/documents.ts'
import type { Telling } from '../crash-lab/history.ts'
import { isOfTheConnection, walk } from '../crash-lab/log-reader.ts'
import type { Wanted } from '../crash-lab/making.ts'
import type { Orders } from '../crash-lab/orders.ts'
import { type Caller, Lost } from './caller.ts'

const setsMax = 2

export class Cutter {
  readonly #topics: readonly Wanted[]
  readonly #orders: Orders
  readonly #caller: Caller
  readonly #history: Telling
  #n = 0
  #sets: readonly string[] = []

  constructor(topics: readonly Wanted[], orders: Orders, caller: Caller, history: Telling) {
    this.#topics = topics
    this.#orders = orders
    this.#caller = caller
    this.#history = history
  }

  /** One more set, which is looked at with those before; the oldest goes. */
  async cut(): Promise<void> {
    const set = `x${++this.#n}`
    this.#history.tell({ t: 'cutting', set })
    try {
      const isMade = this.#n % 2 === 0 ? await this.#command(set) : await this.#create(set)
      if (isMade) this.#sets = [...this.#sets, set]
      await this.look()
    } catch (problem) {
      if (!(problem instanceof Lost) && !isOfTheConnection(problem)) throw problem
      this.#caller.close()
    }
    const [oldest] = this.#sets
    if (oldest === undefined || this.#sets.length < setsMax) return
    this.#sets = this.#sets.slice(1)
    await this.#orders.give(`end-${oldest}`, { op: 'abandon', id: `end-${oldest}`, set: oldest })
  }

  async #command(set: string): Promise<boolean> {
    const topics = this.#topics.map(({ name }) => ({ from: name }))
    const id = `cut-${set}`
    const made = await this.#orders.give(id, { op: 'fork', id, set, topics })
    return made?.status === 'done'
  }

  /** As any admin client does, at any moment, also while the broker starts. Throws Lost. */
  async #create(set: string): Promise<boolean> {
    const topics = this.#topics.map(({ name }) => {
      const configs = Object.entries({ 'branch.from': name, 'branch.set': set })
      const asked = configs.map(([key, value]) => ({ name: key, value }))
      return { name: `${name}--${set}`, numPartitions: -1, replicationFactor: -1, assignments: [], configs: asked }
    })
    const body = { topics, timeoutMs: 5000, validateOnly: false }
    const errorsOf = (told: { topics: readonly { errorCode: number }[] }) => told.topics.map((of) => of.errorCode)
    // By a try that was not answered, and perhaps is under way still: nobody knows whether it comes to an end.
    const known = ['TOPIC_ALREADY_EXISTS']
    const told = await this.#caller.insist(createTopics, 5, body, errorsOf, known)
    return errorsOf(told).every((errorCode) => errorCode === 0)
  }

  /** By a new connection. */
  async lookAnew(): Promise<void> {
    this.#caller.close()
    await this.look()
  }

  /** Throws where nobody answers. */
  async look(): Promise<void> {
    for (const set of this.#sets) {
      const records: string[] = []
      for (const { name, partitions } of this.#topics) {
        for (let partition = 0; partition < partitions; partition++) {
          const client = await this.#caller.client()
          await walk(client, { topic: `${name}--${set}`, partition }, 0, 1, ({ value }, _, isOut) => {
            if (!isOut) records.push(idOf(value))
          })
        }
      }
      this.#history.tell({ t: 'cut', set, records })
    }
  }
}
