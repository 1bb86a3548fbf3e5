// The broker options that change what happens here, with Kafka's names, types, defaults and ranges (4.4.0; held to a
// capture of the real broker in test/golden-configs). Where our default differs, `kafka` says what it is there.

import {
  type BrokerRow,
  boolean,
  double,
  int,
  intMax,
  list,
  long,
  longMax,
  short,
  string,
} from './broker-config-row.ts'
import type { ConfigValue } from './config-table.ts'

const retention = (value: ConfigValue): string | undefined =>
  value === 0 ? 'log.retention.ms must be unlimited (-1) or, greater than or equal to 1' : undefined

export const effectiveRows: readonly BrokerRow[] = [
  // Our own.
  string(
    'storage',
    'mapped',
    'How the bytes of the logs are reached: mapped (memory-mapped files; plain where that cannot be had), plain (reads and writes) or memory (nothing touches the disk).',
    { oneOf: ['mapped', 'plain', 'memory'], kafka: null, ours: true },
  ),
  string(
    'flush.policy',
    null,
    'What an acknowledgement promises: none (safe from the end of the process), interval (flushed every log.flush.interval.ms, else every second) or batch (flushed before the acknowledgement). Where absent, log.flush.interval.messages and log.flush.interval.ms decide.',
    { oneOf: ['none', 'interval', 'batch'], ours: true },
  ),
  string('cluster.id', '', 'The id of the cluster when its data folder is made; empty: a random one.', {
    internal: true,
    ours: true,
  }),
  int(
    'cluster.brokers',
    1,
    'How many nodes this process shows to clients, to test what they do when leaders move and nodes fail. Each has a number (node.id and those after it) and a port (that of each listener and those after it) of its own.',
    { min: 1, max: 100, internal: true, ours: true },
  ),
  int(
    'http.port',
    8080,
    'Port of the HTTP interface; 0 is any free one, -1: none. Where nobody says, a broker whose port 8080 is taken goes without; a program that has the broker inside has none unless it asks.',
    { min: -1, max: 65_535, kafka: null, internal: true, ours: true },
  ),
  string(
    'http.host',
    '127.0.0.1',
    'The address that the HTTP interface listens on. There is no authentication: whoever reaches it may read and write everything.',
    { nonEmpty: true, internal: true, ours: true },
  ),
  list(
    'http.allowed.hosts',
    '',
    'Names under which the HTTP interface may be addressed, beside addresses and localhost; * is any. Others are refused, or any web page could ask it under a name of its own.',
    { internal: true, ours: true },
  ),
  int(
    'slow.request.log.ms',
    -1,
    'A request that takes this long, from its last byte to the last byte of its answer, is told on standard error: who sent what, and where the time went. What a fetch or a member of a group waits because it asked to does not count. -1: none is told.',
    { min: -1, internal: true, ours: true },
  ),
  int('default.replication.factor', 1, 'How many nodes have a partition where nobody says; no more than there are.'),
  short(
    'offsets.topic.replication.factor',
    1,
    'How many nodes have a partition of __consumer_offsets; where absent, three, and no more than there are.',
    { min: 1, kafka: 3 },
  ),
  short(
    'transaction.state.log.replication.factor',
    1,
    'How many nodes have a partition of __transaction_state; where absent, three, and no more than there are.',
    { min: 1, kafka: 3 },
  ),
  short(
    'share.coordinator.state.topic.replication.factor',
    1,
    'How many nodes have a partition of __share_group_state; where absent, three, and no more than there are.',
    { min: 1, kafka: 3 },
  ),
  int('min.insync.replicas', 1, 'How many replicas must be in sync for acks=all, where a topic does not say.', {
    min: 1,
    dynamic: 'cluster',
  }),

  // Who we are and where we listen.
  int(
    'node.id',
    1,
    'The number by which clients know this broker. Kafka asks for one; here it is 1 unless said otherwise.',
    { min: 0, kafka: null },
  ),
  int('broker.id', 1, 'The older name of node.id. If both are set they must agree.', { kafka: -1 }),
  list(
    'process.roles',
    'broker,controller',
    'This one process is broker and controller; any value that holds broker is accepted.',
    { oneOf: ['broker', 'controller'], effect: false, kafka: null },
  ),
  list(
    'listeners',
    'PLAINTEXT://127.0.0.1:9092',
    'Where connections are accepted: NAME://host:port, several with commas between. An empty host or 0.0.0.0 is every address, port 0 is any free one. Kafka listens on every address unless told otherwise; we listen on the loopback address.',
    { nonEmpty: true, kafka: 'PLAINTEXT://:9092' },
  ),
  list(
    'advertised.listeners',
    null,
    'The addresses that clients are told, one for each listener; where absent, that of the listener itself.',
    { nonEmpty: true },
  ),
  string(
    'listener.security.protocol.map',
    'SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT',
    'Which security protocol each listener name stands for. Only PLAINTEXT is served so far.',
  ),
  string(
    'inter.broker.listener.name',
    null,
    'The listener that other brokers would use. Checked as Kafka does; there are no other brokers.',
    { effect: false },
  ),
  list(
    'controller.listener.names',
    '',
    'Listeners that belong to the controller: their ports are opened, and connections to them closed.',
    { kafka: null },
  ),
  int('max.connections', intMax, 'Connections beyond this many wait for an end.', { min: 0, dynamic: 'cluster' }),
  int('socket.receive.buffer.bytes', -1, 'SO_RCVBUF, on Linux; -1: as the system chooses.', { kafka: 102_400 }),
  int('socket.send.buffer.bytes', 524_288, 'SO_SNDBUF, on Linux; -1: as the system chooses.', { kafka: 102_400 }),
  int('socket.listen.backlog.size', 50, 'So many connections wait for max.connections; more are closed.', { min: 1 }),
  int('max.connections.per.ip', intMax, 'Connections from one address beyond this many are closed at once.', {
    min: 0,
    dynamic: 'cluster',
  }),
  string(
    'max.connections.per.ip.overrides',
    '',
    'The same for single addresses: address:count, several with commas between.',
    { dynamic: 'cluster' },
  ),
  int(
    'max.connection.creation.rate',
    intMax,
    'Connections a second. One too many is not read from until its turn comes; of a pause as many as come in quota.window.size.seconds are let in at once.',
    { min: 0, dynamic: 'cluster' },
  ),
  int(
    'quota.window.size.seconds',
    1,
    'How many seconds worth of a quota a client that was idle may use at once before it has to wait.',
    { min: 1 },
  ),
  int(
    'controller.quota.window.num',
    11,
    'As many windows worth of controller_mutation_rate may be used at once before changes are refused.',
    { min: 1 },
  ),
  int('controller.quota.window.size.seconds', 1, 'The length of such a window.', { min: 1 }),
  long(
    'connections.max.idle.ms',
    600_000,
    'A connection on which nothing was sent or received for this long is closed.',
  ),
  int(
    'socket.request.max.bytes',
    104_857_600,
    'A request larger than this ends its connection before any memory is taken for it.',
    { min: 1 },
  ),
  long(
    'queued.max.request.bytes',
    -1,
    'Bytes of requests, of all connections together, that may be on their way in or wait for an answer. Beyond it nothing more is read of a request that is not whole. 0 or less is no limit; else it is at least socket.request.max.bytes.',
  ),
  int('max.request.partition.size.limit', 2000, 'The most partitions that one DescribeTopicPartitions is told.', {
    min: 1,
  }),
  int('fetch.max.bytes', 57_671_680, 'The most that one Fetch is answered with, however much more it asks for.', {
    min: 1024,
  }),

  // Topics.
  boolean(
    'auto.create.topics.enable',
    true,
    'Whether a topic comes into being when a client first asks about it or writes to it.',
  ),
  boolean('delete.topic.enable', true, 'Whether clients may delete topics.'),
  int('num.partitions', 1, 'Partitions of a topic whose creator did not say how many.', { min: 1 }),

  // Logs: each is the default of the topic configuration it is named after.
  list(
    'log.dir',
    '.twiglog',
    "The folder for all data, if log.dirs says nothing. Kafka's is /tmp/kafka-logs; ours lies where the broker was started.",
    { nonEmpty: true, kafka: '/tmp/kafka-logs' },
  ),
  list('log.dirs', null, 'The folder for all data. The first of several is used.', { nonEmpty: true }),
  int('log.segment.bytes', 1_073_741_824, 'A segment is sealed before it would grow past this size.', {
    min: 1_048_576,
    dynamic: 'cluster',
  }),
  long(
    'log.roll.ms',
    null,
    'A segment is sealed once its first record is this old. Where absent, log.roll.hours counts.',
    { dynamic: 'cluster' },
  ),
  int('log.roll.hours', 168, 'As log.roll.ms, in hours.', { min: 1 }),
  long(
    'log.retention.ms',
    null,
    'Sealed segments whose newest record is older than this are deleted; -1 keeps them. Where absent, log.retention.minutes counts, then log.retention.hours.',
    { dynamic: 'cluster', check: retention },
  ),
  int('log.retention.minutes', null, 'As log.retention.ms, in minutes.', { check: retention }),
  int('log.retention.hours', 168, 'As log.retention.ms, in hours.', { check: retention }),
  long(
    'log.retention.bytes',
    -1,
    'The oldest sealed segments of a partition are deleted while the rest still holds this many bytes; -1 keeps them.',
    { dynamic: 'cluster' },
  ),
  long('log.retention.check.interval.ms', 300_000, 'How often retention looks for segments to delete.', { min: 1 }),
  list(
    'log.cleanup.policy',
    'delete',
    'What happens to old records: delete by age and size, compact to the newest record of each key, both, or, if empty, nothing.',
    { oneOf: ['compact', 'delete'], dynamic: 'cluster' },
  ),
  int(
    'log.index.interval.bytes',
    4096,
    'One entry is added to the offset index after about this many bytes of records.',
    { min: 0, dynamic: 'cluster' },
  ),
  string(
    'log.message.timestamp.type',
    'CreateTime',
    "Whether records carry the producer's time (CreateTime) or the broker's (LogAppendTime).",
    { oneOf: ['CreateTime', 'LogAppendTime'], dynamic: 'cluster' },
  ),
  long(
    'log.message.timestamp.before.max.ms',
    longMax,
    'A record whose time lies further in the past is refused, unless the broker sets the time.',
    { min: 0, dynamic: 'cluster' },
  ),
  long(
    'log.message.timestamp.after.max.ms',
    3_600_000,
    'A record whose time lies further in the future is refused, unless the broker sets the time.',
    { min: 0, dynamic: 'cluster' },
  ),
  int('message.max.bytes', 1_048_588, 'The largest record batch that is accepted, as it arrives.', {
    min: 0,
    dynamic: 'cluster',
  }),
  int('max.decompressed.message.bytes', 2_147_483_639, 'The largest single record of a compressed batch, unpacked.', {
    min: 1,
    max: 2_147_483_639,
    dynamic: 'cluster',
  }),
  string(
    'compression.type',
    'producer',
    'The codec in which batches are kept: producer keeps the one they came in, a name brings every batch to that codec.',
    { oneOf: ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'], dynamic: 'cluster' },
  ),
  long(
    'log.flush.interval.messages',
    longMax,
    'Flush after this many records: 1 makes each acknowledged batch safe from a power failure (flush.policy=batch).',
    { min: 1, dynamic: 'cluster' },
  ),
  long(
    'log.flush.interval.ms',
    null,
    'Flush what was written at least this often (flush.policy=interval). Where absent, log.flush.scheduler.interval.ms counts.',
    { dynamic: 'cluster' },
  ),
  long('log.flush.scheduler.interval.ms', longMax, 'Stands in for log.flush.interval.ms where that is absent.'),

  // Compaction.
  boolean('log.cleaner.enable', true, 'Whether topics with cleanup.policy=compact are compacted.'),
  long(
    'log.cleaner.backoff.ms',
    15_000,
    'How often logs that are worth compacting are looked for; read at the start.',
    {
      min: 0,
      dynamic: 'cluster',
    },
  ),
  double(
    'log.cleaner.min.cleanable.ratio',
    0.5,
    'A log is compacted when this share of its sealed bytes has not been compacted yet.',
    { min: 0, max: 1, dynamic: 'cluster' },
  ),
  long(
    'log.cleaner.dedupe.buffer.size',
    134_217_728,
    'Memory for the keys of one round of compaction, 24 bytes each; what does not fit waits for the next round.',
    { dynamic: 'cluster' },
  ),
  long('log.cleaner.min.compaction.lag.ms', 0, 'Records younger than this are not compacted.', {
    min: 0,
    dynamic: 'cluster',
  }),
  long(
    'log.cleaner.max.compaction.lag.ms',
    longMax,
    'Records older than this are compacted, however small the share is.',
    { min: 1, dynamic: 'cluster' },
  ),
  long(
    'log.cleaner.delete.retention.ms',
    86_400_000,
    'How long a tombstone outlives the compaction that found it first.',
    { min: 0, dynamic: 'cluster' },
  ),

  // Groups and producers.
  int('group.min.session.timeout.ms', 6000, 'The shortest session timeout that a member may ask for.'),
  int('group.max.session.timeout.ms', 1_800_000, 'The longest session timeout that a member may ask for.'),
  int('group.max.size', intMax, 'How many members a group may have.', { min: 1 }),
  int(
    'group.initial.rebalance.delay.ms',
    0,
    'How long a new group waits for more members before its first rebalance. Kafka waits 3 s for a cluster to start; alone on a machine nobody should wait.',
    { kafka: 3000 },
  ),
  list(
    'group.coordinator.rebalance.protocols',
    'classic,consumer,streams',
    'The protocols that groups may speak. Without consumer there are classic groups only; streams groups are not served.',
    { oneOf: ['consumer', 'classic', 'share', 'streams'] },
  ),
  int('group.consumer.max.size', intMax, 'How many members a consumer group may have.', { min: 1 }),
  list(
    'group.consumer.assignors',
    'uniform,range',
    'The assignors that members of consumer groups may ask for. The first is for groups that ask for none.',
    { nonEmpty: true },
  ),
  string(
    'group.consumer.migration.policy',
    'bidirectional',
    'Whether a group with members turns into a consumer group when one joins it, or back when the last one has gone.',
    { oneOf: ['DISABLED', 'DOWNGRADE', 'UPGRADE', 'BIDIRECTIONAL'], ignoreCase: true },
  ),
  int(
    'group.consumer.session.timeout.ms',
    45_000,
    'A consumer of which nothing was heard for this long leaves its group.',
    { min: 1 },
  ),
  int('group.consumer.min.session.timeout.ms', 45_000, 'The shortest session timeout that a group may be given.', {
    min: 1,
  }),
  int('group.consumer.max.session.timeout.ms', 60_000, 'The longest session timeout that a group may be given.', {
    min: 1,
  }),
  int('group.consumer.heartbeat.interval.ms', 5000, 'How often a consumer is to be heard from.', { min: 1 }),
  int('group.consumer.min.heartbeat.interval.ms', 5000, 'The shortest interval that a group may be given.', { min: 1 }),
  int('group.consumer.max.heartbeat.interval.ms', 15_000, 'The longest interval that a group may be given.', {
    min: 1,
  }),
  int(
    'group.consumer.assignment.interval.ms',
    0,
    'How long a consumer group waits between two assignments. Kafka spares its coordinators; alone on a machine nobody should wait.',
    { min: 0, dynamic: 'cluster', kafka: 1000 },
  ),
  int('group.consumer.min.assignment.interval.ms', 0, 'The shortest such wait that a group may be given.', { min: 0 }),
  int('group.consumer.max.assignment.interval.ms', 15_000, 'The longest such wait that a group may be given.', {
    min: 0,
  }),
  int('offset.metadata.max.bytes', 4096, 'The longest text that may be committed beside an offset.'),
  int(
    'offsets.retention.minutes',
    10_080,
    'Committed offsets of a group without members are forgotten after this long.',
    { min: 1 },
  ),
  long('offsets.retention.check.interval.ms', 600_000, 'How often offsets that are too old are looked for.', {
    min: 1,
  }),
  int(
    'offsets.topic.segment.bytes',
    104_857_600,
    'As log.segment.bytes, for the topic that holds committed offsets. Fixed once that topic exists.',
    { min: 1_048_576 },
  ),
  int(
    'offsets.topic.num.partitions',
    50,
    'Partitions of the topic that holds committed offsets. Fixed once that topic exists.',
    { min: 1 },
  ),
  int('max.incremental.fetch.session.cache.slots', 1000, 'How many fetch sessions are kept.', { min: 0 }),
  int(
    'producer.id.expiration.ms',
    86_400_000,
    'What is known of a producer id is forgotten when it has not written for this long.',
    { min: 1, dynamic: 'cluster' },
  ),
]
