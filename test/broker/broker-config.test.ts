// The broker's options against what the real broker says of its own, and what may be changed while it runs.

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Refusal } from '../../protocol/errors.ts'
import { BrokerConfig, brokerConfigTable, validateBrokerConfigs } from '../../src/broker/broker-config.ts'
import { configOperations } from '../../src/broker/config-alter.ts'
import { configSources } from '../../src/broker/config-table.ts'
import { groupConfigTable } from '../../src/broker/group-config.ts'
import { topicConfigTable } from '../../src/broker/topic-config.ts'
import { comparable, type RealEntry, realConfigs } from './real-configs.ts'

const all = { synonyms: true, documentation: true, names: null }
const set = (name: string, value: string | null) => ({ name, configOperation: configOperations.set, value })
const message = (outcome: unknown) => (outcome instanceof Refusal ? `${outcome.error}: ${outcome.message}` : outcome)

/** Where we mean to differ, and why. */
const differences: Record<string, (real: RealEntry) => RealEntry> = {
  // The real broker sets it for all brokers by itself, because of eligible leader replicas.
  'min.insync.replicas': (real) => ({ ...real, configSource: 5, synonyms: real.synonyms.slice(-1) }),
  // Our sockets stay as they were opened.
  listeners: (real) => ({ ...real, readOnly: true }),
  'listener.security.protocol.map': (real) => ({ ...real, readOnly: true }),
}

/** The real entry with our own default in the place of Kafka's, where the table says that they differ. */
function expected(real: RealEntry): RealEntry {
  const row = brokerConfigTable.row(real.name)
  const entry = differences[real.name]?.(real) ?? real
  if (row?.kafkaDefault === undefined) return entry
  const ours = { name: row.name, value: row.default, source: configSources.default }
  const synonyms = [...entry.synonyms.filter(({ source }) => source !== ours.source), ours]
  const isDefault = entry.configSource === configSources.default
  return { ...entry, synonyms, value: isDefault ? row.default : entry.value }
}

const ours = new Set([...brokerConfigTable].filter((row) => row.ours).map((row) => row.name))
const withoutOurs = (entries: RealEntry[]) => entries.filter(({ name }) => !ours.has(name))

describe('a broker as it comes', () => {
  const { capture, entries } = realConfigs('kafka-4.4.0')
  const config = new BrokerConfig(Object.entries(capture.serverProperties))

  test('lists what Kafka lists: names, values, sources, types, synonyms, what is secret and what is read-only', () => {
    expect(withoutOurs(comparable(config.describe('1', all)))).toEqual(entries('broker').map(expected))
  })

  test('says of each default that differs from that of Kafka what Kafka has', () => {
    for (const row of brokerConfigTable) {
      const real = entries('broker').find(({ name }) => name === row.name)
      if (real === undefined || row.kafkaDefault === undefined) continue
      const kafkaDefault = real.synonyms.find(({ source }) => source === configSources.default)?.value ?? null
      expect([row.name, row.kafkaDefault]).toEqual([row.name, kafkaDefault])
    }
  })

  test('has a sentence for every option, and it says so where an option has no effect', () => {
    for (const row of brokerConfigTable) {
      expect(row.doc, row.name).toMatch(/^[A-Z].*\.$/s)
      if (row.doc.startsWith('Accepted without effect')) expect(row.effect, row.name).toBe(false)
    }
  })

  test('an option that has an effect is asked for somewhere, by name or by the configuration of topics or groups that it feeds', () => {
    const tables = /(broker-config-(rows|ignored)|topic-config-rows|settings)\.ts$/
    const source = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !tables.test(path))
      .map((path) => readFileSync(`src/${path}`, 'utf8'))
      .join('\n')
    const ofTopics = [...topicConfigTable].filter((row) => row.effect).map((row) => row.broker)
    const ofGroups = [...groupConfigTable].filter((row) => row.effect)
    const limits = ofGroups.flatMap(({ broker, within }) => [broker, within?.least, within?.most])
    const feeds = [...ofTopics, ...limits]
    const idle = [...brokerConfigTable].filter(
      (row) => row.effect && !feeds.includes(row.name) && !source.includes(`'${row.name}'`),
    )
    expect(idle.map((row) => row.name)).toEqual([])
  })

  test('every default passes its own check', () => {
    for (const row of brokerConfigTable) {
      if (row.default === null) continue
      const settings = new Map([[row.name, { value: row.default, origin: 'test' }]])
      expect([row.name, message(validateBrokerConfigs(settings))]).toEqual([row.name, undefined])
    }
  })
})

