// Producers with sequences that go on, repeat, leave gaps and begin anew with another epoch, in batches of several kinds, while the
// log is cut; then what the log has, by offset, time and epoch, in a session whose partitions come and go.

import { produce } from '../../../protocol/messages/00-produce.ts'
import { fetch } from '../../../protocol/messages/01-fetch.ts'
import { listOffsets } from '../../../protocol/messages/02-list-offsets.ts'
import { deleteRecords } from '../../../protocol/messages/21-delete-records.ts'
import { offsetForLeaderEpoch } from '../../../protocol/messages/23-offset-for-leader-epoch.ts'
import { describeProducers } from '../../../protocol/messages/61-describe-producers.ts'
import type { Body } from '../../wire-client.ts'
import { batchOf } from '../../wire-client.ts'
import type { Side } from '../side.ts'
import { type Chance, walks } from './chance.ts'

const stepCount = 80
const partitionCount = 3
const producerIds = [70_001, 70_002]
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
type Place = { topic: string; topicId: string }

export async function recordWalks(side: Side): Promise<void> {
  await walks('wr', side, (chance) => walk(side, chance))
}

async function walk(side: Side, chance: Chance): Promise<void> {
  const places: Place[] = []
  for (const [name, configs] of [
    ['x', {}],
    ['y', { 'cleanup.policy': 'compact', 'max.message.bytes': '400' }],
    ['z', { 'message.timestamp.type': 'LogAppendTime' }],
  ] as const) {
    const topic = `${chance.walk}-${name}`
    places.push({ topic, topicId: await side.topic(topic, partitionCount, configs) })
  }
  for (const id of producerIds) side.rememberProducer(id, `<${id}>`)
  const sequences = new Map<string, number>()
  let session = { sessionId: 0, sessionEpoch: 0 }
  for (let step = 0; step < stepCount; step++) {
    const label = `${chance.walk} ${step}`
    const kind = chance.one(['send', 'send', 'send', 'send', 'offsets', 'cut', 'fetch', 'fetch'] as const)
    if (kind === 'send') await send(side, chance, places, sequences, label)
    else if (kind === 'offsets') await offsets(side, chance, chance.one(places), label)
    else if (kind === 'cut') await cut(side, chance, chance.one(places), label)
    else session = await readOn(side, chance, places, session, label)
  }
}

async function send(
  side: Side,
  chance: Chance,
  places: readonly Place[],
  sequences: Map<string, number>,
  label: string,
): Promise<void> {
  const { topic, topicId } = chance.one(places)
  const indexes = chance.often(0.8) ? [chance.below(partitionCount)] : [0, 1, 2]
  const version = chance.one([3, 7, 9, 11, 12, 13])
  const partitionData = indexes.map((index) => ({
    index,
    records: batchFor(side, chance, sequences, `${topic} ${index}`),
  }))
  const named = version >= 13 ? { topicId, name: '' } : { name: topic }
  const body: Body<typeof produce> = {
    acks: chance.mostly(-1, 1),
    timeoutMs: 3000,
    topicData: [{ ...named, partitionData }],
  }
  await side.ask(label, produce, version, body)
}

function batchFor(side: Side, chance: Chance, sequences: Map<string, number>, place: string): Buffer {
  const count = 1 + chance.below(4)
  const values = Array.from({ length: count }, (_, n) => ({
    key: chance.often(0.95) ? `k${chance.below(3)}` : null,
    value: chance.often(0.9) ? `v${n}`.repeat(1 + chance.below(40)) : null,
    timestamp: side.base + chance.below(1000) - 500,
  }))
  const packed = { codec: chance.mostly(...codecs) }
  if (chance.often(0.3)) return batchOf(values as never, packed)
  const producerId = chance.one(producerIds)
  const producerEpoch = chance.mostly(3, 2, 4)
  const key = `${place} ${producerId} ${producerEpoch}`
  const next = sequences.get(key) ?? 0
  const drawn = chance.often(0.7)
    ? next
    : Math.max(0, next + chance.one([-1, -2, -count, 1, 3, -next, 0x7fff_ffff - next]))
  if (drawn === next) sequences.set(key, next + count)
  return batchOf(values as never, { ...packed, producerId, producerEpoch, baseSequence: drawn })
}

