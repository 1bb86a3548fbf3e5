// With an authorizer: what lists tell of, and that nobody learns of what they may not see, by whichever way they ask.

import { expect, test } from 'vitest'
import { errors } from '../../protocol/errors.ts'
import { produce } from '../../protocol/messages/00-produce.ts'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { offsetCommit } from '../../protocol/messages/08-offset-commit.ts'
import { offsetFetch } from '../../protocol/messages/09-offset-fetch.ts'
import { listGroups } from '../../protocol/messages/16-list-groups.ts'
import { createTopics } from '../../protocol/messages/19-create-topics.ts'
import { deleteTopics } from '../../protocol/messages/20-delete-topics.ts'
import { initProducerId } from '../../protocol/messages/22-init-producer-id.ts'
import { listTransactions } from '../../protocol/messages/66-list-transactions.ts'
import { consumerGroupHeartbeat } from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import { consumerGroupDescribe } from '../../protocol/messages/69-consumer-group-describe.ts'
import { describeTopicPartitions } from '../../protocol/messages/75-describe-topic-partitions.ts'
import { zeroUuid } from '../../protocol/schema.ts'
import { eventually } from '../eventually.ts'
import { batchOf } from '../wire-client.ts'
import { acl, errorsIn, Strangers } from './strangers.ts'

const forbidden = errors.TOPIC_AUTHORIZATION_FAILED.code
const unknown = errors.UNKNOWN_TOPIC_OR_PARTITION.code

const plain = (name: string) => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] })
const sent = (name: string, acks = 1) => ({
  ...{ acks, timeoutMs: 1000, topicData: [{ name, partitionData: [{ index: 0, records: batchOf(['v']) }] }] },
})

test('all topics are those that may be described, page by page too', async () => {
  await using stage = await Strangers.open(['r-a', 'r-b', 'r-c', 'other'])
  const names = (topics: readonly { name: string | null }[]) => topics.map(({ name }) => name)
  for (const version of [0, 1, 12]) {
    await stage.allow()
    const topics = version === 0 ? [] : null
    expect((await stage.ask(metadata, version, { topics })).topics).toEqual([])
    await stage.allow('topic DESCRIBE')
    expect(names((await stage.ask(metadata, version, { topics })).topics)).toEqual(['r-a', 'r-b', 'r-c'])
  }
  const first = await stage.ask(describeTopicPartitions, 0, { topics: [], responsePartitionLimit: 2 })
  expect([names(first.topics), first.nextCursor?.topicName]).toEqual([['r-a', 'r-b'], 'r-c'])
  const cursor = first.nextCursor
  const second = await stage.ask(describeTopicPartitions, 0, { topics: [], responsePartitionLimit: 2, cursor })
  expect([names(second.topics), second.nextCursor]).toEqual([['r-c'], null])
})

test('version 0 of Metadata, which asks for all topics by naming none, tells nothing to whom every name was refused', async () => {
  await using stage = await Strangers.open(['r-a', 'other'])
  await stage.allow('topic DESCRIBE')
  const { topics } = await stage.ask(metadata, 0, { topics: [{ name: 'other' }] })
  expect(topics).toMatchObject([{ name: 'other', errorCode: forbidden, partitions: [] }])
})

test('a topic that is there and one that is not are told alike to whom they are hidden from', async () => {
  await using stage = await Strangers.open(['other'])
  await stage.allow()
  const { topics } = await stage.ask(metadata, 12, { topics: [{ name: 'other' }, { name: 'missing' }] })
  const hidden = { errorCode: forbidden, topicId: zeroUuid, partitions: [], isInternal: false }
  expect(topics).toMatchObject([
    { name: 'other', ...hidden },
    { name: 'missing', ...hidden },
  ])
  const topicId = await stage.line.id('other')
  const byId = await stage.ask(metadata, 12, { topics: [{ topicId, name: null }] })
  expect(byId.topics).toMatchObject([{ name: null, topicId, errorCode: forbidden }])
  const deleted = await stage.ask(deleteTopics, 6, { timeoutMs: 1000, topics: [{ topicId }, { name: 'missing' }] })
  expect(deleted.responses).toMatchObject([
    { name: null, topicId, errorCode: forbidden },
    { name: 'missing', errorCode: forbidden },
  ])
  // DESCRIBE lets it be named; DELETE it still takes.
  await stage.allow(acl('topic DESCRIBE', { prefix: 'o' }), acl('topic DESCRIBE', { prefix: 'missing' }))
  const seen = await stage.ask(deleteTopics, 6, { timeoutMs: 1000, topics: [{ topicId }, { name: 'missing' }] })
  const told = Object.fromEntries(seen.responses.map(({ name, errorCode }) => [name, errorCode]))
  expect(told).toEqual({ other: forbidden, missing: unknown })
})

