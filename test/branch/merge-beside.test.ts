// Merges beside everything else: producers at full speed, retention, limits and clocks of the target, protected topics.

import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import * as batch from '../../protocol/records/batch.ts'
import { WireClient } from '../wire-client.ts'
import { type Read, Stage } from './stage.ts'

/** How many records of each partition one fetch of committed data gives: all partitions are looked at in one turn. */
async function glance(wire: WireClient, topics: readonly string[], partitions: number): Promise<number[]> {
  const answer = await wire.ask(fetch, 12, {
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 10_000_000,
    isolationLevel: 1,
    sessionId: 0,
    sessionEpoch: -1,
    topics: topics.map((topic) => ({
      topic,
      partitions: Array.from({ length: partitions }, (_, partition) => ({
        ...{ partition, currentLeaderEpoch: -1, fetchOffset: 0, lastFetchedEpoch: -1, logStartOffset: -1 },
        partitionMaxBytes: 1_000_000,
      })),
    })),
    forgottenTopicsData: [],
    rackId: '',
  })
  return answer.responses.flatMap((topic) =>
    topic.partitions.map(({ records }) => {
      const bytes = Buffer.concat([records ?? Buffer.alloc(0)].flat() as Buffer[])
      let count = 0
      for (const at of batch.iterateBatches(bytes))
        if (!batch.isControl(bytes, at)) count += batch.recordCount(bytes, at)
      return count
    }),
  )
}

const compacted = { 'cleanup.policy': 'compact' }
const dayMs = 86_400_000
const isMerged = ({ headers }: Read) => headers?.['branch.merge'] !== undefined

test('B31: keys that are rewritten at full speed while they are merged: nothing is overwritten that the merge did not see', {
  timeout: 120_000,
}, async () => {
  for (const onConflict of ['ours', 'theirs', 'park'] as const) {
    await using stage = await Stage.open()
    const keys = Array.from({ length: 200 }, (_, i) => `k${i}`)
    await stage.create('P', 1, compacted)
    await stage.send(
      'P',
      keys.map((key) => ({ key, value: 'base' })),
    )
    await stage.fork('P', 'C')
    await stage.send(
      'C',
      keys.map((key) => ({ key, value: `c ${key}` })),
    )
    let count = 0
    let isOver = false
    const rewriting = (async () => {
      while (!isOver) {
        const messages = Array.from({ length: 3 }, () => ({
          key: keys[(count * 7) % keys.length]!,
          value: `p${count++}`,
        }))
        await stage.send('P', messages)
      }
    })()
    while (count < 60) await pause(1)
    const event = await stage.run({ op: 'merge', id: 'm1', from: 'C', into: 'P', onConflict })
    const seen = count
    while (count < seen + 60) await pause(1)
    isOver = true
    await rewriting
    const end = (await stage.ends('P'))[0]!.high
    const [merged] = event.topics![0]!.partitions!
    // Markers take an offset and are given to nobody.
    const records = await stage.read('P', end - 1)
    const before = new Set(
      records
        .filter((one) => Number(one.offset) >= 200 && Number(one.offset) < merged!.first!)
        .map(({ key }) => String(key)),
    )
    expect(event.counts!.conflicts, onConflict).toBe(before.size)
    expect(before.size).toBeGreaterThan(0)
    if (onConflict === 'park') {
      const parked = await stage.read('__branch_conflicts', before.size)
      expect(new Set(parked.map(({ value }) => JSON.parse(String(value)).key))).toEqual(before)
    }
    // No update is lost: what is newest of a key was written after the merge's own record, or is that, or it was a conflict.
    for (const key of keys) {
      const own = records.filter((one) => String(one.key) === key && Number(one.offset) >= 200)
      const last = own.at(-1)!
      const at = own.findIndex(isMerged)
      const isSafe = at === own.length - 1 || (at >= 0 && Number(last.offset) > Number(own[at]!.offset))
      expect([onConflict, key, isSafe || before.has(key)]).toEqual([onConflict, key, true])
      if (at > 0) expect([onConflict, key, before.has(key)]).toEqual(['theirs', key, true])
    }
    const written = records.filter(isMerged).map(({ key }) => String(key))
    expect(written).toHaveLength(onConflict === 'theirs' ? 200 : 200 - before.size)
    if (onConflict !== 'theirs') expect(written.filter((key) => before.has(key))).toEqual([])
    // One range, whatever was sent meanwhile.
    expect(records.filter(isMerged).map(({ offset }) => Number(offset))).toEqual(
      Array.from({ length: written.length }, (_, i) => merged!.first! + i),
    )
  }
})

