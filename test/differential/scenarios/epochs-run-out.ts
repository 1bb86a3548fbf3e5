// Producers whose epochs run out: what begins, ends and is fenced on the last epochs of an id, and who may still name that id
// afterwards. Played on demand: each producer is led through 32,000 epochs first.

import { initProducerId } from '../../../protocol/messages/22-init-producer-id.ts'
import type { Side } from '../side.ts'
import { allCoordinators } from './coordinators.ts'
import { Producer } from './transactions.ts'

const lastEpoch = 0x7fff
const topicOf = ({ run }: Side): string => `eo-${run}`

export async function epochsRunOutScenario(side: Side): Promise<void> {
  await allCoordinators(side)
  await side.topic(topicOf(side), 2)
  const plays: [name: string, left: number, play: (producer: Producer) => Promise<void>][] = [
    ['begun', 4, begun],
    ['had', 4, begunByWhoHadIt],
    ['ended-v3', 4, (producer) => ended(producer, 3, true)],
    ['ended-v5', 4, (producer) => ended(producer, 5, true)],
    ['taken-back-v5', 4, (producer) => ended(producer, 5, false)],
    ...[1, 2, 3].map((left): (typeof plays)[number] => [`fenced-${left}`, left, fencedOpen]),
  ]
  const led = await Promise.all(plays.map(([name, left]) => lead(side, `eo-${name}-${side.run}`, left)))
  for (const [i, [, , play]] of plays.entries()) await play(led[i]!)
}

async function lead(side: Side, name: string, left: number): Promise<Producer> {
  const producer = await Producer.open(side, name)
  while (producer.held.producerEpoch < lastEpoch - left) await producer.init()
  side.rememberProducer(producer.held.producerId, '<old id>')
  return producer
}

async function init(producer: Producer, label: string, version: number, more: Partial<Producer['held']> = {}) {
  const body = { transactionalId: producer.name, transactionTimeoutMs: 60_000, ...more }
  const answer = await producer.side.ask(`${producer.name} ${label}`, initProducerId, version, body)
  if (typeof answer === 'string' || answer.errorCode !== 0) return
  producer.held = { producerId: answer.producerId, producerEpoch: answer.producerEpoch }
}

/** Nothing but begins. */
async function begun(producer: Producer): Promise<void> {
  for (let n = 0; n < 6; n++) {
    await init(producer, `begins ${n}`, 4)
    await producer.rest(`begun ${n}`)
  }
}

async function begunByWhoHadIt(producer: Producer): Promise<void> {
  const old = producer.held
  const past = [0, 1, 2, 3, 4].map((by) => ({ ...old, producerEpoch: old.producerEpoch + by }))
  for (let n = 0; n < 6; n++) {
    await init(producer, `goes on ${n}`, 4, producer.held)
    await producer.rest(`gone on ${n}`)
    for (const each of past) {
      const { held } = producer
      await init(producer, `goes on ${n}, from ${each.producerEpoch - lastEpoch}`, 5, each)
      producer.held = held
    }
    // What answered may have raised the epoch.
    await init(producer, `begins after ${n}`, 4)
  }
}

async function ended(producer: Producer, version: number, committed: boolean): Promise<void> {
  const topic = topicOf(producer.side)
  const sendVersion = version >= 5 ? 12 : 9
  const old = producer.held
  for (let n = 0; n < 6; n++) {
    const { held } = producer
    if (version < 5) await producer.add(`${n}`, 3, { [topic]: [0] })
    await producer.send(`${n}`, sendVersion, topic, 0)
    await producer.end(`${n}`, version, committed)
    await producer.rest(`ended ${n}`)
    await producer.end(`${n} again`, version, committed, held)
    await producer.end(`${n}, the other way`, version, !committed, held)
    for (const by of [1, 2, 3, 4, 5]) {
      const ahead = { ...old, producerEpoch: Math.min(lastEpoch, old.producerEpoch + by) }
      await producer.end(`${n}, ${by} ahead`, version, false, ahead)
      await producer.rest(`ended ${n}, ${by} ahead`)
    }
    await init(producer, `goes on after ${n}`, 4, held)
    await producer.send(`late ${n}`, sendVersion, topic, 1, { held })
    await init(producer, `begins after ${n}`, 4)
    await producer.rest(`begun after ${n}`)
  }
}

async function fencedOpen(producer: Producer): Promise<void> {
  const topic = topicOf(producer.side)
  await producer.add('left open', 3, { [topic]: [0] })
  await init(producer, 'begins over it', 4)
  await producer.rest('fenced')
  await producer.end('fenced', 4, true)
  await init(producer, 'begins again', 4)
  await producer.rest('begun again')
  await producer.add('after', 3, { [topic]: [1] })
  await producer.send('after', 9, topic, 0, { index: 1 })
  await producer.end('after', 5, true)
  await producer.rest('ended')
}
