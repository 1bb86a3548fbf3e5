// What is answered by a cluster that has agreed to do without a feature, or with an older level of it. Played on demand, for
// whatever else uses the feature would meet it.

import { joinGroup } from '../../../protocol/messages/11-join-group.ts'
import { describeGroups } from '../../../protocol/messages/15-describe-groups.ts'
import { listGroups } from '../../../protocol/messages/16-list-groups.ts'
import { apiVersions } from '../../../protocol/messages/18-api-versions.ts'
import { initProducerId } from '../../../protocol/messages/22-init-producer-id.ts'
import { addOffsetsToTxn } from '../../../protocol/messages/25-add-offsets-to-txn.ts'
import { describeConfigs } from '../../../protocol/messages/32-describe-configs.ts'
import { deleteGroups } from '../../../protocol/messages/42-delete-groups.ts'
import { incrementalAlterConfigs } from '../../../protocol/messages/44-incremental-alter-configs.ts'
import { updateFeatures } from '../../../protocol/messages/57-update-features.ts'
import { consumerGroupDescribe } from '../../../protocol/messages/69-consumer-group-describe.ts'
import { shareGroupHeartbeat } from '../../../protocol/messages/76-share-group-heartbeat.ts'
import { shareGroupDescribe } from '../../../protocol/messages/77-share-group-describe.ts'
import { describeShareGroupOffsets } from '../../../protocol/messages/90-describe-share-group-offsets.ts'
import { alterShareGroupOffsets } from '../../../protocol/messages/91-alter-share-group-offsets.ts'
import { deleteShareGroupOffsets } from '../../../protocol/messages/92-delete-share-group-offsets.ts'
import { subscriptionOf } from '../../group/consumers.ts'
import type { Side } from '../side.ts'
import { Member, withoutInterval } from './consumer-groups.ts'
import { allCoordinators } from './coordinators.ts'
import { coordinatorOf } from './groups.ts'
import { acknowledge, beatBody, fetch, ready, topicsOf } from './share-groups.ts'
import { Producer } from './transactions.ts'

async function set(side: Side, feature: string, maxVersionLevel: number, upgradeType: number): Promise<void> {
  const featureUpdates = [{ feature, maxVersionLevel, upgradeType }]
  await side.ask(`${feature} ${maxVersionLevel}`, updateFeatures, 2, { featureUpdates, validateOnly: false })
  await side.settle()
  const words = { clientSoftwareName: 'differential', clientSoftwareVersion: '1' }
  await side.ask(`${feature} is ${maxVersionLevel}`, apiVersions, 4, words)
}

export async function featuresOffScenario(side: Side): Promise<void> {
  await allCoordinators(side)
  await withoutInterval(side)
  await side.topic('fo', 3)
  for (const level of [1, 0]) {
    await transactionsAt(side, level)
    await set(side, 'transaction.version', 2, 1)
  }
  await consumersWithout(side)
  await sharersWithout(side)
  await insyncWithout(side)
}

async function transactionsAt(side: Side, level: number): Promise<void> {
  const begun = await Producer.open(side, `fo-begun-${level}`)
  await begun.send('begun before', 12, 'fo', 0)
  await set(side, 'transaction.version', level, 2)
  await begun.send('goes on', level === 0 ? 9 : 12, 'fo', 1)
  await begun.end('begun before', level === 0 ? 3 : 5, true)
  await begun.rest('begun before')
  // Of a request that needs more than the level allows Kafka 4.4.0 leaves the transactional id in the middle of a change.
  for (const version of level === 0 ? [3] : [3, 4, 5]) {
    const producer = await Producer.open(side, `fo-${level}-${version}`)
    await side.ask('init', initProducerId, version, { transactionalId: `fo-${level}-i`, transactionTimeoutMs: 60_000 })
    const produceVersion = version === 5 ? 12 : version === 4 ? 11 : 9
    await producer.send('not added', produceVersion, 'fo', 0, { index: 1 })
    await producer.add('a partition', version, { fo: [2] })
    await producer.send('added', produceVersion, 'fo', 0, { index: 2 })
    const group = `group of ${producer.name}`
    await coordinatorOf(side, group)
    await side.ask('offsets', addOffsetsToTxn, 4, { transactionalId: producer.name, ...producer.held, groupId: group })
    await producer.commit('offsets', version, { name: 'fo' } as never)
    await producer.rest(`open at ${level}`)
    await producer.end('ends', version, true)
    await producer.rest(`ended at ${level}`)
    await producer.end('ends again', version, true)
    await producer.end('ends by the next epoch', version, false, producer.bumped())
    await producer.rest(`ended again at ${level}`)
    const over = await Producer.open(side, `fo-over-${level}-${version}`)
    await over.add('left open', 3, { fo: [0] })
    const body = { transactionalId: over.name, transactionTimeoutMs: 60_000 }
    await side.ask('over an open one', initProducerId, version, body)
    await over.rest(`fenced at ${level}`)
    await over.end('fenced', version, true)
    await side.ask('after an open one', initProducerId, version, body)
  }
}

