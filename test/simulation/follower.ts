// Reads a partition by fetches that wait at its end, in a session (KIP-227): every record once, in its order, woken when there is one.

import { errorName } from '../../protocol/errors.ts'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import * as batch from '../../protocol/records/batch.ts'
import { readRecords } from '../../protocol/records/record.ts'
import { idOf } from '../crash-lab/documents.ts'
import type { Place, Telling } from '../crash-lab/history.ts'
import { type Caller, Lost, Refused } from './caller.ts'

const passing = new Set(['KAFKA_STORAGE_ERROR', 'UNKNOWN_TOPIC_OR_PARTITION', 'NOT_LEADER_OR_FOLLOWER'])

export class Follower {
  readonly #place: Place
  readonly #caller: Caller
  readonly #history: Telling
  #offset = 0
  #session = { id: 0, epoch: 0 }

  constructor(place: Place, caller: Caller, history: Telling) {
    this.#place = place
    this.#caller = caller
    this.#history = history
  }

  /** A few fetches, each of which waits for as long as there is nothing. */
  async follow(): Promise<void> {
    try {
      for (let i = 0; i < 3; i++) await this.#fetch()
    } catch (problem) {
      if (!(problem instanceof Lost)) throw problem
      this.#session = { id: 0, epoch: 0 }
    }
  }

  async #fetch(): Promise<void> {
    const { topic, partition } = this.#place
    const from = this.#offset
    const partitions = [{ partition, fetchOffset: from, partitionMaxBytes: 700, currentLeaderEpoch: -1 }]
    const answer = await this.#caller.ask(fetch, 11, {
      maxWaitMs: 2000,
      minBytes: 1,
      maxBytes: 100_000,
      isolationLevel: 0,
      sessionId: this.#session.id,
      sessionEpoch: this.#session.epoch,
      topics: [{ topic, partitions }],
      forgottenTopicsData: [],
    })
    const said = errorName(answer.errorCode)
    if (said === 'FETCH_SESSION_ID_NOT_FOUND' || said === 'INVALID_FETCH_SESSION_EPOCH') {
      this.#session = { id: 0, epoch: 0 }
      return
    }
    if (answer.errorCode !== 0) throw new Refused('Fetch', String(said))
    this.#session = { id: answer.sessionId, epoch: answer.sessionId === 0 ? 0 : this.#session.epoch + 1 }
    const found = answer.responses[0]?.partitions[0]
    if (found === undefined) return
    if (found.errorCode !== 0) {
      if (!passing.has(errorName(found.errorCode)!)) throw new Refused('Fetch', errorName(found.errorCode)!)
      return
    }
    const bytes = Buffer.isBuffer(found.records) ? found.records : Buffer.concat(found.records ?? [])
    const records: [number, string][] = []
    for (const at of batch.iterateBatches(bytes)) {
      if (!batch.crcMatches(bytes, at)) throw new Error(`${topic}-${partition}: a wrong checksum at ${this.#offset}`)
      for (const { offset, value } of readRecords(bytes, at)) if (offset >= from) records.push([offset, idOf(value)])
      this.#offset = batch.nextOffset(bytes, at)
    }
    records.forEach(([offset], i) => {
      if (offset !== from + i) throw new Error(`${topic}-${partition}: ${offset} came where ${from + i} was due`)
    })
    if (records.length > 0)
      this.#history.tell({ t: 'read', group: `follower of ${topic}`, reader: 'follower', topic, partition, records })
  }
}
