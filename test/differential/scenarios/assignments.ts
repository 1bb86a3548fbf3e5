// Who is to read what: the assignors that a broker runs itself, as members with all kinds of subscriptions come and go and
// topics grow; what members may say in a heartbeat; and what members of a classic group agree on.

import { joinGroup } from '../../../protocol/messages/11-join-group.ts'
import { leaveGroup } from '../../../protocol/messages/13-leave-group.ts'
import { syncGroup } from '../../../protocol/messages/14-sync-group.ts'
import { describeGroups } from '../../../protocol/messages/15-describe-groups.ts'
import { deleteTopics } from '../../../protocol/messages/20-delete-topics.ts'
import { createPartitions } from '../../../protocol/messages/37-create-partitions.ts'
import { consumerGroupHeartbeat } from '../../../protocol/messages/68-consumer-group-heartbeat.ts'
import { consumerGroupDescribe } from '../../../protocol/messages/69-consumer-group-describe.ts'
import { zeroUuid } from '../../../protocol/schema.ts'
import { subscriptionOf } from '../../group/consumers.ts'
import type { Side } from '../side.ts'
import { Member, withoutInterval } from './consumer-groups.ts'
import { coordinatorOf } from './groups.ts'

const unknownId = 'abcdefghijklmnopqrstuQ'

export async function assignorsScenario(side: Side): Promise<void> {
  await side.topic('as-a', 3)
  await side.topic('as-b', 5)
  await side.topic('as-c', 1)
  await withoutInterval(side)
  // What `uniform` gives to whom goes by the hashes of topic ids, which differ from cluster to cluster.
  await assign(side, 'range')
}

async function assign(side: Side, serverAssignor: string): Promise<void> {
  const groupId = `as-${serverAssignor}`
  await coordinatorOf(side, groupId)
  const grown = `${groupId}-grown`
  await side.topic(grown, 2)
  const member = (id: string, topics: string[], instanceId: string | null = null) =>
    new Member(side, `${serverAssignor} ${id}`, { groupId, instanceId, serverAssignor, subscribedTopicNames: topics })
  const members: Member[] = []
  /** Until nobody has anything to let go of or to wait for. */
  const settle = async (label: string) => {
    for (let round = 0; round < 3; round++)
      for (const each of members) await each.beat(`${label}, round ${round}`, { topicPartitions: each.owned })
  }
  const join = async (label: string, ...[id, topics, instanceId]: Parameters<typeof member>) => {
    const joining = member(id, topics, instanceId)
    members.push(joining)
    await joining.beat(label)
    await settle(label)
  }
  const leave = async (label: string, i: number) => {
    const [gone] = members.splice(i, 1)
    await gone!.beat(label, { memberEpoch: -1 })
    await settle(label)
  }
  await join('alone', 'm3', ['as-a', 'as-b'])
  await join('two alike', 'm1', ['as-b', 'as-a'])
  await join('three alike', 'm2', ['as-a', 'as-b'])
  await join('four alike, one static', 'm4', ['as-a', 'as-b'], 'z')
  await leave('the first leaves', 0)
  await join('one reads less', 'm5', ['as-a'])
  await join('one reads something else', 'm6', ['as-c', grown, 'as-none'], 'a')
  await join('one reads all', 'm0', ['as-a', 'as-b', 'as-c', grown])
  const topics = [{ name: grown, count: 5, assignments: null }]
  await side.quiet(createPartitions, 3, { topics, timeoutMs: 5000, validateOnly: false })
  await side.settle()
  await settle('a topic has grown')
  await leave('one leaves', 1)
  await side.quiet(deleteTopics, 6, { topics: [{ name: grown }], topicNames: [], timeoutMs: 5000 })
  for (let times = 0; times < 3; times++) await side.settle()
  await settle('a topic is gone')
}

// --- what a member may say

