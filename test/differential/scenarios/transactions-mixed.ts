// Requests that hold more than one thing of a transaction: several partitions, several producers, what is part of it and what
// is not; and one transaction after another, each in an epoch of its own (KIP-890).

import { produce } from '../../../protocol/messages/00-produce.ts'
import { addPartitionsToTxn } from '../../../protocol/messages/24-add-partitions-to-txn.ts'
import { endTxn } from '../../../protocol/messages/26-end-txn.ts'
import { listTransactions } from '../../../protocol/messages/66-list-transactions.ts'
import type { BatchOptions } from '../../../protocol/records/builder.ts'
import type { Body } from '../../wire-client.ts'
import { batchOf } from '../../wire-client.ts'
import type { Side } from '../side.ts'
import { allCoordinators } from './coordinators.ts'
import { Producer } from './transactions.ts'

type Part = { topic?: string; index?: number; options?: BatchOptions; records?: Buffer }

export async function mixedTransactionsScenario(side: Side): Promise<void> {
  await allCoordinators(side)
  for (const version of side.versionsOf(produce).filter((of) => of >= 9 && of <= 12)) await mixed(side, version)
  for (const version of side.versionsOf(addPartitionsToTxn)) await additions(side, version)
  await oneAfterAnother(side)
}

async function mixed(side: Side, version: number): Promise<void> {
  const topic = `tm-v${version}`
  await side.topic(topic, 4)
  const producer = await Producer.open(side, topic)
  const other = await Producer.open(side, `${topic}-other`)
  const of = (held: typeof producer.held, baseSequence = 0): BatchOptions => ({
    ...held,
    baseSequence,
    isTransactional: true,
  })
  const send = (label: string, parts: Part[], transactionalId: string | null = producer.name, acks = -1) => {
    const topics = [...new Set(parts.map((part) => part.topic ?? topic))]
    return side.ask(label, produce, version, {
      transactionalId,
      acks,
      timeoutMs: 3000,
      topicData: topics.map((name) => ({
        name,
        partitionData: parts
          .filter((part) => (part.topic ?? topic) === name)
          .map(({ index = 0, options = {}, records }) => ({ index, records: records ?? batchOf(['x'], options) })),
      })),
    })
  }
  const { held } = producer
  await send('acks 1', [{ options: of(held) }], producer.name, 1)
  await send('two partitions, one unknown', [{ options: of(held) }, { index: 9, options: of(held) }])
  await send('two producers', [{ options: of(held) }, { index: 1, options: of(other.held) }])
  await send('a part of it and a plain batch', [{ options: of(held) }, { index: 1 }])
  await send('a part of it and an idempotent batch', [
    { options: of(held) },
    { index: 1, options: { ...held, baseSequence: 0 } },
  ])
  await producer.rest('before')
  await producer.add('for the rest', 3, { [topic]: [0, 1] })
  await send('two partitions', [{ options: of(held) }, { index: 1, options: of(held) }])
  await send('one that was added and one that was not', [{ options: of(held, 1) }, { index: 2, options: of(held) }])
  await send('a plain batch of the producer in between', [{ options: { ...held, baseSequence: 2 } }])
  await send('a plain batch of nobody in between', [{}])
  await send('two batches', [
    { records: Buffer.concat([batchOf(['x'], of(held, 2)), batchOf(['y'], { ...held, baseSequence: 3 })]) },
  ])
  await send('a control batch', [{ options: { ...of(held, 2), isControl: true } }])
  await send('no producer', [{ options: { isTransactional: true } }])
  await send('no sequence', [{ options: of(held, -1) }])
  await send('nothing of it', [{ index: 3 }])
  await send('nothing of it, as nobody', [{ index: 3 }], null)
  await send('no partitions', [])
  await producer.rest('mixed')
  await producer.ends('mixed', topic)
  await producer.end('mixed', version < 12 ? 4 : 5, true)
  await producer.rest('mixed, committed')
}

