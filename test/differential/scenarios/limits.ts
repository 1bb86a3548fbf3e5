// What is answered where a broker's options set narrow limits. Played on demand only, for both brokers must be started with
// `limits` below.

import { produce } from '../../../protocol/messages/00-produce.ts'
import { fetch } from '../../../protocol/messages/01-fetch.ts'
import { metadata } from '../../../protocol/messages/03-metadata.ts'
import { joinGroup } from '../../../protocol/messages/11-join-group.ts'
import { createTopics } from '../../../protocol/messages/19-create-topics.ts'
import { deleteTopics } from '../../../protocol/messages/20-delete-topics.ts'
import { initProducerId } from '../../../protocol/messages/22-init-producer-id.ts'
import { describeProducers } from '../../../protocol/messages/61-describe-producers.ts'
import { describeTransactions } from '../../../protocol/messages/65-describe-transactions.ts'
import { consumerGroupHeartbeat } from '../../../protocol/messages/68-consumer-group-heartbeat.ts'
import { consumerGroupDescribe } from '../../../protocol/messages/69-consumer-group-describe.ts'
import { describeTopicPartitions } from '../../../protocol/messages/75-describe-topic-partitions.ts'
import { shareGroupHeartbeat } from '../../../protocol/messages/76-share-group-heartbeat.ts'
import { subscriptionOf } from '../../group/consumers.ts'
import { batchOf } from '../../wire-client.ts'
import { pause, type Side } from '../side.ts'
import { Member, withoutInterval } from './consumer-groups.ts'
import { allCoordinators } from './coordinators.ts'
import { coordinatorOf } from './groups.ts'
import { Group } from './rebalances.ts'
import { beatBody, ready, fetch as shareFetch, topicsOf } from './share-groups.ts'
import { Producer } from './transactions.ts'

/** As lines of server.properties. */
export const limits = `auto.create.topics.enable=false
delete.topic.enable=false
num.partitions=3
max.request.partition.size.limit=3
fetch.max.bytes=1024
group.min.session.timeout.ms=1000
group.max.size=2
group.consumer.max.size=2
group.consumer.assignors=range
group.consumer.migration.policy=disabled
group.consumer.min.session.timeout.ms=1000
group.consumer.session.timeout.ms=2000
group.consumer.min.heartbeat.interval.ms=500
group.consumer.heartbeat.interval.ms=500
group.share.max.size=2
group.share.max.share.sessions=2
transaction.max.timeout.ms=5000
transaction.abort.timed.out.transaction.cleanup.interval.ms=500
transactional.id.expiration.ms=3000
transaction.remove.expired.transaction.cleanup.interval.ms=500
producer.id.expiration.ms=3000
producer.id.expiration.check.interval.ms=500
log.retention.check.interval.ms=500
`

export async function limitsScenario(side: Side): Promise<void> {
  await allCoordinators(side)
  await withoutInterval(side)
  await topics(side)
  await fetches(side)
  await classicGroups(side)
  await consumerGroups(side)
  await shareGroups(side)
  await producers(side)
}

async function topics(side: Side): Promise<void> {
  for (const name of ['li-a', 'li-b', 'li-c']) await side.topic(name, 2)
  for (const allowAutoTopicCreation of [true, false])
    for (const name of ['li-none', 'a/b'])
      await side.each(`«${name}», made ${allowAutoTopicCreation}`, metadata, (version) => {
        if (version < 4 && !allowAutoTopicCreation) return undefined
        return { topics: [{ name }], ...(version < 4 ? {} : { allowAutoTopicCreation }) }
      })
  await side.each('to nowhere', produce, (version) => {
    if (version > 12) return undefined
    const topicData = [{ name: 'li-none', partitionData: [{ index: 0, records: batchOf(['x']) }] }]
    return { acks: -1, timeoutMs: 3000, topicData }
  })
  await side.each('what may not go', deleteTopics, (version) =>
    version >= 6
      ? { topics: [{ name: 'li-a' }, { name: 'li-none' }], topicNames: [], timeoutMs: 5000 }
      : { topicNames: ['li-a', 'li-none'], timeoutMs: 5000 },
  )
  const wanted = { numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] }
  await side.each('would: by default', createTopics, { topics: [{ name: 'li-new', ...wanted }], validateOnly: true })
  const names = ['li-a', 'li-b', 'li-c', 'li-none'].map((name) => ({ name }))
  for (const responsePartitionLimit of [-1, 0, 1, 2, 3, 4, 100])
    for (const cursor of [null, { topicName: 'li-a', partitionIndex: 1 }, { topicName: 'li-b', partitionIndex: 2 }])
      await side.each(`${responsePartitionLimit} from ${JSON.stringify(cursor)}`, describeTopicPartitions, {
        topics: names,
        responsePartitionLimit,
        cursor,
      })
}

