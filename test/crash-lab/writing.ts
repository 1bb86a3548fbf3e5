// One client that writes: idempotent batches, plain ones, revisions of documents, and transactions over several topics.
// It keeps no promise itself; it tells what it asked and what it was answered.

import { setTimeout as pause } from 'node:timers/promises'
import { type Codec, lacks, type RecordToSend } from '../../compat/hand.ts'
import type { HandProcess } from '../../compat/hand-process.ts'
import type { Player } from './casting.ts'
import { documentOf } from './documents.ts'
import type { History } from './history.ts'

/** Several, so that none grows long: whoever looks at a new branch reads all that it has inherited. */
export const parents = ['keyed', 'keyed1', 'keyed2', 'keyed3', 'keyed4', 'keyed5']
export const topics: ReadonlyMap<string, number> = new Map([
  ['plain', 2],
  ['idem', 3],
  ['work', 2],
  ['rev', 2],
  ...parents.map((name) => [name, 2] as const),
  ['txn-a', 3],
  ['txn-b', 1],
])

const codecs: readonly Codec[] = ['none', 'none', 'gzip', 'lz4', 'snappy', 'zstd']
const restMs = 25
const transactionTimeoutMs = 15_000

type Kind = 'plain' | 'idem' | 'txn'

export class Writer {
  readonly #player: Player
  readonly #history: History
  readonly #chance: () => number
  /** Open producers by kind; another each time one has failed. */
  readonly #open = new Map<Kind, string>()
  readonly #incarnations = new Map<Kind, number>()
  #playing: HandProcess | undefined
  /** Of records and of transactions. */
  #n = 0
  #transactions = 0
  failures = 0
  lastError = ''

  constructor(player: Player, history: History, chance: () => number) {
    this.#player = player
    this.#history = history
    this.#chance = chance
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const which = this.#chance()
      try {
        if (which < 0.2) await this.#write('plain', 'plain')
        else if (which < 0.7) {
          const parent = parents[this.#below(parents.length)]!
          await this.#write('idem', ['idem', 'work', 'rev', parent, 'idem'][Math.floor(which * 10) % 5]!)
        } else await this.#transact()
      } catch (problem) {
        this.failures++
        this.lastError = (problem as Error).message.slice(0, 200)
      }
      await pause(restMs)
    }
  }

  get #name(): string {
    return this.#player.client.name
  }

  #below(n: number): number {
    return Math.floor(this.#chance() * n)
  }

  async #producer(kind: Kind): Promise<string> {
    const hand = await this.#player.hand()
    if (hand !== this.#playing) this.#open.clear() // another process knows nothing of them
    this.#playing = hand
    const open = this.#open.get(kind)
    if (open !== undefined) return open
    const incarnation = (this.#incarnations.get(kind) ?? 0) + 1
    this.#incarnations.set(kind, incarnation)
    const producer = `${kind}.${this.#name}.${incarnation}`
    const codec = codecs[this.#below(codecs.length)]!
    await hand.ask('openProducer', {
      producer,
      codec: lacks(hand.hello, 'openProducer', { codec }) === undefined ? codec : 'none',
      ...(kind === 'txn'
        ? { transactionalId: `txn-${this.#name}`, transactionTimeoutMs }
        : { idempotent: kind === 'idem' }),
    })
    this.#open.set(kind, producer)
    return producer
  }

  /** What a client does after a failure is its own affair: the next one is another producer. */
  async #giveUp(kind: Kind): Promise<void> {
    const producer = this.#open.get(kind)
    this.#open.delete(kind)
    if (producer !== undefined) await (await this.#player.hand()).ask('closeProducer', { producer }).catch(() => {})
  }

  #documents(count: number, partition: number, idsFrom: string, first: number): RecordToSend[] {
    return Array.from({ length: count }, (_, i) => {
      const id = `${idsFrom}#${first + i}`
      const key = Buffer.from(`k${this.#below(12)}`).toString('base64')
      return { partition, key, value: documentOf(id).toString('base64'), headers: [] }
    })
  }

  async #write(kind: 'plain' | 'idem', topic: string): Promise<void> {
    const open = await this.#producer(kind).catch(async (problem: Error) => {
      await this.#giveUp(kind)
      throw problem
    })
    const hand = await this.#player.hand()
    const partition = this.#below(topics.get(topic)!)
    const count = 1 + this.#below(12)
    const producer = `${topic === 'plain' ? '' : `${topic}-`}${open}`
    const from = this.#n
    this.#n += count
    const call = this.#history.nextCall()
    this.#history.tell({ t: 'sent', call, producer, topic, partition, from, count })
    try {
      const records = this.#documents(count, partition, producer, from)
      const { offsets } = await hand.ask('produce', { producer: open, topic, records })
      this.#history.tell({ t: 'acked', call, offsets: (offsets ?? []).map((offset) => offset ?? -1) })
    } catch (problem) {
      this.#history.tell({ t: 'unknown', call, error: (problem as Error).message.slice(0, 200) })
      await this.#giveUp(kind)
      throw problem
    }
  }

  /** Whether it will be taken back is decided before. A group's progress goes with it. */
  async #transact(): Promise<void> {
    const producer = await this.#producer('txn').catch(async (problem: Error) => {
      await this.#giveUp('txn')
      throw problem
    })
    const hand = await this.#player.hand()
    const offset = ++this.#transactions
    const txn = `${producer}.${offset}`
    const progress = { group: `progress-${this.#name}`, topic: 'txn-a', partition: 0 }
    let asked = false
    try {
      await hand.ask('beginTransaction', { producer })
      let count = 0
      for (const [topic, partition] of this.#places()) {
        const records = this.#documents(1 + this.#below(5), partition, txn, count)
        count += records.length
        await hand.ask('produce', { producer, topic, records })
      }
      const { group, ...place } = progress
      await hand.ask('sendOffsets', { producer, group, offsets: [{ ...place, offset }] })
      this.#history.tell({ t: 'ending', txn, count, ...progress, offset })
      const isCommit = this.#chance() < 0.8
      asked = isCommit
      await hand.ask(isCommit ? 'commitTransaction' : 'abortTransaction', { producer })
      this.#history.tell({ t: 'ended', txn, outcome: isCommit ? 'committed' : 'aborted' })
    } catch (problem) {
      const error = (problem as Error).message.slice(0, 200)
      // What nobody asked to commit may never be seen.
      this.#history.tell({ t: 'ended', txn, outcome: asked ? 'unknown' : 'aborted', error })
      await this.#giveUp('txn')
      throw problem
    }
  }

  #places(): (readonly [topic: string, partition: number])[] {
    const first = this.#below(3)
    return [['txn-a', first] as const, ['txn-b', 0] as const, ['txn-a', (first + 1) % 3] as const].slice(
      0,
      2 + this.#below(2),
    )
  }
}
