// Fetch: offsets, epochs, sizes, isolation, topics and ids that are not there; and sessions with all their errors.

import { produce } from '../../../protocol/messages/00-produce.ts'
import { fetch } from '../../../protocol/messages/01-fetch.ts'
import { deleteTopics } from '../../../protocol/messages/20-delete-topics.ts'
import { deleteRecords } from '../../../protocol/messages/21-delete-records.ts'
import { zeroUuid } from '../../../protocol/schema.ts'
import type { Body } from '../../wire-client.ts'
import { batchOf } from '../../wire-client.ts'
import { pause, type Side } from '../side.ts'

type FetchBody = Body<typeof fetch>
type FetchTopic = FetchBody['topics'][number]
type FetchPartition = FetchTopic['partitions'][number]
const unknownId = 'abcdefghijklmnopqrstuQ'
const timeoutMs = 5000

const part = (partition: number, fetchOffset = 0, more: Partial<FetchPartition> = {}): FetchPartition => ({
  partition,
  fetchOffset,
  partitionMaxBytes: 1 << 20,
  ...more,
})

const request = (topics: FetchTopic[], more: Partial<FetchBody> = {}): FetchBody => ({
  maxWaitMs: 0,
  minBytes: 0,
  isolationLevel: 0,
  topics,
  forgottenTopicsData: [],
  ...more,
})

async function append(side: Side, topic: string, index: number, ...values: string[]): Promise<void> {
  const records = batchOf(values.map((value) => ({ key: 'k', value, timestamp: side.base })))
  const topicData = [{ name: topic, partitionData: [{ index, records }] }]
  let errorCode = -1
  // A topic that was just made may not be led yet.
  for (let tries = 0; tries < 50 && errorCode !== 0; tries++) {
    const { responses } = await side.quiet(produce, 9, { acks: -1, timeoutMs, topicData })
    errorCode = responses[0]!.partitionResponses[0]!.errorCode
    if (errorCode !== 0) await pause(20)
  }
  if (errorCode !== 0) throw new Error(`produce to ${topic}: ${errorCode}`)
}

