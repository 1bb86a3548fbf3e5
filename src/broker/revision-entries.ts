// What DescribeConfigs tells of a revision topic that nobody has configured: counted at each question.

import { unparsedValues } from '../revision/unparsed.ts'
import { type ConfigEntry, configEntry, type DescribeRequest, wants } from './config-entry.ts'
import { type ConfigRow, configSources } from './config-table.ts'
import type { Partition } from './partition.ts'
import type { Topic } from './topic.ts'

const unparsedRow: ConfigRow = {
  name: 'revision.index.unparsed',
  type: 'long',
  default: null,
  effect: false,
  doc: 'Packed values that revision.index.json does not know and view.where does not show: they are no JSON.',
}

const indexesJson = ({ config }: Topic): boolean => config.revision !== undefined && config.pointers.length > 0

/** Of a partition of a topic that indexes JSON; undefined where there is nothing to be counted, or nobody to count. */
export function unparsedIn(topic: Topic, partition: Partition): number | undefined {
  if (!indexesJson(topic) || partition.isRemoved || partition.offline !== undefined) return undefined
  return unparsedValues(partition.log.segments)
}

export function revisionEntries(topic: Topic, request: DescribeRequest): ConfigEntry[] {
  const { name } = unparsedRow
  if (!wants(request, name) || !indexesJson(topic)) return []
  const counts = topic.partitions.map((partition) => unparsedIn(topic, partition) ?? 0)
  const value = String(counts.reduce((sum, count) => sum + count, 0))
  const synonyms = [{ name, value, source: configSources.topic }]
  return [configEntry(unparsedRow, { name, value, readOnly: true, synonyms }, request)]
}