test('a topic is made for who asks for its metadata, or produces, only with CREATE', async () => {
  await using stage = await Strangers.open()
  await stage.allow('topic WRITE')
  const asked = async () => (await stage.ask(metadata, 12, { topics: [{ name: 'r-new' }] })).topics[0]!.errorCode
  const produced = async (name: string) => {
    const { responses } = await stage.ask(produce, 9, sent(name))
    return responses[0]!.partitionResponses[0]!.errorCode
  }
  expect([await asked(), await produced('r-new')]).toEqual([forbidden, unknown])
  expect((await stage.line.ask(metadata, 12, { topics: null })).topics).toEqual([])
  await stage.allow('topic WRITE', 'topic CREATE')
  expect([await asked(), await produced('r-other')]).toEqual([0, 0])
  await stage.allow('topic WRITE', 'cluster CREATE')
  expect(await produced('r-third')).toBe(0)
})

test('who may make a topic and not see its configuration is told of none', async () => {
  await using stage = await Strangers.open()
  await stage.allow('topic CREATE')
  const made = async (name: string) =>
    (await stage.ask(createTopics, 7, { topics: [plain(name)], validateOnly: false })).topics
  expect(await made('r-a')).toMatchObject([
    { errorCode: 0, topicConfigErrorCode: forbidden, numPartitions: -1, replicationFactor: -1, configs: [] },
  ])
  await stage.allow('topic CREATE', 'topic DESCRIBE_CONFIGS')
  const [told] = await made('r-b')
  expect(told).toMatchObject({ errorCode: 0, topicConfigErrorCode: 0, numPartitions: 1 })
  expect(told!.configs!.length).toBeGreaterThan(0)
})

test('of a cut of branches nothing is made where one of them may not be made', async () => {
  await using stage = await Strangers.open(['r-p', 'r-q'])
  const branch = (name: string, from: string) => ({
    ...plain(name),
    ...{ numPartitions: -1, replicationFactor: -1 },
    configs: [
      { name: 'branch.from', value: from },
      { name: 'branch.set', value: 'S' },
    ],
  })
  const topics = [branch('r-p--S', 'r-p'), branch('x-q--S', 'r-q')]
  await stage.allow('topic READ', 'topic DESCRIBE_CONFIGS', 'topic CREATE')
  const answer = await stage.ask(createTopics, 7, { topics, validateOnly: false })
  expect(answer.topics.map(({ errorCode }) => errorCode)).toEqual([forbidden, forbidden])
  const there = await stage.line.ask(metadata, 12, { topics: null })
  expect(there.topics.map(({ name }) => name).sort()).toEqual(expect.not.arrayContaining(['r-p--S', 'x-q--S']))
})

test('groups and ids are listed that may be described, or all to whom the cluster may be', async () => {
  await using stage = await Strangers.open(['r-a'])
  const partitions = [{ partitionIndex: 0, committedOffset: 0, committedMetadata: '' }]
  for (const id of ['r-one', 'other']) {
    const topics = [{ name: 'r-a', partitions }]
    await stage.line.ask(offsetCommit, 8, { groupId: id, generationIdOrMemberEpoch: -1, memberId: '', topics })
    await stage.line.ask(initProducerId, 4, { transactionalId: id, transactionTimeoutMs: 60_000 })
  }
  const groups = async () => (await stage.ask(listGroups, 4, {})).groups.map(({ groupId }) => groupId).sort()
  const ids = async () => {
    const { transactionStates } = await stage.ask(listTransactions, 1, { stateFilters: [], producerIdFilters: [] })
    return transactionStates.map(({ transactionalId }) => transactionalId).sort()
  }
  await stage.allow()
  expect([await groups(), await ids()]).toEqual([[], []])
  await stage.allow('group DESCRIBE', 'id DESCRIBE')
  expect([await groups(), await ids()]).toEqual([['r-one'], ['r-one']])
  await stage.allow('cluster DESCRIBE')
  expect([await groups(), await ids()]).toEqual([['other', 'r-one'], []])
})

