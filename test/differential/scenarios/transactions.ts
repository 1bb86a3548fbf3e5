// Transactions: every key in every version, asked by who may and by who may not, in every state.

import { produce } from '../../../protocol/messages/00-produce.ts'
import { listOffsets } from '../../../protocol/messages/02-list-offsets.ts'
import { offsetCommit } from '../../../protocol/messages/08-offset-commit.ts'
import { offsetFetch } from '../../../protocol/messages/09-offset-fetch.ts'
import { findCoordinator } from '../../../protocol/messages/10-find-coordinator.ts'
import { initProducerId } from '../../../protocol/messages/22-init-producer-id.ts'
import { addPartitionsToTxn } from '../../../protocol/messages/24-add-partitions-to-txn.ts'
import { addOffsetsToTxn } from '../../../protocol/messages/25-add-offsets-to-txn.ts'
import { endTxn } from '../../../protocol/messages/26-end-txn.ts'
import { writeTxnMarkers } from '../../../protocol/messages/27-write-txn-markers.ts'
import { txnOffsetCommit } from '../../../protocol/messages/28-txn-offset-commit.ts'
import { describeProducers } from '../../../protocol/messages/61-describe-producers.ts'
import { describeTransactions } from '../../../protocol/messages/65-describe-transactions.ts'
import { listTransactions } from '../../../protocol/messages/66-list-transactions.ts'
import type { ApiTable } from '../../../protocol/schema.ts'
import type { Body } from '../../wire-client.ts'
import { batchOf } from '../../wire-client.ts'
import { pause, type Side } from '../side.ts'

type Held = { readonly producerId: number; readonly producerEpoch: number }
type Places = Readonly<Record<string, readonly number[]>>
/** What the broker says while it is busy with something that it will have done in a moment. */
const later = new Set([14, 15, 16, 51])

/** A producer on one side; `name` is its transactional id. */
export class Producer {
  readonly side: Side
  readonly name: string
  held: Held = { producerId: -1, producerEpoch: -1 }

  constructor(side: Side, name: string) {
    this.side = side
    this.name = name
  }

  static async open(side: Side, name: string, transactionTimeoutMs?: number): Promise<Producer> {
    const producer = new Producer(side, name)
    await producer.init(transactionTimeoutMs)
    return producer
  }

  /** Until the coordinator is there and idle. */
  async init(transactionTimeoutMs = 60_000): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      const body = { transactionalId: this.name, transactionTimeoutMs }
      const { errorCode, producerId, producerEpoch } = await this.side.quiet(initProducerId, 4, body)
      if (errorCode === 0) {
        this.held = { producerId, producerEpoch }
        return
      }
      if (!later.has(errorCode)) throw new Error(`${this.name}: ${errorCode}`)
      await pause(20)
    }
    throw new Error(`${this.name} has no coordinator`)
  }

  /** Its state, once nothing is under way. */
  async rest(label: string): Promise<void> {
    const body = { transactionalIds: [this.name] }
    for (let tries = 0; tries < 200; tries++) {
      const { transactionStates } = await this.side.quiet(describeTransactions, 0, body)
      if (!transactionStates[0]!.transactionState.startsWith('Prepare')) break
      await pause(20)
    }
    await this.side.ask(`state ${label}`, describeTransactions, 0, body)
  }

  bumped(by = 1): Held {
    return { ...this.held, producerEpoch: this.held.producerEpoch + by }
  }

  get stranger(): Held {
    return { ...this.held, producerId: this.held.producerId + 100_000 }
  }

  async add(label: string, version: number, places: Places, held = this.held, name = this.name): Promise<void> {
    const topics = Object.entries(places).map(([topic, partitions]) => ({ name: topic, partitions }))
    const old = {
      v3AndBelowTransactionalId: name,
      v3AndBelowProducerId: held.producerId,
      v3AndBelowProducerEpoch: held.producerEpoch,
      v3AndBelowTopics: topics,
    }
    const transactions = [{ transactionalId: name, ...held, verifyOnly: false, topics }]
    const body = (version < 4 ? old : { transactions }) as unknown as Body<typeof addPartitionsToTxn>
    await this.side.ask(`add ${label}`, addPartitionsToTxn, version, body)
  }

  async end(label: string, version: number, committed: boolean, held = this.held, name = this.name): Promise<void> {
    await this.side.ask(`end ${label}`, endTxn, version, { transactionalId: name, ...held, committed })
  }

  async send(
    label: string,
    version: number,
    topic: string,
    sequence: number,
    { held = this.held, name = this.name as string | null, index = 0 } = {},
  ): Promise<void> {
    const records = batchOf(['x'], { ...held, baseSequence: sequence, isTransactional: true })
    const topicData = [{ name: topic, partitionData: [{ index, records }] }]
    await this.side.ask(`send ${label}`, produce, version, {
      transactionalId: name,
      acks: -1,
      timeoutMs: 3000,
      topicData,
    })
  }

  async commit(
    label: string,
    version: number,
    topic: { name: string; topicId: string },
    more: Partial<Body<typeof txnOffsetCommit>> = {},
    committedOffset = 5,
  ): Promise<void> {
    const partitions = [{ partitionIndex: 0, committedOffset, committedMetadata: '' }]
    const body = {
      transactionalId: this.name,
      groupId: `group of ${this.name}`,
      ...this.held,
      topics: [{ ...topic, partitions }],
    }
    await this.side.ask(`commit ${label}`, txnOffsetCommit, version, { ...body, ...more })
  }

  async offset(label: string, topic: string): Promise<void> {
    const groups = [{ groupId: `group of ${this.name}`, topics: [{ name: topic, partitionIndexes: [0] }] }]
    for (const requireStable of [false, true])
      await this.side.ask(`offset ${label}, stable ${requireStable}`, offsetFetch, 8, { groups, requireStable })
  }

  async ends(label: string, topic: string): Promise<void> {
    const partitions = [{ partitionIndex: 0, timestamp: -1, currentLeaderEpoch: -1 }]
    for (const isolationLevel of [0, 1])
      await this.side.ask(`end offset ${label}`, listOffsets, 5, {
        replicaId: -1,
        isolationLevel,
        topics: [{ name: topic, partitions }],
      })
  }
}

