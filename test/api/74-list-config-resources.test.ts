// ListConfigResources, and the resources that are neither topic nor broker: what becomes of them on the wire.

import { expect, test } from 'vitest'
import { describeConfigs } from '../../protocol/messages/32-describe-configs.ts'
import { alterConfigs } from '../../protocol/messages/33-alter-configs.ts'
import { incrementalAlterConfigs } from '../../protocol/messages/44-incremental-alter-configs.ts'
import { listConfigResources } from '../../protocol/messages/74-list-config-resources.ts'
import { errorOf, Line } from './line.ts'

const [topic, broker, logger, metrics, group] = [2, 4, 8, 16, 32]

async function alter(
  line: Line,
  resourceType: number,
  resourceName: string,
  name: string,
  value: string | null,
  configOperation = 0,
) {
  const configs = [{ name, configOperation, value }]
  const answer = await line.ask(incrementalAlterConfigs, 1, {
    resources: [{ resourceType, resourceName, configs }],
    validateOnly: false,
  })
  return errorOf(answer.responses[0]!)
}

const list = async (line: Line, resourceTypes: number[]) => {
  const { configResources, ...answer } = await line.ask(listConfigResources, 1, { resourceTypes })
  return [
    errorOf(answer),
    ...configResources.map(({ resourceName, resourceType }) => `${resourceType} ${resourceName}`),
  ]
}

test('what has a configuration is listed by its type', async () => {
  await using line = await Line.open(['b', 'a'])
  expect(await alter(line, group, 'readers', 'share.isolation.level', 'read_committed')).toBe('NONE')
  expect(await alter(line, metrics, 'm', 'interval.ms', '1000')).toBe('NONE')
  expect(await list(line, [])).toEqual(['NONE', '32 readers', '16 m', '8 1', '4 1', '2 a', '2 b'])
  expect(await list(line, [broker, topic])).toEqual(['NONE', '4 1', '2 a', '2 b'])
  expect(await list(line, [group, group])).toEqual(['NONE', '32 readers'])
  expect(await list(line, [logger])).toEqual(['NONE', '8 1'])
  for (const unknown of [0, 1, 64, -1]) expect(await list(line, [unknown, group])).toEqual(['UNSUPPORTED_VERSION'])
  expect(await alter(line, group, 'readers', 'share.isolation.level', null, 1)).toBe('NONE')
  expect(await list(line, [group])).toEqual(['NONE'])
})

test('version 0 knows client metrics only', async () => {
  await using line = await Line.open(['a'])
  await alter(line, metrics, 'm', 'interval.ms', '1000')
  const { configResources } = await line.ask(listConfigResources, 0, {})
  expect(configResources.map(({ resourceName }) => resourceName)).toEqual(['m'])
})

test.each([group, metrics, logger])('a resource of type %i needs a name', async (type) => {
  await using line = await Line.open()
  const resources = [{ resourceType: type, resourceName: '', configurationKeys: null }]
  const { results } = await line.ask(describeConfigs, 4, { resources, includeSynonyms: false })
  expect(errorOf(results[0]!)).toBe('INVALID_REQUEST')
  expect(await alter(line, type, '', 'interval.ms', '1000')).toBe('INVALID_REQUEST')
})

test('loggers: one, whose level can be set and not removed', async () => {
  await using line = await Line.open()
  const level = async () => {
    const resources = [{ resourceType: logger, resourceName: '1', configurationKeys: null }]
    const { results } = await line.ask(describeConfigs, 4, { resources, includeSynonyms: false })
    return results[0]!.configs.map(({ name, value, configSource }) => [name, value, configSource])
  }
  expect(await level()).toEqual([['root', 'INFO', 6]])
  expect(await alter(line, logger, '1', 'root', 'debug')).toBe('NONE')
  expect(await level()).toEqual([['root', 'DEBUG', 6]])
  expect(await alter(line, logger, '1', 'root', 'LOUD')).toBe('INVALID_CONFIG')
  expect(await alter(line, logger, '1', 'root', null, 1)).toBe('INVALID_REQUEST')
  expect(await alter(line, logger, '1', 'root', 'DEBUG', 2)).toBe('INVALID_REQUEST')
  expect(await alter(line, logger, '1', 'no.such', 'DEBUG')).toBe('INVALID_CONFIG')
  expect(await alter(line, logger, '2', 'root', 'DEBUG')).toBe('INVALID_REQUEST')
  const resources = [{ resourceType: logger, resourceName: '1', configs: [{ name: 'root', value: 'INFO' }] }]
  const { responses } = await line.ask(alterConfigs, 2, { resources, validateOnly: false })
  expect(errorOf(responses[0]!)).toBe('INVALID_REQUEST')
  expect(await level()).toEqual([['root', 'DEBUG', 6]])
})

test('AlterConfigs replaces all that was said of a group', async () => {
  await using line = await Line.open()
  await alter(line, group, 'g', 'share.isolation.level', 'read_committed')
  const configs = [{ name: 'consumer.heartbeat.interval.ms', value: '6000' }]
  const resources = [{ resourceType: group, resourceName: 'g', configs }]
  await line.ask(alterConfigs, 2, { resources, validateOnly: false })
  const described = await line.ask(describeConfigs, 4, {
    resources: [{ resourceType: group, resourceName: 'g', configurationKeys: null }],
    includeSynonyms: false,
  })
  const set = described.results[0]!.configs.filter(({ configSource }) => configSource === 8)
  expect(set.map(({ name, value }) => [name, value])).toEqual([['consumer.heartbeat.interval.ms', '6000']])
})
