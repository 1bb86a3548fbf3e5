// Fetch: which bytes, in which order, how many, when; and what is said where there are none.

import { describe, expect, test } from 'vitest'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { deleteTopics } from '../../protocol/messages/20-delete-topics.ts'
import { deleteRecords } from '../../protocol/messages/21-delete-records.ts'
import * as batch from '../../protocol/records/batch.ts'
import type { Answer } from '../../protocol/schema.ts'
import { type Body, batchOf } from '../wire-client.ts'
import { errorOf, Line, unknownId } from './line.ts'

type FetchBody = Body<typeof fetch>
type Part = FetchBody['topics'][number]['partitions'][number]

const part = (partition: number, fetchOffset = 0, more: Partial<Part> = {}): Part => ({
  partition,
  fetchOffset,
  partitionMaxBytes: 1 << 20,
  ...more,
})
const body = (topics: FetchBody['topics'], more: Partial<FetchBody> = {}): FetchBody => ({
  maxWaitMs: 0,
  minBytes: 0,
  isolationLevel: 0,
  topics,
  forgottenTopicsData: [],
  ...more,
})

const offsetsIn = (records: Buffer | readonly Buffer[] | null): number[] =>
  [...batch.iterateBatches(records as Buffer)].map((p) => batch.baseOffset(records as Buffer, p))

/** What each partition was told: topic, number, error or base offsets. */
const told = ({ responses }: Answer<typeof fetch>) =>
  responses.flatMap(({ topic, partitions }) =>
    partitions.map((one) => [topic, one.partitionIndex, one.errorCode === 0 ? offsetsIn(one.records) : errorOf(one)]),
  )

async function filled(): Promise<Line> {
  const line = await Line.open([
    { name: 'b', partitions: 3 },
    { name: 'a', partitions: 2 },
  ])
  for (let n = 0; n < 3; n++) for (const index of [0, 1]) await line.append('b', index, [`${n}`, 'x'.repeat(50)])
  await line.append('a', 0, ['only'])
  return line
}

describe('offsets', () => {
  test('the batch that holds the offset comes whole; at the end there is nothing; elsewhere the offset is out of range', async () => {
    await using line = await filled()
    const at = async (offset: number) =>
      told(await line.ask(fetch, 11, body([{ topic: 'b', partitions: [part(0, offset)] }])))[0]![2]
    expect([await at(0), await at(1), await at(2), await at(5), await at(6)]).toEqual([
      [0, 2, 4],
      [0, 2, 4],
      [2, 4],
      [4],
      [],
    ])
    for (const offset of [-2, -1, 7, 2 ** 53]) expect(await at(offset)).toBe('OFFSET_OUT_OF_RANGE')
  })

  test('below the log start nothing can be read', async () => {
    await using line = await filled()
    const partitions = [{ partitionIndex: 0, offset: 3 }]
    await line.ask(deleteRecords, 2, { topics: [{ name: 'b', partitions }], timeoutMs: 1000 })
    const answer = await line.ask(fetch, 11, body([{ topic: 'b', partitions: [part(0, 2)] }]))
    expect(answer.responses[0]!.partitions[0]).toMatchObject({ errorCode: 1, highWatermark: -1, logStartOffset: -1 })
    const above = await line.ask(fetch, 11, body([{ topic: 'b', partitions: [part(0, 3)] }]))
    expect(above.responses[0]!.partitions[0]).toMatchObject({ errorCode: 0, highWatermark: 6, logStartOffset: 3 })
  })

  test.each([4, 5, 11, 12])('v%i: an answer without records has empty bytes, never null', async (version) => {
    await using line = await filled()
    const answer = await line.ask(fetch, version, body([{ topic: 'b', partitions: [part(2), part(0, 99)] }]))
    expect(answer.responses[0]!.partitions.map(({ records }) => (records as Buffer).length)).toEqual([0, 0])
  })
})

describe('how much', () => {
  test('the first batch of the first partition that has one comes whole, however little is asked for', async () => {
    await using line = await filled()
    for (const bytes of [0, 1, 100]) {
      const topics = [{ topic: 'b', partitions: [part(2), part(1), part(0)] }]
      expect(told(await line.ask(fetch, 12, body(topics, { maxBytes: bytes })))).toEqual([
        ['b', 2, []],
        ['b', 1, [0]],
        ['b', 0, []],
      ])
    }
  })

  test('the limit of a partition cuts behind whole batches, and only the first batch may break it', async () => {
    await using line = await filled()
    const size = batchOf(['0', 'x'.repeat(50)]).length
    const offsets: unknown[] = []
    for (const partitionMaxBytes of [1, size, 2 * size - 1, 2 * size, 3 * size]) {
      const topics = [{ topic: 'b', partitions: [part(0, 0, { partitionMaxBytes })] }]
      offsets.push(told(await line.ask(fetch, 12, body(topics)))[0]![2])
    }
    expect(offsets).toEqual([[0], [0], [0], [0, 2], [0, 2, 4]])
  })

  test('fetch.max.bytes of the broker limits every answer', async () => {
    await using line = await Line.open([{ name: 'b', partitions: 2 }], { 'fetch.max.bytes': 1024 })
    for (const index of [0, 1]) for (let n = 0; n < 3; n++) await line.append('b', index, ['x'.repeat(600)])
    const answer = await line.ask(fetch, 12, body([{ topic: 'b', partitions: [part(0), part(1)] }]))
    expect(told(answer)).toEqual([
      ['b', 0, [0]],
      ['b', 1, []],
    ])
  })
})