describe('a broker whose every layer says something', () => {
  const { capture, entries } = realConfigs('kafka-4.4.0-layers')
  const config = new BrokerConfig(Object.entries(capture.serverProperties))
  config.fromRecord('1', capture.brokerOverrides ?? {})
  config.fromRecord('', capture.allBrokersOverrides ?? {})

  test('shows each layer in the order of its strength, and nothing of what is secret or unknown', () => {
    // The real broker prints its default as the value of these two, though it works with the one of the file.
    const fileValues: Record<string, string> = { 'log.retention.hours': '24', 'log.roll.hours': '2' }
    const minutes = { 'log.retention.minutes': '90' }
    const real = entries('broker')
      .map(expected)
      .map((entry) => ({ ...entry, value: { ...fileValues, ...minutes }[entry.name] ?? entry.value }))
    expect(withoutOurs(comparable(config.describe('1', all)))).toEqual(real)
  })

  test('what an authorizer reads itself works, and is told as Kafka tells what it does not know', () => {
    const guarded = new BrokerConfig([
      ['super.users', 'User:a;User:b'],
      ['allow.everyone.if.no.acl.found', 'true'],
    ])
    expect(guarded.boolean('allow.everyone.if.no.acl.found')).toBe(true)
    expect(config.boolean('allow.everyone.if.no.acl.found')).toBe(false)
    const names = ['super.users', 'allow.everyone.if.no.acl.found']
    // Real broker: a Kafka 4.3.1 that was started with them.
    const told = { value: null, readOnly: true, configSource: 4, isSensitive: true, configType: 0, documentation: null }
    const asked = { synonyms: true, documentation: true, names }
    expect(guarded.describe('1', asked)).toEqual(
      names.map((name) => ({ name, ...told, synonyms: [{ name, value: null, source: 4 }] })),
    )
    expect(config.describe('1', asked)).toEqual([])
  })

  test('lists for all brokers only what was given to all brokers', () => {
    const real = entries('allBrokers').filter(({ name }) => name !== 'min.insync.replicas')
    expect(comparable(config.describe('', all))).toEqual(real)
  })

  test('the strongest layer counts, and coarser units where the finer ones are silent', () => {
    expect(config.number('log.segment.bytes')).toBe(8_388_608)
    expect(config.number('message.max.bytes')).toBe(3_000_000)
    expect(config.number('log.retention.ms')).toBe(3_600_001)
    expect(new BrokerConfig([['log.retention.hours', '24']]).number('log.retention.ms')).toBe(86_400_000)
    expect(new BrokerConfig([['log.retention.minutes', '-1']]).number('log.retention.ms')).toBe(-1)
    expect(new BrokerConfig().number('log.roll.ms')).toBe(604_800_000)
  })

  test('says where a value comes from', () => {
    expect(config.origin('message.max.bytes')).toBe('changed while running')
    expect(config.origin('num.partitions')).toBe('program')
    expect(config.origin('fetch.max.bytes')).toBe('default')
  })

  test('a persisted record is put back as it was', () => {
    const restarted = new BrokerConfig(Object.entries(capture.serverProperties))
    for (const name of ['', '1']) restarted.fromRecord(name, config.toRecord(name))
    expect(restarted.describe('1', all)).toEqual(config.describe('1', all))
  })
})