test('what a group has committed is told for the topics that may be described', async () => {
  await using stage = await Strangers.open(['r-a', 'other'])
  const partitions = [{ partitionIndex: 0, committedOffset: 7, committedMetadata: '' }]
  const topics = ['r-a', 'other'].map((name) => ({ name, partitions }))
  await stage.line.ask(offsetCommit, 8, { groupId: 'r-g', generationIdOrMemberEpoch: -1, memberId: '', topics })
  await stage.allow('group READ', 'topic READ')
  const all = await stage.ask(offsetFetch, 8, { groups: [{ groupId: 'r-g', topics: null }] })
  expect(all.groups[0]!.topics.map(({ name }) => name)).toEqual(['r-a'])
  const named = topics.map(({ name }) => ({ name, partitionIndexes: [0] }))
  const told = await stage.ask(offsetFetch, 8, { groups: [{ groupId: 'r-g', topics: named }] })
  const committed = told.groups[0]!.topics.map((of) => [
    of.name,
    of.partitions[0]!.committedOffset,
    of.partitions[0]!.errorCode,
  ])
  expect(committed).toEqual([
    ['r-a', 7, 0],
    ['other', -1, forbidden],
  ])
})

test('an expression stands for the topics that the member may see', async () => {
  await using stage = await Strangers.open(['r-a', 'other'])
  await stage.allow('group READ', 'topic DESCRIBE')
  const { assignment } = await stage.ask(consumerGroupHeartbeat, 1, {
    ...{ groupId: 'r-g', memberId: 'AAAAAAAAAAAAAAAAAAAAAA', memberEpoch: 0, rebalanceTimeoutMs: 60_000 },
    ...{ subscribedTopicRegex: '.*', topicPartitions: [] },
  })
  expect(assignment!.topicPartitions.map(({ topicId }) => topicId)).toEqual([await stage.line.id('r-a')])
})

test('what an expression stands for grows by nothing that is hidden when a member is gone', async () => {
  const soon = { 'group.consumer.session.timeout.ms': 1000, 'group.consumer.min.session.timeout.ms': 1000 }
  const beats = { 'group.consumer.heartbeat.interval.ms': 300, 'group.consumer.min.heartbeat.interval.ms': 300 }
  await using stage = await Strangers.open(['r-a', 'other'], { ...soon, ...beats })
  await stage.allow('group READ', 'topic DESCRIBE')
  const beat = (memberId: string, memberEpoch: number, more: object = {}) =>
    stage.ask(consumerGroupHeartbeat, 1, { groupId: 'r-g', memberId, memberEpoch, ...more })
  const joins = { rebalanceTimeoutMs: 60_000, subscribedTopicRegex: '.*', topicPartitions: [] }
  const stays = 'AAAAAAAAAAAAAAAAAAAAAA'
  const first = await beat(stays, 0, joins)
  await beat('AAAAAAAAAAAAAAAAAAAAAQ', 0, joins)
  const other = await stage.line.id('other')
  let epoch = first.memberEpoch
  // Until the one that says nothing any more is out, which the group tells by an epoch of its own.
  await eventually(async () => {
    const { groups } = await stage.line.ask(consumerGroupDescribe, 1, {
      groupIds: ['r-g'],
      includeAuthorizedOperations: false,
    })
    const { memberEpoch } = await beat(stays, epoch)
    epoch = memberEpoch
    expect(groups[0]!.members).toHaveLength(1)
    const assigned = groups[0]!.members.flatMap(({ targetAssignment }) => targetAssignment.topicPartitions)
    expect(assigned.map(({ topicId }) => topicId)).not.toContain(other)
    expect(assigned).toHaveLength(1)
  })
})

test('what may not be read is told behind what may, as if nobody had looked at it', async () => {
  await using stage = await Strangers.open(['r-a', 'other'])
  await stage.allow('topic READ')
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
  const topics = ['other', 'r-a', 'missing'].map((topic) => ({ topic, partitions }))
  const body = { maxWaitMs: 0, minBytes: 0, isolationLevel: 0, topics, forgottenTopicsData: [] }
  const { responses } = await stage.ask(fetch, 12, body)
  const unseen = { errorCode: forbidden, highWatermark: -1, logStartOffset: -1, abortedTransactions: [] }
  expect(responses).toMatchObject([
    { topic: 'r-a', partitions: [{ errorCode: 0, highWatermark: 0 }] },
    { topic: 'other', partitions: [unseen] },
    { topic: 'missing', partitions: [unseen] },
  ])
})

