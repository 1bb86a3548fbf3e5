// Consumer groups (KIP-848): refusals, and the life of a group step by step. Kafka gives them a moment between two
// assignments and resolves regular expressions later; the first is switched off here, the second is left out.

import { offsetCommit } from '../../../protocol/messages/08-offset-commit.ts'
import { offsetFetch } from '../../../protocol/messages/09-offset-fetch.ts'
import { joinGroup } from '../../../protocol/messages/11-join-group.ts'
import { heartbeat } from '../../../protocol/messages/12-heartbeat.ts'
import { leaveGroup } from '../../../protocol/messages/13-leave-group.ts'
import { syncGroup } from '../../../protocol/messages/14-sync-group.ts'
import { describeGroups } from '../../../protocol/messages/15-describe-groups.ts'
import { listGroups } from '../../../protocol/messages/16-list-groups.ts'
import { deleteGroups } from '../../../protocol/messages/42-delete-groups.ts'
import { incrementalAlterConfigs } from '../../../protocol/messages/44-incremental-alter-configs.ts'
import { offsetDelete } from '../../../protocol/messages/47-offset-delete.ts'
import { consumerGroupHeartbeat } from '../../../protocol/messages/68-consumer-group-heartbeat.ts'
import { consumerGroupDescribe } from '../../../protocol/messages/69-consumer-group-describe.ts'
import { zeroUuid } from '../../../protocol/schema.ts'
import { subscriptionOf } from '../../group/consumers.ts'
import type { Side } from '../side.ts'
import { pause } from '../side.ts'
import { coordinatorOf } from './groups.ts'

/** For as long as the brokers run: both are fresh, and are thrown away. */
export async function withoutInterval(side: Side): Promise<void> {
  const configs = [{ name: 'group.consumer.assignment.interval.ms', configOperation: 0, value: '0' }]
  await side.quiet(incrementalAlterConfigs, 1, {
    resources: [{ resourceType: 4, resourceName: '', configs }],
    validateOnly: false,
  })
  await pause(1500)
}

type Part = Record<string, unknown>
type Owned = { topicId: string; partitions: number[] }[]

export class Member {
  readonly side: Side
  readonly id: string
  readonly words: Part
  epoch = 0
  owned: Owned = []

  constructor(side: Side, id: string, words: Part) {
    this.side = side
    this.id = id
    this.words = { groupId: 'cg', ...words }
  }

  async beat(label: string, part: Part = {}): Promise<void> {
    const { groupId, instanceId = null } = this.words
    const joins = this.epoch === 0 ? { ...this.words, rebalanceTimeoutMs: 30_000, topicPartitions: [] } : {}
    const body = { groupId, instanceId, memberId: this.id, memberEpoch: this.epoch, ...joins, ...part }
    const answer = await this.side.ask(`${this.id} ${label}`, consumerGroupHeartbeat, 1, body as never)
    if (typeof answer === 'string' || answer.errorCode !== 0) return
    this.epoch = answer.memberEpoch
    if (answer.assignment !== null) this.owned = answer.assignment.topicPartitions
    const request = { groupIds: [groupId as string], includeAuthorizedOperations: false }
    await this.side.ask(`after ${this.id} ${label}`, consumerGroupDescribe, 1, request)
  }

  acknowledge(label = 'has let go'): Promise<void> {
    return this.beat(label, { topicPartitions: this.owned })
  }
}

