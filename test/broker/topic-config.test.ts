// A topic's configuration against what the real broker says of one, and against its refusals, word by word.

import { describe, expect, test } from 'vitest'
import { Refusal } from '../../protocol/errors.ts'
import { BrokerConfig } from '../../src/broker/broker-config.ts'
import { configOperations } from '../../src/broker/config-alter.ts'
import { TopicConfig, topicConfigTable, validateTopicConfigs } from '../../src/broker/topic-config.ts'
import { comparable, type RealEntry, realConfigs } from './real-configs.ts'

const all = { synonyms: true, documentation: true, names: null }
const message = (outcome: unknown) => (outcome instanceof Refusal ? `${outcome.error}: ${outcome.message}` : outcome)
const topic = (overrides: Record<string, string> = {}, broker = new BrokerConfig()) =>
  new TopicConfig(broker, new Map(Object.entries(overrides)))

/** The real broker sets it for all brokers by itself, because of eligible leader replicas. */
const withoutElr = (real: RealEntry): RealEntry =>
  real.name === 'min.insync.replicas' ? { ...real, configSource: 5, synonyms: real.synonyms.slice(-1) } : real

describe('the list of configurations is that of Kafka', () => {
  test('for a topic that says nothing: names, defaults, types, sources, synonyms', () => {
    const { capture, entries } = realConfigs('kafka-4.4.0')
    const broker = new BrokerConfig(Object.entries(capture.serverProperties))
    expect(comparable(topic({}, broker).describe(all))).toEqual(entries('topic').map(withoutElr))
  })

  test('for a topic with overrides, below it what the broker, all brokers and the file say', () => {
    const { capture, entries } = realConfigs('kafka-4.4.0-layers')
    const broker = new BrokerConfig(Object.entries(capture.serverProperties))
    broker.fromRecord('1', capture.brokerOverrides ?? {})
    broker.fromRecord('', capture.allBrokersOverrides ?? {})
    expect(comparable(topic(capture.topicOverrides, broker).describe(all))).toEqual(entries('topic').map(withoutElr))
  })

  test('every configuration has a sentence, and it says so where there is no effect', () => {
    for (const { name, doc, effect } of topicConfigTable) {
      expect(doc, name).toMatch(/^[A-Z].*\.$/)
      expect(doc.startsWith('Accepted without effect'), name).toBe(!effect)
    }
  })

  test('named configurations alone are described; no names are all names; words and synonyms only if asked for', () => {
    const bare = { synonyms: false, documentation: false }
    const [entry, ...others] = topic({ 'retention.ms': '5' }).describe({ ...bare, names: ['retention.ms', 'foo'] })
    expect(others).toEqual([])
    expect(entry).toMatchObject({
      name: 'retention.ms',
      value: '5',
      synonyms: [],
      documentation: null,
      configSource: 1,
    })
    expect(topic().describe({ ...bare, names: [] })).toHaveLength(37)
  })

  test('values are printed as they were understood', () => {
    const odd = topic({
      'retention.ms': ' 77 ',
      preallocate: 'TRUE',
      'cleanup.policy': ' compact , delete ',
      'min.cleanable.dirty.ratio': '1e-4',
    })
    expect(odd.text('retention.ms')).toBe('77')
    expect(odd.text('preallocate')).toBe('true')
    expect(odd.text('cleanup.policy')).toBe('compact,delete')
    expect(odd.text('min.cleanable.dirty.ratio')).toBe('1.0E-4')
  })
})