/** Both coordinators are there, and every group of the scenario has one. */
export async function coordinatorsReady(side: Side, groups: readonly string[]): Promise<void> {
  for (const [keyType, key] of [[1, 'x'], ...groups.map((group) => [0, group])] as [number, string][]) {
    for (let tries = 0; tries < 200; tries++) {
      const { coordinators } = await side.quiet(findCoordinator, 4, { key: '', keyType, coordinatorKeys: [key] })
      const groupIds = [{ groupId: key, topics: [] }]
      const fetched = keyType === 0 && (await side.quiet(offsetFetch, 8, { groups: groupIds, requireStable: false }))
      if (coordinators[0]!.errorCode === 0 && (fetched === false || fetched.groups[0]!.errorCode === 0)) break
      await pause(50)
    }
  }
}

async function eachVersion<A extends ApiTable>(
  side: Side,
  table: A,
  task: (version: number) => Promise<void>,
): Promise<void> {
  for (const version of side.versionsOf(table)) await task(version)
}

export async function transactionsScenario(side: Side): Promise<void> {
  await side.topic('tx', 3)
  await side.topic('tx-other')
  await coordinatorsReady(side, [])
  await initScenario(side)
  await eachVersion(side, addPartitionsToTxn, (version) => addScenario(side, version))
  await eachVersion(side, endTxn, (version) => endScenario(side, version))
  for (const version of side.versionsOf(produce).filter((of) => of >= 3 && of <= 12))
    await produceTransactionally(side, version)
  await markersScenario(side)
  await listScenario(side)
}

async function initScenario(side: Side): Promise<void> {
  await eachVersion(side, initProducerId, async (version) => {
    const producer = await Producer.open(side, `init-v${version}`)
    const ask = (label: string, more: Partial<Body<typeof initProducerId>>) =>
      side.ask(`init ${label}`, initProducerId, version, {
        transactionalId: producer.name,
        transactionTimeoutMs: 60_000,
        ...more,
      })
    for (const timeout of [-1, 0, 1, 900_000, 900_001, 2 ** 31 - 1])
      await ask(`timeout ${timeout}`, { transactionalId: `timeout-v${version}`, transactionTimeoutMs: timeout })
    if (version < 3) return
    await ask('go on', producer.held)
    await ask('go on again', producer.held)
    await ask('go on from no epoch', { ...producer.held, producerEpoch: -1 })
    await ask('go on from no id', { ...producer.held, producerId: -1 })
    await ask('go on from far ahead', producer.bumped(9))
    await ask('go on as a stranger', producer.stranger)
    await ask('go on from below nothing', { producerId: -2, producerEpoch: -2 })
    await ask('go on where nobody was', { ...producer.stranger, transactionalId: `nobody-v${version}` })
    await producer.init()
    await ask('go on from before', { ...producer.held, producerEpoch: 0 })
    await producer.rest('after')
  })
}