describe('altering a broker is answered as the real broker answers it', () => {
  const table: [resource: string, name: string, value: string, outcome: unknown][] = [
    ['1', 'message.max.bytes', '2000000', { 'message.max.bytes': '2000000' }],
    ['', 'log.retention.ms', '5000', { 'log.retention.ms': '5000' }],
    ['', 'my.own', 'x', { 'my.own': 'x' }],
    [
      '1',
      'message.max.bytes',
      'x',
      'INVALID_REQUEST: Invalid value x for configuration message.max.bytes: Not a number of type INT',
    ],
    [
      '1',
      'log.cleanup.policy',
      'foo',
      'INVALID_REQUEST: Invalid value foo for configuration log.cleanup.policy: String must be one of: compact, delete',
    ],
    [
      '1',
      'max.connections',
      '-1',
      'INVALID_REQUEST: Invalid value -1 for configuration max.connections: Value must be at least 0',
    ],
    ['1', 'max.connections', '0', 'INVALID_REQUEST: Invalid max.connections 0: nobody could connect to change it back'],
    ['1', 'num.partitions', '3', 'INVALID_REQUEST: Cannot update these configs dynamically: [num.partitions]'],
    ['', 'log.retention.hours', '3', 'INVALID_REQUEST: Cannot update these configs dynamically: [log.retention.hours]'],
    [
      '',
      'principal.builder.class',
      'X',
      'INVALID_REQUEST: Cannot update these configs at default cluster level, broker id must be specified: [principal.builder.class]',
    ],
    [
      '1',
      'ssl.keystore.location',
      '/x',
      'INVALID_REQUEST: These security configs can be dynamically updated only per-listener using the listener prefix: [ssl.keystore.location]',
    ],
  ]
  test.each(table)('%s %s=%s', (resource, name, value, outcome) => {
    expect(message(new BrokerConfig().alter(resource, [set(name, value)]))).toEqual(outcome)
    expect(message(new BrokerConfig().replace(resource, [{ name, value }]))).toEqual(outcome)
  })

  test('nothing changes before the record is put in force', () => {
    const config = new BrokerConfig()
    const next = config.alter('', [set('message.max.bytes', '5')])
    expect(config.number('message.max.bytes')).toBe(1_048_588)
    config.fromRecord('', next as Record<string, string>)
    expect(config.number('message.max.bytes')).toBe(5)
    expect(
      config.alter('', [{ name: 'message.max.bytes', configOperation: configOperations.delete, value: null }]),
    ).toEqual({})
  })

  test.each([
    ['compact,', 'delete,compact'],
    [',', 'delete'],
    ['', 'INVALID_REQUEST'],
  ])('to a list «%s» is appended as Kafka reads it', (value, outcome) => {
    const append = { name: 'log.cleanup.policy', configOperation: configOperations.append, value }
    const altered = new BrokerConfig().alter('1', [append])
    expect(altered instanceof Refusal ? altered.error : altered['log.cleanup.policy']).toBe(outcome)
  })

  test('a list is appended to what counts now', () => {
    const append = { name: 'log.cleanup.policy', configOperation: configOperations.append, value: 'compact' }
    expect(new BrokerConfig().alter('1', [append])).toEqual({ 'log.cleanup.policy': 'delete,compact' })
  })
})

describe('start values', () => {
  const check = (settings: Record<string, string>) =>
    message(
      validateBrokerConfigs(
        new Map(Object.entries(settings).map(([name, value]) => [name, { value, origin: 'environment' }])),
      ),
    )

  test('a bad value is refused with the place it comes from', () => {
    expect(check({ 'message.max.bytes': 'x' })).toBe(
      'INVALID_CONFIG: Invalid value x for configuration message.max.bytes: Not a number of type INT (from the environment)',
    )
    expect(check({ 'log.retention.hours': '0' })).toMatch(/must be unlimited \(-1\)/)
    expect(check({ 'offsets.topic.replication.factor': '40000' })).toMatch(/Not a number of type SHORT/)
    expect(check({ storage: 'tape' })).toMatch(/String must be one of: mapped, plain, memory/)
    expect(check({ 'log.dirs': '' })).toMatch(/'log.dirs' must not be empty/)
  })

  test('node.id and broker.id are one number', () => {
    expect(check({ 'node.id': '1', 'broker.id': '2' })).toMatch(/must be the same/)
    expect(check({ 'node.id': '2', 'broker.id': '2' })).toBeUndefined()
    expect(new BrokerConfig([['broker.id', '7']]).number('node.id')).toBe(7)
    expect(new BrokerConfig([['node.id', '7']]).number('broker.id')).toBe(7)
  })

  test('what harnesses set for Kafka is accepted', () => {
    expect(
      check({ 'log.flush.interval.messages': '9223372036854775807', 'group.initial.rebalance.delay.ms': '0' }),
    ).toBeUndefined()
  })
})