export async function consumerWordsScenario(side: Side): Promise<void> {
  const topicId = await side.topic('cw', 3)
  await side.topic('cw-other', 1)
  await withoutInterval(side)
  const base = { rebalanceTimeoutMs: 30_000, topicPartitions: [] }
  type Part = Record<string, unknown>
  const joins: [label: string, words: Part][] = [
    ['a name twice', { subscribedTopicNames: ['cw', 'cw'] }],
    ['no names', { subscribedTopicNames: [] }],
    ['bad names', { subscribedTopicNames: ['', 'a/b', '.', 'x'.repeat(300), 'cw'] }],
    ['no name and no expression', { subscribedTopicNames: [], subscribedTopicRegex: '' }],
    ['no time', { subscribedTopicNames: ['cw'], rebalanceTimeoutMs: 0 }],
    ['a rack', { subscribedTopicNames: ['cw'], rackId: 'r', instanceId: 'i' }],
    ['a long id', { subscribedTopicNames: ['cw'], memberId: 'x'.repeat(300) }],
    ['an odd id', { subscribedTopicNames: ['cw'], memberId: 'é ☃' }],
  ]
  for (const [i, [label, words]] of joins.entries()) {
    const groupId = `cw-${i}`
    await coordinatorOf(side, groupId)
    await side.ask(label, consumerGroupHeartbeat, 1, { groupId, memberId: 'm', memberEpoch: 0, ...base, ...words })
    await side.ask(label, consumerGroupDescribe, 1, { groupIds: [groupId], includeAuthorizedOperations: false })
  }
  const groupId = 'cw'
  await coordinatorOf(side, groupId)
  const m = new Member(side, 'cw-m', { groupId, subscribedTopicNames: ['cw'] })
  await m.beat('joins')
  const some = (id: string, ...partitions: number[]) => [{ topicId: id, partitions }]
  for (const [label, words] of [
    ['nothing', {}],
    ['what it has', { topicPartitions: some(topicId, 0, 1, 2) }],
    ['what it has, twice', { topicPartitions: [...some(topicId, 0, 1), ...some(topicId, 1, 2)] }],
    ['less than it has', { topicPartitions: some(topicId, 1) }],
    ['more than there is', { topicPartitions: some(topicId, 0, 1, 2, 9, -1) }],
    ['a topic that is not', { topicPartitions: some(unknownId, 0) }],
    ['a topic without an id', { topicPartitions: some(zeroUuid, 0) }],
    ['a topic without partitions', { topicPartitions: some(topicId) }],
    ['the same names', { subscribedTopicNames: ['cw', 'cw'] }],
    ['more names', { subscribedTopicNames: ['cw-other', 'cw'] }],
    ['the same names in another order', { subscribedTopicNames: ['cw', 'cw-other'] }],
    ['another assignor', { serverAssignor: 'range' }],
    ['an unknown assignor', { serverAssignor: 'x' }],
    ['no assignor', { serverAssignor: null }],
    ['another timeout', { rebalanceTimeoutMs: 1 }],
    ['a timeout of 0', { rebalanceTimeoutMs: 0 }],
    ['a timeout of -5', { rebalanceTimeoutMs: -5 }],
    ['a rack', { rackId: 'r' }],
    ['no rack', { rackId: '' }],
    ['an empty expression', { subscribedTopicRegex: '' }],
    ['a bad expression', { subscribedTopicRegex: '(' }],
    ['no names any more', { subscribedTopicNames: [] }],
    ['names again', { subscribedTopicNames: ['cw'] }],
    ['everything', { subscribedTopicNames: ['cw'], rebalanceTimeoutMs: 5000, topicPartitions: [] }],
    ['an instance', { instanceId: 'i' }],
    ['it leaves for a while', { memberEpoch: -2 }],
    ['it leaves for a while as an instance', { memberEpoch: -2, instanceId: 'i' }],
    ['it leaves as an instance', { memberEpoch: -1, instanceId: 'i' }],
    [
      'joins again with partitions',
      { memberEpoch: 0, topicPartitions: some(topicId, 0), subscribedTopicNames: ['cw'] },
    ],
    ['joins again', { memberEpoch: 0, ...base, subscribedTopicNames: ['cw'] }],
  ] as [string, Part][]) {
    await m.beat(label, words)
    await side.ask(`then: ${label}`, consumerGroupDescribe, 1, {
      groupIds: [groupId],
      includeAuthorizedOperations: false,
    })
  }
  await side.each('several', consumerGroupDescribe, {
    groupIds: ['cw', 'cw-none', 'cw-0'],
    includeAuthorizedOperations: false,
  })
  await side.each('none', consumerGroupDescribe, { groupIds: [], includeAuthorizedOperations: false })
  await side.each('several of another kind', describeGroups, { groups: ['cw', 'cw-none', 'cw-0'] })
}

// --- what a classic group agrees on

type Protocols = [name: string, words: string][]