async function fetches(side: Side): Promise<void> {
  const topicId = await side.topic('li-f', 2)
  for (const index of [0, 1])
    for (let n = 0; n < 3; n++) {
      const records = batchOf([{ key: 'k', value: 'x'.repeat(n === 1 ? 1500 : 400), timestamp: side.base }])
      const topicData = [{ name: 'li-f', partitionData: [{ index, records }] }]
      await side.quiet(produce, 9, { acks: -1, timeoutMs: 5000, topicData })
    }
  for (const fetchOffset of [0, 1, 2])
    await side.each(`more than fetch.max.bytes from ${fetchOffset}`, fetch, {
      maxWaitMs: 0,
      minBytes: 1,
      isolationLevel: 0,
      topics: [
        {
          topic: 'li-f',
          topicId,
          partitions: [0, 1].map((partition) => ({ partition, fetchOffset, partitionMaxBytes: 1 << 20 })),
        },
      ],
      forgottenTopicsData: [],
    })
}

async function classicGroups(side: Side): Promise<void> {
  const id = 'li-classic'
  await side.topic(id, 2)
  await coordinatorOf(side, id)
  const group = new Group(side, id)
  const third = (label: string) =>
    side.each(label, joinGroup, (version) => ({
      groupId: id,
      memberId: '',
      groupInstanceId: version >= 5 ? 'i' : null,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: subscriptionOf([id]) }],
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 30_000,
    }))
  await group.newcomer('a')
  await (await group.join('a joins', 'a')).joined
  await (await group.sync('a assigns', 'a', { a: [0, 1] })).synced
  await group.newcomer('b')
  const b = await group.join('b joins', 'b')
  await group.becomes('PreparingRebalance')
  const a = await group.join('a joins again', 'a')
  await side.settle()
  // Who was given an id before is left out: Kafka turns it away and has the others wait for it.
  await third('a third one joins a full group')
  await Promise.all([a.joined, b.joined])
  await third('a third one joins while it is assigned')
  const waits = await group.sync('b syncs', 'b')
  await (await group.sync('a assigns to both', 'a', { a: [0], b: [1] })).synced
  await waits.synced
  await third('a third one joins')
  const words = { memberId: 'm', memberEpoch: 0, rebalanceTimeoutMs: 30_000, topicPartitions: [] }
  const consumer = { groupId: id, ...words, subscribedTopicNames: [id] }
  await side.ask('a consumer joins a classic group', consumerGroupHeartbeat, 1, consumer)
  await group.leave('a leaves', 'a')
  await group.leave('b leaves', 'b')
}

async function consumerGroups(side: Side): Promise<void> {
  const groupId = 'li-consumers'
  await side.topic(groupId, 4)
  await coordinatorOf(side, groupId)
  const words = { groupId, subscribedTopicNames: [groupId] }
  const [a, b] = [new Member(side, 'li-a', words), new Member(side, 'li-b', { ...words, instanceId: 'i' })]
  await a.beat('asks for an assignor that is not served', { serverAssignor: 'uniform' })
  await a.beat('joins', { serverAssignor: 'range' })
  await b.beat('joins')
  await new Member(side, 'li-c', words).beat('joins a full group')
  await new Member(side, 'li-c', { ...words, instanceId: 'j' }).beat('joins a full group as an instance')
  await new Member(side, 'li-c', { ...words, instanceId: 'i' }).beat('wants the place of b')
  await side.each('a classic member joins a group of consumers', joinGroup, (version) => ({
    groupId,
    memberId: '',
    groupInstanceId: null,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: subscriptionOf([groupId]) }],
    sessionTimeoutMs: version + 10_000,
    rebalanceTimeoutMs: 30_000,
  }))
  await b.beat('leaves for a while', { memberEpoch: -2 })
  await new Member(side, 'li-c', words).beat('joins a group that is full of who has left for a while')
  for (let tries = 0; tries < 200; tries++) {
    const { groups } = await side.quiet(consumerGroupDescribe, 1, {
      groupIds: [groupId],
      includeAuthorizedOperations: false,
    })
    if (groups[0]!.members.length === 0) break
    await pause(50)
  }
  await a.beat('was silent for too long')
  await b.beat('was away for too long', { memberEpoch: 2 })
  await side.ask('nobody is left', consumerGroupDescribe, 1, {
    groupIds: [groupId],
    includeAuthorizedOperations: false,
  })
}

