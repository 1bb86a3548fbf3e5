// IncrementalAlterConfigs: single settings are set, removed, lengthened and shortened.

import { describe, expect, test } from 'vitest'
import { describeConfigs } from '../../protocol/messages/32-describe-configs.ts'
import { incrementalAlterConfigs } from '../../protocol/messages/44-incremental-alter-configs.ts'
import { errorOf, Line } from './line.ts'

const [topic, broker] = [2, 4]
const [set, remove, append, subtract] = [0, 1, 2, 3]
type Operation = [name: string, operation: number, value: string | null]
const resource = (type: number, name: string, ...operations: Operation[]) => ({
  resourceType: type,
  resourceName: name,
  configs: operations.map(([key, configOperation, value]) => ({ name: key, configOperation, value })),
})

async function alter(line: Line, resources: ReturnType<typeof resource>[], { version = 1, validateOnly = false } = {}) {
  return (await line.ask(incrementalAlterConfigs, version, { resources, validateOnly })).responses
}

/** What is set on the resource itself. */
async function overrides(line: Line, type = topic, name = 't'): Promise<Record<string, string | null>> {
  const resources = [{ resourceType: type, resourceName: name, configurationKeys: null }]
  const body = { resources, includeSynonyms: false, includeDocumentation: false }
  const { configs } = (await line.ask(describeConfigs, 4, body)).results[0]!
  const own = type === topic ? [1] : [2, 3]
  return Object.fromEntries(
    configs.filter(({ configSource }) => own.includes(configSource)).map((one) => [one.name, one.value]),
  )
}

const open = () => Line.open([{ name: 't', config: { 'retention.ms': 1234 } }, 'other'])

describe.each([0, 1])('v%i', (version) => {
  test('set and remove leave the others alone', async () => {
    await using line = await open()
    expect(await alter(line, [resource(topic, 't', ['segment.ms', set, '99'])], { version })).toEqual([
      { errorCode: 0, errorMessage: null, resourceType: topic, resourceName: 't' },
    ])
    expect(await overrides(line)).toEqual({ 'retention.ms': '1234', 'segment.ms': '99' })
    await alter(line, [resource(topic, 't', ['retention.ms', remove, null])], { version })
    expect(await overrides(line)).toEqual({ 'segment.ms': '99' })
  })

  test('lists are lengthened and shortened, beginning with what is inherited', async () => {
    await using line = await open()
    await alter(line, [resource(topic, 't', ['cleanup.policy', append, 'compact'])], { version })
    expect((await overrides(line))['cleanup.policy']).toBe('delete,compact')
    await alter(line, [resource(topic, 't', ['cleanup.policy', append, 'delete'])], { version })
    expect((await overrides(line))['cleanup.policy']).toBe('delete,compact')
    await alter(line, [resource(topic, 't', ['cleanup.policy', subtract, 'delete'])], { version })
    expect((await overrides(line))['cleanup.policy']).toBe('compact')
  })
})

test.each<[operation: Operation, error: string]>([
  [['retention.ms', set, '5'], 'UNKNOWN_TOPIC_OR_PARTITION'],
  [['no.such', remove, null], 'UNKNOWN_TOPIC_OR_PARTITION'],
  [['retention.ms', set, 'x'], 'INVALID_CONFIG'],
  [['no.such', set, '1'], 'INVALID_CONFIG'],
  [['retention.ms', append, '5'], 'INVALID_CONFIG'],
  [['retention.ms', set, null], 'INVALID_REQUEST'],
])('%j of a topic that is not there: what is wrong with the change comes first, %s', async (operation, error) => {
  await using line = await open()
  expect((await alter(line, [resource(topic, 'nobody', operation)])).map(errorOf)).toEqual([error])
})

test.each<[what: string, operations: Operation[]]>([
  ['one that is not set is removed', [['segment.ms', remove, null]]],
  ['one that nobody knows is removed', [['no.such', remove, null]]],
  ['a list is shortened by what it does not hold', [['cleanup.policy', subtract, 'compact']]],
  ['nothing is asked', []],
])('%s: that is no mistake', async (_what, operations) => {
  await using line = await open()
  expect((await alter(line, [resource(topic, 't', ...operations)])).map(errorOf)).toEqual(['NONE'])
})

