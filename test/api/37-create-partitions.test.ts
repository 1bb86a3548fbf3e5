// CreatePartitions: topics grow, and only so.

import { describe, expect, test } from 'vitest'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { createPartitions } from '../../protocol/messages/37-create-partitions.ts'
import { errorOf, Line } from './line.ts'

const timeoutMs = 1000
type Asked = { name: string; count: number; assignments: { brokerIds: number[] }[] | null }
const to = (name: string, count: number, brokers: number[][] | null = null): Asked => ({
  name,
  count,
  assignments: brokers?.map((brokerIds) => ({ brokerIds })) ?? null,
})

async function grow(line: Line, topics: Asked[], { version = 3, validateOnly = false } = {}) {
  const { results } = await line.ask(createPartitions, version, { topics, timeoutMs, validateOnly })
  return results.map((one) => [one.name, errorOf(one)])
}

async function count(line: Line, name = 't'): Promise<number> {
  const { topics } = await line.ask(metadata, 9, { topics: [{ name }], allowAutoTopicCreation: false })
  return topics[0]!.partitions.length
}

const open = () => Line.open([{ name: 't', partitions: 2 }])

test.each([0, 1, 2, 3])('v%i: the new partitions are there when the answer is', async (version) => {
  await using line = await open()
  expect(await grow(line, [to('t', 4)], { version })).toEqual([['t', 'NONE']])
  expect(await count(line)).toBe(4)
  expect(await line.append('t', 3, ['a'])).toMatchObject({ errorCode: 0, baseOffset: 0 })
})

test('asked whether it would, the broker says so and does not', async () => {
  await using line = await open()
  expect(await grow(line, [to('t', 4)], { validateOnly: true })).toEqual([['t', 'NONE']])
  expect(await count(line)).toBe(2)
})

describe('what is refused', () => {
  test.each<[what: string, error: string, count: number, brokers: ((node: number) => number[][]) | null]>([
    ['fewer', 'INVALID_PARTITIONS', 1, null],
    ['none', 'INVALID_PARTITIONS', 0, null],
    ['-1', 'INVALID_PARTITIONS', -1, null],
    ['as many', 'INVALID_PARTITIONS', 2, null],
    ['far too many', 'POLICY_VIOLATION', 0x7fff_ffff, null],
    ['too few assignments', 'INVALID_REPLICA_ASSIGNMENT', 4, (node) => [[node]]],
    ['too many assignments', 'INVALID_REPLICA_ASSIGNMENT', 3, (node) => [[node], [node]]],
    ['an unknown broker', 'INVALID_REPLICA_ASSIGNMENT', 3, (node) => [[node + 1]]],
    ['a broker twice', 'INVALID_REPLICA_ASSIGNMENT', 3, (node) => [[node, node]]],
    ['no broker', 'INVALID_REPLICA_ASSIGNMENT', 3, () => [[]]],
  ])('%s: %s', async (_what, error, wanted, brokers) => {
    await using line = await open()
    expect(await grow(line, [to('t', wanted, brokers?.(line.broker.nodeId) ?? null)])).toEqual([['t', error]])
    expect(await count(line)).toBe(2)
  })
})

test('an assignment to the one broker is taken', async () => {
  await using line = await open()
  const { nodeId } = line.broker
  expect(await grow(line, [to('t', 4, [[nodeId], [nodeId]])])).toEqual([['t', 'NONE']])
})

test('each topic is answered by itself; one that is named twice stays as it is and is answered once', async () => {
  await using line = await open()
  expect(await grow(line, [to('none', 4), to('t', 3), to('a/b', 4), to('t', 5)])).toEqual([
    ['none', 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['t', 'INVALID_REQUEST'],
    ['a/b', 'UNKNOWN_TOPIC_OR_PARTITION'],
  ])
  expect(await count(line)).toBe(2)
})
