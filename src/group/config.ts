// The broker options that groups obey, under Kafka's own names.

export type GroupConfig = {
  readonly 'group.min.session.timeout.ms': number
  readonly 'group.max.session.timeout.ms': number
  readonly 'group.max.size': number
  /** Kafka's default is 3000; alone on a machine nobody has to wait for the other members of a new group. */
  readonly 'group.initial.rebalance.delay.ms': number
  readonly 'offset.metadata.max.bytes': number
  readonly 'offsets.retention.minutes': number
  readonly 'offsets.retention.check.interval.ms': number
  readonly 'offsets.topic.num.partitions': number
}

export const groupConfigDefaults: GroupConfig = {
  'group.min.session.timeout.ms': 6_000,
  'group.max.session.timeout.ms': 1_800_000,
  'group.max.size': 0x7fff_ffff,
  'group.initial.rebalance.delay.ms': 0,
  'offset.metadata.max.bytes': 4_096,
  'offsets.retention.minutes': 10_080,
  'offsets.retention.check.interval.ms': 600_000,
  'offsets.topic.num.partitions': 50,
}