async function shareGroups(side: Side): Promise<void> {
  const groupId = 'li-share'
  const id = await side.topic(groupId, 1)
  await coordinatorOf(side, groupId)
  await ready(side, groupId, 'a', groupId)
  const beat = (label: string, memberId: string, epoch: number) =>
    side.ask(label, shareGroupHeartbeat, 1, beatBody(groupId, memberId, epoch, [groupId]))
  await beat('a second one', 'b', 0)
  await beat('a third one', 'c', 0)
  await beat('one that is there', 'a', 0)
  const all = topicsOf(id, 0, [])
  for (const memberId of ['a', 'b', 'c', 'd'])
    await shareFetch(side, `session of ${memberId}`, all, { groupId, memberId })
  await shareFetch(side, 'it ends', [], { groupId, memberId: 'a', epoch: -1 })
  await shareFetch(side, 'room for another', all, { groupId, memberId: 'c' })
  await shareFetch(side, 'no room again', all, { groupId, memberId: 'd' })
  await shareFetch(side, 'its own place', all, { groupId, memberId: 'c' })
}

async function producers(side: Side): Promise<void> {
  await side.topic('li-tx', 1)
  const transactionalId = 'li-tx'
  await Producer.open(side, transactionalId, 1000)
  for (const transactionTimeoutMs of [4999, 5000, 5001])
    await side.each(`timeout ${transactionTimeoutMs}`, initProducerId, { transactionalId, transactionTimeoutMs })
  const producer = new Producer(side, transactionalId)
  const { producerId, producerEpoch } = await side.quiet(initProducerId, 4, {
    transactionalId,
    transactionTimeoutMs: 4000,
  })
  producer.held = { producerId, producerEpoch }
  await producer.add('a transaction', 3, { 'li-tx': [0] })
  await producer.send('a transaction', 9, 'li-tx', 0)
  await producer.end('a transaction', 3, true)
  await producer.rest('it has ended')
  for (let tries = 0; tries < 400; tries++) {
    const { transactionStates } = await side.quiet(describeTransactions, 0, { transactionalIds: [transactionalId] })
    if (transactionStates[0]!.errorCode !== 0) break
    await pause(50)
  }
  await producer.rest('it is forgotten')
  for (let tries = 0; tries < 400; tries++) {
    const topics = [{ name: 'li-tx', partitionIndexes: [0] }]
    const { topics: found } = await side.quiet(describeProducers, 0, { topics })
    if (found[0]!.partitions[0]!.activeProducers.length === 0) break
    await pause(50)
  }
  for (const version of [2, 3]) await producer.add('a forgotten one', version, { 'li-tx': [0] })
  for (const version of [3, 5]) await producer.end('a forgotten one', version, true)
  for (const version of [9, 11, 12]) await producer.send('a forgotten one', version, 'li-tx', 1)
  const more = { transactionTimeoutMs: 4000, ...producer.held }
  await side.each('a forgotten one goes on', initProducerId, (version) =>
    version < 3 ? undefined : { transactionalId, ...more },
  )
  const plain = (label: string, baseSequence: number) => {
    const records = batchOf(['x'], { producerId: 77, producerEpoch: 3, baseSequence })
    const topicData = [{ name: 'li-tx', partitionData: [{ index: 0, records }] }]
    return side.ask(label, produce, 9, { acks: -1, timeoutMs: 3000, topicData })
  }
  await plain('somebody idempotent', 5)
  await pause(5000)
  await plain('long afterwards', 9)
  await plain('from before', 5)
}
