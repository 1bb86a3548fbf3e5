// What a heartbeat of a share group's member changes, and what the member is told. Decided on a state, touching nothing.

import { Refusal } from '../../protocol/errors.ts'
import { hasPassed } from '../storage/clock.ts'
import type { Catalog, CatalogTopic } from './catalog.ts'
import type { Partitions, TopicPartitions } from './partitions.ts'
import { add, same, topicPartitionsOf, where } from './partitions.ts'
import { assignSimply } from './share-assignor.ts'
import type { ShareChange, ShareMember, ShareState } from './share-state.ts'

export type ShareHeartbeat = {
  readonly groupId: string
  readonly memberId: string
  /** 0: joins, -1: leaves. */
  readonly memberEpoch: number
  /** Null: as before. */
  readonly rackId: string | null
  readonly topics: readonly string[] | null
  readonly clientId: string
  readonly clientHost: string
}

export type ShareAnswer = {
  readonly memberId: string
  readonly memberEpoch: number
  readonly heartbeatIntervalMs: number
  /** Null: as the member knows it. */
  readonly assignment: readonly TopicPartitions[] | null
}

/** What a group obeys: the broker's options, where the group has none of its own. */
export type ShareRules = {
  readonly membersMax: number
  readonly heartbeatIntervalMs: number
  /** KIP-1263: a target stands at least this long. */
  readonly assignmentIntervalMs: number
}

export type ShareCircumstances = ShareRules & {
  readonly now: number
  readonly catalog: Catalog
  /** Partitions whose state the room `share` remembers by now. */
  readonly known: Partitions
}

export const leaves = -1
/** As many as an id with dashes has; the real broker looks no closer, and in consumer groups not at all. */
const memberIdCharactersMax = 36

/** What is wrong with a heartbeat, whatever the group. The sentences are the real broker's. */
export function checkHeartbeat({
  groupId,
  memberId,
  memberEpoch,
  rackId,
  topics,
}: ShareHeartbeat): Refusal | undefined {
  const invalid = (message?: string) => new Refusal('INVALID_REQUEST', message)
  if (memberId === '' || memberId.length > memberIdCharactersMax) return invalid()
  if (groupId === '') return invalid("GroupId can't be empty.")
  if (rackId === '') return invalid("RackId can't be empty.")
  if (memberEpoch < leaves) return invalid('MemberEpoch is invalid.')
  if (memberEpoch === 0 && (topics === null || topics.length === 0))
    return invalid('SubscribedTopicNames must be set in first request.')
  return undefined
}

/** The topics that are, of those that members subscribe to. */
export function subscribedTopics(names: Iterable<string>, catalog: Catalog): CatalogTopic[] {
  return [...new Set(names)].sort().flatMap((name) => catalog.byName(name) ?? [])
}

const allNames = ({ members }: ShareState): string[] => [...members.values()].flatMap(({ topics }) => topics)

export function beat(
  change: ShareChange,
  request: ShareHeartbeat,
  circumstances: ShareCircumstances,
): ShareAnswer | Refusal {
  const { memberId, memberEpoch } = request
  if (memberEpoch === leaves) return leave(change, request, circumstances)
  const member = change.state.members.get(memberId)
  const refusal = member === undefined ? refuseNew(change.state, request, circumstances) : refuse(member, memberEpoch)
  if (refusal !== undefined) return refusal
  const subscribes = introduce(change, member, request)
  noteKnown(change, circumstances)
  bump(change, subscribes, circumstances.catalog)
  retarget(change, circumstances)
  const moved = advance(change, change.state.members.get(memberId)!)
  const { epoch, assigned } = change.state.members.get(memberId)!
  // One that beats from its previous epoch has missed an answer.
  const tells = memberEpoch === 0 || request.topics !== null || moved || memberEpoch !== member?.epoch
  return {
    memberId,
    memberEpoch: epoch,
    heartbeatIntervalMs: circumstances.heartbeatIntervalMs,
    assignment: tells ? topicPartitionsOf(assigned) : null,
  }
}

function refuseNew(
  { members }: ShareState,
  { groupId, memberId, memberEpoch }: ShareHeartbeat,
  { membersMax }: ShareCircumstances,
): Refusal | undefined {
  if (memberEpoch !== 0)
    return new Refusal('UNKNOWN_MEMBER_ID', `Member ${memberId} is not a member of group ${groupId}.`)
  if (members.size < membersMax) return undefined
  const message = `The share group has reached its maximum capacity of ${membersMax} members.`
  return new Refusal('GROUP_MAX_SIZE_REACHED', message)
}

function refuse({ epoch, previousEpoch }: ShareMember, memberEpoch: number): Refusal | undefined {
  const [what, must] = ['The share group member has a', 'The member must abandon all its partitions and rejoin.']
  const known = `than the one known by the group coordinator (${epoch})`
  if (memberEpoch > epoch)
    return new Refusal('FENCED_MEMBER_EPOCH', `${what} greater member epoch (${memberEpoch}) ${known}. ${must}`)
  if (memberEpoch === 0 || memberEpoch === epoch || memberEpoch === previousEpoch) return undefined
  const before = `and it does not match the previous member epoch (${previousEpoch})`
  return new Refusal(
    'FENCED_MEMBER_EPOCH',
    `${what} smaller member epoch (${memberEpoch}) ${known}, ${before}. ${must}`,
  )
}

