// Reads what the broker has after a kill, as it stands in the log: by the wire, with no client between that could mend it.

import { createHash } from 'node:crypto'
import { errorName } from '../../protocol/errors.ts'
import { listOffsets } from '../../protocol/messages/02-list-offsets.ts'
import { offsetFetch } from '../../protocol/messages/09-offset-fetch.ts'
import type { StoredRecord } from '../../protocol/records/record.ts'
import type { Connect, WireClient } from '../wire-client.ts'
import { idOf } from './documents.ts'
import type { BranchTold, Happened, Logged, MarkerSeen, Place, Telling } from './history.ts'
import { Refusal, walk } from './log-reader.ts'
import { pause } from './pause.ts'

/** A coordinator that has just started loads what it knows. */
const patienceMs = 30_000

export class Auditor {
  readonly #connect: Connect
  readonly #history: Telling
  readonly #ends = new Map<string, number>()
  #client: WireClient | undefined
  /** How long an open transaction may keep an audit waiting. */
  stableMs = 500

  constructor(connect: Connect, history: Telling) {
    this.#connect = connect
    this.#history = history
  }

  /** All of what has come since the last audit, or everything from the start. */
  async audit(
    n: number,
    topics: ReadonlyMap<string, number>,
    groups: readonly [group: string, topic: string][],
    whole = false,
  ) {
    this.#client?.close() // a kill ended it
    this.#client = await this.#connect('crash-lab-audit')
    this.#history.tell({ t: 'audit', n, whole })
    await this.#events(whole)
    const places = [...topics].flatMap(([topic, partitions]) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
    )
    // All at once: a broker that is busy keeps each answer waiting, and open transactions those of their groups.
    const reads = Promise.allSettled(places.map((place) => this.#log(place, whole)))
    const asked = Promise.allSettled(groups.map(([group, topic]) => this.#offsets(group, topic, topics.get(topic)!)))
    // A parent is told before its branches.
    for (const read of fulfilled(await reads)) {
      if (read.t === 'log') this.#ends.set(`${read.topic}-${read.partition}`, read.to)
      this.#history.tell(read)
    }
    fulfilled(await asked)
    this.#history.tell({ t: 'audited', n })
  }

  /**
   * What has come since it was last looked at, or everything. A view comes up with its source slice by slice after a start, and
   * a fetch tells how far it is; where it ends ListOffsets knows.
   */
  async revisions(view: string, of: string, partitions: number, whole: boolean): Promise<void> {
    for (let partition = 0; partition < partitions; partition++) {
      const from = whole ? 0 : (this.#ends.get(`${view}-${partition}`) ?? 0)
      const records: (readonly [number, string, number, string])[] = []
      const note = (record: StoredRecord) => {
        const rev = record.headers.find(({ key }) => key === 'rev')?.value
        records.push([record.offset, String(record.key), Number(rev), idOf(record.value)])
      }
      const end = await this.#end({ topic: view, partition })
      const giveUpAt = performance.now() + patienceMs
      for (let at = from; at < end; ) {
        const next = await walk(this.#client!, { topic: view, partition }, at, 0, note)
        if (next <= at && performance.now() > giveUpAt) throw new Error(`${view}-${partition} stays at ${at} of ${end}`)
        if (next <= at) await pause(20)
        at = Math.max(at, next)
      }
      // What lies behind all that was read of its source is held against that the next time.
      this.#ends.set(`${view}-${partition}`, Math.min(end, this.#ends.get(`${of}-${partition}`) ?? 0))
      this.#history.tell({ t: 'revisions', topic: view, of, partition, from, records })
    }
  }

  async #end({ topic, partition }: Place): Promise<number> {
    const partitions = [{ partitionIndex: partition, timestamp: -1, currentLeaderEpoch: -1 }]
    const topics = [{ name: topic, partitions }]
    const answer = await this.#client!.ask(listOffsets, 5, { replicaId: -1, isolationLevel: 0, topics })
    const { errorCode, offset } = answer.topics[0]!.partitions[0]!
    if (errorCode !== 0) throw new Refusal(`ListOffsets of ${topic}-${partition}`, errorName(errorCode) ?? '?')
    return offset
  }

  /** As who reads committed records alone; transactions that their producers have left are ended meanwhile. */
  async stable(topic: string, partitions: number): Promise<void> {
    for (let partition = 0; partition < partitions; partition++) {
      const place = { topic, partition }
      const giveUpAt = performance.now() + patienceMs
      for (;;) {
        const records: (readonly [number, string])[] = []
        const to = await walk(this.#client!, place, 0, 1, (record, _, isOut) => {
          if (!isOut) records.push([record.offset, idOf(record.value)])
        })
        if (to < (await this.#end(place)) && performance.now() < giveUpAt) {
          await pause(200)
          continue
        }
        this.#history.tell({ t: 'stable', ...place, to, records })
        break
      }
    }
  }

  close(): void {
    this.#client?.close()
  }

  async #log(place: Place, whole: boolean): Promise<Happened> {
    const name = `${place.topic}-${place.partition}`
    const from = whole ? 0 : (this.#ends.get(name) ?? 0)
    const records: Logged[] = []
    const markers: MarkerSeen[] = []
    const mark = (offset: number, producerId: number, isCommit: boolean) => markers.push([offset, producerId, isCommit])
    const note = (record: StoredRecord, producerId: number) => {
      const merge = String(record.headers.find(({ key }) => key === 'branch.merge')?.value ?? '')
      const key = record.key === null ? '' : String(record.key)
      records.push([record.offset, idOf(record.value), producerId, merge, key, restOf(record)])
    }
    try {
      const to = await walk(this.#client!, place, from, 0, note, mark)
      // While transactions are open, as after a kill: the walk holds what is sent to who reads committed records against its bound.
      if (place.topic.startsWith('txn')) await walk(this.#client!, place, from, 1, () => {})
      return { t: 'log', ...place, from, to, records, markers }
    } catch (problem) {
      if (!(problem instanceof Refusal) || !place.topic.includes('--')) throw problem
      return { t: 'absent', ...place, error: problem.error } // a branch may be gone by now
    }
  }

  async #events(whole: boolean): Promise<void> {
    const name = '__branches'
    const from = whole ? 0 : (this.#ends.get(name) ?? 0)
    const to = await walk(this.#client!, { topic: name, partition: 0 }, from, 0, ({ offset, value }) => {
      this.#history.tell({ t: 'event', offset, event: JSON.parse(String(value)) as BranchTold })
    })
    this.#ends.set(name, to)
  }

  /** Of a group whose offsets come by transactions, what is decided: nothing is told where one stays open. */
  async #offsets(groupId: string, topic: string, partitions: number): Promise<void> {
    const requireStable = groupId.startsWith('progress')
    const partitionIndexes = Array.from({ length: partitions }, (_, i) => i)
    const groups = [{ groupId, topics: [{ name: topic, partitionIndexes }] }]
    const since = performance.now()
    for (;;) {
      const answer = await this.#client!.ask(offsetFetch, 8, { groups, requireStable })
      const { errorCode, topics } = answer.groups[0]!
      const found = topics[0]?.partitions ?? []
      const refused = errorCode !== 0 ? { errorCode } : found.find((each) => each.errorCode !== 0)
      if (refused === undefined) {
        for (const { partitionIndex: partition, committedOffset: offset } of found) {
          if (offset >= 0 || !requireStable)
            this.#history.tell({ t: 'offset', group: groupId, topic, partition, offset })
        }
        return
      }
      const name = errorName(refused.errorCode)
      const waited = performance.now() - since
      if (name === 'UNSTABLE_OFFSET_COMMIT' && waited > this.stableMs) return
      if (waited > patienceMs) throw new Refusal(`OffsetFetch of ${groupId}`, name ?? '?')
      await pause(50)
    }
  }
}

/** All that was promised; throws what one of them threw. */
function fulfilled<T>(settled: readonly PromiseSettledResult<T>[]): T[] {
  return settled.map((each) => {
    if (each.status === 'rejected') throw each.reason
    return each.value
  })
}

/** Whatever a record has beside its value. */
function restOf({ key, timestamp, headers }: StoredRecord): string {
  const all = [key, timestamp, ...headers.flatMap((header) => [header.key, header.value])]
  const words = all.map((each) => (Buffer.isBuffer(each) ? each.toString('base64') : String(each)))
  return createHash('sha1').update(words.join('\n')).digest('base64url').slice(0, 8)
}
