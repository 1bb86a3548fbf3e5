// ShareAcknowledge on the wire, with the answers of Kafka 4.4.0.

import { expect, test } from 'vitest'
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

test('the last word of a session counts, and what it does not name goes to others', async () => {
  const { line, a, id } = await opened()
  await using _ = line
  a.epoch = -1
  expect(await a.say(id, 0, [0, 4, 1])).toBe('NONE')
  const b = new Sharer(await line.another(), 'b')
  expect(await b.take([[id, 0]])).toBe('0: 5-9x2')
})