function leave(
  change: ShareChange,
  { groupId, memberId }: ShareHeartbeat,
  { catalog, now }: ShareCircumstances,
): ShareAnswer | Refusal {
  if (!change.state.members.has(memberId))
    return new Refusal('UNKNOWN_MEMBER_ID', `Member ${memberId} is not a member of group ${groupId}.`)
  removeMember(change, memberId, catalog, now)
  return { memberId, memberEpoch: leaves, heartbeatIntervalMs: 0, assignment: null }
}

/** What it had others share with their next heartbeats. */
export function removeMember(change: ShareChange, memberId: string, catalog: Catalog, now: number): void {
  change.removeMember(memberId)
  bump(change, true, catalog)
  // Nobody is left to ask for a target.
  if (change.state.members.size === 0) change.setTargetEpoch(change.state.epoch, now)
}

/** Notes what the member says of itself; whether it reads something else than before. */
function introduce(change: ShareChange, before: ShareMember | undefined, request: ShareHeartbeat): boolean {
  const { memberId: id, clientId, clientHost } = request
  const rackId = request.rackId ?? before?.rackId ?? null
  const topics = request.topics === null ? (before?.topics ?? []) : [...new Set(request.topics)].sort()
  const subscribes = before === undefined || before.topics.join() !== topics.join()
  const changes = subscribes || before.rackId !== rackId || before.clientId !== clientId
  if (changes || before.clientHost !== clientHost) change.setMember({ id, rackId, clientId, clientHost, topics })
  return subscribes
}

function noteKnown(change: ShareChange, { known, catalog }: ShareCircumstances): void {
  if (same(known, change.state.known)) return
  const { names } = change.state
  change.setKnown(known, (topicId) => catalog.byId(topicId)?.name ?? names.get(topicId) ?? '')
}

/** Bumps the epoch if `mustBump`, or if the topics that are read are not what they were. */
function bump(change: ShareChange, mustBump: boolean, catalog: Catalog): void {
  const { state } = change
  const hash = metadataHash(subscribedTopics(allNames(state), catalog), state.known)
  // A new group begins with epoch 1, which nobody has been told.
  if (mustBump || hash !== state.metadataHash) change.setEpoch(Math.max(state.epoch, 1) + 1, hash)
}

/** Changes with the topics and with what of them may be assigned. 52 bits: all int64 are numbers here. */
function metadataHash(topics: readonly CatalogTopic[], known: Partitions): number {
  let [low, high] = [0x811c9dc5, 0x01000193]
  const text = topics.map(({ id, partitionCount }) => `${id} ${partitionCount} ${known.get(id)?.size ?? 0},`).join('')
  for (const char of text) {
    low = Math.imul(low ^ char.charCodeAt(0), 0x01000193)
    high = Math.imul(high ^ char.charCodeAt(0), 0x85ebca6b) + 1
  }
  return topics.length === 0 ? 0 : (high >>> 12) * 0x1_0000_0000 + (low >>> 0)
}

/** Works out a new target if there is none for this epoch, unless the last one is too young. */
function retarget(change: ShareChange, { now, catalog, assignmentIntervalMs }: ShareCircumstances): void {
  const { state } = change
  if (state.assignmentEpoch >= state.epoch) return
  if (state.assignmentEpoch > 0 && !hasPassed(assignmentIntervalMs, state.assignmentAt, now)) return
  const idsOf = (names: Iterable<string>) => new Set(subscribedTopics(names, catalog).map(({ id }) => id))
  const sharers = [...state.members.values()].map(({ id, topics }) => ({
    id,
    topics: idsOf(topics),
    had: state.target(id),
  }))
  const read = idsOf(allNames(state))
  const topics = new Map<string, Set<number>>()
  for (const topicId of read) for (const partition of state.known.get(topicId) ?? []) add(topics, topicId, partition)
  for (const [memberId, target] of assignSimply(sharers, topics))
    if (!state.targets.has(memberId) || !same(state.target(memberId), target)) change.setTarget(memberId, target)
  change.setTargetEpoch(state.epoch, now)
}

/** A member of a share group gives nothing back first: it comes to its target at once. Whether that is news to it. */
function advance(change: ShareChange, member: ShareMember): boolean {
  const { state } = change
  const target = state.target(member.id)
  const assigned =
    state.assignmentEpoch === state.epoch ? target : where(target, (id, p) => isRead(member, id, p, state))
  const moves = !same(assigned, member.assigned)
  // A member that waits for its first target is told the epoch that it will be of.
  const epoch = Math.max(state.assignmentEpoch, member.epoch)
  if (moves || epoch !== member.epoch) {
    change.setCurrent(member.id, { epoch, previousEpoch: member.epoch, assigned })
  }
  return moves
}

/** A target that is older than the member's subscription is followed only as far as the member still wants it. */
function isRead({ topics }: ShareMember, topicId: string, partition: number, { known, names }: ShareState): boolean {
  return topics.includes(names.get(topicId) ?? '') && known.get(topicId)?.has(partition) === true
}
