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
  readonly 'group.consumer.max.size': number
  readonly 'group.share.max.size': number
  /** Never empty; the first is the default. */
  readonly 'group.consumer.assignors': readonly string[]
  /** Which protocol a group may turn to while it has members: disabled, upgrade, downgrade, bidirectional. */
  readonly 'group.consumer.migration.policy': string
  readonly 'group.coordinator.rebalance.protocols': readonly string[]
}

/** What one group obeys: its own words, or the broker's (`group.` and the name). */
export type GroupSettings = { number(name: string): number }

export const groupConfigDefaults: GroupConfig = {
  'group.min.session.timeout.ms': 6_000,
  'group.max.session.timeout.ms': 1_800_000,
  'group.max.size': 0x7fff_ffff,
  'group.initial.rebalance.delay.ms': 0,
  'offset.metadata.max.bytes': 4_096,
  'offsets.retention.minutes': 10_080,
  'offsets.retention.check.interval.ms': 600_000,
  'offsets.topic.num.partitions': 50,
  'group.consumer.max.size': 0x7fff_ffff,
  'group.share.max.size': 200,
  'group.consumer.assignors': ['uniform', 'range'],
  'group.consumer.migration.policy': 'bidirectional',
  'group.coordinator.rebalance.protocols': ['classic', 'consumer', 'streams'],
}
