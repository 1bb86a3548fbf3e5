// Configurations of revision topics and views: what they mean, what is refused, and that nobody sees them who uses none.

import { describe, expect, test } from 'vitest'
import { Refusal } from '../../protocol/errors.ts'
import { BrokerConfig } from '../../src/broker/broker-config.ts'
import { TopicConfig, validateTopicConfigs } from '../../src/broker/topic-config.ts'

const all = { synonyms: true, documentation: true, names: null }
const topic = (overrides: Record<string, string>, broker = new BrokerConfig()) =>
  new TopicConfig(broker, new Map(Object.entries(overrides)))
const ours = (config: TopicConfig) =>
  Object.fromEntries(
    config
      .describe(all)
      .filter(({ name }) => /^(revision|view)\./.test(name))
      .map(({ name, value, readOnly }) => [name, readOnly ? `${value} (read only)` : value]),
  )
const refusal = (overrides: Record<string, string | null>, broker?: BrokerConfig) => {
  const refused = validateTopicConfigs(new Map(Object.entries(overrides)), broker)
  return refused === undefined ? undefined : `${refused.error}: ${refused.message}`
}

describe('a revision topic', () => {
  test('one that is none tells none of the names', () => {
    expect(ours(topic({ 'retention.ms': '5' }))).toEqual({})
    expect(topic({}).revision).toBeUndefined()
    expect(topic({ 'revision.diff': 'false' }).revision).toBeUndefined()
  })

  test('has a default for everything', () => {
    const config = topic({ 'revision.diff': 'true' })
    expect(ours(config)).toEqual({
      'revision.diff': 'true',
      'revision.keep': 'all',
      'revision.large.bytes': '1048576',
      'revision.large.keep': 'last:8',
      'revision.keyframe.every': '256',
      'revision.diff.max.bytes': '16777216',
      'revision.pack.lag.ms': '60000',
      'revision.index.json': '',
    })
    expect(config.revision).toEqual({
      keep: { all: true, last: 0, hourly: 0, daily: 0 },
      largeBytes: 1_048_576,
      largeKeep: { all: false, last: 8, hourly: 0, daily: 0 },
      keyframeEvery: 256,
      diffMaxBytes: 16_777_216,
      packLagMs: 60_000,
    })
    expect(config.pointers).toEqual([])
  })

  test('keeps everything for ever, whatever the broker says of other topics', () => {
    const broker = new BrokerConfig([
      ['log.retention.ms', { value: '1000', origin: 'program' }],
      ['log.cleanup.policy', { value: 'compact', origin: 'program' }],
    ])
    const config = topic({ 'revision.diff': 'TRUE' }, broker)
    expect(config.retentionMs).toBe(-1)
    expect(config.cleanupPolicy).toEqual({ delete: true, compact: false })
    expect(config.describe({ ...all, names: ['retention.ms'] })[0]).toMatchObject({
      value: '-1',
      configSource: 5,
      synonyms: [{ name: 'retention.ms', value: '-1', source: 5 }],
    })
    expect(refusal({ 'revision.diff': 'true' }, broker)).toBeUndefined()
    expect(topic({ 'revision.diff': 'true', 'retention.ms': '7' }, broker).retentionMs).toBe(7)
    expect(topic({}, broker).retentionMs).toBe(1000)
  })

  test('the list of pointers is read as it is written', () => {
    expect(topic({ 'revision.index.json': '/status, /customer/id' }).pointers).toEqual(['/status', '/customer/id'])
  })

  const both = { 'revision.diff': 'true', 'cleanup.policy': 'compact' }
  test.each<[Record<string, string>, string]>([
    [both, 'set cleanup.policy=delete'],
    [{ ...both, 'cleanup.policy': 'compact,delete' }, 'set cleanup.policy=delete'],
    [{ 'revision.diff': 'yes' }, 'Expected value to be either true or false'],
    [{ 'revision.keep': 'last' }, 'write all, or a list of last:N'],
    [{ 'revision.keep': '' }, 'write all, or a list of last:N'],
    [{ 'revision.keep': 'last:0' }, 'between 1 and'],
    [{ 'revision.large.keep': 'weekly:3' }, '"weekly:3" is none of'],
    [{ 'revision.keyframe.every': '0' }, 'at least 1'],
    [{ 'revision.large.bytes': '-1' }, 'at least 0'],
    [{ 'revision.index.json': 'status' }, "'status' is no JSON Pointer"],
    [{ 'revision.index.json': '/a,/b~2' }, "'/b~2' is no JSON Pointer"],
    [{ 'revision.index.json': '/a=b' }, "without '='"],
    [{ 'revision.nonsense': '1' }, 'Unknown topic config name: revision.nonsense'],
  ])('%j is refused', (overrides, why) => {
    expect(refusal(overrides)).toContain('INVALID_CONFIG: ')
    expect(refusal(overrides)).toContain(why)
  })

  test.each([
    { 'revision.keep': 'last:10,hourly:24, daily:30' },
    { 'revision.keep': 'all' },
    { 'cleanup.policy': 'compact', 'revision.keep': 'last:3' },
    { 'cleanup.policy': '', 'revision.diff': 'true' },
  ])('%j is accepted', (overrides) => {
    expect(refusal(overrides as unknown as Record<string, string>)).toBeUndefined()
  })

  test('turning it on for a compacted topic is refused, and so is compacting one that has it', () => {
    const compacted = topic({ 'cleanup.policy': 'compact' })
    const set = (name: string, value: string) => [{ name, value, configOperation: 0 }]
    expect(compacted.alter(set('revision.diff', 'true'))).toBeInstanceOf(Refusal)
    expect(compacted.alter([...set('revision.diff', 'true'), ...set('cleanup.policy', 'delete')])).toEqual({
      'cleanup.policy': 'delete',
      'revision.diff': 'true',
    })
    expect(topic({ 'revision.diff': 'true' }).alter(set('cleanup.policy', 'compact'))).toBeInstanceOf(Refusal)
  })
})

