// Reads a partition as it stands in the log, record by record, with what its batches say of transactions.

import { errorName } from '../../protocol/errors.ts'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import * as batch from '../../protocol/records/batch.ts'
import { parseMarker } from '../../protocol/records/control.ts'
import { readRecords, type StoredRecord } from '../../protocol/records/record.ts'
import type { WireClient } from '../wire-client.ts'
import type { Place } from './history.ts'
import { pause } from './pause.ts'

/** Of the wire, where the broker says that it will not do. */
export class Refusal extends Error {
  readonly error: string

  constructor(what: string, error: string) {
    super(`${what}: ${error}`)
    this.error = error
  }
}

/** What is said of a log that cannot be read just now; any other word would be said of what is lost. */
const passing = new Set([
  'KAFKA_STORAGE_ERROR',
  'NOT_LEADER_OR_FOLLOWER',
  'LEADER_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'UNSTABLE_OFFSET_COMMIT',
])

/** What reading a log says where there is no answer, or not yet. */
export const isOfTheConnection = (problem: unknown): boolean =>
  problem instanceof Refusal ? passing.has(problem.error) : / v\d+: (closed|silence)$/.test((problem as Error).message)

const patienceMs = 30_000
const chunkBytes = 4_000_000

type Read = {
  readonly bytes: Buffer
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly aborted: readonly { producerId: number; firstOffset: number }[]
}

/** Up to where the log ended when the walk began; answers that. Reads to the last stable offset at isolation 1. */
export async function walk(
  client: WireClient,
  { topic, partition }: Place,
  from: number,
  isolationLevel: 0 | 1,
  note: (record: StoredRecord, producerId: number, isOut: boolean) => void,
  mark: (offset: number, producerId: number, isCommit: boolean) => void = () => {},
): Promise<number> {
  let end: number | undefined
  let progressAt = performance.now()
  for (let offset = from; ; ) {
    const { bytes, highWatermark, lastStableOffset, aborted } = await fetchFrom(
      client,
      topic,
      partition,
      offset,
      isolationLevel,
    )
    end ??= isolationLevel === 1 ? lastStableOffset : highWatermark
    const start = offset
    const coming = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
    const out = new Set<number>()
    for (const at of batch.iterateBatches(bytes)) {
      while (coming[0] !== undefined && coming[0].firstOffset <= batch.lastOffset(bytes, at)) {
        out.add(coming.shift()!.producerId)
      }
      const producerId = batch.isTransactional(bytes, at) ? batch.producerId(bytes, at) : -1
      if (!batch.crcMatches(bytes, at))
        throw new Error(`${topic}-${partition}: a batch at ${offset} with a wrong checksum`)
      for (const record of readRecords(bytes, at)) {
        if (record.offset < offset || record.offset >= end) continue
        if (batch.isControl(bytes, at)) {
          const isCommit = parseMarker(record.key, record.value)?.type === 'COMMIT'
          if (!isCommit) out.delete(producerId)
          mark(record.offset, producerId, isCommit)
        } else note(record, producerId, producerId >= 0 && out.has(producerId))
      }
      offset = batch.nextOffset(bytes, at)
    }
    if (offset >= end) return end
    if (offset > start) progressAt = performance.now()
    else if (performance.now() - progressAt < patienceMs)
      await pause(20) // views look at so much at a time
    else throw new Error(`${topic}-${partition} ends at ${end} and has nothing at ${offset}`)
  }
}

async function fetchFrom(
  client: WireClient,
  topic: string,
  partition: number,
  fetchOffset: number,
  isolationLevel: 0 | 1,
): Promise<Read> {
  const partitions = [{ partition, fetchOffset, partitionMaxBytes: chunkBytes, currentLeaderEpoch: -1 }]
  const body = { maxWaitMs: 0, minBytes: 0, maxBytes: chunkBytes, isolationLevel, forgottenTopicsData: [] }
  const giveUpAt = performance.now() + patienceMs
  for (;;) {
    const answer = await client.ask(fetch, 11, { ...body, topics: [{ topic, partitions }] })
    const found = answer.responses[0]!.partitions[0]!
    if (found.errorCode === 0) {
      const bytes = Buffer.isBuffer(found.records) ? found.records : Buffer.concat(found.records ?? [])
      const { highWatermark, lastStableOffset, abortedTransactions } = found
      // A client that looks at no bound of its own would show them: who reads here does, and would see nothing wrong.
      for (const at of isolationLevel === 1 ? batch.iterateBatches(bytes) : [])
        if (batch.baseOffset(bytes, at) >= lastStableOffset)
          throw new Error(
            `${topic}-${partition}: sent ${batch.baseOffset(bytes, at)}, undecided from ${lastStableOffset} on`,
          )
      return { bytes, highWatermark, lastStableOffset, aborted: abortedTransactions ?? [] }
    }
    const name = errorName(found.errorCode)
    if (name === 'UNKNOWN_TOPIC_OR_PARTITION' || performance.now() > giveUpAt) {
      throw new Refusal(`Fetch of ${topic}-${partition} from ${fetchOffset}`, name ?? '?')
    }
    await pause(50)
  }
}