describe('order', () => {
  test('partitions come in the order of the request, and behind them those that are not there', async () => {
    await using line = await filled()
    const topics = [
      { topic: 'b', partitions: [part(2), part(9), part(0, 4)] },
      { topic: 'none', partitions: [part(1)] },
      { topic: 'a', partitions: [part(0)] },
      { topic: 'b', partitions: [part(1, 4)] },
    ]
    expect(told(await line.ask(fetch, 12, body(topics)))).toEqual([
      ['b', 2, []],
      ['b', 0, [4]],
      ['a', 0, [0]],
      ['b', 1, [4]],
      ['b', 9, 'UNKNOWN_TOPIC_OR_PARTITION'],
      ['none', 1, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ])
  })

  test('from version 13 on topics are known by their ids; ids of none come before what else is not there', async () => {
    await using line = await filled()
    const topicId = await line.id('b')
    const topics = [
      { topicId, partitions: [part(9)] },
      { topicId: unknownId, partitions: [part(0)] },
      { topicId, partitions: [part(0, 4)] },
    ]
    const { responses } = await line.ask(fetch, 13, body(topics))
    expect(responses.map((one) => [one.topicId, errorOf(one.partitions[0]!)])).toEqual([
      [topicId, 'NONE'],
      [unknownId, 'UNKNOWN_TOPIC_ID'],
      [topicId, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ])
  })

  test('a topic that was deleted and made again is another one', async () => {
    await using line = await filled()
    const topicId = await line.id('b')
    await line.ask(deleteTopics, 6, { topics: [{ name: 'b' }], topicNames: [], timeoutMs: 1000 })
    await line.broker.createTopics(['b'])
    const { responses } = await line.ask(fetch, 13, body([{ topicId, partitions: [part(0)] }]))
    expect(errorOf(responses[0]!.partitions[0]!)).toBe('UNKNOWN_TOPIC_ID')
  })
})

describe('epochs', () => {
  const one = async (line: Line, more: Partial<Part>, offset = 0) =>
    (await line.ask(fetch, 12, body([{ topic: 'b', partitions: [part(0, offset, more)] }]))).responses[0]!
      .partitions[0]!

  test('a client that knows another leader is told so', async () => {
    await using line = await filled()
    expect(errorOf(await one(line, { currentLeaderEpoch: 1 }))).toBe('UNKNOWN_LEADER_EPOCH')
    for (const currentLeaderEpoch of [-2, -1, 0]) expect(errorOf(await one(line, { currentLeaderEpoch }))).toBe('NONE')
  })

  test('a reader beyond the end of its epoch is told where the histories part', async () => {
    await using line = await filled()
    const answer = await one(line, { lastFetchedEpoch: 0 }, 7)
    expect(answer).toMatchObject({ errorCode: 0, highWatermark: 6, divergingEpoch: { epoch: 0, endOffset: 6 } })
    expect((answer.records as Buffer).length).toBe(0)
  })

  test('in a session the parting is told each time, and nothing any more when it is mended', async () => {
    await using line = await filled()
    const ask = async (sessionId: number, sessionEpoch: number, more: Partial<Part>) => {
      const topics = [{ topic: 'b', partitions: [part(0, 7, { lastFetchedEpoch: 0, ...more })] }]
      const answer = await line.ask(fetch, 12, body(topics, { sessionId, sessionEpoch }))
      return { id: answer.sessionId, told: answer.responses.length }
    }
    const { id } = await ask(0, 0, {})
    const again = await ask(id, 1, {})
    expect([again.told, (await ask(id, 2, { fetchOffset: 6 })).told]).toEqual([1, 0])
  })

  test('a reader of an epoch that nobody knows is out of range', async () => {
    await using line = await filled()
    expect(errorOf(await one(line, { lastFetchedEpoch: 1 }))).toBe('OFFSET_OUT_OF_RANGE')
  })

  test('an empty log knows the epoch of its leader', async () => {
    await using line = await filled()
    const answer = await line.ask(fetch, 12, body([{ topic: 'b', partitions: [part(2, 0, { lastFetchedEpoch: 0 })] }]))
    expect(answer.responses[0]!.partitions[0]).toMatchObject({
      errorCode: 0,
      divergingEpoch: { epoch: -1, endOffset: -1 },
    })
  })
})

test('nothing is said of aborted transactions where the next batch has no room behind those of other partitions', async () => {
  await using line = await filled()
  const of = async (index: number, partitionMaxBytes: number) => {
    const partitions = [part(0), part(index, 0, { partitionMaxBytes })]
    const answer = await line.ask(fetch, 12, body([{ topic: 'b', partitions }], { isolationLevel: 1 }))
    return answer.responses[0]!.partitions[1]!.abortedTransactions
  }
  // As in Kafka: with no bytes to fill, and where there is nothing to read, the list is there.
  expect([await of(1, 1), await of(1, 0), await of(2, 1)]).toEqual([null, [], []])
})

test('only readers of what is committed get a list of aborted transactions', async () => {
  await using line = await filled()
  for (const [isolationLevel, expected] of [
    [0, null],
    [1, []],
  ] as const) {
    const answer = await line.ask(fetch, 12, body([{ topic: 'b', partitions: [part(0)] }], { isolationLevel }))
    expect(answer.responses[0]!.partitions[0]).toMatchObject({ abortedTransactions: expected, lastStableOffset: 6 })
  }
})

describe('waiting', () => {
  test('a fetch that finds too little wakes when another connection appends', async () => {
    await using line = await filled()
    const reader = await line.another()
    const waiting = reader.ask(
      fetch,
      12,
      body([{ topic: 'b', partitions: [part(2)] }], { minBytes: 1, maxWaitMs: 60_000 }),
    )
    await line.append('b', 2, ['news'])
    expect(told(await waiting)).toEqual([['b', 2, [0]]])
  })

  test('it waits on until there are as many bytes as it asks for', async () => {
    await using line = await filled()
    const reader = await line.another()
    let done = false
    const topics = [{ topic: 'b', partitions: [part(2)] }]
    const waiting = reader.ask(fetch, 12, body(topics, { minBytes: 150, maxWaitMs: 60_000 })).then((answer) => {
      done = true
      return answer
    })
    await line.append('b', 2, ['one'])
    await line.append('a', 1, ['elsewhere'])
    expect(done).toBe(false)
    await line.append('b', 2, ['x'.repeat(100)])
    expect(told(await waiting)).toEqual([['b', 2, [0, 1]]])
  })

  test('bytes of several partitions count together', async () => {
    await using line = await filled()
    const reader = await line.another()
    const topics = [
      { topic: 'b', partitions: [part(2)] },
      { topic: 'a', partitions: [part(1)] },
    ]
    const waiting = reader.ask(fetch, 12, body(topics, { minBytes: 100, maxWaitMs: 60_000 }))
    await line.append('b', 2, ['one'])
    await line.append('a', 1, ['two'])
    expect(told(await waiting)).toEqual([
      ['b', 2, [0]],
      ['a', 1, [0]],
    ])
  })

  test('an error ends the wait at once', async () => {
    await using line = await filled()
    const topics = [{ topic: 'b', partitions: [part(2), part(0, 99)] }]
    const answer = await line.ask(fetch, 12, body(topics, { minBytes: 1, maxWaitMs: 60_000 }))
    expect(told(answer)).toEqual([
      ['b', 2, []],
      ['b', 0, 'OFFSET_OUT_OF_RANGE'],
    ])
  })

  test('deleting the topic ends the wait', async () => {
    await using line = await filled()
    const reader = await line.another()
    const waiting = reader.ask(
      fetch,
      12,
      body([{ topic: 'b', partitions: [part(2)] }], { minBytes: 1, maxWaitMs: 60_000 }),
    )
    await line.ask(deleteTopics, 6, { topics: [{ name: 'b' }], topicNames: [], timeoutMs: 1000 })
    expect(told(await waiting)).toEqual([['b', 2, 'UNKNOWN_TOPIC_OR_PARTITION']])
  })

  test('when the time is up the answer says how things stand', async () => {
    await using line = await filled()
    const topics = [{ topic: 'b', partitions: [part(2)] }]
    const answer = await line.ask(fetch, 12, body(topics, { minBytes: 1, maxWaitMs: 5 }))
    expect(answer.responses[0]!.partitions[0]).toMatchObject({ errorCode: 0, highWatermark: 0, logStartOffset: 0 })
  })

  test('what stands behind a waiting fetch on the same connection waits with it and comes in order', async () => {
    await using line = await filled()
    const reader = await line.another()
    const order: string[] = []
    const parked = reader
      .ask(fetch, 12, body([{ topic: 'b', partitions: [part(2)] }], { minBytes: 1, maxWaitMs: 60_000 }))
      .then(() => order.push('parked'))
    const ready = reader.ask(fetch, 12, body([{ topic: 'b', partitions: [part(0)] }])).then(() => order.push('ready'))
    await line.append('b', 2, ['news'])
    await Promise.all([parked, ready])
    expect(order).toEqual(['parked', 'ready'])
  })
})
