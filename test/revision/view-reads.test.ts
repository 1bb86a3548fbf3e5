// Views beside everything else that happens to a topic: transactions, branches, filters, retention, clients that wait.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { errors } from '../../protocol/errors.ts'
import { produce } from '../../protocol/messages/00-produce.ts'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { listOffsets } from '../../protocol/messages/02-list-offsets.ts'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { deleteRecords } from '../../protocol/messages/21-delete-records.ts'
import { initProducerId } from '../../protocol/messages/22-init-producer-id.ts'
import { offsetForLeaderEpoch } from '../../protocol/messages/23-offset-for-leader-epoch.ts'
import { addPartitionsToTxn } from '../../protocol/messages/24-add-partitions-to-txn.ts'
import { decodeDelta } from '../../src/revision/decode-delta.ts'
import { batchOf, WireClient } from '../wire-client.ts'
import { document, drawing } from './delta-pairs.ts'
import { type Read, Stage, trim, view } from './stage.ts'

let stage: Stage
let wire: WireClient

beforeAll(async () => {
  stage = await Stage.open()
  wire = await WireClient.open(stage.broker.bootstrapServers)
})
afterAll(async () => {
  wire.close()
  await stage[Symbol.asyncDispose]()
})

const text = (of: unknown) => (of === null || of === undefined ? null : String(of))
const header = ({ headers }: Pick<Read, 'headers'>, name: string) => text(headers?.[name])
const shown = (records: readonly Read[]) =>
  records.map(({ offset, key, value }) => [Number(offset), text(key), text(value)])

const all = { timestamp: -1 as number, currentLeaderEpoch: -1 }

async function listed(
  topic: string,
  timestamp: number,
): Promise<{ errorCode: number; offset: number; timestamp: number }> {
  const topics = [{ name: topic, partitions: [{ ...all, partitionIndex: 0, timestamp }] }]
  const answer = await wire.ask(listOffsets, 7, { replicaId: -1, isolationLevel: 0, topics })
  const { errorCode, offset, timestamp: time } = answer.topics[0]!.partitions[0]!
  return { errorCode, offset, timestamp: Number(time) }
}

type Waited = { maxWaitMs?: number; isolationLevel?: number; client?: WireClient }

async function fetched(
  topic: string,
  fetchOffset: number,
  { maxWaitMs = 0, isolationLevel = 0, client = wire }: Waited = {},
) {
  const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 1 << 20, currentLeaderEpoch: -1 }]
  const topics = [{ topic, partitions }]
  const answer = await client.ask(fetch, 11, {
    replicaId: -1,
    maxWaitMs,
    minBytes: 1,
    maxBytes: 1 << 20,
    isolationLevel,
    topics,
  })
  return answer.responses[0]!.partitions[0]!
}

test('R6: a state at an offset or a time is the map that a consumer builds by replaying the source to there', async () => {
  await stage.create('r6')
  const map = new Map<string, [number, string | null]>()
  const states: Map<string, [number, string | null]>[] = [new Map()]
  for (let i = 0; i < 60; i++) {
    const key = `k${(i * 7) % 11}`
    const value = i % 13 === 5 ? null : `v${i}`
    await stage.send('r6', [{ key, value, timestamp: String(10_000 + 10 * i) }])
    map.set(key, [i, value])
    states.push(new Map(map))
  }
  const expected = (at: number) =>
    [...states[at]!].map(([key, [offset, value]]) => [offset, key, value]).sort((a, b) => Number(a[0]) - Number(b[0]))
  for (const at of [1, 17, 41, 60]) {
    await view(stage, 'r6', 'state', `r6-at-${at}`, { 'view.at': `offset:${at}` })
    expect(shown(await stage.read(`r6-at-${at}`, states[at]!.size))).toEqual(expected(at))
    expect((await stage.ends(`r6-at-${at}`))[0]!.high).toBe(at)
  }
  await view(stage, 'r6', 'state', 'r6-then', { 'view.at': `timestamp:${10_000 + 10 * 33 - 5}` })
  expect(shown(await stage.read('r6-then', states[33]!.size))).toEqual(expected(33))
  await view(stage, 'r6', 'state', 'r6-nothing', { 'view.at': 'offset:0' })
  expect(await stage.ends('r6-nothing')).toEqual([{ low: 0, high: 0 }])
})

