// What outlives a restart: played in two parts, with both brokers stopped and started between them. Clients that go on with what
// they knew, and those that begin anew, of logs, producers, transactions and groups of every kind.

import { produce } from '../../../protocol/messages/00-produce.ts'
import { listOffsets } from '../../../protocol/messages/02-list-offsets.ts'
import { metadata } from '../../../protocol/messages/03-metadata.ts'
import { offsetCommit } from '../../../protocol/messages/08-offset-commit.ts'
import { offsetFetch } from '../../../protocol/messages/09-offset-fetch.ts'
import { joinGroup } from '../../../protocol/messages/11-join-group.ts'
import { heartbeat } from '../../../protocol/messages/12-heartbeat.ts'
import { syncGroup } from '../../../protocol/messages/14-sync-group.ts'
import { describeGroups } from '../../../protocol/messages/15-describe-groups.ts'
import { listGroups } from '../../../protocol/messages/16-list-groups.ts'
import { deleteRecords } from '../../../protocol/messages/21-delete-records.ts'
import { describeConfigs } from '../../../protocol/messages/32-describe-configs.ts'
import { incrementalAlterConfigs } from '../../../protocol/messages/44-incremental-alter-configs.ts'
import { describeProducers } from '../../../protocol/messages/61-describe-producers.ts'
import { consumerGroupDescribe } from '../../../protocol/messages/69-consumer-group-describe.ts'
import { shareGroupDescribe } from '../../../protocol/messages/77-share-group-describe.ts'
import { describeShareGroupOffsets } from '../../../protocol/messages/90-describe-share-group-offsets.ts'
import { assignmentBytes, subscriptionOf } from '../../group/consumers.ts'
import { batchOf } from '../../wire-client.ts'
import type { Side } from '../side.ts'
import { Member, withoutInterval } from './consumer-groups.ts'
import { allCoordinators } from './coordinators.ts'
import { coordinatorOf } from './groups.ts'
import { acknowledge, earliest, ready, fetch as shareFetch, topicsOf } from './share-groups.ts'
import { Producer } from './transactions.ts'

const topic = 'rs'
const groups = ['rs-classic', 'rs-static', 'rs-offsets', 'rs-consumers', 'rs-share']
const joining = {
  ...{ sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 30_000, protocolType: 'consumer' },
  protocols: [{ name: 'range', metadata: subscriptionOf([topic]) }],
}

async function append(side: Side, index: number, sequence: number, epoch = 0): Promise<void> {
  const options = { producerId: 4000, producerEpoch: epoch, baseSequence: sequence }
  const records = batchOf([{ key: 'k', value: 'x', timestamp: side.base }], options)
  const topicData = [{ name: topic, partitionData: [{ index, records }] }]
  await side.ask(`sequence ${sequence} of epoch ${epoch}`, produce, 9, { acks: -1, timeoutMs: 5000, topicData })
}

export async function beforeRestartScenario(side: Side): Promise<void> {
  await allCoordinators(side)
  await withoutInterval(side)
  const topicId = await side.topic(topic, 3, { 'retention.ms': '123456789' })
  for (let n = 0; n < 7; n++) await append(side, 0, n)
  await side.ask('cut', deleteRecords, 2, {
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset: 2 }] }],
    timeoutMs: 5000,
  })
  for (const groupId of groups) await coordinatorOf(side, groupId)
  await classic(side, 'rs-classic', null)
  await classic(side, 'rs-static', 'i')
  await commit(side, 'rs-offsets', '', -1)
  const [a, b] = ['a', 'b'].map((id, n) => {
    const words = { groupId: 'rs-consumers', serverAssignor: 'range', subscribedTopicNames: [topic] }
    return new Member(side, `rs-${id}`, { ...words, instanceId: n === 0 ? null : 'j' })
  })
  await a!.beat('joins')
  await b!.beat('joins')
  await a!.beat('is told to let go')
  await earliest(side, 'rs-share')
  await ready(side, 'rs-share', 'a', topic)
  await shareFetch(side, 'takes', topicsOf(topicId, 0, []), { groupId: 'rs-share' })
  await acknowledge(
    side,
    'says',
    topicsOf(topicId, 0, [
      [2, 2, 1],
      [4, 4, 2],
      [5, 5, 3],
    ]),
    { groupId: 'rs-share', epoch: 1 },
  )
  const open = await Producer.open(side, 'rs-open')
  await open.add('left open', 3, { [topic]: [1] })
  await open.send('left open', 9, topic, 0, { index: 1 })
  const done = await Producer.open(side, 'rs-done')
  await done.send('done', 12, topic, 0, { index: 2 })
  await done.end('done', 5, true)
  await done.rest('done')
  const configs = [{ name: 'log.cleaner.threads', configOperation: 0, value: '2' }]
  const resources = [{ resourceType: 4, resourceName: '', configs }]
  await side.quiet(incrementalAlterConfigs, 1, { resources, validateOnly: false })
  await look(side, 'before')
}

async function classic(side: Side, groupId: string, groupInstanceId: string | null): Promise<void> {
  const who = { groupId, groupInstanceId }
  const version = groupInstanceId === null ? 3 : 5
  const { memberId, generationId } = await side.quiet(joinGroup, version, { ...joining, ...who, memberId: '' })
  const assignments = [{ memberId, assignment: assignmentBytes({ [topic]: [0, 1, 2] }) }]
  const named = { protocolType: 'consumer', protocolName: 'range' }
  await side.quiet(syncGroup, 5, { ...who, memberId, generationId, ...named, assignments })
  await commit(side, groupId, memberId, generationId, groupInstanceId)
}

