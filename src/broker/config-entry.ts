// How a configuration is shown to clients: the entries of DescribeConfigs and CreateTopics.

import { type ConfigRow, type ConfigSource, configSources, configTypes, normalise } from './config-table.ts'

/** One layer that gives a value, the strongest first. */
export type ConfigSynonym = { name: string; value: string | null; source: ConfigSource }

/** As DescribeConfigs versions 1-4 answer it. */
export type ConfigEntry = {
  name: string
  value: string | null
  readOnly: boolean
  configSource: ConfigSource
  isSensitive: boolean
  synonyms: ConfigSynonym[]
  configType: number
  documentation: string | null
}

export type DescribeRequest = {
  readonly synonyms: boolean
  readonly documentation: boolean
  /** null or empty: all. */
  readonly names: readonly string[] | null
}

export const wants = ({ names }: DescribeRequest, name: string): boolean =>
  names === null || names.length === 0 || names.includes(name)

/** The entry of a name; without a row nothing is known of it, so its value is kept to ourselves, as Kafka does. */
export function configEntry(
  row: ConfigRow | undefined,
  shown: { name: string; value: string | null; readOnly: boolean; synonyms: readonly ConfigSynonym[] },
  request: DescribeRequest,
): ConfigEntry {
  const isSensitive = row === undefined || row.type === 'password'
  const print = (text: string | null) => (text === null || isSensitive ? null : normalise(row, text))
  return {
    name: shown.name,
    value: print(shown.value),
    readOnly: shown.readOnly,
    configSource: shown.synonyms[0]?.source ?? configSources.default,
    isSensitive,
    synonyms: request.synonyms ? shown.synonyms.map((synonym) => ({ ...synonym, value: print(synonym.value) })) : [],
    configType: configTypes[row?.type ?? 'unknown'],
    documentation: request.documentation ? (row?.doc ?? null) : null,
  }
}
