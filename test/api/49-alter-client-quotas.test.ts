// Quotas on the wire: set, described by filters, and felt. The answers are those of Kafka 4.4.0.

import { describe, expect, test } from 'vitest'
import { produce } from '../../protocol/messages/00-produce.ts'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { createTopics } from '../../protocol/messages/19-create-topics.ts'
import { deleteTopics } from '../../protocol/messages/20-delete-topics.ts'
import { createPartitions } from '../../protocol/messages/37-create-partitions.ts'
import { describeClientQuotas } from '../../protocol/messages/48-describe-client-quotas.ts'
import { alterClientQuotas } from '../../protocol/messages/49-alter-client-quotas.ts'
import { batchOf, type WireClient } from '../wire-client.ts'
import { errorOf, Line } from './line.ts'

type Entity = Record<string, string | null>
type Entry = [entity: Entity, values: Record<string, number | null>]

async function alter(line: Line, entries: Entry[], validateOnly = false) {
  const answer = await line.ask(alterClientQuotas, 1, {
    entries: entries.map(([entity, values]) => ({
      entity: Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName })),
      ops: Object.entries(values).map(([key, value]) => ({ key, value: value ?? 0, remove: value === null })),
    })),
    validateOnly,
  })
  return answer.entries.map(
    (entry) => `${errorOf(entry)}${entry.errorMessage === null ? '' : `: ${entry.errorMessage}`}`,
  )
}

type Component = [type: string, match: number, name?: string | null]
async function described(line: Line, components: Component[], strict = false) {
  const answer = await line.ask(describeClientQuotas, 1, {
    components: components.map(([entityType, matchType, match = null]) => ({ entityType, matchType, match })),
    strict,
  })
  if (answer.errorCode !== 0) return [`${errorOf(answer)}: ${answer.errorMessage}`]
  return answer.entries!.map(({ entity, values }) => {
    const who = entity.map(({ entityType, entityName }) => `${entityType}=${entityName}`).sort()
    return `${who}: ${values.map(({ key, value }) => `${key}=${value}`)}`
  })
}

const [exact, byDefault, any] = [0, 1, 2]

describe('quotas', () => {
  test('are set, changed and removed one by one', async () => {
    await using line = await Line.open()
    expect(await alter(line, [[{ user: 'u' }, { producer_byte_rate: 100, request_percentage: 1.5 }]])).toEqual(['NONE'])
    expect(await alter(line, [[{ user: 'u' }, { producer_byte_rate: 200 }]], true)).toEqual(['NONE'])
    expect(await described(line, [])).toEqual(['user=u: producer_byte_rate=100,request_percentage=1.5'])
    expect(await alter(line, [[{ user: 'u' }, { producer_byte_rate: null, 'no.such': null }]])).toEqual(['NONE'])
    expect(await described(line, [])).toEqual(['user=u: request_percentage=1.5'])
    expect(await alter(line, [[{ user: 'u' }, { request_percentage: null }]])).toEqual(['NONE'])
    expect(await described(line, [])).toEqual([])
  })

  test('are found by the parts of whom they are for', async () => {
    await using line = await Line.open()
    const entities: Entity[] = [
      { user: 'u' },
      { 'client-id': 'c' },
      { user: 'u', 'client-id': 'c' },
      { user: null },
      { user: null, 'client-id': null },
      { ip: '1.2.3.4' },
      { ip: null },
    ]
    const rate = (entity: Entity) => ('ip' in entity ? 'connection_creation_rate' : 'producer_byte_rate')
    await alter(
      line,
      entities.map((entity) => [entity, { [rate(entity)]: 1 }] as Entry),
    )
    const found = async (components: Component[], strict?: boolean) =>
      (await described(line, components, strict)).map((entry) => entry.split(':')[0])
    expect(await found([['user', exact, 'u']])).toEqual(['user=u', 'client-id=c,user=u'])
    expect(await found([['user', exact, 'u']], true)).toEqual(['user=u'])
    expect(await found([['user', byDefault]])).toEqual(['user=null', 'client-id=null,user=null'])
    expect(await found([['user', any]], true)).toEqual(['user=u', 'user=null'])
    expect(
      await found([
        ['user', any],
        ['client-id', any],
      ]),
    ).toEqual(['client-id=c,user=u', 'client-id=null,user=null'])
    expect(await found([['ip', any]])).toEqual(['ip=1.2.3.4', 'ip=null'])
    expect(await found([])).toHaveLength(7)
    expect(await found([], true)).toEqual([])
  })
})