export async function fetchScenario(side: Side): Promise<void> {
  const ids = new Map<string, string>()
  for (const name of ['f-b', 'f-a']) ids.set(name, await side.topic(name, 3))
  for (let n = 0; n < 3; n++) await append(side, 'f-b', 0, `b0 ${n}`, 'x'.repeat(50))
  for (let n = 0; n < 3; n++) await append(side, 'f-b', 1, `b1 ${n}`, 'x'.repeat(50))
  await append(side, 'f-a', 0, 'a0', 'a1', 'a2', 'a3')
  await append(side, 'f-a', 0, 'a4')
  await side.quiet(deleteRecords, 2, {
    topics: [{ name: 'f-a', partitions: [{ partitionIndex: 0, offset: 2 }] }],
    timeoutMs,
  })
  const of = (topic: string, ...partitions: FetchPartition[]): FetchTopic => ({
    topic,
    topicId: ids.get(topic) ?? unknownId,
    partitions,
  })
  const ask = (label: string, topics: FetchTopic[], more: Partial<FetchBody> = {}) =>
    side.each(label, fetch, request(topics, more))
  const one = (label: string, partition: FetchPartition, more: Partial<FetchBody> = {}) =>
    ask(label, [of('f-b', partition)], more)

  for (const offset of [-2, -1, 0, 1, 2, 5, 6, 7, 2 ** 53]) await one(`offset ${offset}`, part(0, offset))
  for (const offset of [0, 1, 2, 4, 5, 6]) await ask(`behind a cut, offset ${offset}`, [of('f-a', part(0, offset))])
  for (const bytes of [-1, 0, 1, 100, 150, 250, 300, 2 ** 31 - 1]) {
    await one(`partition bytes ${bytes}`, part(0, 0, { partitionMaxBytes: bytes }))
    await one(`bytes ${bytes}`, part(0), { maxBytes: bytes })
    await ask(`bytes ${bytes} for two`, [of('f-b', part(2), part(1), part(0))], { maxBytes: bytes })
    await ask(`partition bytes ${bytes} for two`, [
      of('f-b', ...[2, 0, 1].map((index) => part(index, 0, { partitionMaxBytes: bytes }))),
    ])
  }
  await one('min bytes never reached', part(2), { minBytes: 1, maxWaitMs: 30 })
  await one('min bytes reached', part(0), { minBytes: 100, maxWaitMs: 5000 })
  await one('min bytes above max bytes', part(0), { minBytes: 5000, maxBytes: 100, maxWaitMs: 30 })
  await one('negative wait', part(2), { minBytes: 1, maxWaitMs: -1 })
  await one('an error ends the wait', part(0, 99), { minBytes: 1, maxWaitMs: 5000 })
  for (const isolationLevel of [-1, 0, 1, 2]) await one(`isolation ${isolationLevel}`, part(0), { isolationLevel })
  for (const isolationLevel of [0, 1]) {
    await one(`isolation ${isolationLevel}, out of range`, part(0, 99), { isolationLevel })
  }
  for (const currentLeaderEpoch of [-2, -1, 0, 1, 99]) {
    await one(`current epoch ${currentLeaderEpoch}`, part(0, 0, { currentLeaderEpoch }))
  }
  for (const lastFetchedEpoch of [-2, -1, 0, 1, 99]) {
    for (const offset of [0, 4, 6, 7]) {
      await one(`last epoch ${lastFetchedEpoch} at ${offset}`, part(0, offset, { lastFetchedEpoch }))
    }
    await one(`last epoch ${lastFetchedEpoch}, empty`, part(2, 0, { lastFetchedEpoch }))
  }
  for (const logStartOffset of [-1, 0, 5]) await one(`log start ${logStartOffset}`, part(0, 0, { logStartOffset }))
  for (const replicaId of [-2, -1, 0, 1, 7]) {
    await one(`replica ${replicaId}`, part(0), { replicaId, replicaState: { replicaId, replicaEpoch: -1 } })
  }
  await one('a rack', part(0), { rackId: 'r' })
  await ask('unknown topic', [of('f-none', part(0))])
  await ask('unknown partitions', [of('f-b', part(9), part(0), part(-1))])
  await ask('several, in the order of the request', [
    of('f-b', part(2), part(0)),
    of('f-none', part(1)),
    of('f-a', part(1), part(0, 2)),
    of('f-b', part(1)),
  ])
  await ask('one partition twice', [of('f-b', part(0), part(0, 4))])
  await ask('one partition twice, apart', [of('f-b', part(0)), of('f-a', part(1)), of('f-b', part(0, 4))])
  await ask('nothing', [])
  await ask('nothing, with a wait', [], { maxWaitMs: 50, minBytes: 1 })
  await ask('a topic without partitions', [of('f-b')])
  await ask('the id of no topic', [{ topic: '', topicId: zeroUuid, partitions: [part(0)] }])
  const gone = await side.topic('f-gone')
  await side.quiet(deleteTopics, 6, { topics: [{ name: 'f-gone' }], topicNames: [], timeoutMs })
  await side.settle()
  await ask('a topic that is gone', [{ topic: 'f-gone', topicId: gone, partitions: [part(0)] }])
}

