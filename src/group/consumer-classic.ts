// Members of the classic protocol in a consumer group (KIP-848): JoinGroup is a heartbeat that says everything, SyncGroup
// fetches what it has led to, Heartbeat asks whether there is more to come. Nobody leads, and nobody waits for the others.

import type { ErrorName } from '../../protocol/errors.ts'
import type { Catalog } from './catalog.ts'
import type { JoinRequest, SyncRequest } from './classic-group.ts'
import type { ConsumerChange } from './consumer-change.ts'
import type { Circumstances } from './consumer-progress.ts'
import { advance, bump, replaceMember, resolveRegexes, retarget, unseen } from './consumer-progress.ts'
import type { ConsumerMember, ConsumerState } from './consumer-state.ts'
import type { Committer } from './group.ts'
import type { JoinAnswer, SyncAnswer } from './member.ts'
import { joinRefused, syncRefused } from './member.ts'
import { consumerProtocolType, readSubscription } from './membership.ts'
import { classicAssignment, versionOf } from './migration.ts'
import type { Partitions } from './partitions.ts'
import { add, countOf, noPartitions, where, without } from './partitions.ts'

/** `memberId`: what the member is called, if it may come in and had no name. */
export function join(
  change: ConsumerChange,
  request: JoinRequest,
  memberId: string,
  circumstances: Circumstances,
): JoinAnswer {
  const refusal = refuseJoin(change.state, request, circumstances)
  if (refusal !== 'NONE') return joinRefused(refusal, refusal === 'GROUP_MAX_SIZE_REACHED' ? '' : request.memberId)
  const holder = request.instanceId === null ? undefined : change.state.holder(request.instanceId)
  if (holder === undefined && request.memberId === '' && request.instanceId === null && request.idFirst)
    return joinRefused('MEMBER_ID_REQUIRED', memberId)
  const subscription = readSubscription(request.protocols[0]!.metadata)
  if (subscription === undefined) return joinRefused('INCONSISTENT_GROUP_PROTOCOL', request.memberId)
  const replaces = holder !== undefined && holder.id !== memberId
  const before = replaces ? replaceMember(change, holder, memberId) : change.state.members.get(memberId)
  const topics = [...new Set(subscription.topics)]
  const member = introduced(before, memberId, topics, request)
  change.setMember(member)
  const wanted = before === undefined || before.topics.join() !== topics.join() || (before.regex ?? '') !== ''
  resolveRegexes(change, unseen(change.state, circumstances))
  bump(change, wanted, circumstances)
  retarget(change, circumstances)
  const owned = ownedOf(subscription.ownedPartitions, circumstances.catalog)
  advance(change, change.state.members.get(memberId)!, { owned, hasSubscribed: wanted }, circumstances)
  return {
    error: 'NONE',
    memberId,
    generation: change.state.members.get(memberId)!.epoch,
    protocolType: consumerProtocolType,
    protocol: request.protocols[0]!.name,
    leader: '',
    skipAssignment: false,
    members: [],
  }
}

function refuseJoin(state: ConsumerState, request: JoinRequest, { rules }: Circumstances): ErrorName {
  const { memberId, instanceId, protocolType, protocols } = request
  if (state.members.size >= rules.membersMax && !state.members.has(memberId)) return 'GROUP_MAX_SIZE_REACHED'
  if (protocolType !== consumerProtocolType || protocols.length === 0) return 'INCONSISTENT_GROUP_PROTOCOL'
  if (!sharesProtocol(state, request)) return 'INCONSISTENT_GROUP_PROTOCOL'
  if (memberId === '' || instanceId === null) return 'NONE'
  const holder = state.holder(instanceId)
  if (holder === undefined) return 'UNKNOWN_MEMBER_ID'
  return holder.id === memberId ? 'NONE' : 'FENCED_INSTANCE_ID'
}

/** Should the group become a classic one, its members must be able to agree. */
function sharesProtocol(state: ConsumerState, { memberId, protocols }: JoinRequest): boolean {
  const others = [...state.members.values()].filter(({ id, classic }) => classic !== null && id !== memberId)
  return protocols.some(({ name }) =>
    others.every(({ classic }) => classic!.supportedProtocols.some((other) => other.name === name)),
  )
}

function introduced(
  before: ConsumerMember | undefined,
  id: string,
  topics: string[],
  { instanceId, clientId, clientHost, sessionTimeoutMs, rebalanceTimeoutMs, protocols }: JoinRequest,
): ConsumerMember {
  // The bytes of a request are lent.
  const supportedProtocols = protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) }))
  const nothing = {
    epoch: 0,
    previousEpoch: 0,
    state: 'stable',
    assigned: noPartitions,
    revoking: noPartitions,
  } as const
  return {
    ...nothing,
    since: new Map(),
    rackId: null,
    ...before,
    id,
    instanceId,
    clientId,
    clientHost,
    rebalanceTimeoutMs,
    topics,
    regex: null,
    assignor: null,
    classic: { sessionTimeoutMs, supportedProtocols },
  }
}

function ownedOf(topics: readonly { topic: string; partitions: number[] }[], catalog: Catalog): Partitions {
  const owned = new Map<string, Set<number>>()
  for (const { topic, partitions } of topics) {
    const id = catalog.byName(topic)?.id
    if (id !== undefined) for (const partition of partitions) add(owned, id, partition)
  }
  return owned
}

/** NONE for a member of the classic protocol in its current epoch. */
export function refuse(state: ConsumerState, { memberId, instanceId, generation }: Committer): ErrorName {
  if (instanceId !== null) {
    const holder = state.holder(instanceId)
    if (holder === undefined) return 'UNKNOWN_MEMBER_ID'
    if (holder.id !== memberId) return 'FENCED_INSTANCE_ID'
  }
  const member = state.members.get(memberId)
  if (member === undefined || member.classic === null) return 'UNKNOWN_MEMBER_ID'
  return member.epoch === generation ? 'NONE' : 'ILLEGAL_GENERATION'
}

export function sync(state: ConsumerState, request: SyncRequest, catalog: Catalog): SyncAnswer {
  const refusal = refuse(state, request)
  if (refusal !== 'NONE') return syncRefused(refusal)
  const member = state.members.get(request.memberId)!
  const protocol = member.classic!.supportedProtocols[0]!.name
  const agrees = (request.protocolType ?? consumerProtocolType) === consumerProtocolType
  if (!agrees || (request.protocol ?? protocol) !== protocol) return syncRefused('INCONSISTENT_GROUP_PROTOCOL')
  // Who is giving back has joined already, and joins again when that is done.
  if (state.epoch > member.epoch && member.state !== 'unrevoked') return syncRefused('REBALANCE_IN_PROGRESS')
  const assignment = classicAssignment(member.assigned, versionOf(member), catalog)
  return { error: 'NONE', protocolType: consumerProtocolType, protocol, assignment }
}

/** Whether a member must join again to come further. */
export function mustRejoin(state: ConsumerState, member: ConsumerMember): boolean {
  if (member.epoch < state.epoch || member.state === 'unrevoked') return true
  return member.state === 'unreleased' && !waits(state, member)
}

/** Everything that the member still lacks is with others. */
function waits(state: ConsumerState, member: ConsumerMember): boolean {
  const lacking = without(state.target(member.id), member.assigned)
  return countOf(where(lacking, (topicId, partition) => state.owner(topicId, partition) === undefined)) === 0
}
