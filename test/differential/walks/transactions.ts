// Producers with transactional ids at every step that a client might take, and at those that none should: epochs and sequences
// from before and ahead, old and new versions mixed, ends twice, offsets of a group in between.

import { fetch } from '../../../protocol/messages/01-fetch.ts'
import { initProducerId } from '../../../protocol/messages/22-init-producer-id.ts'
import { addOffsetsToTxn } from '../../../protocol/messages/25-add-offsets-to-txn.ts'
import { describeProducers } from '../../../protocol/messages/61-describe-producers.ts'
import { allCoordinators } from '../scenarios/coordinators.ts'
import { coordinatorOf } from '../scenarios/groups.ts'
import { Producer } from '../scenarios/transactions.ts'
import type { Side } from '../side.ts'
import { type Chance, walks } from './chance.ts'

const stepCount = 40

export async function transactionWalks(side: Side): Promise<void> {
  await allCoordinators(side)
  await walks('wt', side, (chance) => walk(side, chance))
}

type Held = Producer['held']

class Walker {
  readonly producer: Producer
  readonly #chance: Chance
  /** All that it ever held, the latest last. */
  readonly #past: Held[] = []
  /** The next sequence in each partition, by whom. */
  readonly #sequences = new Map<string, number>()

  constructor(side: Side, chance: Chance, name: string) {
    this.producer = new Producer(side, name)
    this.#chance = chance
  }

  learn(held: Held): void {
    this.producer.held = held
    this.#past.push(held)
    this.producer.side.rememberProducer(held.producerId, `<${this.producer.name}>`)
  }

  someHeld(): Held {
    const { held } = this.producer
    if (this.#chance.often(0.75) || this.#past.length === 0) return held
    return this.#chance.one([this.#chance.one(this.#past), this.producer.bumped(), this.producer.bumped(-1)])
  }

  sequence(held: Held, partition: number): number {
    const place = `${held.producerId} ${held.producerEpoch} ${partition}`
    const next = this.#sequences.get(place) ?? 0
    // What was sent before is not sent again: Kafka refuses all that follows one that it was asked about in vain.
    const drawn = this.#chance.often(0.8) ? next : next + this.#chance.one([1, 3])
    if (drawn === next) this.#sequences.set(place, next + 1)
    return drawn
  }
}

async function walk(side: Side, chance: Chance): Promise<void> {
  const topic = chance.walk
  const topicId = await side.topic(topic, 2)
  const walkers = ['a', 'b'].map((name) => new Walker(side, chance, `${topic}-${name}`))
  for (const walker of walkers) {
    const { producer } = walker
    await coordinatorOf(side, `group of ${producer.name}`)
    await producer.init()
    walker.learn(producer.held)
  }
  for (let step = 0; step < stepCount; step++) {
    const walker = chance.one(walkers)
    const { producer } = walker
    const label = `${topic} ${step}`
    const held = walker.someHeld()
    const version = chance.one([3, 4, 5])
    const kind = chance.one(kinds)
    if (kind === 'init') await init(side, chance, walker, held, label)
    else if (kind === 'add') await producer.add(label, version, { [topic]: chance.one([[0], [1], [0, 1]]) }, held)
    else if (kind === 'send') {
      const index = chance.below(2)
      const sequence = walker.sequence(held, index)
      const named = { ...{ name: topic, topicId }, index }
      await producer.send(label, chance.one([7, 9, 11, 12]), named.name, sequence, { held, index })
    } else if (kind === 'end') await producer.end(label, version, chance.often(0.5), held)
    else if (kind === 'offsets') {
      const groupId = `group of ${producer.name}`
      const body = { transactionalId: producer.name, ...held, groupId }
      await side.ask(label, addOffsetsToTxn, chance.one([3, 4]), body)
    } else if (kind === 'commit') await producer.commit(label, version, { name: topic, topicId }, held, step)
    await producer.rest(label)
    if (kind === 'end' || kind === 'commit') await producer.offset(label, topic)
    if (kind === 'end' || kind === 'send') await look(side, producer, topic, topicId, label)
  }
}

const kinds = ['init', 'add', 'send', 'send', 'send', 'end', 'end', 'offsets', 'commit'] as const

async function init(side: Side, chance: Chance, walker: Walker, held: Held, label: string): Promise<void> {
  const { name } = walker.producer
  const more = chance.often(0.5) ? held : {}
  const body = { transactionalId: name, transactionTimeoutMs: 60_000, ...more }
  const answer = await side.ask(`${label} as ${'producerId' in more}`, initProducerId, chance.one([3, 4, 5]), body)
  if (typeof answer === 'string' || answer.errorCode !== 0) return
  walker.learn({ producerId: answer.producerId, producerEpoch: answer.producerEpoch })
}

async function look(side: Side, producer: Producer, topic: string, topicId: string, label: string): Promise<void> {
  await producer.ends(label, topic)
  await side.ask(label, describeProducers, 0, { topics: [{ name: topic, partitionIndexes: [0, 1] }] })
  const partitions = [0, 1].map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: 1 << 20 }))
  for (const isolationLevel of [0, 1])
    await side.ask(`${label}, isolation ${isolationLevel}`, fetch, 13, {
      ...{ maxWaitMs: 0, minBytes: 0, isolationLevel, topics: [{ topicId, partitions }], forgottenTopicsData: [] },
    })
}
