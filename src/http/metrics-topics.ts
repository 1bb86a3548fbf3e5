// What /metrics says of partitions and of groups, under the names of kafka_exporter and of the JMX exporter's rules: dashboards
// that exist find what they look for.

import { insideOf } from '../branch/set-names.ts'
import type { Partition } from '../broker/partition.ts'
import { unparsedIn } from '../broker/revision-entries.ts'
import type { Topic } from '../broker/topic.ts'
import type { Exposition, Family, Labels } from './metrics-text.ts'
import { attempt, Problem } from './problem.ts'
import { rest } from './reply.ts'
import type { Rooms } from './rooms.ts'

const gauge = (name: string, doc: string): Family => ({ name, kind: 'gauge', doc })

export const topicFamilies = {
  partitions: gauge('kafka_topic_partitions', 'Partitions of a topic.'),
  currentOffset: gauge('kafka_topic_partition_current_offset', 'The offset behind the last record that may be read.'),
  oldestOffset: gauge('kafka_topic_partition_oldest_offset', 'The first offset that can be read.'),
  inSync: gauge('kafka_topic_partition_in_sync_replica', 'Replicas in sync.'),
  leader: gauge('kafka_topic_partition_leader', 'The node that leads; -1 where none does.'),
  preferred: gauge('kafka_topic_partition_leader_is_preferred', '1 where the first replica leads.'),
  replicas: gauge('kafka_topic_partition_replicas', 'Replicas.'),
  underReplicated: gauge('kafka_topic_partition_under_replicated_partition', '1 where a replica is not in sync.'),
  size: gauge('kafka_log_log_size', 'Bytes of records on the disk, what a branch shares with its parent included.'),
  logStart: gauge('kafka_log_log_logstartoffset', 'The first offset that can be read.'),
  logEnd: gauge('kafka_log_log_logendoffset', 'The offset that the next record gets.'),
  unparsed: gauge(
    'twiglog_revision_index_unparsed',
    'Packed values that are no JSON, so that revision.index.json does not know them.',
  ),
} as const

export const groupFamilies = {
  members: gauge('kafka_consumergroup_members', 'Members of a group.'),
  offset: gauge('kafka_consumergroup_current_offset', 'The offset that a group has committed.'),
  offsetSum: gauge('kafka_consumergroup_current_offset_sum', 'The sum of these over the partitions of a topic.'),
  lag: gauge('kafka_consumergroup_lag', 'How many offsets lie between that and the end.'),
  lagSum: gauge('kafka_consumergroup_lag_sum', 'The sum of these over the partitions of a topic.'),
  groups: gauge('kafka_coordinator_group_groupmetadatamanager_numgroups', 'Groups of all types, share groups too.'),
} as const

/** So many open partitions are told of in one go; to open one costs as much as ten. */
const sliceCost = 100
const openingCost = 10
/** A log that is closed hardly changes: only somebody who opened it and let it go again can have changed it. */
const closedMs = 300_000

type Bounds = { start: number; watermark: number; end: number; byteCount: number; unparsed: number | undefined }
type Closed = { readonly at: number; readonly bounds: Bounds | undefined }

const closed = new WeakMap<Partition, Closed>()

/** Where a log begins and ends, and what its packs tell. One that nobody uses is opened for it every few minutes, and let go again. */
function boundsOf(topic: Topic, partition: Partition, now: number): Bounds | undefined {
  const wasOpen = partition.isOpen
  if (wasOpen) closed.delete(partition)
  const before = closed.get(partition)
  if (before !== undefined && now - before.at < closedMs) return before.bounds
  const bounds = attempt(() => ({
    start: partition.logStartOffset,
    watermark: partition.highWatermark,
    end: partition.logEndOffset,
    byteCount: partition.byteCount,
    unparsed: unparsedIn(topic, partition),
  }))
  if (!wasOpen && partition.offline === undefined) partition.rest()
  const told = bounds instanceof Problem ? undefined : bounds
  if (!partition.isOpen) closed.set(partition, { at: now, bounds: told })
  return told
}