test('R20: a filter by a scalar gives what a client would have left; what is no JSON is skipped', async () => {
  await stage.create('r20', 1, { 'revision.index.json': '/status,/n' })
  const states = ['"paid"', '"open"', '5', '5.0', '"5"', 'null', 'true']
  const values = Array.from({ length: 140 }, (_, i) =>
    i % 20 === 3 ? 'no json' : i % 20 === 9 ? null : `{"status":${states[i % 7]},"n":{"deep":1}}`,
  )
  await stage.send(
    'r20',
    values.map((value, i) => ({ key: `k${i % 9}`, value })),
  )
  const wanted: [string, (status: unknown) => boolean][] = [
    ['/status=paid', (status) => status === 'paid'],
    ['/status=5', (status) => status === 5],
    ['/status="5"', (status) => status === '5'],
    ['/status=null', (status) => status === null],
    ['/status=true', (status) => status === true],
  ]
  for (const [i, [where, holds]] of wanted.entries()) {
    const matching = values.flatMap((value, offset) => {
      if (value === null || value === 'no json' || !holds(JSON.parse(value).status)) return []
      return [[offset, `k${offset % 9}`, value]]
    })
    await view(stage, 'r20', 'history', `r20-${i}`, { 'view.where': where })
    expect(shown(await stage.read(`r20-${i}`, matching.length))).toEqual(matching)
    expect((await stage.ends(`r20-${i}`))[0]!.high).toBe(Number(matching.at(-1)![0]) + 1)
    const ofKey = matching.filter(([, key]) => key === 'k3')
    await view(stage, 'r20', 'history', `r20-${i}-k3`, { 'view.where': where, 'view.key': 'k3' })
    expect(shown(await stage.read(`r20-${i}-k3`, ofKey.length))).toEqual(ofKey)
  }
  await view(stage, 'r20', 'list', 'r20-none', { 'view.where': '/status=nowhere' })
  expect(await stage.ends('r20-none')).toEqual([{ low: 0, high: 0 }])
})

test('a member whose name has what lists and filters are made of is indexed and asked for as in a URI', async () => {
  await stage.create('named', 1, { 'revision.index.json': '#/a%3Db%2Cc,/n' })
  await stage.send(
    'named',
    [1, 2, 1].map((n, i) => ({ key: `k${i}`, value: JSON.stringify({ 'a=b,c': n, n: i }) })),
  )
  await view(stage, 'named', 'history', 'named-ones', { 'view.where': '#/a%3Db%2Cc=1' })
  expect((await stage.read('named-ones', 2)).map(({ offset }) => offset)).toEqual(['0', '2'])
  await expect(view(stage, 'named', 'history', 'named-not', { 'view.where': '#/a%3Db=1' })).rejects.toThrow()
  const { resources } = await stage.admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: 2, name: 'named', configEntries: [{ name: 'revision.index.json', value: '#/a%3Db%2Cc' }] }],
  })
  expect(resources[0]!.errorCode).toBe(0)
})

test('R22: nobody writes to a view, deletes from it, forks it or takes it into a transaction; it goes with its source', async () => {
  // KafkaJS goes on asking for a topic that it has written to and that is gone.
  await using stage = await Stage.open()
  const wire = await WireClient.open(stage.broker.bootstrapServers)
  await stage.create('r22')
  await stage.send('r22', [{ key: 'k', value: 'v' }])
  await view(stage, 'r22', 'state', 'r22-state')
  const refused = errors.INVALID_TOPIC_EXCEPTION.code
  const topicData = [{ name: 'r22-state', partitionData: [{ index: 0, records: batchOf(['x']) }] }]
  const produced = await wire.ask(produce, 9, { transactionalId: null, acks: -1, timeoutMs: 1000, topicData })
  const answer = produced.responses[0]!.partitionResponses[0]!
  expect([answer.errorCode, answer.errorMessage]).toEqual([
    refused,
    "'r22-state' is a view of 'r22' and has no records of its own: produce to 'r22'.",
  ])
  const topics = [{ name: 'r22-state', partitions: [{ partitionIndex: 0, offset: 1 }] }]
  const deleted = await wire.ask(deleteRecords, 2, { topics, timeoutMs: 1000 })
  expect(deleted.topics[0]!.partitions[0]!.errorCode).toBe(refused)
  const id = { transactionalId: 'r22', transactionTimeoutMs: 60_000 }
  const { producerId, producerEpoch } = await wire.ask(initProducerId, 4, id)
  const added = await wire.ask(addPartitionsToTxn, 3, {
    v3AndBelowTransactionalId: 'r22',
    v3AndBelowProducerId: producerId,
    v3AndBelowProducerEpoch: producerEpoch,
    v3AndBelowTopics: [{ name: 'r22-state', partitions: [0] }],
  })
  expect(added.resultsByTopicV3AndBelow[0]!.resultsByPartition[0]!.partitionErrorCode).toBe(refused)
  expect(await stage.refusals([{ from: 'r22-state', topic: 'r22-fork' }])).toHaveProperty('r22-fork')
  await view(stage, 'r22', 'list', 'r22-list')
  await stage.admin.deleteTopics({ topics: ['r22-list'] })
  expect(shown(await stage.read('r22', 1))).toEqual([[0, 'k', 'v']])
  await stage.admin.deleteTopics({ topics: ['r22'] })
  expect((await stage.made()).filter((name) => name.startsWith('r22'))).toEqual([])
  wire.close()
})