async function commit(
  side: Side,
  groupId: string,
  memberId: string,
  generation: number,
  groupInstanceId: string | null = null,
): Promise<void> {
  const partitions = [{ partitionIndex: 0, committedOffset: 3, committedLeaderEpoch: 0, committedMetadata: 'words' }]
  const who = { groupId, memberId, generationIdOrMemberEpoch: generation, groupInstanceId }
  await side.ask(`commit of ${groupId}`, offsetCommit, 8, {
    ...who,
    retentionTimeMs: -1,
    topics: [{ name: topic, partitions }],
  })
}

async function look(side: Side, when: string): Promise<void> {
  await side.ask(`${when}: the topic`, metadata, 12, { topics: [{ name: topic }], allowAutoTopicCreation: false })
  for (const timestamp of [-1, -2, -4, -5, side.base]) {
    const partitions = [0, 1, 2].map((partitionIndex) => ({ partitionIndex, timestamp }))
    for (const isolationLevel of [0, 1]) {
      const body = { replicaId: -1, isolationLevel, topics: [{ name: topic, partitions }] }
      await side.ask(
        `${when}: ${timestamp < 0 ? timestamp : 'base'}, isolation ${isolationLevel}`,
        listOffsets,
        9,
        body,
      )
    }
  }
  await side.ask(`${when}: producers`, describeProducers, 0, { topics: [{ name: topic, partitionIndexes: [0, 1, 2] }] })
  await side.each(`${when}: groups`, describeGroups, { groups, includeAuthorizedOperations: false })
  await side.ask(`${when}: groups`, listGroups, 5, { statesFilter: [], typesFilter: [] })
  await side.ask(`${when}: consumers`, consumerGroupDescribe, 1, {
    groupIds: ['rs-consumers'],
    includeAuthorizedOperations: false,
  })
  await side.ask(`${when}: sharers`, shareGroupDescribe, 1, {
    groupIds: ['rs-share'],
    includeAuthorizedOperations: false,
  })
  await side.ask(`${when}: how far`, describeShareGroupOffsets, 1, { groups: [{ groupId: 'rs-share', topics: null }] })
  const asked = groups.map((groupId) => ({ groupId, topics: null }))
  await side.ask(`${when}: offsets`, offsetFetch, 9, { groups: asked, requireStable: true })
  const all = [
    { resourceType: 2, resourceName: topic, configurationKeys: ['retention.ms'] },
    { resourceType: 4, resourceName: '1', configurationKeys: ['log.cleaner.threads'] },
    { resourceType: 32, resourceName: 'rs-share', configurationKeys: ['share.auto.offset.reset'] },
  ]
  await side.ask(`${when}: configurations`, describeConfigs, 4, {
    resources: all,
    includeSynonyms: true,
    includeDocumentation: false,
  })
}

export async function afterRestartScenario(side: Side): Promise<void> {
  await allCoordinators(side)
  for (const groupId of groups) await coordinatorOf(side, groupId)
  const known = await side.quiet(metadata, 12, { topics: [{ name: topic }], allowAutoTopicCreation: false })
  const { topicId } = known.topics[0]!
  const described = await side.quiet(describeGroups, 5, { groups, includeAuthorizedOperations: false })
  for (const group of described.groups)
    for (const { memberId } of group.members) side.remember(memberId, `<member of ${group.groupId}>`)
  await look(side, 'restarted')
  // Of a producer Kafka finds its last batch again.
  for (const sequence of [6, 9, 7]) await append(side, 0, sequence)
  for (const groupId of groups.slice(0, 2)) {
    const [member] = described.groups.find((group) => group.groupId === groupId)!.members
    const groupInstanceId = member?.groupInstanceId ?? null
    const who = { groupId, memberId: member?.memberId ?? '', generationId: 1, groupInstanceId }
    await side.ask(`${groupId} beats`, heartbeat, 4, who)
    await side.ask(`${groupId} asks what it has`, syncGroup, 5, {
      ...{ ...who, protocolType: 'consumer', protocolName: 'range', assignments: [] },
    })
    await commit(side, groupId, who.memberId, 1, groupInstanceId)
  }
  for (const [id, instanceId] of [
    ['a', null],
    ['b', 'j'],
  ] as const) {
    const member = new Member(side, `rs-${id}`, { groupId: 'rs-consumers', instanceId })
    for (const epoch of [1, 2, 3]) {
      member.epoch = epoch
      await member.beat(`goes on from ${epoch}`)
    }
  }
  await shareFetch(side, 'goes on', [], { groupId: 'rs-share', epoch: 2 })
  for (let tries = 0; tries < 3; tries++) await side.settle()
  await shareFetch(side, 'restarted: begins anew', topicsOf(topicId, 0, []), { groupId: 'rs-share' })
  await side.settle()
  await shareFetch(side, 'asks again', [], { groupId: 'rs-share', epoch: 1 })
  const open = new Producer(side, 'rs-open')
  await open.rest('left open')
  await open.init()
  await open.rest('fenced')
  await open.ends('restarted', topic)
  const done = await Producer.open(side, 'rs-done')
  await done.rest('done')
  await done.send('more', 12, topic, 0, { index: 2 })
  await done.end('more', 5, false)
  await done.rest('more')
  await look(side, 'restarted')
}