test.each([{}, { strategy: 'fast-forward' }])(
  'B62: old records that are merged stay for as long as the target keeps records %o',
  async (how) => {
    await using stage = await Stage.open({ config: { 'log.retention.check.interval.ms': 20 } })
    const old = String(Date.now() - 10 * dayMs)
    const week = { 'retention.ms': 7 * dayMs, 'segment.bytes': 1_048_576 }
    for (const topic of ['P', 'control']) await stage.create(topic, 1, week)
    await stage.fork('P', 'C', { 'retention.ms': -1 })
    // More than a segment, so that not all of it lies beside the marker.
    const large = 'x'.repeat(300_000)
    for (let i = 0; i < 6; i++) await stage.send('C', [{ value: large, timestamp: old }])
    await stage.run({ op: 'merge', id: 'm1', from: 'C', into: 'P', ...how })
    await stage.send('control', [{ value: 'x', timestamp: old }])
    while ((await stage.ends('control'))[0]!.low === 0) await pause(10)
    expect((await stage.ends('P'))[0]!.low).toBe(0)
    const records = await stage.read('P', 6)
    expect(records.map(({ timestamp }) => timestamp)).toEqual(Array.from({ length: 6 }, () => old))
  },
)

test('B62: a record just under the limit merges, a larger one is refused; a clock of the target counts where it is asked for', async () => {
  await using stage = await Stage.open()
  await stage.create('P', 1, { 'max.message.bytes': 20_000, 'message.timestamp.type': 'LogAppendTime' })
  await stage.fork('P', 'C', { 'message.timestamp.type': 'CreateTime' })
  await stage.fork('P', 'D', { 'max.message.bytes': 100_000 })
  // A batch of one record of this length has a byte less than the limit.
  await stage.send('C', [{ value: 'x'.repeat(20_000 - 61 - 12), timestamp: '1000' }])
  await stage.send('D', ['y'.repeat(30_000)])
  expect(await stage.run({ op: 'merge', id: 'm1', from: 'C', into: 'P' })).toMatchObject({ counts: { written: 1 } })
  const [record] = await stage.read('P', 1)
  expect(Date.now() - Number(record!.timestamp)).toBeLessThan(dayMs)
  const refused = await stage.run({ op: 'merge', id: 'm2', from: 'D', into: 'P' })
  expect(refused).toMatchObject({ status: 'rejected', error: { code: 'MESSAGE_TOO_LARGE' } })
  expect((await stage.ends('P'))[0]!.high).toBe(2)
})

test('B56: a topic that only merges may write to takes a merge and its revert, and no record of a producer', async () => {
  await using stage = await Stage.open()
  await stage.create('P', 1, { ...compacted, 'branch.protect': 'merge' })
  await stage.fork('P', 'C')
  await stage.send('C', [{ key: 'k', value: '1' }])
  await expect(stage.send('P', [{ key: 'k', value: '2' }])).rejects.toThrow()
  expect(await stage.run({ op: 'merge', id: 'm1', from: 'C', into: 'P' })).toMatchObject({ counts: { written: 1 } })
  expect(await stage.run({ op: 'revert', id: 'v1', merge: 'm1' })).toMatchObject({ counts: { written: 1 } })
  expect((await stage.read('P', 2)).map(({ value }) => value && String(value))).toEqual(['1', null])
})

test('a producer of transactions writes on while merges come and go', async () => {
  await using stage = await Stage.open()
  await stage.create('P', 1, compacted)
  await stage.fork('P', 'C')
  const producer = stage.kafka.producer({ transactionalId: 't', idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  for (let i = 0; i < 10; i++) {
    const transaction = await producer.transaction()
    await transaction.send({ topic: 'P', messages: [{ key: `p${i}`, value: 'p' }] })
    await stage.send('C', [{ key: `c${i}`, value: 'c' }])
    const merging = stage.run({ op: 'merge', id: `m${i}`, from: 'C', into: 'P' })
    await transaction.send({ topic: 'P', messages: [{ key: `q${i}`, value: 'p' }] })
    await transaction.commit()
    expect(await merging).toMatchObject({ status: 'committed', counts: { written: 1 } })
  }
  await producer.disconnect()
  const values = (await stage.read('P', 30)).map(({ key }) => String(key))
  expect(new Set(values).size).toBe(30)
})

test('B30: whoever reads committed data of three topics at any moment of a merge sees all of it or nothing', async () => {
  await using stage = await Stage.open()
  const topics = ['a', 'b', 'c']
  for (const topic of topics) await stage.create(topic, 4, compacted)
  await stage.run({ op: 'fork', id: 'f1', set: 's', topics: topics.map((from) => ({ from })) })
  const messages = Array.from({ length: 500 }, (_, i) => ({ key: `k${i}`, value: 'x'.repeat(100) }))
  for (const topic of topics) for (const partition of [0, 1, 2, 3]) await stage.send(`${topic}--s`, messages, partition)
  const wire = await WireClient.open(stage.broker.bootstrapServers)
  let isOver = false
  const merging = stage.run({ op: 'merge', id: 'm1', set: 's' }).finally(() => {
    isOver = true
  })
  const seen = new Set<string>()
  while (!isOver) seen.add(String(await glance(wire, topics, 4)))
  expect(await merging).toMatchObject({ status: 'committed', counts: { written: 6000 } })
  seen.add(String(await glance(wire, topics, 4)))
  const all = (count: number) => String(Array.from({ length: 12 }, () => count))
  expect([...seen].sort()).toEqual([all(0), all(500)])
  wire.close()
})