async function offsets(side: Side, chance: Chance, { topic }: Place, label: string): Promise<void> {
  const timestamps = [-1, -2, -3, -4, -5, -6, -7, side.base, side.base - 600, side.base + 600, side.base + 100]
  const timestamp = chance.one(timestamps)
  const currentLeaderEpoch = chance.mostly(-1, 0, 1)
  const partitions = [0, 1, 2].map((partitionIndex) => ({ partitionIndex, timestamp, currentLeaderEpoch }))
  const body = {
    replicaId: chance.mostly(-1, -2),
    isolationLevel: chance.below(2),
    topics: [{ name: topic, partitions }],
  }
  await side.each(`${label}: ${timestamp < 0 ? timestamp : timestamp - side.base}`, listOffsets, (version) => {
    if (version < 4 && currentLeaderEpoch !== -1) return undefined
    return version >= 2 ? body : { replicaId: body.replicaId, topics: body.topics }
  })
  const leaderEpoch = chance.one([-1, 0, 1])
  const asked = [0, 1, 2].map((partition) => ({ partition, currentLeaderEpoch, leaderEpoch }))
  await side.ask(label, offsetForLeaderEpoch, chance.one([2, 3, 4]), { topics: [{ topic, partitions: asked }] })
  await side.ask(label, describeProducers, 0, { topics: [{ name: topic, partitionIndexes: [0, 1, 2] }] })
}

async function cut(side: Side, chance: Chance, { topic }: Place, label: string): Promise<void> {
  const asked = [chance.below(partitionCount)].map((partitionIndex) => ({
    partitionIndex,
    offset: chance.one([-1, 0, 2, 5, 9, 500, -2]),
  }))
  await side.ask(`${label}: cut ${JSON.stringify(asked)}`, deleteRecords, chance.below(3), {
    topics: [{ name: topic, partitions: asked }],
    timeoutMs: 5000,
  })
}

type Session = { sessionId: number; sessionEpoch: number }

/** In a session for the most part: some partitions are asked anew, some forgotten, and epochs go wrong now and then. */
async function readOn(
  side: Side,
  chance: Chance,
  places: readonly Place[],
  session: Session,
  label: string,
): Promise<Session> {
  const topics = chance.some(places).map(({ topicId }) => ({
    topicId,
    partitions: chance.some([0, 1, 2, 7], 0.4).map((partition) => ({
      partition,
      fetchOffset: chance.one([0, 0, 1, 3, 8, 20, -1]),
      partitionMaxBytes: chance.mostly(1 << 20, 1, 100, 300),
      currentLeaderEpoch: chance.mostly(-1, -1, 0, 1),
      lastFetchedEpoch: chance.mostly(-1, -1, -1, 0),
    })),
  }))
  const forgottenTopicsData = chance
    .some(places, 0.2)
    .map(({ topicId }) => ({ topicId, partitions: chance.some([0, 1, 2], 0.4) }))
  const epoch = chance.often(0.9) ? session.sessionEpoch : chance.one([-1, 0, session.sessionEpoch + 1])
  const answer = await side.ask(`${label}: epoch ${epoch}`, fetch, chance.one([13, 15, 16, 17, 18]), {
    ...{ maxWaitMs: 0, minBytes: 0, isolationLevel: chance.below(2), maxBytes: chance.mostly(1 << 20, 1, 500) },
    ...{ ...session, sessionEpoch: epoch, topics, forgottenTopicsData },
  })
  if (typeof answer === 'string' || answer.errorCode !== 0) return { sessionId: 0, sessionEpoch: 0 }
  if (answer.sessionId === 0) return { sessionId: 0, sessionEpoch: 0 }
  return { sessionId: answer.sessionId, sessionEpoch: epoch + 1 }
}