test('R23: a branch of a revision topic goes on with numbers of its own', async () => {
  await stage.create('r23', 1, { 'revision.diff': true })
  await stage.send(
    'r23',
    Array.from({ length: 5 }, (_, i) => ({ key: 'k', value: `common ${i + 1}` })),
  )
  await stage.fork('r23', 'r23--try')
  await stage.send('r23', [{ key: 'k', value: 'parent 6' }])
  await stage.send('r23--try', [{ key: 'k', value: 'child 6' }])
  await stage.send('r23--try', [{ key: 'k', value: 'child 7' }])
  await view(stage, 'r23', 'history', 'r23-history', { 'view.key': 'k' })
  await view(stage, 'r23--try', 'history', 'r23--try-history', { 'view.key': 'k' })
  const told = (records: readonly Read[]) => records.map((record) => [header(record, 'rev'), text(record.value)])
  const common = Array.from({ length: 5 }, (_, i) => [`${i + 1}`, `common ${i + 1}`])
  expect(told(await stage.read('r23-history', 6))).toEqual([...common, ['6', 'parent 6']])
  expect(told(await stage.read('r23--try-history', 7))).toEqual([...common, ['6', 'child 6'], ['7', 'child 7']])
})

test('R30: who begins in the middle of the deltas fetches the base from the source and goes on', async () => {
  await stage.create('r30')
  const values = Array.from({ length: 40 }, (_, i) => `{"fixed":"${'f'.repeat(200)}","version":${i}}`)
  await stage.send(
    'r30',
    values.map((value) => ({ key: 'k', value })),
  )
  await view(stage, 'r30', 'diff', 'r30-diff')
  const deltas = (await stage.read('r30-diff', 40)).slice(20)
  const base = Number(header(deltas[0]!, 'rev.base.offset'))
  let value: Buffer = (await stage.read('r30', 40)).find(({ offset }) => Number(offset) === base)!.value!
  for (const [i, delta] of deltas.entries()) {
    expect(header(delta, 'rev.format')).toBe('vcdiff')
    value = decodeDelta(value, delta.value!, 10_000)
    expect(String(value)).toBe(values[20 + i])
  }
})

test('R33: over open and aborted transactions both isolation levels read the committed records, numbered without gaps', async () => {
  await stage.create('r33')
  const write = async (values: readonly string[], end: 'commit' | 'abort' | undefined) => {
    const producer = stage.kafka.producer({ transactionalId: `r33-${Math.random()}`, maxInFlightRequests: 1 })
    await producer.connect()
    const transaction = await producer.transaction()
    await transaction.send({ topic: 'r33', messages: values.map((value) => ({ key: 'k', value })) })
    if (end !== undefined) await transaction[end]()
    return { producer, transaction }
  }
  await stage.send('r33', [{ key: 'k', value: 'first' }])
  await (await write(['taken back'], 'abort')).producer.disconnect()
  await (await write(['second', 'third'], 'commit')).producer.disconnect()
  const open = await write(['fourth'], undefined)
  await stage.send('r33', [{ key: 'k', value: 'fifth' }])
  await view(stage, 'r33', 'history', 'r33-history')
  const told = async (count: number, uncommitted: boolean) =>
    (await stage.read('r33-history', count, uncommitted)).map((record) => [header(record, 'rev'), text(record.value)])
  const decided = [
    ['1', 'first'],
    ['2', 'second'],
    ['3', 'third'],
  ]
  for (const uncommitted of [true, false]) expect(await told(3, uncommitted)).toEqual(decided)
  const before = await stage.ends('r33-history')
  for (const isolationLevel of [0, 1]) {
    const { highWatermark, lastStableOffset } = await fetched('r33-history', 0, { isolationLevel })
    expect([Number(highWatermark), Number(lastStableOffset)]).toEqual([before[0]!.high, before[0]!.high])
  }
  await open.transaction.commit()
  await open.producer.disconnect()
  for (const uncommitted of [true, false]) {
    expect(await told(5, uncommitted)).toEqual([...decided, ['4', 'fourth'], ['5', 'fifth']])
  }
})