describe('overrides are refused as the real broker refuses them', () => {
  const invalid = (value: string, name: string, why: string) =>
    `INVALID_CONFIG: Invalid value ${value} for configuration ${name}: ${why}`
  const table: [name: string, value: string | null, outcome: string | undefined][] = [
    ['foo', '1', 'INVALID_CONFIG: Unknown topic config name: foo'],
    ['', '1', 'INVALID_CONFIG: Unknown topic config name: '],
    ['retention.ms', null, 'INVALID_CONFIG: Null value not supported for topic configs: retention.ms'],
    ['retention.ms', 'x', invalid('x', 'retention.ms', 'Not a number of type LONG')],
    ['retention.ms', '', invalid('', 'retention.ms', 'Not a number of type LONG')],
    ['retention.ms', '1.5', invalid('1.5', 'retention.ms', 'Not a number of type LONG')],
    ['retention.ms', '9223372036854775807', undefined],
    [
      'retention.ms',
      '9223372036854775808',
      invalid('9223372036854775808', 'retention.ms', 'Not a number of type LONG'),
    ],
    ['retention.ms', '-2', invalid('-2', 'retention.ms', 'Value must be at least -1')],
    ['retention.ms', '-1', undefined],
    ['retention.ms', '+5', undefined],
    ['retention.ms', ' 5 ', undefined],
    ['retention.bytes', '-5', undefined],
    ['segment.bytes', '13', invalid('13', 'segment.bytes', 'Value must be at least 1048576')],
    ['segment.bytes', '3000000000', invalid('3000000000', 'segment.bytes', 'Not a number of type INT')],
    ['segment.bytes', '0x10', invalid('0x10', 'segment.bytes', 'Not a number of type INT')],
    ['segment.bytes', '1_048_576', invalid('1_048_576', 'segment.bytes', 'Not a number of type INT')],
    ['internal.segment.bytes', '100', undefined],
    ['cleanup.policy', 'foo', invalid('foo', 'cleanup.policy', 'String must be one of: compact, delete')],
    ['cleanup.policy', 'compact,foo', invalid('foo', 'cleanup.policy', 'String must be one of: compact, delete')],
    ['cleanup.policy', 'Compact', invalid('Compact', 'cleanup.policy', 'String must be one of: compact, delete')],
    ['cleanup.policy', ',', "INVALID_CONFIG: Configuration 'cleanup.policy' values must not be empty."],
    ['cleanup.policy', '', undefined],
    ['cleanup.policy', ' compact , delete ', undefined],
    [
      'compression.type',
      'GZIP',
      invalid('GZIP', 'compression.type', 'String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer'),
    ],
    ['preallocate', 'yes', invalid('yes', 'preallocate', 'Expected value to be either true or false')],
    ['preallocate', ' TRUE ', undefined],
    ['min.cleanable.dirty.ratio', 'x', invalid('x', 'min.cleanable.dirty.ratio', 'Not a number of type DOUBLE')],
    ['min.cleanable.dirty.ratio', '2', invalid('2.0', 'min.cleanable.dirty.ratio', 'Value must be no more than 1')],
    ['min.cleanable.dirty.ratio', '0.5d', undefined],
    ['min.cleanable.dirty.ratio', '.5', undefined],
    ['min.cleanable.dirty.ratio', 'NaN', undefined],
    [
      'message.timestamp.type',
      'foo',
      invalid('foo', 'message.timestamp.type', 'String must be one of: CreateTime, LogAppendTime'),
    ],
    [
      'compression.gzip.level',
      '0',
      invalid('0', 'compression.gzip.level', 'Value must be between 1 and 9 or equal to -1'),
    ],
    [
      'compression.gzip.level',
      '10',
      invalid('10', 'compression.gzip.level', 'Value must be between 1 and 9 or equal to -1'),
    ],
    ['compression.gzip.level', '-1', undefined],
    ['compression.lz4.level', '18', invalid('18', 'compression.lz4.level', 'Value must be no more than 17')],
    [
      'max.decompressed.message.bytes',
      '2147483640',
      invalid('2147483640', 'max.decompressed.message.bytes', 'Value must be no more than 2147483639'),
    ],
    ['flush.messages', '0', invalid('0', 'flush.messages', 'Value must be at least 1')],
    ['follower.replication.throttled.replicas', '0:1,1:2', undefined],
    ['follower.replication.throttled.replicas', '*', undefined],
    ['follower.replication.throttled.replicas', '', undefined],
    [
      'follower.replication.throttled.replicas',
      'abc',
      invalid(
        '[abc]',
        'follower.replication.throttled.replicas',
        "follower.replication.throttled.replicas must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...",
      ),
    ],
    [
      'remote.storage.enable',
      'true',
      'INVALID_CONFIG: Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.',
    ],
  ]
  test.each(table)('%s=%s', (name, value, outcome) => {
    expect(message(validateTopicConfigs(new Map([[name, value]])))).toBe(outcome)
  })

  test('an unknown name is said before a bad value', () => {
    const both = new Map([
      ['retention.ms', 'x'],
      ['foo', '1'],
    ])
    expect(message(validateTopicConfigs(both))).toBe('INVALID_CONFIG: Unknown topic config name: foo')
  })

  test('the compaction lags must not contradict each other', () => {
    const lags = new Map([
      ['min.compaction.lag.ms', '100'],
      ['max.compaction.lag.ms', '50'],
    ])
    expect(message(validateTopicConfigs(lags))).toBe(
      'INVALID_CONFIG: conflict topic config setting min.compaction.lag.ms (100) > max.compaction.lag.ms (50)',
    )
  })
})

