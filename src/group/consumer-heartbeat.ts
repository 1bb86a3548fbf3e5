// ConsumerGroupHeartbeat decided (KIP-848): who may beat, what a member says of itself, how it leaves, what it is told.
// The request has been found well-formed; the sentences of refusals are the real broker's (4.4.0).

import { Refusal } from '../../protocol/errors.ts'
import type { ConsumerChange } from './consumer-change.ts'
import type { Circumstances } from './consumer-progress.ts'
import {
  advance,
  bump,
  preferredAssignor,
  removeMembers,
  replaceMember,
  resolveRegexes,
  retarget,
} from './consumer-progress.ts'
import type { ConsumerMember, ConsumerState } from './consumer-state.ts'
import { leftForAWhile } from './consumer-state.ts'
import type { Partitions } from './partitions.ts'
import { covers, noPartitions, same } from './partitions.ts'
import { resolve } from './subscription.ts'

/** Null: as before. */
export type Introduction = {
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number | null
  readonly topics: readonly string[] | null
  readonly regex: string | null
  readonly assignor: string | null
}

export type ConsumerHeartbeat = Introduction & {
  readonly groupId: string
  readonly memberId: string
  /** 0: joins; -1: leaves; -2: a static member leaves for a while. */
  readonly memberEpoch: number
  /** What the member has. */
  readonly owned: Partitions | null
  /** Which topics an expression may stand for, where that is not for everybody to know. */
  readonly isSeen?: (name: string) => boolean
}

export type ConsumerAnswer = {
  readonly memberId: string
  readonly memberEpoch: number
  readonly heartbeatIntervalMs: number
  /** Null: as before. */
  readonly assignment: Partitions | null
}

export function beat(
  change: ConsumerChange,
  request: ConsumerHeartbeat,
  circumstances: Circumstances & { readonly topicsChanged: boolean },
): ConsumerAnswer | Refusal {
  const { memberId, memberEpoch } = request
  if (memberEpoch < 0) return leave(change, request, circumstances)
  const { rules } = circumstances
  if (change.state.members.size >= rules.membersMax && !hasPlace(change.state, request)) return full(rules.membersMax)
  const found = memberEpoch === 0 ? findOrMake(change, request) : find(change.state, request)
  if (found instanceof Refusal) return found
  const bad = request.regex === null ? [] : resolve(request.regex, circumstances.catalog)
  if (bad instanceof Refusal) return bad
  const { before } = change
  const hasNews = introduce(change, found, request)
  const wanted = hasNews || preferredAssignor(before, rules) !== preferredAssignor(change.state, rules)
  if (wanted || circumstances.topicsChanged) resolveRegexes(change, circumstances)
  if (wanted || circumstances.topicsChanged || change.state.epoch === 0) bump(change, wanted, circumstances)
  retarget(change, circumstances)
  const word = { owned: request.owned, hasSubscribed: hasNews }
  advance(change, change.state.members.get(memberId)!, word, circumstances)
  return answerTo(change, request, circumstances)
}

/** A static member has one, whoever bears it now. */
const hasPlace = (state: ConsumerState, { memberId, instanceId }: ConsumerHeartbeat): boolean =>
  state.members.has(memberId) || (instanceId !== null && state.holder(instanceId) !== undefined)

const full = (membersMax: number): Refusal =>
  new Refusal('GROUP_MAX_SIZE_REACHED', `The consumer group has reached its maximum capacity of ${membersMax} members.`)

function answerTo(change: ConsumerChange, request: ConsumerHeartbeat, { rules }: Circumstances): ConsumerAnswer {
  const { memberId, memberEpoch, owned, rebalanceTimeoutMs, topics, regex } = request
  const member = change.state.members.get(memberId)!
  const before = change.before.members.get(memberId)?.assigned ?? noPartitions
  // A member that says everything wants to hear everything.
  const isComplete = owned !== null && rebalanceTimeoutMs !== null && (topics !== null || regex !== null)
  const isNews = memberEpoch === 0 || isComplete || !same(before, member.assigned)
  return {
    memberId,
    memberEpoch: member.epoch,
    heartbeatIntervalMs: rules.heartbeatIntervalMs,
    assignment: isNews ? member.assigned : null,
  }
}

// --- who beats

const unknownMember = ({ memberId, groupId }: ConsumerHeartbeat): Refusal =>
  new Refusal('UNKNOWN_MEMBER_ID', `Member ${memberId} is not a member of group ${groupId}.`)