export async function protocolsScenario(side: Side): Promise<void> {
  const groupId = 'pr'
  await coordinatorOf(side, groupId)
  const body = (protocols: Protocols, memberId: string, groupInstanceId: string | null = null) => ({
    groupId,
    memberId,
    groupInstanceId,
    protocolType: 'consumer',
    protocols: protocols.map(([name, words]) => ({ name, metadata: Buffer.from(words) })),
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 30_000,
  })
  /** A first member, whose id answers hide from then on. */
  const first = async (protocols: Protocols, groupInstanceId: string | null = null) => {
    const { memberId } = await side.quiet(
      joinGroup,
      groupInstanceId === null ? 3 : 5,
      body(protocols, '', groupInstanceId),
    )
    side.remember(memberId, `<member with ${protocols.map(([name]) => name)} ${groupInstanceId}>`)
    return memberId
  }
  const leave = (memberId: string) => side.quiet(leaveGroup, 2, { groupId, memberId })
  for (const [mine, theirs] of [
    [
      ['b', 'a', 'c'],
      ['c', 'a'],
    ],
    [
      ['a', 'b'],
      ['b', 'a'],
    ],
    [
      ['b', 'a'],
      ['a', 'b'],
    ],
    [
      ['range', 'cooperative-sticky'],
      ['cooperative-sticky', 'range'],
    ],
    [
      ['roundrobin', 'sticky', 'range'],
      ['sticky', 'range', 'roundrobin'],
    ],
    [
      ['x', 'roundrobin', 'range'],
      ['range', 'roundrobin', 'x'],
    ],
    [['a', 'b'], ['c']],
  ] as const) {
    const words = (names: readonly string[]): Protocols => names.map((name, i) => [name, `${name}${i}`])
    const label = `${mine} and ${theirs}`
    const a = await first(words(mine))
    const given = await side.quiet(joinGroup, 4, body(words(theirs), ''))
    side.remember(given.memberId, `<member with ${theirs}>`)
    const b = await side.park(`${label}: the second joins`, joinGroup, 9, body(words(theirs), given.memberId))
    await side.settle()
    const again = await side.park(`${label}: the first joins again`, joinGroup, 9, body(words(mine), a))
    await Promise.all([b.answered, again.answered])
    await side.each(`${label}: described`, describeGroups, { groups: [groupId] })
    for (const each of [a, given.memberId]) await leave(each)
    await side.each(`${label}: both have left`, describeGroups, { groups: [groupId] })
  }
  await returnOfStaticLeader(side)
}

/** KIP-814: a leader that comes back may be told not to assign; one that comes back with other words changes things. */
async function returnOfStaticLeader(side: Side): Promise<void> {
  for (const version of side.versionsOf(joinGroup).filter((of) => of >= 5)) {
    const groupId = `pr-static-v${version}`
    await coordinatorOf(side, groupId)
    const join = (memberId: string, topics: string[], names = ['range']) => ({
      groupId,
      memberId,
      groupInstanceId: 'i',
      protocolType: 'consumer',
      protocols: names.map((name) => ({ name, metadata: subscriptionOf(topics) })),
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 30_000,
    })
    const ask = async (label: string, memberId: string, topics: string[], names?: string[]) => {
      const answer = await side.park(`${label} (static)`, joinGroup, version, join(memberId, topics, names))
      const joined = await answer.answered
      const id = typeof joined === 'string' ? '' : joined.memberId
      if (id !== '') side.remember(id, `<${groupId} member>`)
      const state = await side.quiet(describeGroups, 5, { groups: [groupId] })
      side.remember(state.groups[0]!.members[0]?.memberId, `<${groupId} member>`)
      await side.ask(`after: ${label} (static)`, describeGroups, 5, { groups: [groupId] })
      return typeof joined === 'string' ? undefined : joined
    }
    const sync = async (label: string, memberId: string, generationId: number) => {
      await side.ask(`${label} (static)`, syncGroup, 5, {
        groupId,
        memberId,
        groupInstanceId: 'i',
        generationId,
        protocolType: 'consumer',
        protocolName: 'range',
        assignments: [{ memberId, assignment: Buffer.from('mine') }],
      })
    }
    const joined = await ask('joins', '', ['pr'])
    if (joined === undefined) continue
    await sync('assigns', joined.memberId, joined.generationId)
    await ask('joins again with its id', joined.memberId, ['pr'])
    const back = await ask('comes back', '', ['pr'])
    if (back === undefined) continue
    await sync('asks what it has', back.memberId, back.generationId)
    const other = await ask('comes back with other topics', '', ['pr', 'other'])
    if (other === undefined) continue
    await sync('asks what it has, with other topics', other.memberId, other.generationId)
    await ask('comes back with another protocol', '', ['pr'], ['roundrobin', 'range'])
    await ask('comes back without its protocol', '', ['pr'], ['roundrobin'])
  }
}