test('a right that is taken away ends what a fetch session reads, and one that is given begins it', async () => {
  await using stage = await Strangers.open(['r-a'])
  await stage.line.append('r-a', 0, ['v'])
  const topicId = await stage.line.id('r-a')
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
  const ask = async (sessionId: number, sessionEpoch: number) => {
    const topics = sessionEpoch === 0 ? [{ topicId, partitions }] : []
    return stage.ask(fetch, 13, {
      ...{ maxWaitMs: 0, minBytes: 0, isolationLevel: 0, sessionId, sessionEpoch, topics, forgottenTopicsData: [] },
    })
  }
  const said = ({ responses }: Awaited<ReturnType<typeof ask>>) =>
    responses.flatMap(({ partitions }) => partitions.map(({ errorCode, records }) => [errorCode, records!.length > 0]))
  await stage.allow('topic READ')
  const first = await ask(0, 0)
  expect(said(first)).toEqual([[0, true]])
  await stage.allow()
  expect(said(await ask(first.sessionId, 1))).toEqual([[forbidden, false]])
  await stage.allow('topic READ')
  expect(said(await ask(first.sessionId, 2))).toEqual([[0, true]])
})

test('a producer that waits for no answer is cut off where it may not write, and what it may write is written', async () => {
  await using stage = await Strangers.open(['r-a', 'other'])
  await stage.allow('topic WRITE')
  const client = await stage.another('hasty')
  const { topicData } = sent('r-a', 0)
  const body = { acks: 0, timeoutMs: 1000, topicData: [...topicData, ...sent('other').topicData] }
  expect(await client.attempt(produce, 9, body)).toBe('closed')
  const read = await stage.line.ask(fetch, 12, {
    ...{ maxWaitMs: 0, minBytes: 0, isolationLevel: 0, forgottenTopicsData: [] },
    topics: [{ topic: 'r-a', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }],
  })
  expect(read.responses[0]!.partitions[0]!.highWatermark).toBe(1)
})

test('one topic that may not be written to is answered beside those that are written', async () => {
  await using stage = await Strangers.open(['r-a', 'other'])
  await stage.allow('topic WRITE')
  const body = { ...sent('r-a'), topicData: ['other', 'r-a'].flatMap((name) => sent(name).topicData) }
  const { responses } = await stage.ask(produce, 9, body)
  const told = responses.map(({ name, partitionResponses: [of] }) => [name, of!.errorCode, of!.baseOffset])
  expect(told).toEqual([
    ['r-a', 0, 0],
    ['other', forbidden, -1],
  ])
})

test('within a branch set rights on topics are those on their stored names, and on groups those on the names that are used', async () => {
  await using stage = await Strangers.open(['r-p'])
  const configs = [
    { name: 'branch.from', value: 'r-p' },
    { name: 'branch.set', value: 'S' },
  ]
  const topics = [{ ...plain('r-p--S'), numPartitions: -1, replicationFactor: -1, configs }]
  const made = await stage.line.ask(createTopics, 7, { topics, validateOnly: false })
  expect(made.topics[0]!.errorCode).toBe(0)
  const inside = await stage.another('x--branch--S--')
  const asked = async () => inside.ask(metadata, 12, { topics: [{ name: 'r-p' }], allowAutoTopicCreation: false })
  const literal = { ...acl('topic READ', { prefix: 'r-p' }), resourcePatternType: 3 }
  await stage.allow(literal, 'group READ')
  expect((await asked()).topics).toMatchObject([{ name: 'r-p', errorCode: forbidden }])
  await stage.allow({ ...literal, resourceName: 'r-p--S' }, 'group READ')
  expect((await asked()).topics).toMatchObject([{ name: 'r-p', errorCode: 0 }])
  const beat = (subscribedTopicNames: string[]) =>
    inside.ask(consumerGroupHeartbeat, 1, {
      ...{ groupId: 'r-g', memberId: 'AAAAAAAAAAAAAAAAAAAAAA', memberEpoch: 0, rebalanceTimeoutMs: 60_000 },
      ...{ subscribedTopicNames, topicPartitions: [] },
    })
  expect([...errorsIn(await beat(['r-p']))]).toEqual([])
  expect([...errorsIn(await beat(['other']))]).toEqual(['TOPIC_AUTHORIZATION_FAILED'])
})
