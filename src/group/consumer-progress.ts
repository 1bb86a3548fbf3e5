// How a consumer group as a whole moves on (KIP-848): a change of subscriptions or topics bumps its epoch, an epoch asks
// for a target assignment, and members reconcile with the target one by one, each at its own heartbeat.

import { hasPassed } from '../storage/clock.ts'
import type { Assignor, Subscriber } from './assignors.ts'
import { assignors } from './assignors.ts'
import { type Catalog, telling } from './catalog.ts'
import type { ConsumerChange } from './consumer-change.ts'
import type { ConsumerMember, ConsumerState } from './consumer-state.ts'
import type { Partitions } from './partitions.ts'
import { noPartitions, same, where } from './partitions.ts'
import { reconcile } from './reconcile.ts'
import { metadataHash, resolve, subscribedTopics, topicIdsOf } from './subscription.ts'

/** What a group obeys: the broker's options, where the group has none of its own. */
export type ConsumerRules = {
  readonly membersMax: number
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  /** KIP-1263: a target stands at least this long. */
  readonly assignmentIntervalMs: number
  /** Names; the first is the default. Never empty. */
  readonly assignors: readonly string[]
}

export type Circumstances = { readonly now: number; readonly catalog: Catalog; readonly rules: ConsumerRules }

/** The assignor that most members ask for; those that ask for none follow. Of equals the one that the broker names first. */
export function preferredAssignor({ members }: ConsumerState, rules: ConsumerRules): string {
  const votes = new Map<string, number>()
  for (const { assignor } of members.values())
    if (assignor !== null) votes.set(assignor, (votes.get(assignor) ?? 0) + 1)
  const most = Math.max(0, ...votes.values())
  return rules.assignors.find((name) => most > 0 && votes.get(name) === most) ?? rules.assignors[0]!
}

/** Bumps the epoch if `mustBump`, or if the topics that are subscribed to are not what they were. */
export function bump(change: ConsumerChange, mustBump: boolean, { catalog }: Circumstances): void {
  const { state } = change
  const hash = metadataHash(state, catalog)
  const bumps = mustBump || hash !== state.metadataHash
  // A new group begins with epoch 1, which nobody has been told.
  if (bumps) change.setEpoch(Math.max(state.epoch, 1) + 1, hash)
  else if (state.epoch === 0) change.setEpoch(1, hash)
}

/** Regular expressions that somebody subscribes with are resolved; the others are forgotten. */
export function resolveRegexes(change: ConsumerChange, { catalog, now }: Circumstances): void {
  const used = new Set<string>()
  for (const { regex } of change.state.members.values()) if (regex !== null && regex !== '') used.add(regex)
  for (const regex of used) {
    const topics = resolve(regex, catalog)
    // One that does not parse was refused when it came; written by another version, it stands for nothing.
    const names = Array.isArray(topics) ? topics : []
    const before = change.state.regexes.get(regex)?.topics
    if (before?.join() !== names.join()) change.setRegex(regex, names, catalog.version, now)
  }
  for (const regex of change.state.regexes.keys()) if (!used.has(regex)) change.removeRegex(regex)
}

/** For what no consumer's heartbeat brings about: expressions stand for nothing new then, as nobody is there who may see it. */
export function unseen({ regexes }: ConsumerState, circumstances: Circumstances): Circumstances {
  const known = new Set([...regexes.values()].flatMap(({ topics }) => topics))
  return { ...circumstances, catalog: telling(circumstances.catalog, (name) => known.has(name)) }
}

/** Works out a new target if there is none for this epoch, unless the last one is too young. */
export function retarget(change: ConsumerChange, { now, catalog, rules }: Circumstances): void {
  const { state } = change
  if (state.assignmentEpoch >= state.epoch) return
  if (state.assignmentEpoch > 0 && !hasPassed(rules.assignmentIntervalMs, state.assignmentAt, now)) return
  const assign: Assignor = assignors[preferredAssignor(state, rules)] ?? assignors['uniform']!
  const topics = new Map(subscribedTopics(state, catalog).map(({ id, partitionCount }) => [id, partitionCount]))
  const subscribers = [...state.members.values()].map(
    (member): Subscriber => ({
      id: member.id,
      instanceId: member.instanceId,
      topics: topicIdsOf(member, state, catalog),
      had: state.target(member.id),
    }),
  )
  for (const [memberId, target] of assign(subscribers, topics))
    if (!state.targets.has(memberId) || !same(state.target(memberId), target)) change.setTarget(memberId, target)
  change.setTargetEpoch(state.epoch, now)
}

/** What a member says of itself where it takes a step: what it has, and whether it has just subscribed to something else. */
type Word = { readonly owned: Partitions | null; readonly hasSubscribed: boolean }

/** Takes the member's next step towards its target. */
export function advance(
  change: ConsumerChange,
  member: ConsumerMember,
  { owned, hasSubscribed }: Word,
  { catalog }: Circumstances,
): void {
  const { state } = change
  const step = reconcile(member, {
    epoch: state.assignmentEpoch,
    target: targetOf(member, state, catalog),
    owned,
    wanted: hasSubscribed ? topicIdsOf(member, state, catalog) : undefined,
    owner: (topicId, partition) => state.owner(topicId, partition),
  })
  if (step !== member) change.setCurrent(member.id, step)
}

/** A target that is older than the member's subscription is followed only as far as the member still wants it. */
function targetOf(member: ConsumerMember, state: ConsumerState, catalog: Catalog): Partitions {
  const target = state.target(member.id)
  if (state.assignmentEpoch === state.epoch) return target
  const wanted = topicIdsOf(member, state, catalog)
  return where(target, (topicId) => wanted.has(topicId))
}

/** Members are gone: what they had is free, and the rest shares it with the next heartbeat. */
export function removeMembers(
  change: ConsumerChange,
  memberIds: readonly string[],
  circumstances: Circumstances,
): void {
  for (const memberId of memberIds) change.removeMember(memberId)
  resolveRegexes(change, circumstances)
  bump(change, true, circumstances)
  // Nobody is left to ask for a target.
  if (change.state.members.size === 0) change.setTargetEpoch(change.state.epoch, circumstances.now)
}

/** What is assigned to nobody: a static member that comes back under another id inherits everything. */
export function replaceMember(change: ConsumerChange, old: ConsumerMember, id: string): ConsumerMember {
  const target = change.state.targets.get(old.id)
  change.removeMember(old.id)
  const member = { ...old, id, epoch: 0, previousEpoch: 0, state: 'stable' as const, revoking: noPartitions }
  change.setMember(member)
  if (target !== undefined) change.setTarget(id, target)
  change.setCurrent(id, member)
  return member
}
