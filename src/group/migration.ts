// Groups that change their type while members are in them (KIP-848): consumers come one by one from the classic protocol to
// the new one, or back, and nobody stops reading for it.

import { codec } from '../../protocol/compile.ts'
import { ProtocolViolation } from '../../protocol/errors.ts'
import { consumerProtocolAssignment } from '../../protocol/other-tables.ts'
import { Reader } from '../../protocol/reader.ts'
import { Writer } from '../../protocol/writer.ts'
import type { Catalog } from './catalog.ts'
import { ConsumerChange } from './consumer-change.ts'
import type { Circumstances } from './consumer-progress.ts'
import type { ConsumerMember } from './consumer-state.ts'
import { ConsumerState } from './consumer-state.ts'
import { Member } from './member.ts'
import { readSubscription } from './membership.ts'
import type { Partitions } from './partitions.ts'
import { add, each, noPartitions } from './partitions.ts'
import type { GroupMetadataDraft } from './records.ts'
import { metadataHash } from './subscription.ts'

/** What members of the classic protocol are told, in the version that they speak. */
export function classicAssignment(assigned: Partitions, version: number, catalog: Catalog): Buffer {
  const topics = new Map<string, number[]>()
  for (const [topicId, partition] of each(assigned)) {
    const name = catalog.byId(topicId)?.name
    if (name !== undefined) topics.set(name, [...(topics.get(name) ?? []), partition])
  }
  const assignedPartitions = [...topics].map(([topic, partitions]) => ({
    topic,
    partitions: partitions.sort((a, b) => a - b),
  }))
  const writer = new Writer()
  writer.int16(version)
  codec(consumerProtocolAssignment, version).write(writer, { assignedPartitions, userData: null })
  return writer.bytesWritten()
}

const assignmentVersionMax = 3

/** What a leader has given to a member; nothing where the bytes are not ours to read. */
export function assignmentOf(bytes: Buffer, catalog: Catalog): Partitions {
  if (bytes.length === 0) return noPartitions
  try {
    const reader = new Reader(bytes)
    const version = Math.min(reader.int16(), assignmentVersionMax)
    if (version < 0) return noPartitions
    const assigned = new Map<string, Set<number>>()
    for (const { topic, partitions } of codec(consumerProtocolAssignment, version).read(reader).assignedPartitions) {
      const id = catalog.byName(topic)?.id
      if (id !== undefined) for (const partition of partitions) add(assigned, id, partition)
    }
    return assigned
  } catch (error) {
    if (error instanceof ProtocolViolation) return noPartitions
    throw error
  }
}

export type ClassicRemains = { readonly generation: number; readonly members: readonly Member[] }

/**
 * The consumer group that a classic one becomes, as a change of an empty state: its epoch is the generation, everybody has
 * what it had. Undefined where members say what is no subscription of consumers.
 */
export function upgraded(
  { generation, members }: ClassicRemains,
  protocol: string | null,
  { catalog, now }: Circumstances,
): ConsumerChange | undefined {
  const change = new ConsumerChange(new ConsumerState())
  const epoch = Math.max(generation, 1)
  for (const member of members) {
    const metadata = protocol === null ? member.protocols[0]?.metadata : member.metadataFor(protocol)
    const subscription = metadata && readSubscription(metadata)
    if (subscription === undefined) return undefined
    const assigned = assignmentOf(member.assignment, catalog)
    const since = new Map(
      [...assigned].map(([id, partitions]) => [id, new Map([...partitions].map((p) => [p, epoch]))]),
    )
    const current = { epoch, previousEpoch: epoch, state: 'stable', assigned, revoking: noPartitions, since } as const
    change.setMember({ ...classicMember(member), topics: [...new Set(subscription.topics)], ...current })
    change.setCurrent(member.id, current)
    change.setTarget(member.id, assigned)
  }
  change.setEpoch(epoch, metadataHash(change.state, catalog))
  change.setTargetEpoch(epoch, now)
  return change
}

const classicMember = (member: Member) => ({
  id: member.id,
  instanceId: member.instanceId,
  rackId: null,
  clientId: member.clientId,
  clientHost: member.clientHost,
  regex: null,
  rebalanceTimeoutMs: member.rebalanceTimeoutMs,
  assignor: null,
  classic: {
    sessionTimeoutMs: member.sessionTimeoutMs,
    supportedProtocols: member.protocols.map(({ name, metadata }) => ({ name, metadata })),
  },
})

/** The members of a consumer group as those of a classic one. All of them speak the classic protocol. */
export function downgraded(state: ConsumerState, generation: number, catalog: Catalog): ClassicRemains {
  const members = [...state.members.values()].map((member) => {
    const { sessionTimeoutMs, supportedProtocols } = member.classic!
    const { id, instanceId, clientId, clientHost, rebalanceTimeoutMs } = member
    const words = { instanceId, clientId, clientHost, sessionTimeoutMs, rebalanceTimeoutMs }
    const classic = new Member(id, { ...words, protocols: supportedProtocols })
    classic.assignment = classicAssignment(member.assigned, versionOf(member), catalog)
    return classic
  })
  return { generation, members }
}

/** Of the subscription, which is also that of the assignment. */
export const versionOf = ({ classic }: ConsumerMember): number =>
  Math.min(Math.max(classic?.supportedProtocols[0]?.metadata.readInt16BE(0) ?? 0, 0), assignmentVersionMax)

/** How a group that has just become a classic one is remembered: without a protocol, so that it rebalances when read back. */
export const remainsRecord = ({ generation, members }: ClassicRemains, now: number): GroupMetadataDraft => ({
  protocolType: 'consumer',
  generation,
  protocol: null,
  leader: null,
  currentStateTimestamp: now,
  members: members.map((member) => ({
    memberId: member.id,
    groupInstanceId: member.instanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    rebalanceTimeout: member.rebalanceTimeoutMs,
    sessionTimeout: member.sessionTimeoutMs,
    subscription: member.protocols[0]?.metadata ?? Buffer.alloc(0),
    assignment: member.assignment,
  })),
})
