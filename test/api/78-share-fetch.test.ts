// ShareFetch on the wire, with the answers of Kafka 4.4.0.

import { expect, test } from 'vitest'
import { produce } from '../../protocol/messages/00-produce.ts'
import { initProducerId } from '../../protocol/messages/22-init-producer-id.ts'
import { addPartitionsToTxn } from '../../protocol/messages/24-add-partitions-to-txn.ts'
import { endTxn } from '../../protocol/messages/26-end-txn.ts'
import { iterateBatches } from '../../protocol/records/batch.ts'
import { readRecords } from '../../protocol/records/record.ts'
import { configureGroup, joined, Sharer, shownFetch } from '../share/member.ts'
import { batchOf } from '../wire-client.ts'
import { Line, unknownId } from './line.ts'

const values = (bytes: Buffer | null): string[] => {
  const found: string[] = []
  if (bytes === null) return found
  for (const at of iterateBatches(bytes)) for (const { value } of readRecords(bytes, at)) found.push(String(value))
  return found
}

async function opened(partitions = 1): Promise<{ line: Line; a: Sharer; id: string }> {
  const line = await Line.open([{ name: 'jobs', partitions }])
  const a = await joined(line, 'jobs')
  return { line, a, id: await line.id('jobs') }
}

test('a member gets records, with how often they were handed out, and for how long it may keep them', async () => {
  const { line, a, id } = await opened()
  await using _ = line
  await line.append('jobs', 0, ['x', 'y', 'z'])
  const answer = await a.fetch([[id, 0]])
  expect(shownFetch(answer)).toBe('0: 0-2x1')
  expect(answer.acquisitionLockTimeoutMs).toBe(30_000)
  expect(values(answer.responses[0]!.partitions[0]!.records as Buffer)).toEqual(['x', 'y', 'z'])
})

test('a session names its partitions once; what is forgotten is no longer read', async () => {
  const { line, a, id } = await opened(2)
  await using _ = line
  expect(
    await a.take([
      [id, 0],
      [id, 1],
    ]),
  ).toBe('0: - | 1: -')
  await line.append('jobs', 1, ['x'])
  expect(await a.take()).toBe('1: 0-0x1')
  expect(await a.take()).toBe('')
  await line.append('jobs', 1, ['y'])
  expect(await a.take([], { forgottenTopicsData: [{ topicId: id, partitions: [1] }] })).toBe('')
})

test('a fetch that finds nothing waits, and is woken by records that come and by such as are given back', async () => {
  const { line, a, id } = await opened()
  await using _ = line
  const b = new Sharer(await line.another(), 'b')
  const coming = a.take([[id, 0]], { maxWaitMs: 60_000 })
  await line.append('jobs', 0, ['x'])
  expect(await coming).toBe('0: 0-0x1')
  const returning = b.take([[id, 0]], { maxWaitMs: 60_000 })
  expect(await a.say(id, 0, [0, 0, 2])).toBe('NONE')
  expect(await returning).toBe('0: 0-0x2')
})

test('who waits for many bytes waits until they are there, and takes what is there when the time is up', async () => {
  const { line, a, id } = await opened()
  await using _ = line
  await line.append('jobs', 0, ['x'])
  const taken = a.take([[id, 0]], { maxWaitMs: 60_000, minBytes: 200 })
  await line.append('jobs', 0, ['y'])
  await line.append('jobs', 0, ['z'.repeat(200)])
  expect(await taken).toBe('0: 0-2x1')
  await line.append('jobs', 0, ['u'])
  expect(await a.take([], { maxWaitMs: 10, minBytes: 10_000 })).toBe('0: 3-3x1')
})

test('what is given back with a fetch is free for others, and refused word by word', async () => {
  const { line, a, id } = await opened()
  await using _ = line
  await line.append('jobs', 0, ['x', 'y', 'z'])
  await a.take([[id, 0]])
  expect(await a.take([[id, 0, [0, 0, 1], [1, 2, 2]]])).toBe('0: 1-2x2')
  expect(await a.take([[id, 0, [1, 1, 9]]])).toBe('0: - (INVALID_REQUEST)')
  expect(await a.take([[id, 0, [7, 7, 1]]])).toBe('0: - (INVALID_REQUEST)')
  const b = new Sharer(await line.another(), 'b')
  await b.take([[id, 0]])
  expect(await b.take([[id, 0, [1, 1, 1]]])).toBe('0: - (INVALID_RECORD_STATE)')
})