export async function consumerRefusalsScenario(side: Side): Promise<void> {
  const topicId = await side.topic('cr', 2)
  await coordinatorOf(side, 'cr')
  const good = {
    groupId: 'cr',
    memberId: 'm',
    memberEpoch: 0,
    rebalanceTimeoutMs: 30_000,
    subscribedTopicNames: ['cr'],
    topicPartitions: [],
  }
  const ask = (label: string, part: Part) => side.each(label, consumerGroupHeartbeat, { ...good, ...part })
  await ask('no group', { groupId: '' })
  await ask('a blank group', { groupId: ' ' })
  for (const memberEpoch of [1, -1, -2, -3]) await ask(`no member, epoch ${memberEpoch}`, { memberId: '', memberEpoch })
  await ask('no instance', { instanceId: '' })
  await ask('no rack', { rackId: ' ' })
  for (const rebalanceTimeoutMs of [-1, -2, -(2 ** 31)])
    await ask(`rebalance timeout ${rebalanceTimeoutMs}`, { rebalanceTimeoutMs })
  await ask('no partitions', { topicPartitions: null })
  await ask('some partitions', { topicPartitions: [{ topicId, partitions: [0] }] })
  await ask('no topics', { subscribedTopicNames: null })
  for (const serverAssignor of ['', 'sticky', 'Uniform']) await ask(`assignor «${serverAssignor}»`, { serverAssignor })
  for (const memberEpoch of [-1, -2, -3, 1]) {
    await ask(`epoch ${memberEpoch}`, { memberEpoch })
    await ask(`epoch ${memberEpoch}, static`, { memberEpoch, instanceId: 'i' })
  }
  await side.each('nobody', consumerGroupDescribe, { groupIds: ['cr'], includeAuthorizedOperations: true })
  await side.each('no name', consumerGroupDescribe, { groupIds: [''], includeAuthorizedOperations: true })
}

export async function consumerGroupScenario(side: Side): Promise<void> {
  await side.topic('cg', 6)
  await coordinatorOf(side, 'cg')
  await withoutInterval(side)
  const words = { subscribedTopicNames: ['cg'] }
  const [a, b] = [new Member(side, 'a', words), new Member(side, 'b', { ...words, instanceId: 'i' })]
  await a.beat('joins')
  await a.beat('with a greater epoch', { memberEpoch: 3 })
  await a.beat('with a smaller epoch', { memberEpoch: 1 })
  await a.beat('under an instance', { instanceId: 'x' })
  await b.beat('joins')
  await a.beat('is told to let go')
  await a.beat('has not let go')
  await a.beat('holds on', { topicPartitions: [{ topicId: side.idOf('cg'), partitions: [0, 1, 2, 3, 4, 5] }] })
  await b.beat('waits')
  await a.acknowledge()
  await b.beat('is given its part')
  await a.beat('missed the answer', { memberEpoch: 2, topicPartitions: [] })
  await a.beat('says everything', { ...words, rebalanceTimeoutMs: 30_000, topicPartitions: a.owned })
  await requestsOfOthers(side, a, b)
  await new Member(side, 'c', { ...words, instanceId: 'i' }).beat('wants the place of b')
  await b.beat('leaves for a while', { memberEpoch: -2 })
  const c = new Member(side, 'c', { ...words, instanceId: 'i' })
  await c.beat('takes the place of b')
  b.epoch = 3
  await b.beat('comes too late')
  await c.beat('subscribes to nothing', { subscribedTopicNames: [] })
  await c.acknowledge()
  await a.beat('has everything again')
  await c.beat('leaves', { memberEpoch: -1 })
  await c.beat('leaves again', { memberEpoch: -1 })
  await a.beat('is alone')
  await a.beat('leaves', { memberEpoch: -1 })
  await side.each('the empty group', consumerGroupDescribe, { groupIds: ['cg'], includeAuthorizedOperations: true })
  await side.each('all groups', listGroups, (version) =>
    version === 5 ? { statesFilter: [], typesFilter: ['consumer'] } : undefined,
  )
  await side.ask('delete', deleteGroups, 2, { groupsNames: ['cg'] })
  await side.ask('delete again', deleteGroups, 2, { groupsNames: ['cg'] })
}

