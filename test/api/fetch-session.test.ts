// Fetch sessions (KIP-227): what an incremental answer leaves out, what ends a session, and who has to give way.

import { describe, expect, test } from 'vitest'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { createTopics } from '../../protocol/messages/19-create-topics.ts'
import { deleteTopics } from '../../protocol/messages/20-delete-topics.ts'
import { deleteRecords } from '../../protocol/messages/21-delete-records.ts'
import type { Request } from '../../protocol/schema.ts'
import { FetchSessions } from '../../src/api/fetch-session.ts'
import { FakeClock } from '../group/world.ts'
import type { Body } from '../wire-client.ts'
import { errorOf, Line, unknownId } from './line.ts'

type FetchBody = Body<typeof fetch>
type Asked = [topic: string, ...parts: [partition: number, offset: number][]]

class Session {
  readonly #line: Line
  readonly #version: number
  id = 0

  private constructor(line: Line, version: number) {
    this.#line = line
    this.#version = version
  }

  static async open(version: number, work: (session: Session, line: Line) => Promise<void>): Promise<void> {
    await using line = await Line.open([
      { name: 'b', partitions: 3 },
      { name: 'a', partitions: 3 },
    ])
    await line.append('b', 0, ['b'])
    await line.append('a', 1, ['a'])
    await work(new Session(line, version), line)
  }

  async #name(topic: string) {
    const known = topic === 'b' || topic === 'a'
    return { topic, topicId: known ? await this.#line.id(topic) : unknownId }
  }