test('what is wrong with a request or its session is said as Kafka says it', async () => {
  const { line, a, id } = await opened()
  await using _ = line
  const of = (memberId: string | null) => new Sharer(line.client, memberId as string)
  expect(await of(null).take([[id, 0]])).toBe('INVALID_REQUEST')
  expect(await of('').take([[id, 0]])).toBe('INVALID_REQUEST')
  expect(shownFetch(await of('c').fetch([[id, 0]], { groupId: null }))).toBe('INVALID_REQUEST')
  expect(await of('c').take([[id, 0, [0, 0, 1]]])).toBe('INVALID_REQUEST')
  expect(await of('c'.repeat(37)).take([[id, 0]])).toBe('INVALID_REQUEST')
  expect(await of('c').take([], { shareSessionEpoch: 3 })).toBe('SHARE_SESSION_NOT_FOUND')
  expect(await of('c').take([], { shareSessionEpoch: -1 })).toBe('SHARE_SESSION_NOT_FOUND')
  await a.take([[id, 0]])
  expect(await a.take([], { shareSessionEpoch: 9 })).toBe('INVALID_SHARE_SESSION_EPOCH')
  expect(await a.take([[id, 0, [0, 0, 4]]], { isRenewAck: true })).toBe('INVALID_REQUEST')
  expect(await a.take([[unknownId, 0]])).toBe('0: UNKNOWN_TOPIC_ID')
  expect(await a.take([[id, 9]])).toContain('9: UNKNOWN_TOPIC_OR_PARTITION')
  // Nobody of that group has ever joined.
  expect(await new Sharer(line.client, 'x', 'strangers').take([[id, 0]])).toBe('0: UNKNOWN_SERVER_ERROR')
})

test('no more sessions than group.share.max.share.sessions are open at a time', async () => {
  await using line = await Line.open([{ name: 'jobs', partitions: 1 }], { 'group.share.max.share.sessions': 1 })
  const a = await joined(line, 'jobs')
  const id = await line.id('jobs')
  expect(await a.take([[id, 0]])).toBe('0: -')
  expect(await new Sharer(line.client, 'b').take([[id, 0]])).toBe('SHARE_SESSION_LIMIT_REACHED')
  await a.close()
  expect(await new Sharer(line.client, 'b').take([[id, 0]])).toBe('0: -')
})

test('a session that ends gives everything back, and so does a connection that breaks', async () => {
  const { line, a, id } = await opened()
  await using _ = line
  await line.append('jobs', 0, ['x', 'y'])
  expect(await a.take([[id, 0]])).toBe('0: 0-1x1')
  expect(await a.close()).toBe('')
  const b = new Sharer(await line.another(), 'b')
  expect(await b.take([[id, 0]])).toBe('0: 0-1x2')
  const c = new Sharer(await line.another(), 'c')
  const taken = c.take([[id, 0]], { maxWaitMs: 60_000 })
  b.client.close()
  expect(await taken).toBe('0: 0-1x3')
})

test('read_committed members get what was committed, when it was, and nothing of what was taken back', async () => {
  const { line, a, id } = await opened()
  await using _ = line
  await configureGroup(line, 'workers', { 'share.isolation.level': 'read_committed' })
  const { producerId, producerEpoch } = await line.ask(initProducerId, 4, {
    transactionalId: 'tx',
    transactionTimeoutMs: 60_000,
    producerId: -1,
    producerEpoch: -1,
  })
  const producer = {
    v3AndBelowTransactionalId: 'tx',
    v3AndBelowProducerId: producerId,
    v3AndBelowProducerEpoch: producerEpoch,
  }
  const send = async (value: string, baseSequence: number) => {
    await line.ask(addPartitionsToTxn, 3, { ...producer, v3AndBelowTopics: [{ name: 'jobs', partitions: [0] }] })
    const records = batchOf([value], { producerId, producerEpoch, baseSequence, isTransactional: true })
    const topicData = [{ name: 'jobs', partitionData: [{ index: 0, records }] }]
    await line.ask(produce, 9, { transactionalId: 'tx', acks: -1, timeoutMs: 1000, topicData })
  }
  const end = (committed: boolean) =>
    line.ask(endTxn, 3, { transactionalId: 'tx', producerId, producerEpoch, committed })
  await send('taken back', 0)
  expect(await a.take([[id, 0]])).toBe('0: -')
  await end(false)
  await send('kept', 1)
  expect(await a.take()).toBe('')
  await end(true)
  // The marker may come after the answer.
  expect(await a.take([], { maxWaitMs: 60_000 })).toBe('0: 2-2x1')
  await line.append('jobs', 0, ['plain'])
  expect(await a.take()).toBe('0: 4-4x1')
  expect(await a.say(id, 0, [2, 2, 1], [4, 4, 1])).toBe('NONE')
})

test('version 1 knows neither renewal nor acquisition by number', async () => {
  const { line, a, id } = await opened()
  await using _ = line
  await line.append('jobs', 0, ['x', 'y', 'z'])
  expect(shownFetch(await a.fetch([[id, 0]], { maxRecords: 1 }, 1))).toBe('0: 0-2x1')
  expect(shownFetch(await a.fetch([[id, 0, [0, 0, 4]]], {}, 1))).toBe('0: - (INVALID_REQUEST)')
})

test('a way of taking records that does not exist is refused where there are records to be taken from', async () => {
  const { line, a, id } = await opened()
  await using _ = line
  expect(await a.take([], { shareAcquireMode: 7, shareSessionEpoch: 5 })).toBe('SHARE_SESSION_NOT_FOUND')
  expect(await a.take([[id, 0]], { shareAcquireMode: 7, shareSessionEpoch: 0 })).toBe('UNKNOWN_SERVER_ERROR')
  // The session was begun all the same.
  expect(await a.take([], { shareSessionEpoch: 1 })).toBe('')
  expect(await a.take([], { shareAcquireMode: -1, shareSessionEpoch: 2, maxRecords: 0 })).toBe('UNKNOWN_SERVER_ERROR')
  expect(await a.take([], { shareAcquireMode: 7, shareSessionEpoch: -1 })).toBe('')
})