async function addScenario(side: Side, version: number): Promise<void> {
  const producer = await Producer.open(side, `add-v${version}`)
  const add = (label: string, places: Places, held?: Held, name?: string) =>
    producer.add(label, version, places, held, name)
  await add('as nobody', { tx: [0] }, producer.held, '')
  await add('as somebody unknown', { tx: [0] }, producer.held, 'unknown')
  await add('as a stranger', { tx: [0] }, producer.stranger)
  await add('ahead', { tx: [0] }, producer.bumped())
  await add('what is not there', { tx: [0, 7], nono: [0], 'tx-other': [0] })
  await add("what is the broker's own", { __transaction_state: [0] })
  await producer.rest('before')
  await add('a partition', { tx: [0] })
  await add('it again', { tx: [0] })
  await add('more', { tx: [1, 2], 'tx-other': [0] })
  await producer.rest('open')
  await side.ask('init over an open one', initProducerId, 4, {
    transactionalId: producer.name,
    transactionTimeoutMs: 60_000,
  })
  await producer.rest('fenced')
  await add('fenced', { tx: [0] })
  if (version < 4) return
  const other = await Producer.open(side, `add-other-v${version}`)
  await producer.init()
  const topics = [{ name: 'tx', partitions: [0] }]
  const transactions = [
    { transactionalId: producer.name, ...producer.held, verifyOnly: false, topics },
    { transactionalId: other.name, ...other.held, verifyOnly: true, topics },
  ]
  await side.ask('two producers', addPartitionsToTxn, version, { transactions } as unknown as Body<
    typeof addPartitionsToTxn
  >)
}

async function endScenario(side: Side, version: number): Promise<void> {
  const producer = await Producer.open(side, `end-v${version}`)
  const end = (label: string, committed: boolean, held?: Held, name?: string) =>
    producer.end(label, version, committed, held, name)
  const rest = (label: string) => producer.rest(label)
  await end('as nobody', true, producer.held, '')
  await end('as somebody unknown', true, producer.held, 'unknown')
  await end('as a stranger', true, producer.stranger)
  await end('ahead', true, producer.bumped())
  await end('commit nothing', true)
  await end('abort nothing', false)
  await rest('nothing')
  await end('abort nothing again', false)
  await rest('nothing again')
  for (const committed of [true, false]) {
    const outcome = committed ? 'commit' : 'abort'
    await producer.init()
    await producer.add(`before ${outcome}`, 3, { tx: [0], 'tx-other': [0] })
    await producer.ends(`open, before ${outcome}`, 'tx')
    await end(outcome, committed)
    await rest(outcome)
    await end(`${outcome} again`, committed)
    await end(`other after ${outcome}`, !committed)
    await rest(`other after ${outcome}`)
    await end(`${outcome} with the next epoch`, committed, producer.bumped())
    await rest(`${outcome} with the next epoch`)
  }
}

async function produceTransactionally(side: Side, version: number): Promise<void> {
  const topic = `tx-produce-v${version}`
  const topicId = await side.topic(topic, 2)
  const producer = await Producer.open(side, `produce-v${version}`)
  const named = { name: topic, topicId }
  const group = `group of ${producer.name}`
  await coordinatorsReady(side, [group])
  const send = (label: string, sequence: number, more = {}) => producer.send(label, version, topic, sequence, more)
  await send('before', 0)
  await send('as nobody', 0, { name: null })
  await send('as an empty name', 0, { name: '' })
  await send('as somebody unknown', 0, { name: 'unknown' })
  // Elsewhere: Kafka keeps what it was asked to verify, and holds later batches of that partition against it.
  await producer.send('as a stranger', version, 'tx-other', 0, { held: producer.stranger })
  await producer.send('ahead', version, 'tx-other', 0, { held: producer.bumped() })
  await send('what is not there', 0, { index: 9 })
  await producer.rest('before')
  await producer.add('for produce', 3, { [topic]: [0] })
  await send('added', 0)
  await send('the next', 1)
  await send('the next again', 1)
  await send('a gap', 7)
  await send('not added', 0, { index: 1 })
  await producer.rest('produced')
  await producer.ends('open', topic)
  await commits(side, producer, version < 12 ? 3 : 5, named)
  const endVersion = version < 12 ? 4 : 5
  await producer.end('produced', endVersion, true)
  await producer.rest('committed')
  await producer.ends('committed', topic)
  await producer.offset('committed', topic)
  await send('after', 2)
  await producer.init()
  await producer.add('for abort', 3, { [topic]: [0] })
  await send('to be aborted', 0)
  await producer.end('to be aborted', endVersion, false)
  await producer.rest('aborted')
  await producer.ends('aborted', topic)
}

