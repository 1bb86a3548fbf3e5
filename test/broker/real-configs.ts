// What a real Kafka 4.4.0 answered to DescribeConfigs, captured with includeSynonyms.

import { readFileSync } from 'node:fs'
import type { ConfigEntry } from '../../src/broker/config-entry.ts'

export type Capture = {
  about: string
  /** What the broker was started with. */
  serverProperties: Record<string, string>
  topicOverrides?: Record<string, string>
  brokerOverrides?: Record<string, string>
  allBrokersOverrides?: Record<string, string>
}
export type RealEntry = Omit<ConfigEntry, 'documentation'>

export function realConfigs(name: string): { capture: Capture; entries: (resource: string) => RealEntry[] } {
  const text = readFileSync(new URL(`../golden-configs/${name}.jsonl`, import.meta.url), 'utf8')
  const [capture, ...rows] = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const entries = (resource: string) =>
    rows.filter((row) => row.resource === resource).map(({ resource: _, ...entry }) => entry as RealEntry)
  return { capture, entries }
}

/** Ours in the same form: sorted by name, without our sentences. */
export const comparable = (entries: readonly ConfigEntry[]): RealEntry[] =>
  entries.map(({ documentation: _, ...entry }) => entry).sort((a, b) => (a.name < b.name ? -1 : 1))
