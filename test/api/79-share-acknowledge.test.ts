// ShareAcknowledge on the wire, with the answers of Kafka 4.4.0.

import { expect, test, vi } from 'vitest'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { iterateBatches } from '../../protocol/records/batch.ts'
import { readRecords } from '../../protocol/records/record.ts'
import { configureGroup, joined, Sharer } from '../share/member.ts'
import { errorOf, Line, unknownId } from './line.ts'

async function opened() {
  const line = await Line.open([{ name: 'jobs', partitions: 1 }])
  const a = await joined(line, 'jobs')
  const id = await line.id('jobs')
  await line.append('jobs', 0, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
  await a.take([[id, 0]])
  return { line, a, id }
}

test('a member says what became of records one by one, or of many at once', async () => {
  const { line, a, id } = await opened()
  await using _ = line
  expect(await a.say(id, 0, [0, 3, 0, 1, 2, 3], [4, 5, 1])).toBe('NONE')
  expect(await a.take()).toBe('0: 2-2x2')
  expect(await a.say(id, 0, [2, 2, 1], [6, 9, 1])).toBe('NONE')
  expect(await a.take()).toBe('')
})

test('what is wrong with an acknowledgement is said as Kafka says it', async () => {
  const { line, a, id } = await opened()
  await using _ = line
  expect(await a.say(id, 0, [3, 3])).toBe('INVALID_REQUEST')
  expect(await a.say(id, 0, [3, 3, 1, 1])).toBe('INVALID_REQUEST')
  expect(await a.say(id, 0, [3, 3, 9])).toBe('INVALID_REQUEST')
  expect(await a.say(id, 0, [3, 3, -1])).toBe('INVALID_REQUEST')
  expect(await a.say(id, 0, [5, 5, 1], [3, 3, 1])).toBe('INVALID_REQUEST')
  expect(await a.say(id, 0, [5, 4, 1])).toBe('INVALID_REQUEST')
  expect(await a.say(id, 0, [3, 4, 1], [4, 5, 1])).toBe('INVALID_RECORD_STATE')
  expect(await a.say(id, 0, [100, 100, 1])).toBe('INVALID_REQUEST')
  expect(await a.say(id, 0, [9, 100, 1])).toBe('INVALID_REQUEST')
  expect(await a.say(unknownId, 0, [0, 0, 1])).toBe('UNKNOWN_TOPIC_ID')
  expect(await a.say(id, 7, [0, 0, 1])).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  expect(await new Sharer(line.client, 'b').say(id, 0, [0, 0, 1])).toBe('INVALID_SHARE_SESSION_EPOCH')
  const b = new Sharer(line.client, 'b')
  b.epoch = 1
  expect(await b.say(id, 0, [0, 0, 1])).toBe('SHARE_SESSION_NOT_FOUND')
  expect(await new Sharer(line.client, '').say(id, 0, [0, 0, 1])).toBe('INVALID_REQUEST')
  expect((await a.acknowledge([[id, 0]])).responses).toEqual([])
})

test('renewals need the flag that says there are some (KIP-1222), and a group that allows them', async () => {
  const { line, a, id } = await opened()
  await using _ = line
  expect(await a.say(id, 0, [3, 3, 4])).toBe('INVALID_REQUEST')
  const renewed = await a.acknowledge([[id, 0, [3, 3, 4]]], { isRenewAck: true })
  expect(errorOf(renewed.responses[0]!.partitions[0]!)).toBe('NONE')
  expect(renewed.acquisitionLockTimeoutMs).toBe(30_000)
  await configureGroup(line, 'workers', { 'share.renew.acknowledge.enable': 'false' })
  const refused = await a.acknowledge([[id, 0, [3, 3, 4]]], { isRenewAck: true })
  expect(errorOf(refused.responses[0]!.partitions[0]!)).toBe('INVALID_REQUEST')
})

test('what a group gives up is copied to the topic that it names (KIP-1191), with key and value where it wants them', async () => {
  const { line, a, id } = await opened()
  await using _ = line
  const config = { 'errors.deadletterqueue.group.enable': 'true' }
  await line.broker.createTopics([{ name: 'dlq.jobs', config }, { name: 'dlq.closed' }])
  const letters = async () => {
    const topics = [{ topic: 'dlq.jobs', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1e6 }] }]
    const { responses } = await line.ask(fetch, 12, { isolationLevel: 0, maxWaitMs: 0, minBytes: 0, topics })
    const bytes = responses[0]!.partitions[0]!.records as Buffer
    return [...iterateBatches(bytes)].flatMap((at) =>
      [...readRecords(bytes, at)].map(({ key, value, headers }) =>
        [key, value, ...headers.map((header) => `${header.key}=${header.value}`)].join(' '),
      ),
    )
  }
  await configureGroup(line, 'workers', { 'errors.deadletterqueue.topic.name': 'dlq.jobs' })
  expect(await a.say(id, 0, [2, 2, 3])).toBe('NONE')
  await configureGroup(line, 'workers', { 'errors.deadletterqueue.copy.record.enable': 'true' })
  expect(await a.say(id, 0, [7, 7, 3])).toBe('NONE')
  const where = (offset: number) =>
    `__dlq.errors.topic=jobs __dlq.errors.partition=0 __dlq.errors.offset=${offset} __dlq.errors.group=workers ` +
    '__dlq.errors.delivery.count=1 __dlq.errors.message=Offset rejected by client.'
  expect(await letters()).toEqual([`  ${where(2)}`, `k 7 ${where(7)}`])
  // What cannot be copied is given up all the same.
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  for (const [offset, name] of ['dlq.closed', 'dlq.absent', 'jobs'].entries()) {
    await configureGroup(line, 'workers', { 'errors.deadletterqueue.topic.name': name })
    expect(await a.say(id, 0, [offset + 3, offset + 3, 3])).toBe('NONE')
  }
  expect(said).toHaveBeenCalledTimes(3)
  said.mockRestore()
})

test('the last word of a session counts, and what it does not name goes to others', async () => {
  const { line, a, id } = await opened()
  await using _ = line
  a.epoch = -1
  expect(await a.say(id, 0, [0, 4, 1])).toBe('NONE')
  const b = new Sharer(await line.another(), 'b')
  expect(await b.take([[id, 0]])).toBe('0: 5-9x2')
})