test('a fetch at the end of a view waits for a record that it shows, and is not woken by others', async () => {
  await stage.create('waiting')
  await stage.send('waiting', [{ key: 'a', value: '1' }])
  await view(stage, 'waiting', 'history', 'waiting-a', { 'view.key': 'a' })
  const other = await WireClient.open(stage.broker.bootstrapServers)
  try {
    let isAnswered = false
    const answer = fetched('waiting-a', 1, { maxWaitMs: 30_000, client: other }).then((of) => {
      isAnswered = true
      return of
    })
    for (let i = 0; i < 20; i++) await stage.send('waiting', [{ key: 'b', value: `${i}` }])
    expect(isAnswered).toBe(false)
    await stage.send('waiting', [{ key: 'a', value: '2' }])
    const { highWatermark, records } = await answer
    expect(Number(highWatermark)).toBe(22)
    expect((records as Buffer).length).toBeGreaterThan(0)
  } finally {
    other.close()
  }
  // Between the end of the view and that of its source there is nothing, and behind that nobody can be.
  await stage.send('waiting', [{ key: 'b', value: 'last' }])
  const behind = await fetched('waiting-a', 23)
  expect([behind.errorCode, Number(behind.highWatermark), (behind.records as Buffer).length]).toEqual([0, 22, 0])
  expect((await fetched('waiting-a', 24)).errorCode).toBe(errors.OFFSET_OUT_OF_RANGE.code)
})

test('times, epochs and the log start of a view are those of its source', async () => {
  await stage.create('times')
  for (let i = 0; i < 10; i++) {
    await stage.send('times', [{ key: i % 2 === 0 ? 'even' : 'odd', value: `${i}`, timestamp: String(1000 + 100 * i) }])
  }
  await view(stage, 'times', 'history', 'times-even', { 'view.key': 'even' })
  expect(await listed('times-even', 1250)).toEqual({ errorCode: 0, offset: 4, timestamp: 1400 })
  expect(await listed('times-even', 1850)).toEqual({ errorCode: 0, offset: -1, timestamp: -1 })
  expect(await listed('times-even', -1)).toEqual({ errorCode: 0, offset: 9, timestamp: -1 })
  expect(await listed('times-even', -3)).toEqual({ errorCode: 0, offset: 8, timestamp: 1800 })
  const topics = [{ topic: 'times-even', partitions: [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch: 0 }] }]
  const ended = await wire.ask(offsetForLeaderEpoch, 4, { replicaId: -1, topics })
  expect(ended.topics[0]!.partitions[0]).toMatchObject({ errorCode: 0, leaderEpoch: 0, endOffset: 10 })
  await trim(stage, 'times', 5)
  expect(await stage.ends('times-even')).toEqual([{ low: 5, high: 9 }])
  expect((await fetched('times-even', 4)).errorCode).toBe(errors.OFFSET_OUT_OF_RANGE.code)
  const records = await stage.read('times-even', 2)
  expect(shown(records)).toEqual([
    [6, 'even', '6'],
    [8, 'even', '8'],
  ])
  expect(records.map((record) => header(record, 'rev'))).toEqual(['4', '5'])
  await trim(stage, 'times', 10)
  expect(await stage.ends('times-even')).toEqual([{ low: 10, high: 10 }])
})

