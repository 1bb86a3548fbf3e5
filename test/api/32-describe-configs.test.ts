// DescribeConfigs: what a topic and a broker are set to, and whose word that is.

import { describe, expect, test } from 'vitest'
import { describeConfigs } from '../../protocol/messages/32-describe-configs.ts'
import { errorOf, Line } from './line.ts'

const [topic, broker] = [2, 4]

async function ask(
  line: Line,
  type: number,
  name: string,
  keys: string[] | null,
  { version = 4, synonyms = false, words = false } = {},
) {
  const resources = [{ resourceType: type, resourceName: name, configurationKeys: keys }]
  const body = { resources, includeSynonyms: synonyms, includeDocumentation: words }
  return (await line.ask(describeConfigs, version, body)).results[0]!
}

const open = () => Line.open([{ name: 't', config: { 'retention.ms': 1234 } }])

describe.each([1, 2, 3, 4])('v%i', (version) => {
  test('null and an empty list ask for all', async () => {
    await using line = await open()
    const all = await ask(line, topic, 't', null, { version })
    expect(all).toMatchObject({ errorCode: 0, errorMessage: '', resourceType: topic, resourceName: 't' })
    expect(all.configs.length).toBeGreaterThan(30)
    expect(await ask(line, topic, 't', [], { version })).toEqual(all)
  })

  test('only those that are named, and of these only those that are known', async () => {
    await using line = await open()
    const { configs } = await ask(line, topic, 't', ['no.such', 'retention.ms', 'retention.ms'], { version })
    expect(configs).toMatchObject([
      { name: 'retention.ms', value: '1234', readOnly: false, configSource: 1, isSensitive: false, synonyms: [] },
    ])
    expect((await ask(line, topic, 't', ['no.such'], { version })).configs).toEqual([])
  })
})

test('synonyms tell where a value comes from, and under which name', async () => {
  await using line = await open()
  const { configs } = await ask(line, topic, 't', ['retention.ms', 'cleanup.policy'], { synonyms: true })
  const synonyms = new Map(configs.map((config) => [config.name, config.synonyms]))
  expect(synonyms.get('retention.ms')).toEqual([{ name: 'retention.ms', value: '1234', source: 1 }])
  expect(synonyms.get('cleanup.policy')).toEqual([{ name: 'log.cleanup.policy', value: 'delete', source: 5 }])
})

test('words are told to those who ask', async () => {
  await using line = await open()
  expect((await ask(line, topic, 't', ['retention.ms'])).configs[0]!.documentation).toBeNull()
  expect((await ask(line, topic, 't', ['retention.ms'], { words: true })).configs[0]!.documentation).toMatch(/\w/)
})

test('its number is what a broker was started with, as in Kafka, where nobody can leave it out', async () => {
  await using line = await open()
  const { configs } = await ask(line, broker, `${line.broker.nodeId}`, ['node.id', 'broker.id'], { synonyms: true })
  for (const { name, configSource, synonyms } of configs) {
    expect([configSource, synonyms[0]]).toEqual([4, { name, value: `${line.broker.nodeId}`, source: 4 }])
  }
})

test('a broker is known by its number, however it is written, and by no name for all of them', async () => {
  await using line = await open()
  const { nodeId } = line.broker
  for (const name of [`${nodeId}`, `0${nodeId}`]) {
    const answer = await ask(line, broker, name, ['node.id'])
    expect(answer).toMatchObject({
      errorCode: 0,
      resourceName: name,
      configs: [{ name: 'node.id', value: `${nodeId}`, readOnly: true }],
    })
  }
  expect(await ask(line, broker, '', null)).toMatchObject({ errorCode: 0, configs: [{ name: 'min.insync.replicas' }] })
})

describe('what is not there', () => {
  test.each([
    [topic, 'none', 'UNKNOWN_TOPIC_OR_PARTITION'],
    [topic, 'a/b', 'INVALID_TOPIC_EXCEPTION'],
    [topic, '', 'INVALID_TOPIC_EXCEPTION'],
    [broker, '999', 'INVALID_REQUEST'],
    [broker, 'x', 'INVALID_REQUEST'],
    [broker, '-1', 'INVALID_REQUEST'],
    [0, 'x', 'INVALID_REQUEST'],
    [3, 'x', 'INVALID_REQUEST'],
    [127, 'x', 'INVALID_REQUEST'],
  ])('type %i, %j: %s', async (type, name, error) => {
    await using line = await open()
    const answer = await ask(line, type, name, null)
    expect([errorOf(answer), answer.resourceType, answer.resourceName, answer.configs]).toEqual([error, type, name, []])
  })
})
