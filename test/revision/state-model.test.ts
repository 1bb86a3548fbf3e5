// R6 over the wire: whatever has become of a topic, its state at an offset or a time is the map that a consumer of committed
// records builds by replaying the topic to there. Lives by chance: transactions, tombstones, times that go back, deleted records,
// packs that come meanwhile.

import { expect, test } from 'vitest'
import { listOffsets } from '../../protocol/messages/02-list-offsets.ts'
import * as batch from '../../protocol/records/batch.ts'
import { readRecords } from '../../protocol/records/record.ts'
import { WireClient } from '../wire-client.ts'
import { type Draw, drawing } from './delta-pairs.ts'
import { Packs } from './packs.ts'
import { type Read, trim } from './stage.ts'

type Entry = readonly [offset: number, key: string, value: string | null]

const keys = ['a', 'b', 'c', 'd', 'long'.repeat(30)]
const viewsOfLife = 35
const lives = 15
const livesOfBroker = 5
const firstTime = 1_700_000_000_000

function messagesOf(draw: Draw): { key: string; value: string | null; timestamp: string }[] {
  return Array.from({ length: 1 + draw(20) }, () => ({
    key: keys[draw(keys.length)]!,
    value: draw(6) === 0 ? null : `${draw(1000)}`.repeat(1 + draw(30)),
    timestamp: String(firstTime + draw(1000)),
  }))
}

