// Every topic configuration of Kafka 4.4.0, with the broker option that supplies its default (held to a capture of the
// real broker in test/golden-configs). What has no effect here says so in its sentence.

import type { ConfigRow, ConfigType, ConfigValue } from './config-table.ts'

export type TopicRow = ConfigRow & {
  /** The broker option whose value counts where the topic has none of its own. */
  readonly broker?: string
  /** Rows that are listed together: all of them where a topic uses one. */
  readonly group?: 'revision' | 'view'
  /** Said when the topic is made, and never again. */
  readonly fixed?: boolean
  /** The default of a revision topic, whatever the broker says: nothing that is kept is compacted, or deleted by age. */
  readonly ofRevisions?: string
}

const rowOf =
  (type: ConfigType) =>
  (
    name: string,
    value: string | number | boolean | null,
    broker: string | null,
    doc: string,
    options: Options = {},
  ): TopicRow => ({
    name,
    type,
    default: value === null ? null : String(value),
    effect: true,
    doc,
    ...options,
    ...(broker === null ? {} : { broker }),
  })
type Options = Omit<Partial<TopicRow>, 'name' | 'type' | 'default' | 'doc' | 'broker'>
const boolean = rowOf('boolean')
const int = rowOf('int')
const long = rowOf('long')
const double = rowOf('double')
const list = rowOf('list')
const string = rowOf('string')

const longMax = '9223372036854775807'
const weekMs = 7 * 24 * 3_600_000

const without = (why: string, row: TopicRow): TopicRow => ({
  ...row,
  effect: false,
  doc: `Accepted without effect: ${why}.`,
})
const oneCopy = 'one broker keeps the only copy of everything'
const localOnly = 'records are kept on this machine only'
const oneLevel = 'each codec works at its default level'

const throttled = (name: string) => (value: ConfigValue) => {
  if (!Array.isArray(value) || value.join('') === '*' || value.every((replica) => /^(\d+:\d+)?$/.test(replica)))
    return undefined
  const form = `the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...`
  return `Invalid value [${value.join(', ')}] for configuration ${name}: ${name} must be ${form}`
}
const throttle = (name: string): TopicRow =>
  without(oneCopy, list(name, '', null, '', { check: throttled(name), emptyElements: true }))

const noTiers = (value: ConfigValue): string | undefined =>
  value === true
    ? 'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.'
    : undefined

