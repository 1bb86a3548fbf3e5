// A topic goes while it is used in every way, and comes back under its name: what is answered to those who used it.

import { produce } from '../../../protocol/messages/00-produce.ts'
import { fetch } from '../../../protocol/messages/01-fetch.ts'
import { listOffsets } from '../../../protocol/messages/02-list-offsets.ts'
import { offsetCommit } from '../../../protocol/messages/08-offset-commit.ts'
import { offsetFetch } from '../../../protocol/messages/09-offset-fetch.ts'
import { describeGroups } from '../../../protocol/messages/15-describe-groups.ts'
import { deleteTopics } from '../../../protocol/messages/20-delete-topics.ts'
import { describeProducers } from '../../../protocol/messages/61-describe-producers.ts'
import { shareGroupHeartbeat } from '../../../protocol/messages/76-share-group-heartbeat.ts'
import { shareGroupDescribe } from '../../../protocol/messages/77-share-group-describe.ts'
import { describeShareGroupOffsets } from '../../../protocol/messages/90-describe-share-group-offsets.ts'
import { zeroUuid } from '../../../protocol/schema.ts'
import { batchOf } from '../../wire-client.ts'
import { pause, type Side } from '../side.ts'
import { Member, withoutInterval } from './consumer-groups.ts'
import { allCoordinators } from './coordinators.ts'
import { coordinatorOf } from './groups.ts'
import { acknowledge, beatBody, earliest, ready, fetch as shareFetch, topicsOf } from './share-groups.ts'
import { Producer } from './transactions.ts'

const name = 'tg'
const timeoutMs = 5000

export async function topicsGoneScenario(side: Side): Promise<void> {
  await allCoordinators(side)
  await withoutInterval(side)
  for (const group of ['tg-simple', 'tg-consumers', 'tg-share']) await coordinatorOf(side, group)
  await side.topic('tg-stays', 1)
  const id = await side.topic(name, 2)
  const send = (label: string, baseSequence: number) => {
    const records = batchOf(['x', 'y'], { producerId: 4711, producerEpoch: 0, baseSequence })
    const topicData = [{ name, partitionData: [{ index: 0, records }] }]
    return side.ask(label, produce, 9, { acks: -1, timeoutMs, topicData })
  }
  await send('first', 0)
  await commit(side, 'first', id)
  const member = new Member(side, 'tg-m', { groupId: 'tg-consumers', subscribedTopicNames: [name, 'tg-stays'] })
  await member.beat('joins')
  await earliest(side, 'tg-share')
  await ready(side, 'tg-share', 'a', name)
  await shareFetch(side, 'takes', topicsOf(id, 0, []), { groupId: 'tg-share' })
  await acknowledge(side, 'has taken', topicsOf(id, 0, [[0, 0, 1]]), { groupId: 'tg-share', epoch: 1 })
  const producers = [await Producer.open(side, 'tg-only'), await Producer.open(side, 'tg-both')]
  await producers[0]!.add('what will go', 3, { [name]: [1] })
  await producers[1]!.add('what will go and what stays', 3, { [name]: [1], 'tg-stays': [0] })
  for (const producer of producers) await producer.send('before', 9, name, 0, { index: 1 })
  const look = (when: string) => lookAround(side, when, id)
  await look('before')
  const parked = []
  for (const version of [12, 17]) {
    const topics = [
      { topic: name, topicId: id, partitions: [{ partition: 0, fetchOffset: 2, partitionMaxBytes: 1000 }] },
    ]
    const body = { maxWaitMs: 8000, minBytes: 1, isolationLevel: 0, topics, forgottenTopicsData: [] }
    parked.push(await side.park(`waits, v${version}`, fetch, version, body))
  }
  await pause(200)
  await side.quiet(deleteTopics, 6, { topics: [{ name }], topicNames: [], timeoutMs })
  await Promise.all(parked.map(({ answered }) => answered))
  await side.settle()
  await look('gone')
  await member.beat('its topic is gone')
  await member.acknowledge('has let go of what is gone')
  await shareBeat(side, 'its topic is gone')
  await shareFetch(side, 'its topic is gone', [], { groupId: 'tg-share', epoch: 2 })
  await acknowledge(side, 'its topic is gone', topicsOf(id, 0, [[1, 1, 1]]), { groupId: 'tg-share', epoch: 3 })
  for (const producer of producers) {
    await producer.rest('its topic is gone')
    await producer.add('its topic is gone', 3, { [name]: [0] })
    await producer.add('what is gone and what is not', 3, { [name]: [0], 'tg-stays': [0] })
  }
  await producers[0]!.end('of what is gone', 3, true)
  await producers[0]!.rest('ended')
  side.remember(await side.topic(name, 2), '<new id>')
  await side.settle()
  await look('back')
  await send('back, in the old sequence', 2)
  await send('back, from the beginning', 0)
  await member.beat('its topic is back')
  await member.acknowledge('has what is back')
  await shareBeat(side, 'its topic is back')
  await shareFetch(side, 'its topic is back', [], { groupId: 'tg-share', epoch: 4 })
  await producers[1]!.send('back', 9, name, 1, { index: 1 })
  await producers[1]!.ends('back', name)
  await producers[1]!.end('of what is back', 3, true)
  await producers[1]!.rest('ended')
  await producers[1]!.ends('ended', name)
  await commit(side, 'by its old id', id)
  await look('in the end')
}