describe('a view', () => {
  const state = { 'view.of': 'orders', 'view.kind': 'state' }
  const history = { 'view.of': 'orders', 'view.kind': 'history' }

  test('tells how it was made, read only, and how long it lives', () => {
    expect(ours(topic({ ...history, 'view.key': 'k' }))).toEqual({
      'view.of': 'orders (read only)',
      'view.kind': 'history (read only)',
      'view.key': 'k (read only)',
      'view.ttl.ms': '-1',
    })
  })

  test('means what it says', () => {
    const config = topic({ ...history, 'view.key': ' k ', 'view.where': '/n=5', 'view.ttl.ms': '7' })
    expect(config.view).toMatchObject({ of: 'orders', kind: 'history', key: Buffer.from(' k '), ttlMs: 7 })
    expect(config.view!.where).toEqual({ pointer: '/n', scalar: 5 })
    expect(config.view!.below(0)).toBe(Number.POSITIVE_INFINITY)
    expect(topic({ ...history, 'view.where': '/n="5"' }).view!.where).toEqual({ pointer: '/n', scalar: '5' })
    expect(topic({ ...history, 'view.where': '/n=a=b' }).view!.where).toEqual({ pointer: '/n', scalar: 'a=b' })
    expect(topic({ ...history, 'view.key.base64': '_w' }).view!.key).toEqual(Buffer.from([255]))
    const fixed = topic({ ...state, 'view.at': 'timestamp:5', 'view.offsets': '0=3,1=0' }).view!
    expect([0, 1, 2].map((partition) => fixed.below(partition))).toEqual([3, 0, 0])
  })

  test.each<[Record<string, string>, string]>([
    [{ 'view.of': 'orders' }, 'view.kind is missing; it is one of state, history, diff, list.'],
    [{ 'view.kind': 'state' }, 'say with view.of which topic it shows'],
    [{ 'view.ttl.ms': '5' }, 'say with view.of which topic it shows'],
    [{ ...state, 'view.kind': 'States' }, 'String must be one of: state, history, diff, list'],
    [{ ...state, 'view.key': 'k' }, 'view.key is for view.kind history, diff and list'],
    [{ ...state, 'view.where': '/a=1' }, 'view.where is for view.kind history'],
    [{ ...history, 'view.at': 'latest' }, 'view.at is for view.kind state'],
    [{ ...state, 'view.at': 'earliest' }, 'write latest, offset:N'],
    [{ ...state, 'view.at': 'group:g' }, 'write latest, offset:N'],
    [{ ...state, 'view.at': 'timestamp:never' }, 'write latest, offset:N'],
    [{ ...history, 'view.where': 'status=paid' }, 'such as /status=paid'],
    [{ ...history, 'view.where': '/status' }, 'such as /status=paid'],
    [{ ...history, 'view.key': 'a', 'view.key.base64': 'YQ==' }, 'give one of them'],
    [{ ...history, 'view.key.base64': '!' }, 'no base64'],
    [{ ...state, 'revision.diff': 'true' }, 'revision.diff is not for a view'],
    [{ ...state, 'branch.protect': 'frozen' }, 'branch.protect is not for a view'],
    [
      { ...state, 'retention.ms': '1000' },
      "retention.ms is not for a view: it shows what 'orders' keeps. Set it there",
    ],
    [{ ...state, 'retention.bytes': '1000' }, 'view.ttl.ms removes the view itself'],
    [{ ...state, 'local.retention.ms': '1000' }, 'local.retention.ms is not for a view'],
    [{ ...state, 'delete.retention.ms': '1000' }, 'delete.retention.ms is not for a view'],
    [{ ...state, 'cleanup.policy': 'compact' }, 'cleanup.policy is not for a view'],
    [{ ...state, 'view.ttl.ms': '-2' }, 'at least -1'],
  ])('%j is refused', (overrides, why) => {
    expect(refusal(overrides)).toContain('INVALID_CONFIG: ')
    expect(refusal(overrides)).toContain(why)
  })
})