export const topicRows: readonly TopicRow[] = [
  list(
    'cleanup.policy',
    'delete',
    'log.cleanup.policy',
    'What happens to old records: delete by age and size, compact to the newest record of each key, both, or, if empty, nothing.',
    { oneOf: ['compact', 'delete'], ofRevisions: 'delete' },
  ),
  string(
    'compression.type',
    'producer',
    'compression.type',
    'The codec in which batches are kept: producer keeps the one they came in, a name brings every batch to that codec.',
    { oneOf: ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'] },
  ),
  int('segment.bytes', 1_073_741_824, 'log.segment.bytes', 'A segment is sealed before it would grow past this size.', {
    min: 1_048_576,
  }),
  // Kafka has this too, for tests that need many small segments.
  int('internal.segment.bytes', null, null, 'As segment.bytes, without its lower bound.', { internal: true, min: 1 }),
  long(
    'segment.ms',
    weekMs,
    'log.roll.ms',
    'A segment is sealed once its first record is this old. Of a compacted topic max.compaction.lag.ms may seal it earlier.',
    { min: 1 },
  ),
  long(
    'retention.ms',
    weekMs,
    'log.retention.ms',
    'Sealed segments whose newest record is older than this are deleted; -1 keeps them. Counts where cleanup.policy holds delete.',
    { min: -1, ofRevisions: '-1' },
  ),
  long(
    'retention.bytes',
    -1,
    'log.retention.bytes',
    'The oldest sealed segments of a partition are deleted while the rest still holds this many bytes; -1 keeps them. Counts where cleanup.policy holds delete.',
  ),
  int(
    'max.message.bytes',
    1_048_588,
    'message.max.bytes',
    'The largest record batch that is accepted, as it arrives.',
    { min: 0 },
  ),
  int(
    'max.decompressed.message.bytes',
    2_147_483_639,
    'max.decompressed.message.bytes',
    'The largest single record of a compressed batch, unpacked. Whatever it says, a batch that becomes larger than 100 MiB is refused.',
    { min: 1, max: 2_147_483_639 },
  ),
  int(
    'index.interval.bytes',
    4096,
    'log.index.interval.bytes',
    'One entry is added to the offset index after about this many bytes of records.',
    { min: 0 },
  ),
  string(
    'message.timestamp.type',
    'CreateTime',
    'log.message.timestamp.type',
    "Whether records carry the producer's time (CreateTime) or the broker's (LogAppendTime).",
    { oneOf: ['CreateTime', 'LogAppendTime'] },
  ),
  long(
    'message.timestamp.before.max.ms',
    longMax,
    'log.message.timestamp.before.max.ms',
    'A record whose time lies further in the past is refused, unless the broker sets the time.',
    { min: 0 },
  ),
  long(
    'message.timestamp.after.max.ms',
    3_600_000,
    'log.message.timestamp.after.max.ms',
    'A record whose time lies further in the future is refused, unless the broker sets the time.',
    { min: 0 },
  ),
  long(
    'flush.messages',
    longMax,
    'log.flush.interval.messages',
    'Flush after this many records: 1 makes each acknowledged batch safe from a power failure.',
    { min: 1 },
  ),
  long('flush.ms', longMax, 'log.flush.interval.ms', 'Flush what was written at least this often.', { min: 0 }),
  long(
    'max.compaction.lag.ms',
    longMax,
    'log.cleaner.max.compaction.lag.ms',
    'The segment that a compacted topic writes to is sealed when it is this old, so that its records can be compacted.',
    { min: 1 },
  ),
  long(
    'min.compaction.lag.ms',
    0,
    'log.cleaner.min.compaction.lag.ms',
    'Records younger than this are not compacted.',
    { min: 0 },
  ),
  double(
    'min.cleanable.dirty.ratio',
    0.5,
    'log.cleaner.min.cleanable.ratio',
    'The log is compacted when this share of its sealed bytes has not been compacted yet.',
    { min: 0, max: 1 },
  ),
  long(
    'delete.retention.ms',
    86_400_000,
    'log.cleaner.delete.retention.ms',
    'How long a tombstone outlives the compaction that found it first.',
    { min: 0 },
  ),
  without(oneLevel, int('compression.gzip.level', -1, 'compression.gzip.level', '', { min: 1, max: 9, orEqual: -1 })),
  without(oneLevel, int('compression.lz4.level', 9, 'compression.lz4.level', '', { min: 1, max: 17 })),
  without(oneLevel, int('compression.zstd.level', 3, 'compression.zstd.level', '', { min: -131_072, max: 22 })),
  int(
    'min.insync.replicas',
    1,
    'min.insync.replicas',
    'How many replicas must be in sync for acks=all; counts where the cluster has several nodes and some are stopped.',
    { min: 1 },
  ),
  without(oneCopy, boolean('unclean.leader.election.enable', false, 'unclean.leader.election.enable', '')),
  throttle('leader.replication.throttled.replicas'),
  throttle('follower.replication.throttled.replicas'),
  without('files grow in steps of their own', boolean('preallocate', false, 'log.preallocate', '')),
  without(
    'an index grows with its segment',
    int('segment.index.bytes', 10_485_760, 'log.index.size.max.bytes', '', { min: 4 }),
  ),
  without('segments are sealed without jitter', long('segment.jitter.ms', 0, 'log.roll.jitter.ms', '', { min: 0 })),
  without(
    'a file goes when its last reader has let go',
    long('file.delete.delay.ms', 60_000, 'log.segment.delete.delay.ms', '', { min: 0 }),
  ),
  boolean(
    'errors.deadletterqueue.group.enable',
    false,
    null,
    'Whether share groups may copy records here that they give up (KIP-1191).',
  ),
  without(localOnly, boolean('remote.storage.enable', false, null, '', { check: noTiers })),
  without(localOnly, boolean('remote.log.copy.disable', false, null, '')),
  without(localOnly, boolean('remote.log.delete.on.disable', false, null, '')),
  without(localOnly, long('remote.copy.lag.bytes', -1, 'log.remote.copy.lag.bytes', '', { min: -1 })),
  without(localOnly, long('remote.copy.lag.ms', 0, 'log.remote.copy.lag.ms', '', { min: -1 })),
  without(localOnly, long('local.retention.bytes', -2, 'log.local.retention.bytes', '', { min: -2 })),
  without(localOnly, long('local.retention.ms', -2, 'log.local.retention.ms', '', { min: -2 })),
]
