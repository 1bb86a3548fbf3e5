// CreateTopics: what can be made, in which order it is looked at, and what the answer tells of it.

import { describe, expect, test } from 'vitest'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { createTopics } from '../../protocol/messages/19-create-topics.ts'
import { zeroUuid } from '../../protocol/schema.ts'
import type { Body } from '../wire-client.ts'
import { errorOf, Line } from './line.ts'

type NewTopic = Body<typeof createTopics>['topics'][number]

const plain = (name: string, more: Partial<NewTopic> = {}): NewTopic => ({
  name,
  numPartitions: 1,
  replicationFactor: 1,
  assignments: [],
  configs: [],
  ...more,
})
const assigned = (node: number, ...lists: [index: number, ...brokers: number[]][]): Partial<NewTopic> => ({
  numPartitions: -1,
  replicationFactor: -1,
  assignments: lists.map(([partitionIndex, ...brokers]) => ({
    partitionIndex,
    brokerIds: brokers.map((b) => b + node),
  })),
})

async function ask(line: Line, topics: NewTopic[], { version = 7, validateOnly = false } = {}) {
  const answer = await line.ask(createTopics, version, { topics, validateOnly })
  return answer.topics
}

describe('what is made', () => {
  test.each([2, 4, 5, 7])('v%i: a topic is there when the answer is', async (version) => {
    await using line = await Line.open()
    const [made] = await ask(line, [plain('t', { numPartitions: 3 })], { version })
    expect(made).toMatchObject({ name: 't', errorCode: 0, errorMessage: null })
    const { topics } = await line.ask(metadata, 12, { topics: [{ name: 't' }], allowAutoTopicCreation: false })
    expect(topics[0]!.partitions).toHaveLength(3)
    expect(made!.topicId).toBe(version < 7 ? zeroUuid : topics[0]!.topicId)
    expect([made!.numPartitions, made!.replicationFactor]).toEqual(version < 5 ? [-1, -1] : [3, 1])
  })

  test('-1 asks for the defaults of the broker', async () => {
    await using line = await Line.open([], { 'num.partitions': 4 })
    const [made] = await ask(line, [plain('t', { numPartitions: -1, replicationFactor: -1 })])
    expect(made).toMatchObject({ errorCode: 0, numPartitions: 4, replicationFactor: 1 })
  })

  test('configurations are told in the order of their names, with where they come from', async () => {
    await using line = await Line.open()
    const [made] = await ask(line, [plain('t', { configs: [{ name: 'retention.ms', value: '1234' }] })])
    const shown = made!.configs!.map(({ name }) => name)
    expect(shown).toEqual([...shown].sort())
    const config = (name: string) => made!.configs!.find((one) => one.name === name)
    expect(config('retention.ms')).toMatchObject({
      value: '1234',
      configSource: 1,
      isSensitive: false,
      readOnly: false,
    })
    expect(config('segment.ms')).toMatchObject({ value: '604800000', configSource: 5 })
  })

  test('of a configuration that is set twice the last counts', async () => {
    await using line = await Line.open()
    const configs = ['1', '2'].map((value) => ({ name: 'retention.ms', value }))
    const [made] = await ask(line, [plain('t', { configs })])
    expect(made!.configs!.find(({ name }) => name === 'retention.ms')!.value).toBe('2')
  })

  test('replicas may be assigned by hand, in any order', async () => {
    await using line = await Line.open()
    const [made] = await ask(line, [plain('t', assigned(line.broker.nodeId, [1, 0], [0, 0]))])
    expect(made).toMatchObject({ errorCode: 0, numPartitions: 2, replicationFactor: 1 })
  })

  test('asked whether it would, the broker says so and does not', async () => {
    await using line = await Line.open()
    const [would] = await ask(line, [plain('t', { numPartitions: 3 })], { validateOnly: true })
    expect(would).toMatchObject({ errorCode: 0, numPartitions: 3, replicationFactor: 1 })
    const { topics } = await line.ask(metadata, 12, { topics: [{ name: 't' }], allowAutoTopicCreation: false })
    expect(errorOf(topics[0]!)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  })
})

describe('what is refused', () => {
  const zero = { numPartitions: 0 }
  const cases: [what: string, error: string, more: (node: number) => Partial<NewTopic>][] = [
    ['no partitions', 'INVALID_PARTITIONS', () => zero],
    ['-2 partitions', 'INVALID_PARTITIONS', () => ({ numPartitions: -2 })],
    ['10,001 partitions', 'POLICY_VIOLATION', () => ({ numPartitions: 10_001 })],
    ['no replicas', 'INVALID_REPLICATION_FACTOR', () => ({ replicationFactor: 0 })],
    ['more replicas than brokers', 'INVALID_REPLICATION_FACTOR', () => ({ replicationFactor: 2 })],
    ['no partitions on more brokers than there are', 'INVALID_PARTITIONS', () => ({ ...zero, replicationFactor: 2 })],
    ['neither partitions nor replicas', 'INVALID_REPLICATION_FACTOR', () => ({ ...zero, replicationFactor: 0 })],
    ['an unknown configuration', 'INVALID_CONFIG', () => ({ configs: [{ name: 'no.such', value: '1' }] })],
    [
      'an unknown configuration and no partitions',
      'INVALID_CONFIG',
      () => ({ ...zero, configs: [{ name: 'no.such', value: '1' }] }),
    ],
    ['a value that is none', 'INVALID_CONFIG', () => ({ configs: [{ name: 'retention.ms', value: 'x' }] })],
    ['a value out of range', 'INVALID_CONFIG', () => ({ configs: [{ name: 'max.message.bytes', value: '-1' }] })],
    ['no value', 'INVALID_CONFIG', () => ({ configs: [{ name: 'retention.ms', value: null }] })],
    ['an assignment and counts', 'INVALID_REQUEST', (node) => ({ ...assigned(node, [0, 0]), numPartitions: 1 })],
    ['an unknown broker', 'INVALID_REPLICA_ASSIGNMENT', (node) => assigned(node, [0, 7])],
    ['a gap', 'INVALID_REPLICA_ASSIGNMENT', (node) => assigned(node, [0, 0], [2, 0])],
    ['a partition twice', 'INVALID_REPLICA_ASSIGNMENT', (node) => assigned(node, [0, 0], [0, 0])],
    ['a broker twice', 'INVALID_REPLICA_ASSIGNMENT', (node) => assigned(node, [0, 0, 0])],
    ['no broker', 'INVALID_REPLICA_ASSIGNMENT', (node) => assigned(node, [0])],
  ]
  test.each(cases)('%s: %s', async (_what, error, more) => {
    await using line = await Line.open()
    for (const validateOnly of [true, false]) {
      const [refused] = await ask(line, [plain('t', more(line.broker.nodeId))], { validateOnly })
      expect(errorOf(refused!)).toBe(error)
      expect(refused).toMatchObject({ topicId: zeroUuid, numPartitions: -1, replicationFactor: -1, configs: [] })
      expect(refused!.errorMessage).not.toBeNull()
    }
  })

  test.each(['', '.', '..', 'a/b', 'ü', 'x'.repeat(250)])('%j is no name', async (name) => {
    await using line = await Line.open()
    expect((await ask(line, [plain(name)])).map(errorOf)).toEqual(['INVALID_TOPIC_EXCEPTION'])
  })

  test('a topic of the name of Kafka’s own metadata log, which it takes from everybody', async () => {
    await using line = await Line.open()
    expect((await ask(line, [plain('__cluster_metadata')])).map(errorOf)).toEqual(['INVALID_REQUEST'])
  })

  test('a name that is taken, or that differs from one only in dots', async () => {
    await using line = await Line.open(['a.b'])
    const answers = await ask(line, [plain('a.b', zero), plain('a_b')])
    expect(answers.map(errorOf)).toEqual(['TOPIC_ALREADY_EXISTS', 'INVALID_TOPIC_EXCEPTION'])
  })
})

test('each topic is answered by itself in the order of the request; a name that stands there twice comes last and once', async () => {
  await using line = await Line.open(['there'])
  const topics = ['twice', 'z', 'there', 'a', 'twice'].map((name) => plain(name))
  expect((await ask(line, topics)).map((one) => [one.name, errorOf(one)])).toEqual([
    ['z', 'NONE'],
    ['there', 'TOPIC_ALREADY_EXISTS'],
    ['a', 'NONE'],
    ['twice', 'INVALID_REQUEST'],
  ])
})
