// Transactions over few keys in a topic that is compacted (KIP-98, KIP-354), beside a model that is the list of what was committed: who
// reads committed records finds the newest of each key, nothing that was taken back, and all in the order in which it was written.

import { produce } from '../../protocol/messages/00-produce.ts'
import { initProducerId } from '../../protocol/messages/22-init-producer-id.ts'
import { endTxn } from '../../protocol/messages/26-end-txn.ts'
import { walk } from '../crash-lab/log-reader.ts'
import type { Wanted } from '../crash-lab/making.ts'
import { batchOf } from '../wire-client.ts'
import { attempt } from './attempt.ts'
import { type Caller, Refused } from './caller.ts'
import { outdated } from './transactor.ts'

const distilled = 'distilled'
export const distilledTopic: Wanted = {
  name: distilled,
  partitions: 1,
  configs: {
    'internal.segment.bytes': '1024',
    'cleanup.policy': 'compact',
    'min.cleanable.dirty.ratio': '0.01',
    'delete.retention.ms': '2000',
  },
}
const timeoutMs = 60_000

type Written = { readonly n: number; readonly key: string; readonly isGone: boolean }

export class Distiller {
  readonly #caller: Caller
  readonly #chance: () => number
  readonly #wrong: (what: string) => void
  readonly #right: () => void
  readonly #committed = new Map<number, Written>()
  #n = 0
  #isLost = false

  constructor(caller: Caller, chance: () => number, wrong: (what: string) => void, right: () => void) {
    this.#caller = caller
    this.#chance = chance
    this.#wrong = wrong
    this.#right = right
  }

  async distil(): Promise<void> {
    if (this.#isLost) return
    const work = async () => {
      for (let i = 0; i < 4; i++) await this.#transact()
      await this.look()
    }
    // Its time was up, or what it asked for before came late.
    await attempt(this.#caller, work, (problem) => problem instanceof Refused && outdated.includes(problem.error))
  }

  async lookAnew(): Promise<void> {
    this.#caller.close()
    await this.look()
  }

  /** What nobody has asked to commit is taken back by the next one that begins. Throws Lost. */
  async #transact(): Promise<void> {
    const named = { transactionalId: distilled, transactionTimeoutMs: timeoutMs }
    const held = await this.#caller.insist(initProducerId, 4, named, ({ errorCode }) => [errorCode])
    const written: Written[] = []
    let baseSequence = 0
    for (let batches = 1 + Math.floor(this.#chance() * 2); batches > 0; batches--) {
      const some = Array.from({ length: 1 + Math.floor(this.#chance() * 3) }, () => this.#next())
      await this.#write(held, baseSequence, some)
      baseSequence += some.length
      written.push(...some)
    }
    const committed = this.#chance() < 0.6
    this.#isLost = committed // until it is known
    const body = { transactionalId: distilled, ...ids(held), committed }
    await this.#caller.insist(endTxn, 5, body, ({ errorCode }) => [errorCode])
    this.#isLost = false
    if (committed) for (const each of written) this.#committed.set(each.n, each)
  }

  #next(): Written {
    return { n: this.#n++, key: `k${Math.floor(this.#chance() * 4)}`, isGone: this.#chance() < 0.2 }
  }

  async #write(held: Held, baseSequence: number, some: readonly Written[]): Promise<void> {
    const values = some.map(({ n, key, isGone }) => ({
      key: Buffer.from(key),
      value: isGone ? null : Buffer.from(`${n}`.padEnd(60)),
      timestamp: Date.now(),
      headers: [{ key: 'n', value: Buffer.from(String(n)) }],
    }))
    const records = batchOf(values, { ...ids(held), baseSequence, isTransactional: true })
    const topicData = [{ name: distilled, partitionData: [{ index: 0, records }] }]
    const known = ['DUPLICATE_SEQUENCE_NUMBER']
    await this.#caller.insist(
      produce,
      12,
      { transactionalId: distilled, acks: -1, timeoutMs: 5000, topicData },
      ({ responses }) => responses.flatMap((of) => of.partitionResponses.map(({ errorCode }) => errorCode)),
      known,
    )
  }

  /** Throws where nobody answers. */
  async look(): Promise<void> {
    if (this.#isLost) return
    const shown = new Map<string, number>()
    let last = -1
    await walk(await this.#caller.client(), { topic: distilled, partition: 0 }, 0, 1, ({ headers, key }, _, isOut) => {
      if (isOut) return
      const n = Number(headers[0]?.value)
      if (!this.#committed.has(n)) this.#wrong(`${distilled} shows ${n}, which was not committed`)
      if (n <= last) this.#wrong(`${distilled} shows ${n} behind ${last}`)
      last = n
      shown.set(String(key), n)
    })
    const newest = new Map([...this.#committed.values()].map((each) => [each.key, each]))
    for (const [key, { n, isGone }] of newest) {
      const found = shown.get(key)
      if (found === n || (isGone && found === undefined)) this.#right()
      else this.#wrong(`${distilled} shows ${found} as the newest of ${key}, where ${n} was committed last`)
    }
  }
}

type Held = { readonly producerId: number; readonly producerEpoch: number }
const ids = ({ producerId, producerEpoch }: Held): Held => ({ producerId, producerEpoch })