const commit = (side: Side, label: string, id: string) =>
  side.each(`commits ${label}`, offsetCommit, (version) => {
    const partitions = [0, 1].map((partitionIndex) => ({ partitionIndex, committedOffset: 1, committedMetadata: 'w' }))
    const topic = version >= 10 ? { topicId: id, partitions } : { name, partitions }
    const who = { groupId: 'tg-simple', generationIdOrMemberEpoch: -1, memberId: '', retentionTimeMs: -1 }
    return { ...who, topics: [topic] as never }
  })

const shareBeat = (side: Side, label: string) =>
  side.ask(label, shareGroupHeartbeat, 1, beatBody('tg-share', 'a', 0, [name]))

async function lookAround(side: Side, when: string, id: string): Promise<void> {
  const asked = { topicId: id, partitionIndexes: [0, 1] }
  for (const topics of [null, [asked]])
    await side.each(`${when}: committed, ${topics === null ? 'all' : 'by name'}`, offsetFetch, (version) => {
      if (topics === null && version < 2) return undefined
      const { topicId, partitionIndexes } = asked
      const named = topics && [version >= 10 ? { topicId, partitionIndexes } : { name, partitionIndexes }]
      const more = version >= 7 ? { requireStable: true } : {}
      const group = { groupId: 'tg-simple', topics: named as never }
      return version >= 8 ? { groups: [group], ...more } : { ...group, ...more }
    })
  await side.ask(`${when}: described`, describeGroups, 6, { groups: ['tg-simple'] })
  await side.ask(`${when}: sharers`, shareGroupDescribe, 1, {
    groupIds: ['tg-share'],
    includeAuthorizedOperations: false,
  })
  const groups = [
    { groupId: 'tg-share', topics: null },
    { groupId: 'tg-share', topics: [{ topicName: name, partitions: [0, 1] }] },
  ]
  for (const group of groups) await side.ask(`${when}: shared`, describeShareGroupOffsets, 1, { groups: [group] })
  const topics = [{ name, partitionIndexes: [0, 1] }]
  await side.ask(`${when}: producers`, describeProducers, 0, { topics })
  const partitions = [{ partitionIndex: 1, timestamp: -1, currentLeaderEpoch: -1 }]
  for (const isolationLevel of [0, 1])
    await side.ask(`${when}: end at ${isolationLevel}`, listOffsets, 7, {
      replicaId: -1,
      isolationLevel,
      topics: [{ name, partitions }],
    })
  for (const topicId of [id, zeroUuid]) {
    const wanted = [{ topic: name, topicId, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }]
    const body = { maxWaitMs: 0, minBytes: 0, isolationLevel: 0, topics: wanted, forgottenTopicsData: [] }
    for (const version of [12, 13, 18]) await side.ask(`${when}: read by ${topicId === id}`, fetch, version, body)
  }
}