test('a time leads to the first record that a view shows and that is as young, in whatever order times came', async () => {
  await stage.create('young', 1, { 'revision.diff': true, 'revision.index.json': '/s' })
  const sent = Array.from({ length: 120 }, (_, offset) => {
    const value = JSON.stringify({ s: offset % 3 })
    return { offset, key: 'abc'[((offset * 7) % 5) % 3]!, value, timestamp: 5000 + ((offset * 37) % 101) * 10 }
  })
  await stage.send(
    'young',
    sent.map(({ key, value, timestamp }) => ({ key, value, timestamp: String(timestamp) })),
  )
  const isNewest = ({ key, offset }: (typeof sent)[0]) => !sent.some((of) => of.key === key && of.offset > offset)
  const kinds: [string, string, Record<string, string>, (of: (typeof sent)[0]) => boolean][] = [
    ['young-all', 'history', {}, () => true],
    ['young-now', 'state', {}, isNewest],
    ['young-b', 'list', { 'view.key': 'b' }, ({ key }) => key === 'b'],
    ['young-2', 'diff', { 'view.where': '/s=2' }, ({ value }) => value.includes('2')],
  ]
  for (const [name, kind, configs, isShown] of kinds) {
    await view(stage, 'young', kind, name, configs)
    const shown = sent.filter(isShown)
    const told = (of: (typeof sent)[0] | undefined) => {
      return { errorCode: 0, offset: of?.offset ?? -1, timestamp: of?.timestamp ?? -1 }
    }
    for (const time of [0, 5005, 5500, 5990, 6000, 6001]) {
      expect(await listed(name, time), `${name} at ${time}`).toEqual(told(shown.find((of) => of.timestamp >= time)))
    }
    const largest = Math.max(...shown.map(({ timestamp }) => timestamp))
    expect(await listed(name, -3), name).toEqual(told(shown.find(({ timestamp }) => timestamp === largest)))
  }
})

test('keys of any bytes, records with headers, codecs and empty values come through a view as they are', async () => {
  await stage.create('odd')
  const key = Buffer.from([0xff, 0x00, 0xfe])
  await stage.send('odd', [
    { key, value: '', headers: { mine: 'yes' } },
    { key, value: Buffer.from([1, 2, 3]) },
  ])
  await view(stage, 'odd', 'list', 'odd-list', { 'view.key.base64': key.toString('base64') })
  const rows = (await stage.read('odd-list', 2)).map((record) => [JSON.parse(String(record.value)), record] as const)
  expect(rows.map(([{ keyBase64, rev, size }]) => [keyBase64, rev, size])).toEqual([
    ['/wD+', 1, 0],
    ['/wD+', 2, 3],
  ])
  expect(header(rows[0]![1], 'mine')).toBe('yes')
  expect(rows[0]![1].key).toEqual(key)
  await view(stage, 'odd', 'diff', 'odd-diff')
  const deltas = await stage.read('odd-diff', 2)
  expect(deltas.map((record) => header(record, 'rev.format'))).toEqual(['full', 'full'])
  expect(deltas[0]!.value).toEqual(Buffer.alloc(0))
  const { brokers } = await wire.ask(metadata, 9, { topics: [{ name: 'odd-diff' }], allowAutoTopicCreation: false })
  expect(brokers.length).toBe(1)
})

/** Values of which no two are alike, each longer than what a delta is made of at once. */
const unlike = (length: number) => Array.from({ length }, (_, i) => document(drawing(100 + i), 400_000))

test('a delta of long values is made while others have their turn: 16 MiB that had nothing in common held everybody up for half a second', async () => {
  const values = unlike(2)
  await stage.create('long', 1, { 'revision.diff': true })
  for (const value of values) await stage.send('long', [{ key: 'k', value }])
  await view(stage, 'long', 'diff', 'long-diff')
  const other = await WireClient.open(stage.broker.bootstrapServers)
  try {
    await fetched('long-diff', 0)
    const answers: string[] = []
    const delta = fetched('long-diff', 1, { maxWaitMs: 60_000 }).then((answer) => {
      answers.push('delta')
      return answer
    })
    await new Promise(setImmediate)
    await other.ask(metadata, 9, { topics: [{ name: 'long' }], allowAutoTopicCreation: false })
    answers.push('metadata')
    expect((await delta).records).toHaveProperty('length')
    expect(answers).toEqual(['metadata', 'delta'])
  } finally {
    other.close()
  }
})

test('deltas of long values are read by several clients at a time, each whole and in order', async () => {
  const values = unlike(6)
  await stage.create('longer', 1, { 'revision.diff': true })
  for (const value of values) await stage.send('longer', [{ key: 'k', value }])
  await view(stage, 'longer', 'diff', 'longer-diff')
  for (const read of await Promise.all([1, 2, 3].map(() => stage.read('longer-diff', 6)))) {
    expect(read.map((record) => header(record, 'rev.format'))).toEqual(['full', ...Array(5).fill('vcdiff')])
    let before: Buffer = Buffer.alloc(0)
    for (const [i, { value }] of read.entries()) {
      before = i === 0 ? value! : decodeDelta(before, value!, values[i]!.length)
      expect(before.equals(values[i]!)).toBe(true)
    }
  }
})