const bad = 'INVALID_REQUEST: '
test.each<[Entity, Record<string, number>, string]>([
  [{}, { producer_byte_rate: 1 }, 'Invalid empty client quota entity'],
  [{ foo: 'a' }, { producer_byte_rate: 1 }, 'Unhandled client quota entity type: foo'],
  [{ user: '' }, { producer_byte_rate: 1 }, 'Empty user not supported'],
  [{ user: 'u' }, { foo: 1 }, 'Invalid configuration key foo'],
  [{ user: 'u' }, { connection_creation_rate: 1 }, 'Invalid configuration key connection_creation_rate'],
  [{ ip: '1.2.3.4' }, { producer_byte_rate: 1 }, 'Invalid configuration key producer_byte_rate'],
  [{ ip: 'not an ip' }, { connection_creation_rate: 1 }, 'not an ip is not a valid IP or resolvable host.'],
  [
    { ip: '1.2.3.4' },
    { connection_creation_rate: 2 ** 31 },
    'Proposed value for connection_creation_rate is too large for a INT.',
  ],
  [{ user: 'u' }, { producer_byte_rate: 0 }, 'Quota producer_byte_rate must be greater than 0'],
  [{ user: 'u' }, { producer_byte_rate: 1.5 }, 'producer_byte_rate cannot be a fractional value.'],
  [{ user: 'u' }, { producer_byte_rate: 1e20 }, 'Proposed value for producer_byte_rate is too large for a LONG.'],
  [{ user: 'u' }, { request_percentage: Infinity }, 'Quota request_percentage must be a finite number'],
])('%j %j is refused', async (entity, values, why) => {
  await using line = await Line.open()
  const good: Entry = [{ user: 'good' }, { request_percentage: 5 }]
  expect(await alter(line, [[entity, values], good])).toEqual([bad + why, 'NONE'])
  expect(await described(line, [])).toEqual(['user=good: request_percentage=5'])
})

test('of a part of an entity that is named twice the last counts', async () => {
  await using line = await Line.open()
  const part = (entityName: string | null) => ({ entityType: 'user', entityName })
  const ops = [{ key: 'producer_byte_rate', value: 5, remove: false }]
  const { entries } = await line.ask(alterClientQuotas, 1, {
    entries: [{ entity: [part('a'), part(null)], ops }],
    validateOnly: false,
  })
  expect(entries).toEqual([{ errorCode: 0, errorMessage: null, entity: [part(null)] }])
  expect(await described(line, [])).toEqual(['user=null: producer_byte_rate=5'])
})

test('the same entity twice is refused, though the first mention is done', async () => {
  await using line = await Line.open()
  const entry = (rate: number): Entry => [{ user: 'u' }, { producer_byte_rate: rate }]
  expect(await alter(line, [entry(1), entry(2)])).toEqual([
    `${bad}Ignoring duplicate entity ClientQuotaEntity(entries={user=u})`,
  ])
  expect(await described(line, [])).toEqual(['user=u: producer_byte_rate=1'])
})

test.each<[Component[], string]>([
  [[['user', 3]], `${bad}Unknown match type 3`],
  [[['', exact, 'u']], `${bad}Invalid empty entity type.`],
  [[['foo', exact, 'u']], 'UNSUPPORTED_VERSION: Unsupported entity type foo'],
  [[['user', exact]], `${bad}Request specified MATCH_TYPE_EXACT, but set match string to null.`],
  [[['user', byDefault, 'x']], `${bad}Request specified MATCH_TYPE_DEFAULT, but also specified a match string.`],
  [[['user', any, 'x']], `${bad}Request specified MATCH_TYPE_SPECIFIED, but also specified a match string.`],
  [
    [
      ['user', any],
      ['user', any],
    ],
    `${bad}Entity type user cannot appear more than once in the filter.`,
  ],
  [
    [
      ['ip', any],
      ['user', any],
    ],
    `${bad}Invalid entity filter component combination. IP filter component should not be used with user or clientId filter component.`,
  ],
])('the filter %j is refused', async (components, why) => {
  await using line = await Line.open()
  expect(await described(line, components)).toEqual([why])
})

