// Configurations of groups and of client metrics: what Kafka 4.4.0 takes and refuses, and what counts for a group.

import { describe, expect, test } from 'vitest'
import { Refusal } from '../../protocol/errors.ts'
import { BrokerConfig } from '../../src/broker/broker-config.ts'
import { ClientMetricsConfigs } from '../../src/broker/client-metrics-config.ts'
import { configOperations } from '../../src/broker/config-alter.ts'
import { GroupConfigs, groupConfigTable } from '../../src/broker/group-config.ts'
import { MetadataLog } from '../../src/broker/metadata-log.ts'
import { systemClock } from '../../src/storage/clock.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'

const open = (settings: [string, string][] = [], store = new MemoryStore()) => {
  const metadata = new MetadataLog(store, systemClock)
  return { metadata, groups: new GroupConfigs(metadata, new BrokerConfig(settings)) }
}
const set = (name: string, value: string | null) => ({ name, configOperation: configOperations.set, value })
const said = (outcome: unknown) => (outcome instanceof Refusal ? `${outcome.error}: ${outcome.message}` : outcome)

describe('a group', () => {
  test('without a word of its own is as the broker says', () => {
    const { groups } = open([['group.share.record.lock.duration.ms', '20000']])
    const settings = groups.of('g')
    expect(settings.number('share.record.lock.duration.ms')).toBe(20_000)
    expect(settings.number('consumer.session.timeout.ms')).toBe(45_000)
    expect(settings.string('share.auto.offset.reset')).toBe('latest')
    expect(settings.boolean('share.renew.acknowledge.enable')).toBe(true)
  })

  test('has what was set for it, at once, until it is taken back; a restart changes nothing', async () => {
    const store = new MemoryStore()
    const { groups, metadata } = open([], store)
    const settings = groups.of('g')
    await groups.configure('g', { 'share.auto.offset.reset': 'earliest', 'consumer.session.timeout.ms': '50000' })
    expect(settings.string('share.auto.offset.reset')).toBe('earliest')
    expect(settings.number('consumer.session.timeout.ms')).toBe(50_000)
    expect(groups.names()).toEqual(['g'])
    await metadata.close()
    const again = open([], store).groups
    expect(again.of('g').string('share.auto.offset.reset')).toBe('earliest')
    await again.configure('g', {})
    expect(again.names()).toEqual([])
    expect(again.of('g').string('share.auto.offset.reset')).toBe('latest')
  })

  test('whose value the broker no longer allows has the nearest one that it does', async () => {
    const store = new MemoryStore()
    const first = open([], store)
    await first.groups.configure('g', { 'consumer.session.timeout.ms': '60000' })
    await first.metadata.close()
    const { groups } = open([['group.consumer.max.session.timeout.ms', '50000']], store)
    expect(groups.of('g').number('consumer.session.timeout.ms')).toBe(50_000)
  })

  test('is described with its layers', async () => {
    const { groups } = open()
    await groups.configure('g', { 'share.record.lock.duration.ms': '20000' })
    const request = { synonyms: true, documentation: false, names: ['share.record.lock.duration.ms', 'no.such'] }
    expect(groups.describe('g', request)).toEqual([
      {
        name: 'share.record.lock.duration.ms',
        value: '20000',
        readOnly: false,
        configSource: 8,
        isSensitive: false,
        synonyms: [
          { name: 'share.record.lock.duration.ms', value: '20000', source: 8 },
          { name: 'group.share.record.lock.duration.ms', value: '30000', source: 5 },
        ],
        configType: 3,
        documentation: null,
      },
    ])
  })

  test('can be told what the real broker lists, and every name has its sentence', () => {
    const rows = [...groupConfigTable]
    expect(rows.map(({ name }) => name).sort()).toEqual([
      'consumer.assignment.interval.ms',
      'consumer.heartbeat.interval.ms',
      'consumer.session.timeout.ms',
      'errors.deadletterqueue.copy.record.enable',
      'errors.deadletterqueue.topic.name',
      'share.assignment.interval.ms',
      'share.auto.offset.reset',
      'share.delivery.count.limit',
      'share.heartbeat.interval.ms',
      'share.isolation.level',
      'share.partition.max.record.locks',
      'share.record.lock.duration.ms',
      'share.renew.acknowledge.enable',
      'share.session.timeout.ms',
      'streams.assignment.interval.ms',
      'streams.assignor.name',
      'streams.heartbeat.interval.ms',
      'streams.initial.rebalance.delay.ms',
      'streams.num.standby.replicas',
      'streams.rack.aware.assignment.tags',
      'streams.session.timeout.ms',
    ])
    for (const { doc, effect } of rows) {
      expect(doc).toMatch(/^[A-Z].*\.$/)
      expect(doc.startsWith('Accepted without effect')).toBe(!effect)
    }
  })
})

const range = (name: string, from: number, to: number) =>
  `INVALID_CONFIG: ${name} must be in the range ${from} to ${to} inclusive.`
const invalid = (name: string, value: string, why: string) =>
  `INVALID_CONFIG: Invalid value ${value} for configuration ${name}: ${why}`