async function consumersWithout(side: Side): Promise<void> {
  const groupId = 'fo-consumers'
  await coordinatorOf(side, groupId)
  const member = new Member(side, 'fo-m', { groupId, subscribedTopicNames: ['fo'] })
  await member.beat('joins')
  await set(side, 'group.version', 0, 2)
  await member.beat('without the feature')
  await new Member(side, 'fo-n', { groupId, subscribedTopicNames: ['fo'] }).beat('joins without the feature')
  await side.each('without the feature', consumerGroupDescribe, {
    groupIds: [groupId, 'fo-none'],
    includeAuthorizedOperations: false,
  })
  await side.each('without the feature', describeGroups, { groups: [groupId] })
  await side.ask('without the feature', listGroups, 5, { typesFilter: ['consumer'], statesFilter: [] })
  await side.ask('without the feature', joinGroup, 7, {
    groupId,
    memberId: '',
    groupInstanceId: null,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: subscriptionOf(['fo']) }],
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 30_000,
  })
  await side.ask('without the feature', deleteGroups, 2, { groupsNames: [groupId] })
  await set(side, 'group.version', 1, 1)
  await member.beat('with the feature again')
}

async function sharersWithout(side: Side): Promise<void> {
  const groupId = 'fo-share'
  const id = await side.topic(groupId, 1)
  await coordinatorOf(side, groupId)
  await ready(side, groupId, 'a', groupId)
  for (const level of [1, 0]) {
    await set(side, 'share.version', level, 2)
    const groupIds = [groupId]
    await side.ask(`beats at ${level}`, shareGroupHeartbeat, 1, beatBody(groupId, 'a', 0, [groupId]))
    await side.ask(`at ${level}`, shareGroupDescribe, 1, { groupIds, includeAuthorizedOperations: true })
    await fetch(side, `at ${level}`, topicsOf(id, 0, []), { groupId })
    await acknowledge(side, `at ${level}`, topicsOf(id, 0, [[0, 0, 1]]), { groupId, epoch: 1 })
    await side.ask(`at ${level}`, describeShareGroupOffsets, 1, { groups: [{ groupId, topics: null }] })
    const topics = [{ topicName: groupId, partitions: [{ partitionIndex: 0, startOffset: 0 }] }]
    await side.ask(`at ${level}`, alterShareGroupOffsets, 0, { groupId, topics })
    await side.ask(`at ${level}`, deleteShareGroupOffsets, 0, { groupId, topics: [{ topicName: groupId }] })
    await side.ask(`at ${level}`, listGroups, 5, { typesFilter: ['share'], statesFilter: [] })
    await side.ask(`at ${level}`, deleteGroups, 2, { groupsNames: [groupId] })
  }
  await set(side, 'share.version', 2, 1)
  await side.ask('beats again', shareGroupHeartbeat, 1, beatBody(groupId, 'a', 0, [groupId]))
}

async function insyncWithout(side: Side): Promise<void> {
  const alter = async (label: string) => {
    for (const [resourceType, resourceName] of [
      [4, ''],
      [4, '1'],
      [2, 'fo'],
    ] as const)
      for (const [configOperation, value] of [
        [0, '2'],
        [1, null],
      ] as const) {
        const configs = [{ name: 'min.insync.replicas', configOperation, value }]
        const resources = [{ resourceType, resourceName, configs }]
        const what = `${label}: ${resourceType} «${resourceName}» ${value}`
        await side.ask(what, incrementalAlterConfigs, 1, { resources, validateOnly: false })
      }
    await side.settle()
    const asked = ['', '1'].map((resourceName) => ({
      resourceType: 4,
      resourceName,
      configurationKeys: ['min.insync.replicas'],
    }))
    const body = { resources: asked, includeSynonyms: true, includeDocumentation: false }
    await side.ask(label, describeConfigs, 4, body)
  }
  await alter('with eligible replicas')
  await set(side, 'eligible.leader.replicas.version', 0, 2)
  await alter('without eligible replicas')
  await set(side, 'eligible.leader.replicas.version', 1, 1)
  await alter('with them again')
}
