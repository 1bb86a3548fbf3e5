// What members and producers are told whose time is up: sessions, rebalances, assignments, locks, transactions. Everything
// begins first, and all wait together.

import { produce } from '../../../protocol/messages/00-produce.ts'
import { joinGroup } from '../../../protocol/messages/11-join-group.ts'
import { heartbeat } from '../../../protocol/messages/12-heartbeat.ts'
import { leaveGroup } from '../../../protocol/messages/13-leave-group.ts'
import { syncGroup } from '../../../protocol/messages/14-sync-group.ts'
import { describeGroups } from '../../../protocol/messages/15-describe-groups.ts'
import { initProducerId } from '../../../protocol/messages/22-init-producer-id.ts'
import { incrementalAlterConfigs } from '../../../protocol/messages/44-incremental-alter-configs.ts'
import { describeTransactions } from '../../../protocol/messages/65-describe-transactions.ts'
import { consumerGroupDescribe } from '../../../protocol/messages/69-consumer-group-describe.ts'
import { subscriptionOf } from '../../group/consumers.ts'
import { batchOf } from '../../wire-client.ts'
import { pause, type Side } from '../side.ts'
import { Member, withoutInterval } from './consumer-groups.ts'
import { allCoordinators } from './coordinators.ts'
import { coordinatorOf } from './groups.ts'
import { Group } from './rebalances.ts'
import { acknowledge, fetch, ready, topicsOf } from './share-groups.ts'
import { Producer } from './transactions.ts'

/** The shortest that a group may ask for. */
const sessionMs = 6000
const lockMs = 15_000

export async function timeIsUpScenario(side: Side): Promise<void> {
  await allCoordinators(side)
  await withoutInterval(side)
  const lookAtLocks = await locks(side)
  const lookAtTransactions = await transactions(side)
  const lookAtSessions = await sessions(side)
  await rebalances(side)
  await consumers(side)
  await lookAtTransactions()
  await lookAtSessions()
  await lookAtLocks()
}

async function until(side: Side, what: string, isDone: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await isDone()) return
    await pause(50)
  }
  throw new Error(`${side.bootstrap}: ${what}`)
}

// --- transactions

async function transactions(side: Side): Promise<() => Promise<void>> {
  await side.topic('tu-tx', 2)
  const begun: Producer[] = []
  for (const name of ['tu-added', 'tu-implied', 'tu-ended']) {
    const producer = await Producer.open(side, name)
    const body = { transactionalId: name, transactionTimeoutMs: 500 }
    const { producerId, producerEpoch } = await side.quiet(initProducerId, 4, body)
    producer.held = { producerId, producerEpoch }
    begun.push(producer)
  }
  const [added, implied, ended] = begun as [Producer, Producer, Producer]
  await added.add('for a while', 3, { 'tu-tx': [0] })
  await added.send('for a while', 9, 'tu-tx', 0)
  await implied.send('for a while', 12, 'tu-tx', 0, { index: 1 })
  await ended.send('for a while', 12, 'tu-tx', 0)
  return async () => {
    for (const producer of begun)
      await until(side, `${producer.name} stays open`, async () => {
        const body = { transactionalIds: [producer.name] }
        const { transactionStates } = await side.quiet(describeTransactions, 0, body)
        return transactionStates[0]!.transactionState === 'CompleteAbort'
      })
    for (const producer of [added, implied]) {
      await producer.rest('time is up')
      for (const version of [2, 3, 4, 5]) await producer.add('time is up', version, { 'tu-tx': [0] })
      for (const version of [1, 3, 4, 5]) await producer.end('time is up', version, true)
      for (const version of [9, 11, 12]) await producer.send('time is up', version, 'tu-tx', 1, { index: 1 })
      await producer.send('time is up, elsewhere', 12, 'tu-tx', 1, { index: 0 })
      for (const version of [3, 4, 5])
        await side.ask('init: time is up', initProducerId, version, {
          transactionalId: producer.name,
          transactionTimeoutMs: 60_000,
          ...producer.held,
        })
      await producer.rest('begun anew')
    }
    // The epoch that time has given it is one that it may end with.
    await ended.end('time is up, with the next epoch', 5, false, ended.bumped())
    await ended.rest('ended by the next epoch')
  }
}

// --- classic groups

const joining = (groupId: string, groupInstanceId: string | null) => ({
  groupId,
  memberId: '',
  groupInstanceId,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: subscriptionOf([groupId]) }],
  sessionTimeoutMs: sessionMs,
  rebalanceTimeoutMs: 30_000,
})

