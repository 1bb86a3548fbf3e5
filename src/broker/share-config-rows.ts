// What share groups are allowed (KIP-932), under Kafka's names: what counts where a group has nothing of its own, and the
// bounds between which that may lie.

import { type BrokerRow, boolean, int, string } from './broker-config-row.ts'

const least = (of: string): string => `The least that a group may choose for ${of}.`
const most = (of: string): string => `The most that a group may choose for ${of}.`

export const shareRows: readonly BrokerRow[] = [
  boolean(
    'errors.deadletterqueue.auto.create.topics.enable',
    false,
    'Whether a topic that a share group names for the records it gives up is made when it is not there (KIP-1191).',
    { dynamic: 'cluster' },
  ),
  string('errors.deadletterqueue.topic.name.prefix', 'dlq.', 'How the names of such topics must begin.', {
    dynamic: 'cluster',
  }),
  int('group.share.assignment.interval.ms', 0, 'How long a share group waits between two assignments.', {
    min: 0,
    kafka: 1000,
    dynamic: 'cluster',
  }),
  int('group.share.min.assignment.interval.ms', 0, least('share.assignment.interval.ms'), { min: 0 }),
  int('group.share.max.assignment.interval.ms', 15_000, most('share.assignment.interval.ms'), { min: 0 }),
  int('group.share.delivery.count.limit', 5, 'How often a record is handed out before it is given up.', {
    min: 2,
    max: 10,
  }),
  int('group.share.min.delivery.count.limit', 2, least('share.delivery.count.limit'), { min: 2, max: 5 }),
  int('group.share.max.delivery.count.limit', 10, most('share.delivery.count.limit'), { min: 5, max: 25 }),
  int('group.share.heartbeat.interval.ms', 5000, 'How often a member of a share group is to be heard from.', {
    min: 1,
  }),
  int('group.share.min.heartbeat.interval.ms', 5000, least('share.heartbeat.interval.ms'), { min: 1 }),
  int('group.share.max.heartbeat.interval.ms', 15_000, most('share.heartbeat.interval.ms'), { min: 1 }),
  int('group.share.session.timeout.ms', 45_000, 'A member of which nothing was heard for this long leaves its group.', {
    min: 1,
  }),
  int('group.share.min.session.timeout.ms', 45_000, least('share.session.timeout.ms'), { min: 1 }),
  int('group.share.max.session.timeout.ms', 60_000, most('share.session.timeout.ms'), { min: 1 }),
  int('group.share.record.lock.duration.ms', 30_000, 'How long a record is kept for the member that took it.', {
    min: 1000,
    max: 3_600_000,
  }),
  int('group.share.min.record.lock.duration.ms', 15_000, least('share.record.lock.duration.ms'), {
    min: 1000,
    max: 30_000,
  }),
  int('group.share.max.record.lock.duration.ms', 60_000, most('share.record.lock.duration.ms'), {
    min: 30_000,
    max: 3_600_000,
  }),
  int('group.share.partition.max.record.locks', 2000, 'How many records of a partition may be taken at once.', {
    min: 100,
    max: 10_000,
  }),
  int('group.share.min.partition.max.record.locks', 100, least('share.partition.max.record.locks'), {
    min: 100,
    max: 2000,
  }),
  int('group.share.max.partition.max.record.locks', 4000, most('share.partition.max.record.locks'), {
    min: 2000,
    max: 10_000,
  }),
  int('group.share.max.share.sessions', 2000, 'How many members may fetch at the same time.', { min: 1 }),
  int('group.share.max.size', 200, 'How many members a share group may have.', { min: 1, max: 1000 }),
  int(
    'share.coordinator.snapshot.update.records.per.snapshot',
    500,
    'After so many changes of a share partition all that is known of it is written anew.',
    { min: 0, max: 500 },
  ),
  int('share.coordinator.state.topic.num.partitions', 50, 'Partitions of __share_group_state.', { min: 1 }),
  int('share.coordinator.state.topic.segment.bytes', 104_857_600, 'Segment size of __share_group_state.', {
    min: 1_048_576,
  }),
]