describe('altering a topic is answered as the real broker answers it', () => {
  const { set, delete: remove, append, subtract } = configOperations
  type Step = [configOperation: number, name: string, value: string | null]
  const table: [before: Record<string, string>, steps: Step[], outcome: unknown][] = [
    [{}, [[set, 'retention.ms', '1000']], { 'retention.ms': '1000' }],
    [{}, [[set, 'retention.ms', null]], 'INVALID_REQUEST: Null value not supported for : retention.ms'],
    [{}, [[set, 'foo', '1']], 'INVALID_CONFIG: Unknown topic config name: foo'],
    [{ 'retention.ms': '5' }, [[remove, 'retention.ms', '7']], {}],
    [{}, [[remove, 'foo', null]], {}],
    [{}, [[append, 'cleanup.policy', 'compact']], { 'cleanup.policy': 'delete,compact' }],
    [
      { 'cleanup.policy': 'delete,compact' },
      [[append, 'cleanup.policy', 'compact']],
      { 'cleanup.policy': 'delete,compact' },
    ],
    [{ 'cleanup.policy': 'delete,compact' }, [[subtract, 'cleanup.policy', 'delete']], { 'cleanup.policy': 'compact' }],
    [{}, [[subtract, 'cleanup.policy', 'delete']], { 'cleanup.policy': '' }],
    [{ 'cleanup.policy': '' }, [[append, 'cleanup.policy', 'compact,delete']], { 'cleanup.policy': 'compact,delete' }],
    [
      {},
      [[append, 'cleanup.policy', 'foo']],
      'INVALID_CONFIG: Invalid value foo for configuration cleanup.policy: String must be one of: compact, delete',
    ],
    [{}, [[append, 'cleanup.policy', null]], 'INVALID_REQUEST: Null value not supported for : cleanup.policy'],
    [
      {},
      [[append, 'retention.ms', '1']],
      "INVALID_CONFIG: Can't APPEND to key retention.ms because its type is not LIST.",
    ],
    [{}, [[subtract, 'foo', '1']], "INVALID_CONFIG: Can't SUBTRACT to key foo because its type is not LIST."],
    [
      {},
      [
        [set, 'retention.ms', '5'],
        [remove, 'retention.ms', null],
      ],
      'INVALID_REQUEST: Error due to duplicate config keys',
    ],
    [{}, [[9, 'retention.ms', '5']], 'INVALID_REQUEST: Unknown config operation 9 for retention.ms'],
  ]
  test.each(table)('%j %j', (before, steps, outcome) => {
    const operations = steps.map(([configOperation, name, value]) => ({ configOperation, name, value }))
    expect(message(topic(before).alter(operations))).toEqual(outcome)
  })

  test('the older way replaces all overrides', () => {
    const before = topic({ 'retention.ms': '5' })
    expect(before.replace([{ name: 'segment.ms', value: '50' }])).toEqual({ 'segment.ms': '50' })
    expect(before.replace([])).toEqual({})
    expect(message(before.replace([{ name: 'retention.ms', value: null }]))).toMatch(/^INVALID_REQUEST: Null value/)
    expect(before.overrides()).toEqual({ 'retention.ms': '5' })
  })
})

describe('the values that logs ask for', () => {
  test('are the defaults of Kafka', () => {
    expect(topic()).toMatchObject({
      cleanupPolicy: { delete: true, compact: false },
      compressionType: 'producer',
      flushMessages: 2 ** 63,
      flushMs: 2 ** 63,
      maxMessageBytes: 1_048_588,
      retentionBytes: -1,
      retentionMs: 604_800_000,
      segmentBytes: 1_073_741_824,
      segmentMs: 604_800_000,
      timestampType: 'CreateTime',
    })
  })

  test('come from the broker where the topic is silent', () => {
    const broker = new BrokerConfig(
      Object.entries({ 'log.retention.hours': '1', 'message.max.bytes': '9', 'log.cleanup.policy': 'compact' }),
    )
    expect(topic({}, broker)).toMatchObject({
      retentionMs: 3_600_000,
      maxMessageBytes: 9,
      cleanupPolicy: { delete: false, compact: true },
    })
    expect(topic({ 'retention.ms': '-1' }, broker).retentionMs).toBe(-1)
  })

  test('a compacted topic seals its segments in time for max.compaction.lag.ms', () => {
    expect(topic({ 'max.compaction.lag.ms': '60000' }).segmentMs).toBe(604_800_000)
    expect(topic({ 'max.compaction.lag.ms': '60000', 'cleanup.policy': 'compact' }).segmentMs).toBe(60_000)
  })

  test('internal.segment.bytes goes below the bound of segment.bytes', () => {
    expect(topic({ 'internal.segment.bytes': '200' }).segmentBytes).toBe(200)
  })

  const never = 2 ** 63
  const table: [broker: Record<string, string>, topic: Record<string, string>, messages: number, ms: number][] = [
    [{}, {}, never, never],
    [{ 'flush.policy': 'batch' }, {}, 1, never],
    [{ 'flush.policy': 'interval' }, {}, never, 1000],
    [{ 'flush.policy': 'interval', 'log.flush.interval.ms': '50' }, {}, never, 50],
    [{ 'flush.policy': 'none', 'log.flush.interval.messages': '1' }, {}, never, never],
    [{ 'log.flush.interval.messages': '1' }, {}, 1, never],
    [{ 'log.flush.scheduler.interval.ms': '70' }, {}, never, 70],
    [{ 'flush.policy': 'none' }, { 'flush.messages': '1' }, 1, never],
    [{ 'flush.policy': 'batch' }, { 'flush.ms': '5' }, never, 5],
  ]
  test.each(table)('flushing: broker %j, topic %j', (broker, overrides, flushMessages, flushMs) => {
    expect(topic(overrides, new BrokerConfig(Object.entries(broker)))).toMatchObject({ flushMessages, flushMs })
  })
})