function tellPartition(into: Exposition, topic: Topic, partition: Partition, now: number): number | undefined {
  const labels = { topic: topic.name, partition: partition.index }
  const { replicas, isr, leader } = partition.leadership
  into.add(topicFamilies.leader, labels, leader)
  into.add(topicFamilies.replicas, labels, replicas.length)
  into.add(topicFamilies.inSync, labels, isr.length)
  into.add(topicFamilies.preferred, labels, leader === replicas[0] ? 1 : 0)
  into.add(topicFamilies.underReplicated, labels, isr.length < replicas.length ? 1 : 0)
  // To look at a view that nobody reads would be to read its whole source.
  const bounds = topic.config.view !== undefined && partition.uses === 0 ? undefined : boundsOf(topic, partition, now)
  if (bounds === undefined) return undefined
  into.add(topicFamilies.currentOffset, labels, bounds.watermark)
  into.add(topicFamilies.oldestOffset, labels, bounds.start)
  into.add(topicFamilies.size, labels, bounds.byteCount)
  into.add(topicFamilies.logStart, labels, bounds.start)
  into.add(topicFamilies.logEnd, labels, bounds.end)
  if (bounds.unparsed !== undefined) into.add(topicFamilies.unparsed, labels, bounds.unparsed)
  return bounds.watermark
}

/** Answers the ends of partitions, by topic, for what has to be said of groups. */
export async function tellTopics(into: Exposition, { broker }: Rooms): Promise<Map<string, (number | undefined)[]>> {
  const ends = new Map<string, (number | undefined)[]>()
  let cost = 0
  for (const topic of broker.topics()) {
    into.add(topicFamilies.partitions, { topic: topic.name }, topic.partitions.length)
    const ofTopic: (number | undefined)[] = []
    for (const partition of topic.partitions) {
      cost += partition.isOpen ? 1 : openingCost
      // While others had their turn it may have been deleted.
      if (!partition.isRemoved) ofTopic.push(tellPartition(into, topic, partition, broker.clock.now()))
      if (cost < sliceCost) continue
      cost = 0
      await rest()
    }
    ends.set(topic.name, ofTopic)
  }
  return ends
}

/** A group of a branch set is called as it is inside, and its set is told beside. */
function groupLabels(groupId: string): Labels {
  const inside = insideOf(groupId)
  return inside === undefined ? { consumergroup: groupId } : { consumergroup: inside.id, set: inside.set }
}

function memberCount({ groups }: Rooms, groupId: string, type: string): number {
  const kind = type === 'consumer' ? groups.consumer : type === 'share' ? groups.share : groups.classic
  const described = kind.describe(groupId)
  return typeof described === 'string' || !('members' in described) ? 0 : described.members.length
}

function tellGroup(into: Exposition, rooms: Rooms, groupId: string, ends: ReadonlyMap<string, (number | undefined)[]>) {
  const fetched = rooms.groups.offsets.fetch({ groupId, wanted: null, requireStable: false })
  if (typeof fetched === 'string') return
  const sums = new Map<string, { offset: number; lag: number }>()
  const labels = groupLabels(groupId)
  for (const { topic, partition, committed } of fetched) {
    if (committed === undefined) continue
    into.add(groupFamilies.offset, { ...labels, topic, partition }, committed.offset)
    const sum = sums.get(topic) ?? { offset: 0, lag: 0 }
    sums.set(topic, sum)
    sum.offset += committed.offset
    const end = ends.get(topic)?.[partition]
    if (end === undefined) continue
    const lag = Math.max(0, end - committed.offset)
    into.add(groupFamilies.lag, { ...labels, topic, partition }, lag)
    sum.lag += lag
  }
  for (const [topic, { offset, lag }] of sums) {
    into.add(groupFamilies.offsetSum, { ...labels, topic }, offset)
    into.add(groupFamilies.lagSum, { ...labels, topic }, lag)
  }
}

export async function tellGroups(
  into: Exposition,
  rooms: Rooms,
  ends: ReadonlyMap<string, (number | undefined)[]>,
): Promise<void> {
  const { groups } = rooms.groups.list()
  into.add(groupFamilies.groups, {}, groups.length)
  for (const [i, { groupId, type }] of groups.entries()) {
    into.add(groupFamilies.members, groupLabels(groupId), memberCount(rooms, groupId, type))
    tellGroup(into, rooms, groupId, ends)
    if (i % sliceCost === sliceCost - 1) await rest()
  }
}