/** Writes in plain and in transactions, and answers how many records are committed. */
async function write(packs: Packs, topic: string, draw: Draw): Promise<number> {
  let committed = 0
  const producer = packs.stage.kafka.producer({ transactionalId: topic, idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  try {
    for (let step = 2 + draw(5); step > 0; step--) {
      const plain = messagesOf(draw)
      if (draw(2) === 0) {
        await packs.send(topic, plain)
        committed += plain.length
        continue
      }
      const transaction = await producer.transaction()
      const inside = messagesOf(draw)
      const [isCommitted, isBeside] = [draw(2) === 0, draw(2) === 0]
      await transaction.send({ topic, messages: inside.map((message) => ({ ...message, partition: 0 })) })
      if (isBeside) await packs.send(topic, plain)
      await (isCommitted ? transaction.commit() : transaction.abort())
      committed += (isBeside ? plain.length : 0) + (isCommitted ? inside.length : 0)
    }
  } finally {
    await producer.disconnect()
  }
  return committed
}

function replayed(records: readonly Entry[], below: number): Entry[] {
  const map = new Map<string, Entry>()
  for (const record of records) if (record[0] < below) map.set(record[1], record)
  return [...map.values()].sort(([a], [b]) => a - b)
}

const entryOf = ({ offset, key, value }: Read): Entry => [
  Number(offset),
  String(key),
  value === null ? null : String(value),
]

async function shown(packs: Packs, topic: string, from: number, isCommitted: boolean): Promise<Entry[]> {
  const batches = await packs.batches(topic, isCommitted, from)
  for (const bytes of batches) expect(batch.isTransactional(bytes, 0)).toBe(false)
  return batches
    .flatMap((bytes) => [...readRecords(bytes, 0)])
    .map(({ offset, key, value }) => [offset, String(key), value === null ? null : String(value)])
}

type Bounds = { low: number; high: number }

/** What ListOffsets answers for a time in each of these topics. */
async function offsetsAt(wire: WireClient, topics: readonly string[], timestamp: number): Promise<number[]> {
  const wanted = topics.map((name) => {
    return { name, partitions: [{ partitionIndex: 0, timestamp, currentLeaderEpoch: -1 }] }
  })
  const answer = await wire.ask(listOffsets, 7, { replicaId: -1, isolationLevel: 0, topics: wanted })
  const found = new Map(answer.topics.map(({ name, partitions: [one] }) => [name, one!]))
  return topics.map((name) => {
    expect(found.get(name)!.errorCode).toBe(0)
    return Number(found.get(name)!.offset)
  })
}

async function boundsOf(wire: WireClient, topics: readonly string[]): Promise<Bounds[]> {
  const [lows, highs] = [await offsetsAt(wire, topics, -2), await offsetsAt(wire, topics, -1)]
  return lows.map((low, i) => ({ low, high: highs[i]! }))
}

/** `view.at`, and how to ask for the offset that a client would replay to. */
type Point = { readonly at: string; readonly below: () => Promise<number> }

function pointOf(wire: WireClient, topic: string, { low, high }: Bounds, draw: Draw): Point {
  if (draw(2) === 0) {
    const offset = low + draw(high - low + 1)
    return { at: `offset:${offset}`, below: () => Promise.resolve(offset) }
  }
  const time = firstTime - 10 + draw(1020)
  const below = async () => {
    const [found] = await offsetsAt(wire, [topic], time)
    return found === -1 ? high : found!
  }
  return { at: `timestamp:${time}`, below }
}

/** Makes all views in one request, as an admin client may. */
async function makeViews({ stage }: Packs, topic: string, ats: ReadonlyMap<string, string>): Promise<void> {
  const topics = [...ats].map(([name, at]) => {
    const configs = { 'view.of': topic, 'view.kind': 'state', 'view.at': at }
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
    return { topic: name, numPartitions: -1, configEntries }
  })
  await stage.admin.createTopics({ topics })
}

async function live(packs: Packs, topic: string, draw: Draw): Promise<void> {
  await packs.create(topic, { 'revision.diff': draw(4) > 0, 'revision.keyframe.every': 2 + draw(40) })
  const count = await write(packs, topic, draw)
  const all = (await packs.stage.read(topic, count)).map(entryOf)
  const wire = await WireClient.open(packs.stage.broker.bootstrapServers)
  try {
    const [whole] = await boundsOf(wire, [topic])
    const start = draw(3) === 0 ? draw(whole!.high + 1) : 0
    if (start > 0) await trim(packs.stage, topic, start)
    const records = all.filter(([offset]) => offset >= start)
    const points = new Map<string, Point>()
    const before = []
    for (let i = 0; i < viewsOfLife; i++) {
      const point = pointOf(wire, topic, { ...whole!, low: start }, draw)
      points.set(`${topic}-at-${i}`, point)
      before.push(await point.below())
    }
    await makeViews(packs, topic, new Map([...points].map(([name, { at }]) => [name, at])))
    const bounds = await boundsOf(wire, [...points.keys()])
    const highOf = (entries: readonly Entry[]) => (entries.length === 0 ? start : entries.at(-1)![0] + 1)
    for (const [i, [name, { at, below }]] of [...points].entries()) {
      // A pack that came meanwhile leaves out what was taken back: the first record of a time may be another one then.
      const isOfBefore = highOf(replayed(records, before[i]!)) === bounds[i]!.high
      const expected = replayed(records, isOfBefore ? before[i]! : await below())
      expect(await shown(packs, name, start, draw(2) === 0), `${name}, ${at}`).toEqual(expected)
      const high = highOf(expected)
      expect(bounds[i], `${name}, ${at}`).toEqual({ low: start, high })
      if (i === 0 && expected.length > 0) {
        expect((await packs.stage.read(name, expected.length)).map(entryOf)).toEqual(expected)
      }
    }
  } finally {
    wire.close()
  }
}

const soakMs = 1000 * Number(process.env['TWIGLOG_SOAK_SECONDS'] ?? 0)

test('R6: the state of random lives, as of random offsets and times, is what a consumer replays to there', {
  timeout: 400_000 + 2 * soakMs,
}, async () => {
  const first = Number(process.env['TWIGLOG_SEED'] ?? Date.now() % 1_000_000_000)
  console.log(`seeds from ${first}`)
  const until = Date.now() + soakMs
  for (let seed = first; seed < first + lives || Date.now() < until; seed += livesOfBroker) {
    // KafkaJS goes on asking for all topics that it ever wrote to.
    await using packs = await Packs.open()
    for (let one = seed; one < seed + livesOfBroker; one++) {
      try {
        await live(packs, `life-${one}`, drawing(one))
      } catch (cause) {
        throw new Error(`TWIGLOG_SEED=${one}: ${(cause as Error).message}`, { cause })
      }
    }
  }
})