test.each<[name: string, value: string | null, outcome: string]>([
  ['consumer.session.timeout.ms', '1', range('consumer.session.timeout.ms', 45_000, 60_000)],
  ['consumer.session.timeout.ms', '0', invalid('consumer.session.timeout.ms', '0', 'Value must be at least 1')],
  ['consumer.session.timeout.ms', 'x', invalid('consumer.session.timeout.ms', 'x', 'Not a number of type INT')],
  ['consumer.session.timeout.ms', null, 'INVALID_REQUEST: Null value not supported for : consumer.session.timeout.ms'],
  ['consumer.heartbeat.interval.ms', '50001', range('consumer.heartbeat.interval.ms', 5000, 15_000)],
  ['consumer.assignment.interval.ms', '100000', range('consumer.assignment.interval.ms', 0, 15_000)],
  ['share.record.lock.duration.ms', '1000', range('share.record.lock.duration.ms', 15_000, 60_000)],
  ['share.delivery.count.limit', '11', range('share.delivery.count.limit', 2, 10)],
  ['share.partition.max.record.locks', '4001', range('share.partition.max.record.locks', 100, 4000)],
  ['streams.num.standby.replicas', '3', 'INVALID_CONFIG: streams.num.standby.replicas must be less than or equal to 2'],
  [
    'errors.deadletterqueue.topic.name',
    '__x',
    "INVALID_CONFIG: errors.deadletterqueue.topic.name: DLQ topic name must not start with '__'",
  ],
  [
    'share.isolation.level',
    'READ_COMMITTED',
    invalid('share.isolation.level', 'READ_COMMITTED', 'String must be one of: read_committed, read_uncommitted'),
  ],
  ['no.such', '1', 'INVALID_CONFIG: Unknown group config name: no.such'],
])('%s=%s is refused', (name, value, outcome) => {
  expect(said(open().groups.alter('g', [set(name, value)]))).toBe(outcome)
})

test('an offset to begin at is earliest, latest, or a time before now', () => {
  const { groups } = open()
  const name = 'share.auto.offset.reset'
  const isGood = (value: string) => !(groups.alter('g', [set(name, value)]) instanceof Refusal)
  for (const good of [
    'earliest',
    'latest',
    'by_duration:PT1H',
    'by_duration:P1D',
    'by_duration:PT0S',
    'by_duration:P2DT3H4M5.6S',
  ]) {
    expect([good, isGood(good)]).toEqual([good, true])
  }
  for (const bad of [
    'none',
    'EARLIEST',
    'by_duration:-PT1S',
    'by_duration:1h',
    'by_duration:P',
    'by_duration:PT',
    'by_duration:',
  ]) {
    expect([bad, isGood(bad)]).toEqual([bad, false])
  }
})

test('a member must be heard of before its session ends', () => {
  const { groups } = open([['group.consumer.min.session.timeout.ms', '5000']])
  const next = groups.alter('g', [
    set('consumer.session.timeout.ms', '6000'),
    set('consumer.heartbeat.interval.ms', '7000'),
  ])
  expect(said(next)).toBe(
    'INVALID_CONFIG: consumer.session.timeout.ms must be greater than consumer.heartbeat.interval.ms',
  )
})

test('nothing of a group is a list to append to, as in Kafka', () => {
  const append = { name: 'streams.rack.aware.assignment.tags', configOperation: configOperations.append, value: 'a' }
  expect(said(open().groups.alter('g', [append]))).toBe(
    "INVALID_CONFIG: Can't APPEND to key streams.rack.aware.assignment.tags because its type is not LIST.",
  )
})

describe('a subscription to client metrics', () => {
  const metrics = () => new ClientMetricsConfigs(open().metadata)

  test.each<[name: string, value: string, outcome: unknown]>([
    ['interval.ms', '100', { 'interval.ms': '100' }],
    [
      'interval.ms',
      '99',
      'INVALID_REQUEST: Invalid value 99 for interval.ms, interval must be between 100 and 3600000 (1 hour)',
    ],
    ['interval.ms', 'x', invalid('interval.ms', 'x', 'Not a number of type INT')],
    ['nope', 'x', 'INVALID_REQUEST: Unknown client metrics configuration: nope'],
    ['metrics', '', { metrics: '' }],
    ['match', '', { match: '' }],
    ['match', 'client_id=a.*,client_source_port=1', { match: 'client_id=a.*,client_source_port=1' }],
    ['match', 'client_id', 'INVALID_CONFIG: Illegal client matching pattern: client_id'],
    ['match', 'foo=x', 'INVALID_CONFIG: Illegal client matching pattern: foo=x'],
    ['match', 'client_id=[', 'INVALID_CONFIG: Illegal client matching pattern: client_id=['],
    ['match', 'client_id=a=b', 'INVALID_CONFIG: Illegal client matching pattern: client_id=a=b'],
  ])('%s=%s', (name, value, outcome) => {
    expect(said(metrics().alter('m', [set(name, value)]))).toEqual(outcome)
  })

  test('has defaults that are no synonyms', () => {
    const entries = metrics().describe('m', { synonyms: true, documentation: false, names: null })
    expect(entries.map(({ name, value, configSource, synonyms }) => [name, value, configSource, synonyms])).toEqual([
      ['interval.ms', '300000', 5, []],
      ['match', '', 5, []],
      ['metrics', '', 5, []],
    ])
  })
})
