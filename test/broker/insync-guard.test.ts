// min.insync.replicas is said once for all brokers while replicas are told eligible. The answers are those of Kafka 4.4.0.

import { expect, test } from 'vitest'
import { describeConfigs } from '../../protocol/messages/32-describe-configs.ts'
import { alterConfigs } from '../../protocol/messages/33-alter-configs.ts'
import { incrementalAlterConfigs } from '../../protocol/messages/44-incremental-alter-configs.ts'
import { updateFeatures } from '../../protocol/messages/57-update-features.ts'
import { errorOf, Line } from '../api/line.ts'

const option = 'min.insync.replicas'
const [set, remove] = [0, 1]

async function alter(line: Line, resourceName: string, configOperation: number, value: string | null, name = option) {
  const resources = [{ resourceType: 4, resourceName, configs: [{ name, configOperation, value }] }]
  const { responses } = await line.ask(incrementalAlterConfigs, 1, { resources, validateOnly: false })
  return errorOf(responses[0]!)
}

async function replace(line: Line, resourceName: string, configs: { name: string; value: string }[]) {
  const resources = [{ resourceType: 4, resourceName, configs }]
  const { responses } = await line.ask(alterConfigs, 2, { resources, validateOnly: false })
  return errorOf(responses[0]!)
}

async function layers(line: Line, resourceName: string) {
  const resources = [{ resourceType: 4, resourceName, configurationKeys: [option] }]
  const { results } = await line.ask(describeConfigs, 4, { resources, includeSynonyms: true })
  return results[0]!.configs.flatMap(({ synonyms }) => synonyms.map(({ value, source }) => `${value} at ${source}`))
}

const eligible = (line: Line, maxVersionLevel: number) =>
  line.ask(updateFeatures, 2, {
    featureUpdates: [
      { feature: 'eligible.leader.replicas.version', maxVersionLevel, upgradeType: maxVersionLevel === 0 ? 2 : 1 },
    ],
    validateOnly: false,
  })

test('a new cluster says it for all brokers; that may be changed and not taken back', async () => {
  await using line = await Line.open([], { [option]: 2 })
  expect(await layers(line, '')).toEqual(['2 at 3'])
  expect(await layers(line, '1')).toEqual(['2 at 3', '2 at 4', '1 at 5'])
  expect(await alter(line, '', set, '3')).toBe('NONE')
  expect(await alter(line, '', remove, null)).toBe('INVALID_CONFIG')
  expect(await replace(line, '', [])).toBe('INVALID_CONFIG')
  expect(await replace(line, '', [{ name: 'log.retention.ms', value: '5000' }])).toBe('INVALID_CONFIG')
  expect(await alter(line, '', set, '5000', 'log.retention.ms')).toBe('NONE')
  expect(await layers(line, '')).toEqual(['3 at 3'])
})

test('of one broker nothing is said, not even that nothing is', async () => {
  await using line = await Line.open()
  expect(await alter(line, '1', set, '2')).toBe('INVALID_CONFIG')
  expect(await alter(line, '1', remove, null)).toBe('INVALID_CONFIG')
  expect(await replace(line, '1', [{ name: option, value: '2' }])).toBe('INVALID_CONFIG')
  expect(await replace(line, '1', [{ name: 'log.retention.ms', value: '5000' }])).toBe('NONE')
})

test('without eligible replicas it is an option like others, until they are told again', async () => {
  await using line = await Line.open()
  await eligible(line, 0)
  expect(await alter(line, '', remove, null)).toBe('NONE')
  expect(await alter(line, '1', set, '2')).toBe('NONE')
  expect(await layers(line, '1')).toEqual(['2 at 2', '1 at 5'])
  await eligible(line, 1)
  expect(await layers(line, '')).toEqual(['1 at 3'])
  expect(await layers(line, '1')).toEqual(['1 at 3', '1 at 5'])
})