describe('who used too much', () => {
  const send = (client: WireClient, bytes: number) => {
    const records = batchOf(['x'.repeat(bytes)])
    const topicData = [{ name: 'a', partitionData: [{ index: 0, records }] }]
    return client.ask(produce, 9, { acks: -1, timeoutMs: 1000, topicData })
  }
  const soonMs = 100

  test('is answered at once, told how long to wait, and not listened to meanwhile; others are', async () => {
    await using line = await Line.open(['a'])
    await alter(line, [[{ 'client-id': 'greedy' }, { producer_byte_rate: 10 }]])
    const [greedy, modest] = [await line.another('greedy'), await line.another('modest')]
    const { throttleTimeMs, responses } = await send(greedy, 1000)
    expect(errorOf(responses[0]!.partitionResponses[0]!)).toBe('NONE')
    expect(throttleTimeMs).toBeGreaterThan(90_000)
    expect((await send(modest, 1000)).throttleTimeMs).toBe(0)
    expect(await greedy.attempt(metadata, 9, { topics: [] }, soonMs)).toBe('silence')
    expect((await modest.ask(metadata, 9, { topics: [] })).throttleTimeMs).toBe(0)
    // A connection of its own does not help.
    const again = await line.another('greedy')
    expect((await send(again, 1)).throttleTimeMs).toBeGreaterThan(90_000)
  })

  test('a reader is given no more than a quarter of a window is worth at once', async () => {
    await using line = await Line.open(['a'])
    for (let i = 0; i < 10; i++) await send(line.client, 1000)
    await alter(line, [[{ 'client-id': 'reader' }, { consumer_byte_rate: 12_000 }]])
    const reader = await line.another('reader')
    const topics = [{ topic: 'a', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }] }]
    const answer = await reader.ask(fetch, 11, {
      isolationLevel: 0,
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 1_000_000,
      topics,
      forgottenTopicsData: [],
    })
    const { length } = answer.responses[0]!.partitions[0]!.records as Buffer
    expect(length).toBeGreaterThan(1000)
    expect(length).toBeLessThanOrEqual(3000)
  })

  test('a reader who waits for more than that is answered all the same', async () => {
    await using line = await Line.open(['a'])
    for (let i = 0; i < 10; i++) await send(line.client, 1000)
    const reader = await line.another('reader')
    const topics = [{ topic: 'a', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }] }]
    const asked = { isolationLevel: 0, maxWaitMs: 3_600_000, minBytes: 900_000, maxBytes: 1_000_000, topics }
    // Two batches fit, a third does not: that is all it can be given.
    await alter(line, [[{ 'client-id': 'reader' }, { consumer_byte_rate: 12_000 }]])
    const answer = await reader.ask(fetch, 11, { ...asked, forgottenTopicsData: [] })
    expect((answer.responses[0]!.partitions[0]!.records as Buffer).length).toBeGreaterThan(1000)
  })

  test('changes of the cluster are refused to those who know the word, and made for the others', async () => {
    await using line = await Line.open()
    await alter(line, [[{ user: 'ANONYMOUS' }, { controller_mutation_rate: 0.001 }]])
    const create = (client: WireClient, version: number, name: string) => {
      const topic = { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
      return client.ask(createTopics, version, { topics: [topic], timeoutMs: 1000, validateOnly: false })
    }
    expect((await create(await line.another(), 6, 'first')).throttleTimeMs).toBe(0)
    const refused = await create(await line.another(), 6, 'second')
    expect(errorOf(refused.topics[0]!)).toBe('THROTTLING_QUOTA_EXCEEDED')
    expect(refused.throttleTimeMs).toBeGreaterThan(0)
    const made = await create(await line.another(), 5, 'third')
    expect(errorOf(made.topics[0]!)).toBe('NONE')
    expect(made.throttleTimeMs).toBeGreaterThan(0)
    const topics = [{ name: 'first', count: 2, assignments: null }]
    const grown = await (await line.another()).ask(createPartitions, 3, {
      topics,
      timeoutMs: 1000,
      validateOnly: false,
    })
    expect(errorOf(grown.results[0]!)).toBe('THROTTLING_QUOTA_EXCEEDED')
    const deleted = await (await line.another()).ask(deleteTopics, 5, { topicNames: ['first'], timeoutMs: 1000 })
    expect(errorOf(deleted.responses[0]!)).toBe('THROTTLING_QUOTA_EXCEEDED')
    const gone = await (await line.another()).ask(deleteTopics, 4, { topicNames: ['first'], timeoutMs: 1000 })
    expect(errorOf(gone.responses[0]!)).toBe('NONE')
  })
})