/** The member of this id, which must hold the static instance if one is named. */
function known(state: ConsumerState, request: ConsumerHeartbeat): ConsumerMember | Refusal {
  const { memberId, instanceId } = request
  if (instanceId === null) return state.members.get(memberId) ?? unknownMember(request)
  const holder = state.holder(instanceId)
  if (holder === undefined) return new Refusal('UNKNOWN_MEMBER_ID', `Instance id ${instanceId} is unknown.`)
  if (holder.id === memberId) return holder
  const message = `Static member ${memberId} with instance id ${instanceId} was fenced by member ${holder.id}.`
  return new Refusal('FENCED_INSTANCE_ID', message)
}

function find(state: ConsumerState, request: ConsumerHeartbeat): ConsumerMember | Refusal {
  const member = known(state, request)
  return member instanceof Refusal ? member : (refuseEpoch(member, request) ?? member)
}

const abandon = 'The member must abandon all its partitions and rejoin.'

/** Our last answer may have been lost: a member one epoch behind is welcome if it has nothing that is not its own. */
function refuseEpoch(member: ConsumerMember, { memberEpoch, owned }: ConsumerHeartbeat): Refusal | undefined {
  if (memberEpoch === member.epoch) return undefined
  const missed = memberEpoch === member.previousEpoch && memberEpoch < member.epoch
  if (missed && owned !== null && covers(member.assigned, owned)) return undefined
  const size = memberEpoch > member.epoch ? 'greater' : 'smaller'
  const message = `The consumer group member has a ${size} member epoch (${memberEpoch}) than the one known by the group coordinator (${member.epoch}). ${abandon}`
  return new Refusal('FENCED_MEMBER_EPOCH', message)
}

/** The member that joins; a static one takes the place of the one that left for a while. */
function findOrMake(change: ConsumerChange, request: ConsumerHeartbeat): ConsumerMember | undefined | Refusal {
  const { memberId, instanceId } = request
  if (instanceId === null) return change.state.members.get(memberId)
  const holder = change.state.holder(instanceId)
  if (holder === undefined) return change.state.members.get(memberId)
  if (holder.epoch === leftForAWhile) return replaceMember(change, holder, memberId)
  const message = `Static member ${memberId} with instance id ${instanceId} cannot join the group because the instance id is owned by a member.`
  return new Refusal('UNRELEASED_INSTANCE_ID', message)
}

// --- what a member says of itself

const nobody = { rackId: null, rebalanceTimeoutMs: -1, topics: [], regex: null, assignor: null } as const
const nothing = { epoch: 0, previousEpoch: 0, state: 'stable', assigned: noPartitions, revoking: noPartitions } as const

/** Takes the words of a member that is new where there was none before. True if they ask for a new assignment. */
function introduce(change: ConsumerChange, member: ConsumerMember | undefined, request: ConsumerHeartbeat): boolean {
  const before = member ?? {
    id: request.memberId,
    instanceId: request.instanceId,
    classic: null,
    ...nobody,
    ...nothing,
  }
  const after: ConsumerMember = {
    since: new Map(),
    ...before,
    rackId: request.rackId ?? before.rackId,
    clientId: request.clientId,
    clientHost: request.clientHost,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs ?? before.rebalanceTimeoutMs,
    topics: request.topics === null ? before.topics : [...new Set(request.topics)],
    regex: request.regex ?? before.regex,
    assignor: request.assignor ?? before.assignor,
    classic: null,
  }
  if (member === undefined || !isSame(member, after)) change.setMember(after)
  const hasRegex = (after.regex ?? '') !== (before.regex ?? '')
  return hasRegex || !isSameSet(after.topics, before.topics)
}

const isSameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((each) => b.includes(each))

const isSame = (a: ConsumerMember, b: ConsumerMember): boolean =>
  a.rackId === b.rackId &&
  a.clientId === b.clientId &&
  a.clientHost === b.clientHost &&
  a.rebalanceTimeoutMs === b.rebalanceTimeoutMs &&
  a.regex === b.regex &&
  a.assignor === b.assignor &&
  a.classic === b.classic &&
  isSameSet(a.topics, b.topics)

// --- leaving

function leave(
  change: ConsumerChange,
  request: ConsumerHeartbeat,
  circumstances: Circumstances,
): ConsumerAnswer | Refusal {
  const { memberId, memberEpoch } = request
  const member = known(change.state, request)
  if (member instanceof Refusal) return member
  // A static member that means to come back keeps what it has until its session ends.
  if (memberEpoch === leftForAWhile)
    change.setCurrent(memberId, { ...member, epoch: leftForAWhile, state: 'stable', revoking: noPartitions })
  else removeMembers(change, [memberId], circumstances)
  return { memberId, memberEpoch, heartbeatIntervalMs: 0, assignment: null }
}
