// What every client must be able to do, written down once and played with the same code by every client (hand.ts).
// Programs that are no client to be told what to do (console tools, kcat) answer each line with a test of their own, or
// with the reason why they cannot.
import type { Scenario } from './scenario.ts'
import { administration } from './scenarios/admin.ts'
import { branchLives } from './scenarios/branch-lives.ts'
import { branches } from './scenarios/branches.ts'
import { consumerGroups, groups } from './scenarios/groups.ts'
import { merges } from './scenarios/merges.ts'
import { consuming, producing } from './scenarios/records.ts'
import { restarts } from './scenarios/restarts.ts'
import { revisionTopics, views } from './scenarios/revisions.ts'
import { rights } from './scenarios/rights.ts'
import { sets } from './scenarios/sets.ts'
import { shares } from './scenarios/shares.ts'
import { topics } from './scenarios/topics.ts'
import { transactions } from './scenarios/transactions.ts'

const list = {
  ...topics,
  ...producing,
  ...consuming,
  ...groups,
  ...consumerGroups,
  ...transactions,
  ...shares,
  ...administration,
  ...branches,
  ...merges,
  ...branchLives,
  ...sets,
  ...rights,
  ...views,
  ...revisionTopics,
  ...restarts,
} satisfies { [id: string]: Scenario }

export type ScenarioId = keyof typeof list
export const scenarios: { readonly [id in ScenarioId]: Scenario } = list
export const scenarioIds = Object.keys(list) as ScenarioId[]

/** What programs that live on a client must do. */
export const applications = {
  'streams.word-count': 'Kafka Streams counts words, through a repartition topic and a changelog',
  'streams.set': 'Kafka Streams counts words in a branch set, with its internal topics in there (B60)',
  'streams.exactly-once':
    'a stateful exactly_once_v2 application and its broker are killed in turn; every count is there once, in order',
  'connect.file': 'Kafka Connect copies a file through a topic into another file, also when it is killed in the middle',
} as const
export type ApplicationId = keyof typeof applications
