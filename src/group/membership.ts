// Who is in a classic group: members, static instances, the leader, and the protocol they agree on. No time, no waiting.

import { codec } from '../../protocol/compile.ts'
import { ProtocolViolation } from '../../protocol/errors.ts'
import { consumerProtocolSubscription } from '../../protocol/other-tables.ts'
import { Reader } from '../../protocol/reader.ts'
import type { Message } from '../../protocol/schema.ts'
import { javaHash } from '../broker/placement.ts'
import type { Member, MemberMetadata, Protocol } from './member.ts'

/** What consumers call themselves; Connect's workers and others have types of their own. */
export const consumerProtocolType = 'consumer'

export class Membership {
  /** Null until the first member; kept when the group becomes empty. */
  protocolType: string | null = null
  /** Chosen at each generation; null while there is none. */
  protocol: string | null = null
  generation = 0
  /** Invariant: the id of a member, or null. Null exactly while there are no members. */
  leader: string | null = null
  /** Invariant: each member lies under its own id. */
  readonly #members = new Map<string, Member>()
  /** KIP-345: group.instance.id to the id that now holds it. Invariant: the ids are members. */
  readonly #instances = new Map<string, string>()

  get size(): number {
    return this.#members.size
  }

  get all(): readonly Member[] {
    return [...this.#members.values()]
  }

  get(memberId: string): Member | undefined {
    return this.#members.get(memberId)
  }

  /** The id that holds a static instance. */
  holder(instanceId: string): string | undefined {
    return this.#instances.get(instanceId)
  }

  add(member: Member): void {
    this.#members.set(member.id, member)
    if (member.instanceId !== null) this.#instances.set(member.instanceId, member.id)
    this.leader ??= member.id
  }

  remove(member: Member): void {
    this.#members.delete(member.id)
    if (member.instanceId !== null) this.#instances.delete(member.instanceId)
    if (this.leader === member.id) this.leader = this.#members.keys().next().value ?? null
  }

  /** KIP-345: a static member came back without its id. It keeps its place, the old id is fenced. */
  rename(member: Member, id: string): void {
    const leads = this.leader === member.id
    this.#members.delete(member.id)
    member.id = id
    this.#members.set(id, member)
    this.#instances.set(member.instanceId!, id)
    if (leads) this.leader = id
  }

  /** The leader assigns, so it must be one that came to this rebalance. False if nobody came. */
  electJoined(): boolean {
    if (this.leader !== null && this.get(this.leader)?.isJoining) return true
    const joined = this.all.find((member) => member.isJoining)
    if (joined !== undefined) this.leader = joined.id
    return joined !== undefined
  }

  /** Whether someone with this type and these protocols could work with those who are here. */
  accepts(protocolType: string, protocols: readonly Protocol[]): boolean {
    if (protocolType === '' || protocols.length === 0) return false
    if (this.size === 0) return true
    if (protocolType !== this.protocolType) return false
    const candidates = this.#candidates()
    return protocols.some(({ name }) => candidates.has(name))
  }

  /**
   * Every member votes for the first of its protocols that all support. Of equal votes Kafka takes what its HashMap has
   * first; clients of one group must be told the same by whichever broker.
   */
  electProtocol(): string | null {
    const candidates = this.#candidates()
    const votes = new Map<string, number>()
    for (const member of this.#members.values()) {
      const choice = member.vote(candidates)
      if (choice !== undefined) votes.set(choice, (votes.get(choice) ?? 0) + 1)
    }
    let elected: string | null = null
    const inOrder = [...votes].sort(([one], [other]) => bucketOf(one) - bucketOf(other))
    for (const [name, count] of inOrder) if (elected === null || count > votes.get(elected)!) elected = name
    return elected
  }

  get rebalanceTimeoutMs(): number {
    return this.all.reduce((most, { rebalanceTimeoutMs }) => Math.max(most, rebalanceTimeoutMs), 0)
  }

  /** What the leader is shown. */
  metadata(): MemberMetadata[] {
    const protocol = this.protocol ?? ''
    return this.all.map((member) => ({
      memberId: member.id,
      groupInstanceId: member.instanceId,
      metadata: member.metadataFor(protocol),
    }))
  }

  /** The topics that consumers of the current generation subscribe to; undefined where that cannot be known. */
  subscribedTopics(): ReadonlySet<string> | undefined {
    if (this.protocolType !== consumerProtocolType || this.protocol === null) return undefined
    const topics = new Set<string>()
    for (const { metadata } of this.metadata()) {
      const subscribed = readSubscription(metadata)?.topics
      if (subscribed === undefined) return undefined
      for (const topic of subscribed) topics.add(topic)
    }
    return topics
  }

  /** Names of the protocols that every member supports. */
  #candidates(): Set<string> {
    const counts = new Map<string, number>()
    for (const { protocols } of this.#members.values())
      for (const name of new Set(protocols.map((of) => of.name))) counts.set(name, (counts.get(name) ?? 0) + 1)
    return new Set([...counts].filter(([, count]) => count === this.size).map(([name]) => name))
  }
}

/** Of the sixteen that a HashMap of Java begins with. */
function bucketOf(name: string): number {
  const hash = javaHash(name)
  return (hash ^ (hash >>> 16)) & 15
}

/** Clients may be newer than we: what is known of the newest version stands before what is not. */
const subscriptionVersionMax = 3

/** A ConsumerProtocolSubscription; undefined if the bytes are something else. */
export function readSubscription(metadata: Buffer): Message<typeof consumerProtocolSubscription.fields> | undefined {
  try {
    const reader = new Reader(metadata)
    const version = reader.int16()
    if (version < 0) return undefined
    return codec(consumerProtocolSubscription, Math.min(version, subscriptionVersionMax)).read(reader)
  } catch (error) {
    if (error instanceof ProtocolViolation) return undefined
    throw error
  }
}