async function sessions(side: Side): Promise<() => Promise<void>> {
  for (const name of ['tu-one', 'tu-two']) {
    await side.topic(name, 2)
    await coordinatorOf(side, name)
  }
  const one = new Group(side, 'tu-one')
  one.sessionTimeoutMs = sessionMs
  await one.newcomer('a')
  await (await one.join('a joins', 'a')).joined
  await (await one.sync('a assigns', 'a', { a: [0, 1] })).synced
  const two = new Group(side, 'tu-two')
  two.sessionTimeoutMs = 120_000
  two.rebalanceTimeoutMs = 120_000
  await two.newcomer('a')
  await (await two.join('a joins', 'a')).joined
  await (await two.sync('a assigns', 'a', { a: [0, 1] })).synced
  two.sessionTimeoutMs = sessionMs
  await two.newcomer('b')
  const b = await two.join('b joins', 'b')
  await two.becomes('PreparingRebalance')
  two.sessionTimeoutMs = 120_000
  const a = await two.join('a joins again', 'a')
  await Promise.all([a.joined, b.joined])
  const waits = await two.sync('b syncs', 'b')
  await (await two.sync('a assigns to both', 'a', { a: [0], b: [1] })).synced
  await waits.synced
  const groupId = 'tu-static'
  await coordinatorOf(side, groupId)
  const { memberId, generationId } = await side.quiet(joinGroup, 5, joining(groupId, 'i'))
  side.remember(memberId, '<tu-static member>')
  const who = { groupId, memberId, groupInstanceId: 'i', generationId }
  await side.quiet(syncGroup, 5, {
    ...who,
    protocolType: 'consumer',
    protocolName: 'range',
    assignments: [{ memberId, assignment: Buffer.from('mine') }],
  })
  return async () => {
    await one.becomes('Empty')
    await one.look('its session ended', 'a', 'a+1', 'nobody', 'outside')
    await two.becomes('PreparingRebalance')
    await two.look('the session of b ended', 'a', 'b', 'b+1')
    await until(side, 'the static member stays', async () => {
      const { groups } = await side.quiet(describeGroups, 5, { groups: [groupId] })
      return groups[0]!.groupState === 'Empty'
    })
    await side.ask('static, its session ended', heartbeat, 4, who)
    const members = [{ memberId: '', groupInstanceId: 'i' }]
    await side.ask('static, its session ended', leaveGroup, 5, { groupId, members })
    await side.ask('static, with its old id', joinGroup, 5, { ...joining(groupId, 'i'), memberId })
  }
}

async function rebalances(side: Side): Promise<void> {
  for (const name of ['tu-late', 'tu-silent']) {
    await side.topic(name, 2)
    await coordinatorOf(side, name)
  }
  const late = new Group(side, 'tu-late')
  late.rebalanceTimeoutMs = 1000
  await late.newcomer('a')
  await (await late.join('a joins', 'a')).joined
  await (await late.sync('a assigns', 'a', { a: [0, 1] })).synced
  await late.newcomer('b')
  await (await late.join('b joins, a does not', 'b')).joined
  await late.lookWithoutSync('a did not come', 'a', 'a+1', 'b')
  await (await late.sync('b assigns', 'b', { b: [0, 1] })).synced
  await late.look('b is alone', 'a', 'b')
  const silent = new Group(side, 'tu-silent')
  silent.rebalanceTimeoutMs = 5000
  await silent.newcomer('a')
  await (await silent.join('a joins', 'a')).joined
  await (await silent.sync('a assigns', 'a', { a: [0, 1] })).synced
  await silent.newcomer('b')
  const b = await silent.join('b joins', 'b')
  await silent.becomes('PreparingRebalance')
  const a = await silent.join('a joins again', 'a')
  await Promise.all([a.joined, b.joined])
  await (await silent.sync('b syncs, a does not', 'b')).synced
  await silent.look('nobody has assigned', 'a', 'b')
}

// --- consumer groups

async function consumers(side: Side): Promise<void> {
  const groupId = 'tu-cg'
  await side.topic(groupId, 4)
  await coordinatorOf(side, groupId)
  const words = { groupId, subscribedTopicNames: [groupId] }
  const [a, b] = [new Member(side, 'tu-a', words), new Member(side, 'tu-b', words)]
  await a.beat('joins', { rebalanceTimeoutMs: 1000 })
  await b.beat('joins')
  await a.beat('is told to let go')
  await until(side, 'a may hold on for ever', async () => {
    const { groups } = await side.quiet(consumerGroupDescribe, 1, {
      groupIds: [groupId],
      includeAuthorizedOperations: false,
    })
    return groups[0]!.members.length === 1
  })
  await a.beat('did not let go')
  await b.beat('is given everything')
  await b.beat('has everything', { topicPartitions: b.owned })
  a.epoch = 0
  await a.beat('joins again')
}

// --- share groups

async function locks(side: Side): Promise<() => Promise<void>> {
  const groupId = 'tu-sg'
  const id = await side.topic(groupId, 1)
  const configs = [
    ['share.auto.offset.reset', 'earliest'],
    ['share.record.lock.duration.ms', String(lockMs)],
    ['share.delivery.count.limit', '2'],
  ].map(([name, value]) => ({ name: name!, configOperation: 0, value: value! }))
  const resources = [{ resourceType: 32, resourceName: groupId, configs }]
  await side.quiet(incrementalAlterConfigs, 1, { resources, validateOnly: false })
  await side.settle()
  const records = batchOf(['a', 'b', 'c', 'd'])
  const topicData = [{ name: groupId, partitionData: [{ index: 0, records }] }]
  await side.quiet(produce, 9, { acks: -1, timeoutMs: 5000, topicData })
  await coordinatorOf(side, groupId)
  await ready(side, groupId, 'a', groupId)
  const all = topicsOf(id, 0, [])
  await fetch(side, 'for a while', all, { groupId })
  const since = Date.now()
  await acknowledge(side, 'the first', topicsOf(id, 0, [[0, 0, 1]]), { groupId, epoch: 1 })
  await acknowledge(side, 'the second, given back', topicsOf(id, 0, [[1, 1, 2]]), { groupId, epoch: 2 })
  return async () => {
    await pause(Math.max(0, since + lockMs + 1500 - Date.now()))
    await acknowledge(side, 'too late', topicsOf(id, 0, [[2, 2, 1]]), { groupId, epoch: 3 })
    await fetch(side, 'what was locked', all, { groupId, memberId: 'b' })
    await acknowledge(side, 'given back once more', topicsOf(id, 0, [[1, 2, 2]]), { groupId, memberId: 'b', epoch: 1 })
    await fetch(side, 'nothing is left but one', all, { groupId, memberId: 'c' })
    await acknowledge(side, 'the last one', topicsOf(id, 0, [[3, 3, 1]]), { groupId, memberId: 'b', epoch: 2 })
    await fetch(side, 'nothing is left', [], { groupId, memberId: 'c', epoch: 1 })
  }
}
