// Members of the classic protocol that join, sync, beat, commit and leave in any order, several of them waiting for one another,
// with right words and others; static members whose place another takes; and in every other walk consumers of the new protocol
// among them (KIP-848), so that the group changes its type again and again.

import { offsetCommit } from '../../../protocol/messages/08-offset-commit.ts'
import { joinGroup } from '../../../protocol/messages/11-join-group.ts'
import { heartbeat } from '../../../protocol/messages/12-heartbeat.ts'
import { leaveGroup } from '../../../protocol/messages/13-leave-group.ts'
import { syncGroup } from '../../../protocol/messages/14-sync-group.ts'
import { describeGroups } from '../../../protocol/messages/15-describe-groups.ts'
import { addOffsetsToTxn } from '../../../protocol/messages/25-add-offsets-to-txn.ts'
import { consumerGroupDescribe } from '../../../protocol/messages/69-consumer-group-describe.ts'
import { assignmentBytes, subscriptionOf } from '../../group/consumers.ts'
import { Member, withoutInterval } from '../scenarios/consumer-groups.ts'
import { allCoordinators } from '../scenarios/coordinators.ts'
import { coordinatorOf } from '../scenarios/groups.ts'
import { Producer } from '../scenarios/transactions.ts'
import { pause, type Side } from '../side.ts'
import { type Chance, walks } from './chance.ts'

const stepCount = 60
/** So long a parked request takes to reach its coordinator, and those that it sets free to be answered. */
const reachMs = 150

export async function classicWalks(side: Side): Promise<void> {
  await allCoordinators(side)
  await withoutInterval(side)
  await walks('wg', side, (chance) => walk(side, chance))
}

class Walker {
  readonly name: string
  readonly instanceId: string | null
  id = ''
  generation = -1

  constructor(name: string, instanceId: string | null) {
    this.name = name
    this.instanceId = instanceId
  }
}

async function walk(side: Side, chance: Chance): Promise<void> {
  const groupId = chance.walk
  await side.topic(groupId, 2)
  await coordinatorOf(side, groupId)
  const walkers = [
    new Walker('a', null),
    new Walker('b', null),
    new Walker('c', 'i'),
    new Walker('d', 'i'), // takes the place of c, and c that of d
    new Walker('e', 'j'),
  ]
  const words = { groupId, serverAssignor: 'range', subscribedTopicNames: [groupId] }
  const consumers = [
    new Member(side, `${groupId}-m`, words),
    new Member(side, `${groupId}-n`, { ...words, instanceId: 'i' }),
  ]
  const writer = await Producer.open(side, groupId)
  await side.quiet(addOffsetsToTxn, 3, { transactionalId: groupId, ...writer.held, groupId })
  const kinds = ['join', 'join', 'join', 'sync', 'sync', 'beat', 'leave', 'commit'] as const
  const isMixed = chance.often(0.5)
  const parked: Promise<unknown>[] = []
  for (let step = 0; step < stepCount; step++) {
    const walker = chance.one(walkers)
    const label = `${groupId} ${step} ${walker.name}`
    const kind = chance.one(kinds)
    if (isMixed && chance.often(0.3)) await consume(chance, chance.one(consumers), label)
    else if (kind === 'join') parked.push((await join(side, chance, walker, groupId, label)).done)
    else if (kind === 'sync') parked.push((await sync(side, chance, walker, walkers, groupId, label)).done)
    else if (kind === 'beat') await beat(side, chance, walker, groupId, label)
    else if (kind === 'leave' && chance.often(0.5)) await leave(side, chance, walker, groupId, label)
    else if (kind === 'commit') await commit(chance, writer, walker, groupId, label)
    await pause(reachMs)
    await side.ask(label, describeGroups, chance.one([4, 5, 6]), { groups: [groupId] })
    if (isMixed)
      await side.ask(label, consumerGroupDescribe, 1, { groupIds: [groupId], includeAuthorizedOperations: false })
  }
  for (const member of consumers) await member.beat('in the end', { memberEpoch: -1 })
  for (const walker of [...walkers, ...walkers]) {
    await leave(side, chance, walker, groupId, 'in the end')
    await pause(reachMs)
  }
  await Promise.all(parked)
  await side.ask('in the end', describeGroups, 5, { groups: [groupId] })
}