test.each<[what: string, error: string, operations: Operation[]]>([
  ['an unknown name', 'INVALID_CONFIG', [['no.such', set, '1']]],
  ['a value that is none', 'INVALID_CONFIG', [['retention.ms', set, 'x']]],
  ['a value out of range', 'INVALID_CONFIG', [['max.message.bytes', set, '-1']]],
  ['no value', 'INVALID_REQUEST', [['retention.ms', set, null]]],
  [
    'one name twice',
    'INVALID_REQUEST',
    [
      ['retention.ms', set, '1'],
      ['retention.ms', remove, null],
    ],
  ],
  ['what is no list is lengthened', 'INVALID_CONFIG', [['retention.ms', append, '1']]],
  ['what is no list is shortened', 'INVALID_CONFIG', [['retention.ms', subtract, '1']]],
  ['a list gets what it cannot hold', 'INVALID_CONFIG', [['cleanup.policy', append, 'burn']]],
  ['an unknown operation', 'INVALID_REQUEST', [['retention.ms', 9, '1']]],
  [
    'lags that contradict each other',
    'INVALID_CONFIG',
    [
      ['min.compaction.lag.ms', set, '10'],
      ['max.compaction.lag.ms', set, '5'],
    ],
  ],
  [
    'one good and one bad',
    'INVALID_CONFIG',
    [
      ['segment.ms', set, '99'],
      ['no.such', set, '1'],
    ],
  ],
])('%s: %s, and nothing changes', async (_what, error, operations) => {
  await using line = await open()
  expect((await alter(line, [resource(topic, 't', ...operations)])).map(errorOf)).toEqual([error])
  expect(await overrides(line)).toEqual({ 'retention.ms': '1234' })
})

test('asked whether it would, the broker says so and does not', async () => {
  await using line = await open()
  const answers = await alter(line, [resource(topic, 't', ['segment.ms', set, '99'])], { validateOnly: true })
  expect(answers.map(errorOf)).toEqual(['NONE'])
  expect(await overrides(line)).toEqual({ 'retention.ms': '1234' })
})

test('a resource that is named twice stays as it is, the others change', async () => {
  await using line = await open()
  const one = resource(topic, 't', ['segment.ms', set, '99'])
  const answers = await alter(line, [one, resource(topic, 'other', ['segment.ms', set, '99']), one])
  expect(answers.filter(({ resourceName }) => resourceName === 't').every(({ errorCode }) => errorCode === 42)).toBe(
    true,
  )
  expect([await overrides(line), await overrides(line, topic, 'other')]).toEqual([
    { 'retention.ms': '1234' },
    { 'segment.ms': '99' },
  ])
})

describe('brokers', () => {
  test('one broker and all brokers have words of their own, and topics follow them', async () => {
    await using line = await open()
    const node = `${line.broker.nodeId}`
    await alter(line, [resource(broker, '', ['log.retention.ms', set, '3000000'])])
    await alter(line, [resource(broker, node, ['log.retention.ms', set, '2000000'])])
    expect(await overrides(line, broker, '')).toMatchObject({ 'log.retention.ms': '3000000' })
    const resources = [{ resourceType: topic, resourceName: 'other', configurationKeys: ['retention.ms'] }]
    const body = { resources, includeSynonyms: true, includeDocumentation: false }
    const { value, configSource, synonyms } = (await line.ask(describeConfigs, 4, body)).results[0]!.configs[0]!
    expect([value, configSource]).toEqual(['2000000', 2])
    expect(synonyms.slice(0, 2).map((one) => [one.value, one.source])).toEqual([
      ['2000000', 2],
      ['3000000', 3],
    ])
  })

  test.each<[what: string, error: string, name: string, operation: Operation]>([
    ['a read-only one', 'INVALID_REQUEST', 'node', ['broker.id', set, '2']],
    ['a value that is none', 'INVALID_REQUEST', 'node', ['log.retention.ms', set, 'x']],
    ['an unknown broker', 'INVALID_REQUEST', '999', ['log.retention.ms', set, '1']],
    ['no number', 'INVALID_REQUEST', 'x', ['log.retention.ms', set, '1']],
  ])('%s: %s', async (_what, error, name, operation) => {
    await using line = await open()
    const of = name === 'node' ? `${line.broker.nodeId}` : name
    expect((await alter(line, [resource(broker, of, operation)])).map(errorOf)).toEqual([error])
  })
})
