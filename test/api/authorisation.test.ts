// With an authorizer: of every API, in every version, who is refused and who is not. What is said to whom was asked of Kafka
// (test/differential/scenarios/rights.ts).

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { heartbeat } from '../../protocol/messages/12-heartbeat.ts'
import { consumerGroupHeartbeat } from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import { shareGroupHeartbeat } from '../../protocol/messages/76-share-group-heartbeat.ts'
import type { ApiTable } from '../../protocol/schema.ts'
import { apis } from '../../src/api/apis.ts'
import { guarded } from '../../src/api/rights/guards.ts'
import { names, type Question, questions } from '../differential/scenarios/rights-questions.ts'
import { versionsOf } from './asked.ts'
import { errorsIn, Strangers } from './strangers.ts'

/** What is not refused to anybody, or only left out of a list. */
const elsewhere = [16, 17, 18, 36, 38, 39, 40, 41, 60, 66]
const unauthorized = (answer: unknown): string[] =>
  [...errorsIn(answer)].filter((name) => name.endsWith('AUTHORIZATION_FAILED'))

/** As the questions call the member of the share group. */
const sharer = 'AAAAAAAAAAAAAAAAAAAAAQ'

let stage: Strangers
const ids = new Map<string, string>()
const all = questions((topic) => ids.get(topic) ?? '')
const served = ({ table }: Question) => versionsOf(apis.get(table.key)!)

beforeAll(async () => {
  stage = await Strangers.open([{ name: names.topic, partitions: 2 }, names.doomed])
  for (const name of [names.topic, names.doomed]) ids.set(name, await stage.line.id(name))
  const subscribed = { memberEpoch: 0, subscribedTopicNames: [names.topic] }
  const member = { ...subscribed, memberId: 'AAAAAAAAAAAAAAAAAAAAAA', rebalanceTimeoutMs: 60_000, topicPartitions: [] }
  await stage.line.ask(consumerGroupHeartbeat, 1, { ...member, groupId: names.consumers })
  await stage.line.ask(shareGroupHeartbeat, 1, { ...subscribed, memberId: sharer, groupId: names.sharers })
})
afterAll(() => stage?.[Symbol.asyncDispose]())

/** The question in each version that can ask it, and what was answered. */
async function* asked(question: Question): AsyncGenerator<{ version: number; answer: unknown }> {
  for (const version of served(question)) {
    const body = question.body(version)
    if (body !== undefined) yield { version, answer: await stage.ask<ApiTable>(question.table, version, body as never) }
  }
}

describe('who may ask', () => {
  const rows = all.map((question) => [`${question.table.name} ${question.label}`.trim(), question] as const)

  test.each(rows)('%s: nobody who was not allowed to', async (_, question) => {
    await stage.allow()
    for await (const { version, answer } of asked(question))
      expect([version, ...unauthorized(answer)]).toEqual([version, question.error])
  })

  test.each(rows)('%s: who has every right that it takes, and none who lacks one', async (_, question) => {
    const { needs } = question
    for (const missing of needs.length > 1 ? needs : []) {
      await stage.allow(...needs.filter((right) => right !== missing))
      for await (const { version, answer } of asked(question))
        expect([version, missing, unauthorized(answer).length]).toEqual([version, missing, 1])
    }
    await stage.allow(...needs)
    for await (const { version, answer } of asked(question))
      expect([version, ...unauthorized(answer)]).toEqual([version])
  })

  test('a question of every API stands in the table', () => {
    const keys = new Set([...all.map(({ table }) => table.key), ...elsewhere])
    expect([...apis.keys()].filter((key) => !keys.has(key))).toEqual([])
  })

  test('an API of which nobody has said who may ask it is not served', () => {
    const api = { ...apis.get(heartbeat.key)!, table: { ...heartbeat, key: 9999, name: 'Unheard' } }
    expect(() => guarded(new Map([[9999, api]]), {} as never)).toThrow('Unheard')
  })
})