  /** The error, or `topic partition` of all that is told, with an error or the number of bytes where there is one. */
  async ask(
    epoch: number,
    asked: Asked[] = [],
    more: Partial<FetchBody> = {},
    id = this.id,
  ): Promise<string | string[]> {
    const topics = []
    for (const [topic, ...parts] of asked) {
      const partitions = parts.map(([partition, fetchOffset]) => ({
        partition,
        fetchOffset,
        partitionMaxBytes: 1 << 20,
      }))
      topics.push({ ...(await this.#name(topic)), partitions })
    }
    const base = { maxWaitMs: 0, minBytes: 0, isolationLevel: 0, forgottenTopicsData: [], ...more }
    const answer = await this.#line.ask(fetch, this.#version, { ...base, topics, sessionId: id, sessionEpoch: epoch })
    if (answer.errorCode !== 0) return errorOf(answer)
    this.id = answer.sessionId
    const names = new Map<string, string>()
    for (const topic of ['a', 'b']) names.set((await this.#name(topic)).topicId, topic)
    return answer.responses.flatMap(({ topic, topicId, partitions }) =>
      partitions.map((one) => {
        const size = (one.records as Buffer).length
        const rest = one.errorCode !== 0 ? ` ${errorOf(one)}` : size > 0 ? ' records' : ''
        return `${this.#version < 13 ? topic : (names.get(topicId) ?? 'none')} ${one.partitionIndex}${rest}`
      }),
    )
  }

  async forget(epoch: number, topic: string, ...partitions: number[]): Promise<string | string[]> {
    return this.ask(epoch, [], { forgottenTopicsData: [{ ...(await this.#name(topic)), partitions }] })
  }
}

describe.each([7, 12, 13, 18])('v%i', (version) => {
  test('a full fetch opens a session and names all; then only what changed is named', () =>
    Session.open(version, async (session, line) => {
      expect(
        await session.ask(0, [
          ['b', [0, 0], [1, 0]],
          ['a', [2, 0], [1, 1]],
        ]),
      ).toEqual(['b 0 records', 'b 1', 'a 2', 'a 1'])
      expect(session.id).toBeGreaterThan(0)
      expect(await session.ask(1, [['b', [0, 1]]])).toEqual([])
      await line.append('b', 1, ['more'])
      expect(await session.ask(2)).toEqual(['b 1 records'])
      expect(await session.ask(3)).toEqual(['b 1 records'])
      expect(await session.ask(4, [['b', [1, 1]]])).toEqual([])
      await line.append('b', 1, ['unread'])
      expect(await session.ask(5, [['b', [1, 2]]])).toEqual(['b 1'])
    }))

  test('what brought records goes to the back, but the first answer leaves the order as it was asked', () =>
    Session.open(version, async (session, line) => {
      const first = await session.ask(0, [['b', [0, 0], [1, 0], [2, 0]]])
      expect(first).toEqual(['b 0 records', 'b 1', 'b 2'])
      await line.append('b', 1, ['more'])
      expect(await session.ask(1)).toEqual(['b 0 records', 'b 1 records'])
      await line.append('b', 2, ['more'])
      expect(await session.ask(2)).toEqual(['b 2 records', 'b 0 records', 'b 1 records'])
    }))

  test('the epoch counts up, and every other one is refused without harm', () =>
    Session.open(version, async (session) => {
      await session.ask(0, [['b', [1, 0]]])
      expect(await session.ask(1)).toEqual([])
      expect(await session.ask(1)).toBe('INVALID_FETCH_SESSION_EPOCH')
      expect(await session.ask(7)).toBe('INVALID_FETCH_SESSION_EPOCH')
      expect(await session.ask(2)).toEqual([])
    }))

  test('a session that is not there cannot go on, with an id or without', () =>
    Session.open(version, async (session) => {
      expect(await session.ask(1, [], {}, 12345)).toBe('FETCH_SESSION_ID_NOT_FOUND')
      expect(await session.ask(1, [['b', [0, 0]]], {}, 0)).toBe('FETCH_SESSION_ID_NOT_FOUND')
      expect(await session.ask(-2, [['b', [0, 0]]], {}, 0)).toBe('FETCH_SESSION_ID_NOT_FOUND')
    }))

  test('epoch -1 reads without a session and ends the one it names', () =>
    Session.open(version, async (session) => {
      expect(await session.ask(-1, [['b', [0, 0]]])).toEqual(['b 0 records'])
      expect(session.id).toBe(0)
      await session.ask(0, [['b', [0, 0]]])
      const { id } = session
      expect(await session.ask(-1, [['b', [0, 0]]])).toEqual(['b 0 records'])
      expect(await session.ask(1, [], {}, id)).toBe('FETCH_SESSION_ID_NOT_FOUND')
    }))

  test('epoch 0 with the id of a session begins another in its place', () =>
    Session.open(version, async (session) => {
      await session.ask(0, [['b', [0, 0]]])
      const { id } = session
      expect(await session.ask(0, [['b', [1, 0]]])).toEqual(['b 1'])
      expect(session.id).not.toBe(id)
      expect(await session.ask(1, [], {}, id)).toBe('FETCH_SESSION_ID_NOT_FOUND')
      expect(await session.ask(1)).toEqual([])
    }))

  test('partitions join, are forgotten, and what is both is forgotten', () =>
    Session.open(version, async (session) => {
      await session.ask(0, [['b', [1, 0]]])
      expect(await session.ask(1, [['b', [0, 0]]])).toEqual(['b 0 records'])
      expect(await session.forget(2, 'b', 0)).toEqual([])
      expect(await session.forget(3, 'a', 0)).toEqual([])
      expect(await session.ask(4, [['b', [0, 0]]])).toEqual(['b 0 records'])
    }))

  test('a session that forgets its last partition is no more', () =>
    Session.open(version, async (session) => {
      await session.ask(0, [['b', [1, 0]]])
      const { id } = session
      expect(await session.forget(1, 'b', 1)).toEqual([])
      expect(session.id).toBe(0)
      expect(await session.ask(2, [], {}, id)).toBe('FETCH_SESSION_ID_NOT_FOUND')
    }))

  test('an error is told each time until it is gone', () =>
    Session.open(version, async (session) => {
      await session.ask(0, [['b', [1, 0]]])
      expect(await session.ask(1, [['b', [1, 99]]])).toEqual(['b 1 OFFSET_OUT_OF_RANGE'])
      expect(await session.ask(2)).toEqual(['b 1 OFFSET_OUT_OF_RANGE'])
      expect(await session.ask(3, [['b', [1, 0]]])).toEqual(['b 1'])
      expect(await session.ask(4)).toEqual([])
    }))

  test('a topic that is not there is told each time', () =>
    Session.open(version, async (session) => {
      const unknown = version < 13 ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'UNKNOWN_TOPIC_ID'
      await session.ask(0, [['b', [1, 0]]])
      expect(await session.ask(1, [['none', [0, 0]]])).toEqual([`none 0 ${unknown}`])
      expect(await session.ask(2)).toEqual([`none 0 ${unknown}`])
      expect(await session.forget(3, 'none', 0)).toEqual([])
    }))

  test('a log start that moved is news', () =>
    Session.open(version, async (session, line) => {
      await session.ask(0, [['b', [0, 1]]])
      await line.ask(deleteRecords, 2, {
        topics: [{ name: 'b', partitions: [{ partitionIndex: 0, offset: 1 }] }],
        timeoutMs: 1000,
      })
      expect(await session.ask(1)).toEqual(['b 0'])
      expect(await session.ask(2)).toEqual([])
    }))

  test('who brought records stands last next time, so that nobody starves', () =>
    Session.open(version, async (session, line) => {
      await line.append('b', 1, ['x'])
      const one = { maxBytes: 1 }
      expect(
        await session.ask(
          0,
          [
            ['b', [0, 0], [1, 0]],
            ['a', [1, 0]],
          ],
          one,
        ),
      ).toEqual(['b 0 records', 'b 1', 'a 1'])
      // Not after the first answer, as a real broker was seen to do.
      expect(await session.ask(1, [], one)).toEqual(['b 0 records'])
      expect(await session.ask(2, [], one)).toEqual(['b 1 records'])
      expect(await session.ask(3, [], one)).toEqual(['a 1 records'])
      expect(await session.ask(4, [], one)).toEqual(['b 0 records'])
    }))
})

test('a version that names topics the other way cannot go on with a session', async () => {
  await using line = await Line.open(['b'])
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 }]
  const base = { maxWaitMs: 0, minBytes: 0, isolationLevel: 0, forgottenTopicsData: [] }
  const { sessionId } = await line.ask(fetch, 12, { ...base, topics: [{ topic: 'b', partitions }], sessionEpoch: 0 })
  const answer = await line.ask(fetch, 13, { ...base, topics: [], sessionId, sessionEpoch: 1 })
  expect(errorOf(answer)).toBe('FETCH_SESSION_TOPIC_ID_ERROR')
})

test('before version 7 there are no sessions', async () => {
  await using line = await Line.open(['b'])
  const topics = [{ topic: 'b', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 }] }]
  const body = { maxWaitMs: 0, minBytes: 0, isolationLevel: 0, topics, forgottenTopicsData: [] }
  const answer = await line.ask(fetch, 6, { ...body, sessionId: 77, sessionEpoch: 5 })
  expect([answer.sessionId, answer.responses.length]).toEqual([0, 1])
})

describe('when all places are taken', () => {
  const request = (sessionId: number, sessionEpoch: number, partitions: number) =>
    ({
      sessionId,
      sessionEpoch,
      topics: [
        { topic: 'b', topicId: '', partitions: Array.from({ length: partitions }, (_, partition) => ({ partition })) },
      ],
      forgottenTopicsData: [],
    }) as unknown as Request<typeof fetch>
  const open = (sessions: FetchSessions, id = 0, epoch = 0, partitions = 1): number | string => {
    const scope = sessions.open(request(id, epoch, partitions), 12)
    return typeof scope === 'string' ? scope : scope.sessionId
  }

  test('a new client reads without a session while the others are in use', async () => {
    const clock = new FakeClock()
    const sessions = new FetchSessions(clock, 2)
    const [one, two] = [open(sessions), open(sessions)]
    await clock.pass(119_000)
    expect(open(sessions)).toBe(0)
    expect([open(sessions, one as number, 1), open(sessions, two as number, 1)]).toEqual([one, two])
  })

  test('the session that was not used for longest gives way after two minutes', async () => {
    const clock = new FakeClock()
    const sessions = new FetchSessions(clock, 2)
    const [one, two] = [open(sessions), open(sessions)]
    await clock.pass(60_000)
    expect(open(sessions, one as number, 1)).toBe(one)
    await clock.pass(60_000)
    expect(open(sessions)).toBe(0)
    await clock.pass(1)
    expect(open(sessions)).toBeGreaterThan(0)
    expect(open(sessions, two as number, 1)).toBe('FETCH_SESSION_ID_NOT_FOUND')
    expect(open(sessions, one as number, 2)).toBe(one)
    expect(sessions.count).toBe(2)
  })

  test('a client that reads more takes the place of the smallest that has been there for two minutes, in use or not', async () => {
    const clock = new FakeClock()
    const sessions = new FetchSessions(clock, 2)
    const [small, large] = [open(sessions, 0, 0, 2), open(sessions, 0, 0, 3)]
    await clock.pass(120_000)
    for (const id of [small, large]) open(sessions, id as number, 1)
    expect(open(sessions, 0, 0, 9)).toBe(0) // two minutes, and not more
    await clock.pass(1)
    for (const id of [small, large]) open(sessions, id as number, 2)
    expect(open(sessions, 0, 0, 2)).toBe(0)
    expect(open(sessions, 0, 0, 3)).toBeGreaterThan(0)
    expect(open(sessions, small as number, 3)).toBe('FETCH_SESSION_ID_NOT_FOUND')
    expect(open(sessions, large as number, 3)).toBe(large)
    // The one that came last is too young, and the other is as large.
    expect(open(sessions, 0, 0, 3)).toBe(0)
    expect(open(sessions, 0, 0, 4)).toBeGreaterThan(0)
    expect(open(sessions, large as number, 4)).toBe('FETCH_SESSION_ID_NOT_FOUND')
    expect(sessions.count).toBe(2)
  })

  test('a broker without places declines every session', () => {
    expect(open(new FetchSessions(new FakeClock(), 0))).toBe(0)
  })
})

test('a session knows the name of a topic id that is gone, and says whether another topic bears it now', async () => {
  await using line = await Line.open([{ name: 'a' }])
  const topicId = await line.id('a')
  const partition = { partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }
  let sessionId = 0
  const ask = async (sessionEpoch: number, isNamed = false) => {
    const topics = isNamed ? [{ topicId, partitions: [partition] }] : []
    const body = {
      maxWaitMs: 0,
      minBytes: 0,
      isolationLevel: 0,
      forgottenTopicsData: [],
      topics,
      sessionId,
      sessionEpoch,
    }
    const answer = await line.ask(fetch, 18, body)
    sessionId = answer.sessionId
    return answer.responses.flatMap(({ partitions }) => partitions.map(errorOf))
  }
  expect(await ask(0, true)).toEqual(['NONE'])
  await line.ask(deleteTopics, 6, { topics: [{ name: 'a' }], timeoutMs: 1000 })
  expect(await ask(1)).toEqual(['UNKNOWN_TOPIC_OR_PARTITION'])
  expect(await ask(2, true)).toEqual(['UNKNOWN_TOPIC_OR_PARTITION'])
  await line.ask(createTopics, 7, {
    topics: [{ name: 'a', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: 1000,
    validateOnly: false,
  })
  expect(await ask(3)).toEqual(['INCONSISTENT_TOPIC_ID'])
  expect(await ask(4, true)).toEqual(['INCONSISTENT_TOPIC_ID'])
  expect(await ask(0, true)).toEqual(['UNKNOWN_TOPIC_ID'])
})
