// Metadata: topics by name and by id, all of them or none, made by asking or not.

import { describe, expect, test } from 'vitest'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { zeroUuid } from '../../protocol/schema.ts'
import type { Body } from '../wire-client.ts'
import { errorOf, Line, unknownId } from './line.ts'

const notAsked = -0x8000_0000
const topics = [{ name: 'b', partitions: 2 }, 'a']
const names = (...list: string[]) => list.map((name) => ({ name }))

/** Names with what is wrong with them, in the order of the answer. */
async function ask(line: Line, version: number, body: Body<typeof metadata>) {
  const answer = await line.ask(metadata, version, { allowAutoTopicCreation: false, ...body })
  return answer.topics.map((topic) => [topic.name, errorOf(topic)])
}

describe('which topics', () => {
  test.each([1, 4, 9, 12, 13])('v%i: null is all, an empty list is none', async (version) => {
    await using line = await Line.open(topics)
    expect(await ask(line, version, { topics: null })).toEqual([
      ['a', 'NONE'],
      ['b', 'NONE'],
    ])
    expect(await ask(line, version, { topics: [] })).toEqual([])
  })

  test('version 0 has no null: its empty list means all', async () => {
    await using line = await Line.open(topics)
    expect(await ask(line, 0, { topics: [] })).toEqual([
      ['a', 'NONE'],
      ['b', 'NONE'],
    ])
  })

  test('names come in the order of the request, each once, and those that are not there behind the others', async () => {
    await using line = await Line.open(topics)
    expect(await ask(line, 9, { topics: names('none', 'b', 'a/b', 'a', 'b') })).toEqual([
      ['b', 'NONE'],
      ['a', 'NONE'],
      ['none', 'UNKNOWN_TOPIC_OR_PARTITION'],
      ['a/b', 'INVALID_TOPIC_EXCEPTION'],
    ])
  })

  test.each(['', '.', '..', 'a/b', 'a b', 'ü', 'x\u0000', 'x'.repeat(250)])('%j is no name', async (name) => {
    await using line = await Line.open()
    for (const allowAutoTopicCreation of [true, false]) {
      expect(await ask(line, 9, { topics: names(name), allowAutoTopicCreation })).toEqual([
        [name, 'INVALID_TOPIC_EXCEPTION'],
      ])
    }
  })
})

describe('by id', () => {
  test.each([12, 13])('v%i: unknown ids first, without a name; then the others', async (version) => {
    await using line = await Line.open(topics)
    const [a, b] = [await line.id('a'), await line.id('b')]
    const asked = [b, unknownId, a].map((topicId) => ({ name: null, topicId }))
    const answer = await line.ask(metadata, version, { topics: asked })
    expect(answer.topics.map((topic) => [topic.name, topic.topicId, errorOf(topic)])).toEqual([
      [null, unknownId, 'UNKNOWN_TOPIC_ID'],
      ['b', b, 'NONE'],
      ['a', a, 'NONE'],
    ])
  })

  test('a request that has one id asks by ids alone', async () => {
    await using line = await Line.open(topics)
    const asked = [{ name: 'b' }, { name: 'a', topicId: await line.id('a') }, { name: 'a', topicId: unknownId }]
    expect(await ask(line, 12, { topics: asked })).toEqual([
      [null, 'UNKNOWN_TOPIC_ID'],
      ['a', 'NONE'],
    ])
  })

  test.each([10, 11])('v%i cannot ask by id: the whole request is refused', async (version) => {
    await using line = await Line.open(topics)
    const answer = await line.ask(metadata, version, { topics: [{ name: 'a' }, { name: 'b', topicId: unknownId }] })
    expect(answer).toMatchObject({ brokers: [], clusterId: null, controllerId: -1 })
    expect(answer.topics.map((topic) => [topic.name, errorOf(topic)])).toEqual([
      ['a', 'INVALID_REQUEST'],
      ['b', 'INVALID_REQUEST'],
    ])
  })

  test('a topic with neither name nor id is refused', async () => {
    await using line = await Line.open(topics)
    expect(await ask(line, 12, { topics: [{ name: null, topicId: zeroUuid }] })).toEqual([['', 'INVALID_REQUEST']])
  })
})

describe('making topics', () => {
  test.each([0, 1, 3, 4, 9, 13])('v%i: whoever may make topics finds it made', async (version) => {
    await using line = await Line.open([], { 'num.partitions': 3 })
    const answer = await line.ask(metadata, version, { topics: names('made') })
    expect(answer.topics[0]).toMatchObject({ errorCode: 0, name: 'made' })
    expect(answer.topics[0]!.partitions).toHaveLength(3)
  })

  test('who may not, or where nobody may, finds it unknown', async () => {
    await using line = await Line.open()
    expect(await ask(line, 4, { topics: names('made'), allowAutoTopicCreation: false })).toEqual([
      ['made', 'UNKNOWN_TOPIC_OR_PARTITION'],
    ])
    await using strict = await Line.open([], { 'auto.create.topics.enable': false })
    expect(await ask(strict, 4, { topics: names('made'), allowAutoTopicCreation: true })).toEqual([
      ['made', 'UNKNOWN_TOPIC_OR_PARTITION'],
    ])
  })

  test('asked twice at once it is made once', async () => {
    await using line = await Line.open()
    const other = await line.another()
    const body = { topics: names('made') }
    const [one, two] = await Promise.all([line.ask(metadata, 12, body), other.ask(metadata, 12, body)])
    expect(one.topics[0]!.topicId).toBe(two.topics[0]!.topicId)
  })

  test('a name that collides with another is refused', async () => {
    await using line = await Line.open(['a.b'])
    expect(await ask(line, 9, { topics: names('a_b'), allowAutoTopicCreation: true })).toEqual([
      ['a_b', 'INVALID_TOPIC_EXCEPTION'],
    ])
  })
})

test('a partition has a leader with an epoch, and one replica that is in sync', async () => {
  await using line = await Line.open(topics)
  const leader = line.broker.nodeId
  const answer = await line.ask(metadata, 12, { topics: names('b') })
  expect(answer).toMatchObject({ controllerId: leader, clusterId: expect.stringMatching(/^[\w-]{22}$/) })
  const [host, port] = line.broker.bootstrapServers.split(':')
  expect(answer.brokers).toEqual([{ nodeId: leader, host, port: Number(port), rack: null }])
  expect(answer.topics[0]!.partitions).toEqual(
    [0, 1].map((partitionIndex) => ({
      errorCode: 0,
      partitionIndex,
      leaderId: leader,
      leaderEpoch: 0,
      replicaNodes: [leader],
      isrNodes: [leader],
      offlineReplicas: [],
    })),
  )
})

test('what a client may do is told to those who ask, of topics that are not there too', async () => {
  await using line = await Line.open(topics)
  const body = { topics: names('a', 'none'), allowAutoTopicCreation: false }
  const silent = await line.ask(metadata, 10, body)
  expect([silent.clusterAuthorizedOperations, ...silent.topics.map((t) => t.topicAuthorizedOperations)]).toEqual([
    notAsked,
    notAsked,
    notAsked,
  ])
  const asked = { ...body, includeClusterAuthorizedOperations: true, includeTopicAuthorizedOperations: true }
  const told = await line.ask(metadata, 10, asked)
  expect([told.clusterAuthorizedOperations, ...told.topics.map((t) => t.topicAuthorizedOperations)]).toEqual([
    8096, 3576, 3576,
  ])
})
