// Branches that take their parents' names (promote) and that are made anew (reset), beside a model that is a list of values for each
// name: nobody else writes here, so after every command each name shows just its list.

import { produce } from '../../protocol/messages/00-produce.ts'
import { deleteTopics } from '../../protocol/messages/20-delete-topics.ts'
import { initProducerId } from '../../protocol/messages/22-init-producer-id.ts'
import { isOfTheConnection, walk } from '../crash-lab/log-reader.ts'
import type { Orders } from '../crash-lab/orders.ts'
import { batchOf } from '../wire-client.ts'
import { type Caller, Lost } from './caller.ts'

export const root = 'life'

export class Gardener {
  readonly #caller: Caller
  readonly #orders: Orders
  readonly #chance: () => number
  readonly #wrong: (what: string) => void
  readonly #right: () => void
  /** What each name shows. */
  readonly #lives = new Map<string, readonly string[]>([[root, []]])
  #n = 0
  /** Something was asked for, and nobody knows what became of it. */
  #isLost = false

  constructor(caller: Caller, orders: Orders, chance: () => number, wrong: (what: string) => void, right: () => void) {
    this.#caller = caller
    this.#orders = orders
    this.#chance = chance
    this.#wrong = wrong
    this.#right = right
  }

  /** Of one branch: made, written to, put in the place of its parent or made anew, and gone. */
  async live(): Promise<void> {
    if (this.#isLost) return
    try {
      await this.#live(++this.#n)
    } catch (problem) {
      if (!(problem instanceof Lost) && !isOfTheConnection(problem)) throw problem
      this.#caller.close()
    }
  }

  async #live(n: number): Promise<void> {
    const branch = `${root}--g${n}`
    if (!(await this.#order(`garden-fork-${n}`, { op: 'fork', from: root, to: branch }))) return
    this.#lives.set(branch, this.#of(root))
    for (const name of [branch, root, branch]) await this.#write(name)
    await this.#look()
    if (this.#chance() < 0.5 && (await this.#order(`garden-reset-${n}`, { op: 'reset', branch, at: 'latest' }))) {
      this.#lives.set(branch, this.#of(root))
      await this.#write(branch)
    }
    const keep = `${root}--k${n}`
    if (this.#chance() < 0.6 && (await this.#promote(`garden-promote-${n}`, branch, keep))) {
      await this.#write(root)
      await this.#look()
      if (this.#chance() < 0.5) await this.#promote(`garden-back-${n}`, keep, branch)
    }
    await this.#look()
    for (const name of [...this.#lives.keys()]) if (name !== root) await this.#delete(name)
    await this.#look()
  }

  /** By a new connection. */
  async lookAnew(): Promise<void> {
    this.#caller.close()
    await this.#look()
  }

  /** Every name and what it shows. Throws where nobody answers. */
  async #look(): Promise<void> {
    if (this.#isLost) return
    for (const [name, wanted] of this.#lives) {
      const found: string[] = []
      const client = await this.#caller.client()
      await walk(client, { topic: name, partition: 0 }, 0, 0, ({ value }) => void found.push(String(value)))
      if (found.join() === wanted.join()) this.#right()
      else this.#wrong(`${name} shows ${found.join()} where ${wanted.join()} should be`)
    }
  }

  #of(name: string): readonly string[] {
    return this.#lives.get(name)!
  }

  /** Whether it was done; a refusal changes nothing. */
  async #order(id: string, command: object): Promise<boolean> {
    const result = await this.#orders.give(id, { id, ...command })
    this.#isLost ||= result === undefined
    return result?.status === 'done'
  }

  async #promote(id: string, branch: string, keep: string): Promise<boolean> {
    if (!(await this.#order(id, { op: 'promote', branch, keep }))) return false
    const [before, now] = [this.#of(root), this.#of(branch)]
    this.#lives.delete(branch)
    this.#lives.set(root, now)
    this.#lives.set(keep, before)
    return true
  }

  /** Once: each batch has a producer of its own, so a second try writes nothing twice. */
  async #write(name: string): Promise<void> {
    const values = Array.from({ length: 1 + Math.floor(this.#chance() * 3) }, (_, i) => `${name}.${this.#n}.${i}`)
    this.#isLost = true // until it is known
    const asked = { transactionalId: null, transactionTimeoutMs: 10_000 }
    const { producerId, producerEpoch } = await this.#caller.insist(initProducerId, 4, asked, (told) => [
      told.errorCode,
    ])
    const records = batchOf(values, { producerId, producerEpoch, baseSequence: 0 })
    const body = { acks: -1, timeoutMs: 5000, topicData: [{ name, partitionData: [{ index: 0, records }] }] }
    const known = ['DUPLICATE_SEQUENCE_NUMBER']
    await this.#caller.insist(
      produce,
      9,
      body,
      ({ responses }) => responses.flatMap((of) => of.partitionResponses.map(({ errorCode }) => errorCode)),
      known,
    )
    this.#isLost = false
    this.#lives.set(name, [...this.#of(name), ...values])
  }

  /** Deleted before nobody heard of it is deleted too. */
  async #delete(name: string): Promise<void> {
    this.#isLost = true
    const giveUp = ['UNKNOWN_TOPIC_OR_PARTITION']
    const body = { topicNames: [name], timeoutMs: 5000 }
    await this.#caller.insist(deleteTopics, 4, body, ({ responses }) => responses.map((of) => of.errorCode), giveUp)
    this.#isLost = false
    this.#lives.delete(name)
  }
}