async function additions(side: Side, version: number): Promise<void> {
  const producer = await Producer.open(side, `tm-add-v${version}`)
  await side.topic(`tm-add-v${version}`, 2)
  const topic = `tm-add-v${version}`
  type Topics = [name: string, ...partitions: number[]][]
  const topicsOf = (topics: Topics) => topics.map(([name, ...partitions]) => ({ name, partitions }))
  const add = (label: string, topics: Topics) => {
    const old = {
      v3AndBelowTransactionalId: producer.name,
      v3AndBelowProducerId: producer.held.producerId,
      v3AndBelowProducerEpoch: producer.held.producerEpoch,
      v3AndBelowTopics: topicsOf(topics),
    }
    const one = { transactionalId: producer.name, ...producer.held, verifyOnly: false, topics: topicsOf(topics) }
    const body = (version < 4 ? old : { transactions: [one] }) as unknown as Body<typeof addPartitionsToTxn>
    return side.ask(label, addPartitionsToTxn, version, body)
  }
  await add('no topics', [])
  await add('no partitions', [[topic]])
  await producer.rest('of nothing')
  await add('one twice', [[topic, 0, 0]])
  await add('a topic twice', [
    [topic, 0],
    [topic, 1],
  ])
  await add('a negative one', [[topic, -1]])
  await add('a bad name', [['a/b', 0]])
  await producer.rest('after all')
  if (version < 4) return
  const each = (part: object, ...topics: Topics) => ({
    transactionalId: producer.name,
    ...producer.held,
    verifyOnly: false,
    ...part,
    topics: topicsOf(topics),
  })
  for (const [label, transactions] of [
    ['none', []],
    ['asked', [each({ verifyOnly: true }, [topic, 0, 1])]],
    ['asked about what is not there', [each({ verifyOnly: true }, [topic, 0, 9], ['nono', 0])]],
    ['asked by a stranger', [each({ verifyOnly: true, ...producer.stranger }, [topic, 0])]],
    ['asked from ahead', [each({ verifyOnly: true, ...producer.bumped() }, [topic, 0])]],
    ['asked by somebody unknown', [each({ verifyOnly: true, transactionalId: 'tm-unknown' }, [topic, 0])]],
    ['asked by nobody', [each({ verifyOnly: true, transactionalId: '' }, [topic, 0])]],
    ['known and unknown', [each({}, [topic, 0]), each({ transactionalId: 'tm-unknown' }, [topic, 0])]],
  ] as const)
    await side.ask(`${label}, together`, addPartitionsToTxn, version, { transactions } as unknown as Body<
      typeof addPartitionsToTxn
    >)
}

async function oneAfterAnother(side: Side): Promise<void> {
  const topic = 'tm-next'
  await side.topic(topic, 2)
  const producer = await Producer.open(side, topic)
  for (const committed of [true, false, true]) {
    const outcome = committed ? 'committed' : 'taken back'
    const before = producer.held
    await producer.send(`begins: ${outcome}`, 12, topic, 0)
    await producer.send(`goes on: ${outcome}`, 12, topic, 1)
    const body = { transactionalId: topic, ...producer.held, committed }
    const answer = await side.ask(outcome, endTxn, 5, body)
    if (typeof answer === 'string' || answer.errorCode !== 0) return
    producer.held = { producerId: answer.producerId, producerEpoch: answer.producerEpoch }
    await producer.rest(`just ${outcome}`)
    await side.ask(`${outcome}, again`, endTxn, 5, body)
    await side.ask(`${outcome}, the other way`, endTxn, 5, { ...body, committed: !committed })
    await side.ask(`${outcome}, by an old client`, endTxn, 4, body)
    await producer.send(`${outcome}, late`, 12, topic, 2, { held: before })
    await producer.send(`${outcome}, late, elsewhere`, 12, topic, 0, { held: before, index: 1 })
    await producer.send(`${outcome}, by an old client`, 11, topic, 0)
    await producer.send(`${outcome}, with the old sequence`, 12, topic, 2)
    await producer.rest(outcome)
    await side.ask(`${outcome}, aborted`, endTxn, 5, { transactionalId: topic, ...producer.held, committed: false })
    await producer.rest(`${outcome}, aborted`)
    await producer.init()
  }
  for (const durationFilter of [0, 1, 5000]) {
    const body = { stateFilters: ['Empty'], producerIdFilters: [producer.held.producerId], durationFilter }
    await side.ask(`for ${durationFilter}`, listTransactions, 1, body)
  }
  const twice = { stateFilters: ['Foo', 'Foo', ''], producerIdFilters: [] }
  await side.ask('unknown states twice', listTransactions, 1, twice)
}