async function commits(
  side: Side,
  producer: Producer,
  version: number,
  topic: { name: string; topicId: string },
): Promise<void> {
  const groupId = `group of ${producer.name}`
  const commit = (label: string, more?: Partial<Body<typeof txnOffsetCommit>>, offset?: number) =>
    producer.commit(label, version, topic, more, offset)
  await commit('not added')
  await commit('as nobody', { transactionalId: '' })
  await commit('as somebody unknown', { transactionalId: 'unknown' })
  await commit('as a stranger', producer.stranger)
  await commit('ahead', producer.bumped())
  await commit('of no group', { groupId: '' })
  for (const asked of side.versionsOf(addOffsetsToTxn)) {
    const add = (label: string, more: Partial<Body<typeof addOffsetsToTxn>>) =>
      side.ask(`offsets ${label}`, addOffsetsToTxn, asked, {
        transactionalId: producer.name,
        ...producer.held,
        groupId,
        ...more,
      })
    await add('as nobody', { transactionalId: '' })
    await add('as somebody unknown', { transactionalId: 'unknown' })
    await add('as a stranger', producer.stranger)
    await add('ahead', producer.bumped())
    await add('of the group', {})
  }
  await commit('added')
  await commit('of a generation', { generationIdOrMemberEpoch: 3, memberId: 'm' })
  await commit('of a member', { memberId: 'm' })
  await commit('of an instance', { groupInstanceId: 'i' })
  await commit('more', {}, 8)
  const partitions = [{ partitionIndex: 9, committedOffset: 1, committedMetadata: '' }]
  await commit('what is not there', {
    topics: [
      { ...topic, partitions },
      { name: 'nono', topicId: 'abcdefghijklmnopqrstuQ', partitions },
    ],
  })
  await producer.offset('open', topic.name)
  const plain = [{ name: topic.name, partitions: [{ partitionIndex: 0, committedOffset: 3, committedMetadata: '' }] }]
  await side.ask('plain commit meanwhile', offsetCommit, 7, { groupId, memberId: '', topics: plain })
  await producer.offset('plain', topic.name)
}

async function markersScenario(side: Side): Promise<void> {
  await side.topic('tx-marked', 2)
  await eachVersion(side, writeTxnMarkers, async (version) => {
    const mark = (
      label: string,
      producerId: number,
      producerEpoch: number,
      coordinatorEpoch = 0,
      partitionIndexes = [0],
    ) => {
      const topics = [{ name: label === 'nothing there' ? 'nono' : 'tx-marked', partitionIndexes }]
      const markers = [{ producerId, producerEpoch, transactionResult: false, coordinatorEpoch, topics }]
      return side.ask(`mark ${label}`, writeTxnMarkers, version, { markers })
    }
    const id = 99_000 + version
    await mark('nothing there', id, 0)
    await mark('no such partition', id, 0, 0, [7])
    await mark('a beginning', id, 5)
    await mark('it again', id, 5)
    await mark('an older epoch', id, 4)
    await mark('a newer coordinator', id, 5, 3)
    await mark('an older coordinator', id, 5, 2)
    await mark('the last epoch', id, 32_767, 3)
    await side.ask('no markers', writeTxnMarkers, version, { markers: [] })
    const topics = [{ name: 'tx-marked', partitionIndexes: [0, 1, 7] }]
    await side.ask('producers', describeProducers, 0, { topics })
  })
}

async function listScenario(side: Side): Promise<void> {
  await eachVersion(side, listTransactions, async (version) => {
    const list = (label: string, more: Partial<Body<typeof listTransactions>>) =>
      side.ask(`list ${label}`, listTransactions, version, { stateFilters: [], producerIdFilters: [], ...more })
    await list('all', {})
    await list('open', { stateFilters: ['Ongoing'] })
    await list('unknown states', { stateFilters: ['Foo', 'ongoing', 'Dead', 'Empty'] })
    await list('nobody', { producerIdFilters: [-1, 77_777_777] })
    for (const durationFilter of [-5, 1_000_000_000]) await list(`for ${durationFilter}`, { durationFilter })
    for (const transactionalIdPattern of [
      '',
      '(',
      'add',
      'add.*',
      '.*v3',
      '[',
      '\\d',
      'a(?=d)',
      '(a)\\1',
      '(?P<x>add).*',
    ])
      await list(`like «${transactionalIdPattern}»`, { transactionalIdPattern })
  })
  await side.ask('state of nobody', describeTransactions, 0, { transactionalIds: ['', 'unknown', 'add-v0'] })
  await side.ask('state of none', describeTransactions, 0, { transactionalIds: [] })
}