export async function fetchSessionScenario(side: Side): Promise<void> {
  for (const version of side.versionsOf(fetch)) {
    const ids = new Map<string, string>()
    const [b, a] = [`fs-b-v${version}`, `fs-a-v${version}`]
    for (const name of [b, a]) ids.set(name, await side.topic(name, 3))
    await append(side, b, 0, 'b')
    await append(side, a, 1, 'a')
    const of = (topic: string, ...partitions: FetchPartition[]): FetchTopic => ({
      topic,
      topicId: ids.get(topic) ?? unknownId,
      partitions,
    })
    const forget = (topic: string, ...partitions: number[]) => ({
      topic,
      topicId: ids.get(topic) ?? unknownId,
      partitions,
    })
    const ask = async (
      label: string,
      id: number,
      epoch: number,
      topics: FetchTopic[],
      more: Partial<FetchBody> = {},
    ) => {
      const body = request(topics, { sessionId: id, sessionEpoch: epoch, ...more })
      const answer = await side.ask(label, fetch, version, body)
      return typeof answer === 'string' ? 0 : answer.sessionId
    }
    await ask('no session', 0, -1, [of(b, part(0))])
    await ask('no session, epoch 1', 0, 1, [of(b, part(0))])
    await ask('no session, epoch -2', 0, -2, [of(b, part(0))])
    await ask('unknown session', 12345, 1, [of(b, part(0))])
    await ask('unknown session, full', 12345, 0, [of(b, part(0))])
    await ask('unknown session, closing', 12345, -1, [of(b, part(0))])
    await ask('a session of nothing', 0, 0, [])
    if (version < 7) continue
    const id = await ask('full', 0, 0, [of(b, part(0), part(1)), of(a, part(2), part(1))])
    await ask('nothing new', id, 1, [], { maxWaitMs: 50, minBytes: 1 })
    await ask('same epoch again', id, 1, [])
    await ask('epoch too high', id, 7, [])
    await ask('read on', id, 2, [of(b, part(0, 1)), of(a, part(1, 1))])
    await append(side, b, 1, 'more')
    await ask('one has more', id, 3, [])
    await ask('and again', id, 4, [])
    await ask('one joins', id, 5, [of(b, part(2)), of(b, part(1, 1))])
    await ask('nothing', id, 6, [])
    await ask('an unknown one joins', id, 7, [of('fs-none', part(0)), of(b, part(9))])
    await ask('it is told each time', id, 8, [])
    await ask('they are forgotten', id, 9, [], { forgottenTopicsData: [forget('fs-none', 0), forget(b, 9)] })
    await ask('forgotten and asked', id, 10, [of(b, part(0, 0))], { forgottenTopicsData: [forget(b, 0)] })
    await ask('so it is gone or not', id, 11, [])
    await ask('forgotten that never was', id, 12, [], { forgottenTopicsData: [forget(a, 0), forget('fs-none', 4)] })
    await ask('out of range', id, 13, [of(a, part(1, 99))])
    await ask('out of range, again', id, 14, [])
    await ask('in range', id, 15, [of(a, part(1, 1))])
    await append(side, a, 1, 'x')
    await append(side, a, 2, 'y')
    await append(side, b, 0, 'z')
    await ask('order after news', id, 16, [])
    await ask('order once more', id, 17, [], { maxBytes: 1 })
    await side.quiet(deleteRecords, 2, {
      topics: [{ name: a, partitions: [{ partitionIndex: 1, offset: 1 }] }],
      timeoutMs,
    })
    await ask('a log start moved', id, 18, [of(a, part(1, 2)), of(a, part(2, 1)), of(b, part(0, 2), part(1, 1))])
    await ask('quiet', id, 19, [])
    const other = version < 13 ? 13 : 12
    const rangeEnd = side.versionsOf(fetch).at(-1)!
    if (other <= rangeEnd) {
      await side.ask('a version of the other kind', fetch, other, request([], { sessionId: id, sessionEpoch: 20 }))
      await ask('after that', id, 20, [])
      await ask('after that, one on', id, 21, [])
    }
    const renewed = await ask('anew over the old one', id, 0, [of(b, part(0, 2))])
    await ask('the old one', id, 22, [])
    await ask('the new one', renewed, 1, [])
    await ask('closed', renewed, -1, [of(b, part(0, 2))])
    await ask('closed indeed', renewed, 2, [])
    const all = await ask('all forgotten', 0, 0, [of(b, part(0))])
    await ask('all forgotten, now', all, 1, [], { forgottenTopicsData: [forget(b, 0)] })
    await ask('all forgotten, then', all, 2, [of(b, part(0))])
    const last = await ask('a topic goes', 0, 0, [of(a, part(0)), of(b, part(2))])
    await side.quiet(deleteTopics, 6, { topics: [{ name: a }], topicNames: [], timeoutMs })
    await side.settle()
    await ask('it went', last, 1, [])
    await ask('it went, still', last, 2, [])
    await side.topic(a, 3)
    await side.settle()
    await pause(200)
    await ask('it came back', last, 3, [])
    await ask('it came back, still', last, 4, [])
    await ask('a wrong epoch after errors', last, 4, [])
  }
}