/** `done`: it waits for others, and this function does not. */
async function join(side: Side, chance: Chance, walker: Walker, groupId: string, label: string) {
  const version = walker.instanceId === null ? chance.one([2, 4, 7, 9]) : chance.one([5, 7, 9])
  const topics = chance.mostly([groupId], [groupId, 'other'])
  const names = chance.mostly(['range'], ['range', 'sticky'], ['sticky', 'range'], ['sticky'])
  const memberId = chance.often(0.85) ? walker.id : chance.one(['', 'nobody'])
  const { answered } = await side.park(`${label} joins v${version} ${names}`, joinGroup, version, {
    ...{ groupId, memberId, groupInstanceId: walker.instanceId, protocolType: 'consumer' },
    protocols: names.map((name) => ({ name, metadata: subscriptionOf(topics) })),
    ...{ sessionTimeoutMs: 60_000, rebalanceTimeoutMs: 60_000 },
  })
  const done = answered.then((answer) => {
    if (typeof answer === 'string') return
    const { errorCode, generationId } = answer
    if (errorCode === unknownMember) walker.id = ''
    if (errorCode !== 0 && errorCode !== idRequired) return
    side.remember(answer.memberId, `<${groupId} ${walker.name}>`)
    walker.id = answer.memberId
    walker.generation = generationId
  })
  return { done }
}
const unknownMember = 25
const idRequired = 79

async function sync(
  side: Side,
  chance: Chance,
  walker: Walker,
  walkers: readonly Walker[],
  groupId: string,
  label: string,
) {
  const version = walker.instanceId === null ? chance.one([2, 3, 5]) : chance.one([3, 5])
  const words = version < 5 ? {} : { protocolType: 'consumer', protocolName: chance.often(0.9) ? 'range' : 'sticky' }
  const given = walkers.filter(({ id }) => id !== '' && chance.often(0.8))
  const assignments = given.map(({ id }, n) => ({ memberId: id, assignment: assignmentBytes({ [groupId]: [n] }) }))
  const { answered } = await side.park(`${label} syncs v${version}`, syncGroup, version, {
    ...{ groupId, memberId: walker.id, groupInstanceId: walker.instanceId, ...words },
    ...{ generationId: generationOf(chance, walker), assignments },
  })
  return { done: answered }
}

const generationOf = (chance: Chance, { generation }: Walker): number =>
  chance.often(0.9) ? generation : generation + chance.one([-1, 1])

async function beat(side: Side, chance: Chance, walker: Walker, groupId: string, label: string): Promise<void> {
  const groupInstanceId = chance.often(0.9) ? walker.instanceId : null
  const version = groupInstanceId === null ? chance.one([2, 4]) : 4
  const body = { groupId, memberId: walker.id, generationId: generationOf(chance, walker), groupInstanceId }
  await side.ask(`${label} beats`, heartbeat, version, body)
}

async function leave(side: Side, chance: Chance, walker: Walker, groupId: string, label: string): Promise<void> {
  const byInstance = walker.instanceId !== null && chance.often(0.5)
  const member = byInstance
    ? { memberId: '', groupInstanceId: walker.instanceId }
    : { memberId: walker.id, groupInstanceId: chance.often(0.5) ? walker.instanceId : null }
  await side.ask(`${label} leaves ${byInstance}`, leaveGroup, chance.one([3, 5]), { groupId, members: [member] })
}

async function commit(chance: Chance, writer: Producer, walker: Walker, groupId: string, label: string): Promise<void> {
  const partitions = [{ partitionIndex: chance.below(2), committedOffset: chance.below(9), committedMetadata: null }]
  const generationIdOrMemberEpoch = chance.mostly(generationOf(chance, walker), -1, -5)
  const groupInstanceId = chance.often(0.9) ? walker.instanceId : chance.one([null, 'i', 'none'])
  const memberId = chance.often(0.9) ? walker.id : ''
  const who = { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch }
  const topics = [{ name: groupId, partitions }]
  const { side } = writer
  if (chance.often(0.5))
    await side.ask(`${label} commits`, offsetCommit, chance.one([7, 8, 9]), { ...who, retentionTimeMs: -1, topics })
  else
    await writer.commit(
      label,
      chance.one([3, 4, 5]),
      { name: groupId, topicId: '' },
      { ...who, topics: topics as never },
    )
}

async function consume(chance: Chance, member: Member, label: string): Promise<void> {
  const part: Record<string, unknown> = {}
  if (member.epoch > 0 && chance.often(0.6)) part['topicPartitions'] = chance.often(0.7) ? member.owned : []
  if (chance.often(0.2)) part['memberEpoch'] = chance.one([-1, -1, -2, member.epoch - 1, member.epoch + 1])
  await member.beat(label, part)
  if (member.epoch < 0) member.epoch = 0
}