async function requestsOfOthers(side: Side, a: Member, b: Member): Promise<void> {
  const groupId = 'cg'
  const topicId = side.idOf('cg')
  const commit = (label: string, memberId: string, epoch: number, partitionIndex = 0) =>
    side.each(`commit: ${label}`, offsetCommit, (version) => {
      const partition = { partitionIndex, committedOffset: 1, committedLeaderEpoch: 0, committedMetadata: '' }
      const topic = {
        name: version >= 10 ? '' : 'cg',
        topicId: version >= 10 ? topicId : zeroUuid,
        partitions: [partition],
      }
      const who = { groupId, memberId, generationIdOrMemberEpoch: epoch, groupInstanceId: null }
      return { ...who, retentionTimeMs: -1, topics: [topic] }
    })
  await commit('its epoch', 'a', a.epoch)
  await commit('the epoch before, kept since', 'a', a.epoch - 1, a.owned[0]!.partitions[0])
  await commit('the epoch before, not its own then', 'b', b.epoch - 1, b.owned[0]!.partitions[0])
  await commit('long ago', 'a', 1)
  await commit('an epoch to come', 'a', a.epoch + 1)
  await commit('no epoch', 'a', -1)
  await commit('nobody', '', -1)
  await commit('an unknown member', 'z', 3)
  for (const [memberId, memberEpoch] of [
    [null, -1],
    ['a', a.epoch],
    ['a', 1],
    ['a', 9],
    ['z', 3],
    ['', -1],
  ] as const)
    await side.each(`fetch: ${memberId} ${memberEpoch}`, offsetFetch, (version) =>
      version >= 9 ? { groups: [{ groupId, memberId, memberEpoch, topics: null }], requireStable: false } : undefined,
    )
  await side.each('classic description', describeGroups, { groups: [groupId], includeAuthorizedOperations: true })
  const topics = ['cg', 'cg-none'].map((name) => ({ name, partitions: [{ partitionIndex: 0 }] }))
  await side.ask('offsets of what is read', offsetDelete, 0, { groupId, topics })
  await side.each('delete while it is read', deleteGroups, { groupsNames: [groupId] })
  const classic = { groupId, generationId: 3, memberId: 'a', groupInstanceId: null }
  await side.each('heartbeat in its name', heartbeat, classic)
  await side.each('sync in its name', syncGroup, (version) => {
    const named = version >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : {}
    return { ...classic, ...named, assignments: [] }
  })
  const join = { groupId, sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 30_000, memberId: '', groupInstanceId: null }
  const protocols = [{ name: 'range', metadata: subscriptionOf(['cg']) }]
  await side.each('join as Connect', joinGroup, { ...join, protocolType: 'connect', protocols })
  await side.each('join without a protocol', joinGroup, { ...join, protocolType: 'consumer', protocols: [] })
  const leavers = [
    { memberId: 'z', groupInstanceId: null },
    { memberId: 'a', groupInstanceId: 'i' },
    { memberId: '', groupInstanceId: 'q' },
  ]
  await side.ask('unknown ones leave', leaveGroup, 5, { groupId, members: leavers })
}

const expressions = [
  ...[
    '',
    'a.b',
    'a|b',
    '(?i)ORD',
    '(?P<x>a)b',
    '(?<x>a)b',
    '(?P<x>a',
    '(?P=x)',
    '\\d+',
    '\\pL',
    '\\p{Greek}',
    '\\p{Foo}',
  ],
  ...[
    '[[:alpha:]]+',
    '[[:foo:]]',
    '[^a]',
    '[a-]',
    '[]a]',
    '[a',
    'a{',
    'a{,2}',
    'a{2,1}',
    'a{1001}',
    '(a{100}){100}',
    'a++',
    'a*?',
  ],
  ...[
    '(?i-s:a)b',
    '(?i',
    '(?',
    '(?x)a',
    '(?>a)',
    '(?!a)',
    '(?<=a)b',
    '\\b',
    '\\z',
    '\\Z',
    '\\C',
    '\\Q*\\E',
    '\\Q*',
    '\\x41',
  ],
  ...[
    '\\x{110000}',
    '\\x',
    '\\012',
    '\\1',
    '\\_',
    '^a$',
    '^*',
    '(a',
    'a)',
    '|',
    '\\e',
    '\\u0041',
    '[\\Q]',
    '[b-a]',
    '\\',
    '[\\',
  ],
  ...['a{1}{2}', '(?P<n1>a)(?P<n1>b)', '(?P<a-b>a)', 'é', '☃+'],
]

export async function expressionsScenario(side: Side): Promise<void> {
  await coordinatorOf(side, 'ce')
  for (const [i, subscribedTopicRegex] of expressions.entries()) {
    const joins = { groupId: `ce${i}`, memberId: 'm', memberEpoch: 0, rebalanceTimeoutMs: 30_000, topicPartitions: [] }
    await coordinatorOf(side, joins.groupId)
    const body = { ...joins, subscribedTopicNames: null, subscribedTopicRegex: `none-${subscribedTopicRegex}` }
    await side.ask(`«${subscribedTopicRegex}»`, consumerGroupHeartbeat, 1, body)
  }
}
