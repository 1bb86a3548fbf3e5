// AlterConfigs: what is named is set, and everything else goes back to what it was by nature.

import { expect, test } from 'vitest'
import { describeConfigs } from '../../protocol/messages/32-describe-configs.ts'
import { alterConfigs } from '../../protocol/messages/33-alter-configs.ts'
import { errorOf, Line } from './line.ts'

const [topic, broker] = [2, 4]
type Pair = [name: string, value: string | null]
const resource = (type: number, name: string, ...pairs: Pair[]) => ({
  resourceType: type,
  resourceName: name,
  configs: pairs.map(([key, value]) => ({ name: key, value })),
})

async function alter(line: Line, resources: ReturnType<typeof resource>[], { version = 2, validateOnly = false } = {}) {
  return (await line.ask(alterConfigs, version, { resources, validateOnly })).responses
}

async function overrides(line: Line, name = 't'): Promise<Record<string, string | null>> {
  const resources = [{ resourceType: topic, resourceName: name, configurationKeys: null }]
  const body = { resources, includeSynonyms: false, includeDocumentation: false }
  const { configs } = (await line.ask(describeConfigs, 4, body)).results[0]!
  return Object.fromEntries(
    configs.filter(({ configSource }) => configSource === 1).map((one) => [one.name, one.value]),
  )
}

const open = () => Line.open([{ name: 't', config: { 'retention.ms': 1234 } }, 'other'])

test.each([0, 1, 2])('v%i: all older overrides go', async (version) => {
  await using line = await open()
  expect(await alter(line, [resource(topic, 't', ['segment.ms', '99'])], { version })).toEqual([
    { errorCode: 0, errorMessage: null, resourceType: topic, resourceName: 't' },
  ])
  expect(await overrides(line)).toEqual({ 'segment.ms': '99' })
  await alter(line, [resource(topic, 't')], { version })
  expect(await overrides(line)).toEqual({})
})

test('asked whether it would, the broker says so and does not', async () => {
  await using line = await open()
  expect((await alter(line, [resource(topic, 't')], { validateOnly: true })).map(errorOf)).toEqual(['NONE'])
  expect(await overrides(line)).toEqual({ 'retention.ms': '1234' })
})

test.each<[what: string, error: string, pairs: Pair[]]>([
  ['an unknown name', 'INVALID_CONFIG', [['no.such', '1']]],
  ['a value that is none', 'INVALID_CONFIG', [['retention.ms', 'x']]],
  ['a value out of range', 'INVALID_CONFIG', [['max.message.bytes', '-1']]],
  ['no value', 'INVALID_REQUEST', [['retention.ms', null]]],
  [
    'one name twice',
    'INVALID_REQUEST',
    [
      ['retention.ms', '1'],
      ['retention.ms', '2'],
    ],
  ],
])('%s: %s, and nothing changes', async (_what, error, pairs) => {
  await using line = await open()
  expect((await alter(line, [resource(topic, 't', ...pairs)])).map(errorOf)).toEqual([error])
  expect(await overrides(line)).toEqual({ 'retention.ms': '1234' })
})

test('each resource is altered by itself, and answered in its place', async () => {
  await using line = await open()
  const answers = await alter(line, [
    resource(topic, 'none', ['retention.ms', '1']),
    resource(topic, '', ['retention.ms', '1']),
    resource(topic, 'other', ['no.such', '1']),
    resource(broker, '999', ['log.retention.ms', '1']),
    resource(topic, 't', ['retention.ms', '5']),
  ])
  expect(answers.map((one) => [one.resourceName, errorOf(one)])).toEqual([
    ['none', 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['', 'INVALID_REQUEST'],
    ['other', 'INVALID_CONFIG'],
    ['999', 'INVALID_REQUEST'],
    ['t', 'NONE'],
  ])
  expect(await overrides(line)).toEqual({ 'retention.ms': '5' })
})
