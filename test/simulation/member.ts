// A member of a consumer group (KIP-848): heartbeats, reads what it is assigned, commits, and gives back what it is asked for.

import { errorName } from '../../protocol/errors.ts'
import { offsetCommit } from '../../protocol/messages/08-offset-commit.ts'
import { offsetFetch } from '../../protocol/messages/09-offset-fetch.ts'
import { consumerGroupHeartbeat } from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import { idOf } from '../crash-lab/documents.ts'
import type { Telling } from '../crash-lab/history.ts'
import { Refusal, walk } from '../crash-lab/log-reader.ts'
import { type Caller, Lost, Refused } from './caller.ts'
import type { Ownership } from './ownership.ts'

export const sessionMs = 6_000
/** What a member is told that is no member any more, or is not one yet; it begins anew, or asks again. */
const fenced = new Set(['UNKNOWN_MEMBER_ID', 'FENCED_MEMBER_EPOCH', 'STALE_MEMBER_EPOCH'])

/** The group and what it reads. */
export type Subscribed = { readonly group: string; readonly topic: string; readonly isolation: 0 | 1 }

export class Member {
  readonly #of: Subscribed
  readonly #id: string
  readonly #caller: Caller
  readonly #history: Telling
  readonly #ownership: Ownership
  #epoch = 0
  #topicId = ''
  /** Next offset by partition; undefined where it has not asked for it yet. */
  readonly #positions = new Map<number, number | undefined>()

  constructor(of: Subscribed, id: string, caller: Caller, history: Telling, ownership: Ownership) {
    this.#of = of
    this.#id = id
    this.#caller = caller
    this.#history = history
    this.#ownership = ownership
  }

  /** One round of what a consumer does all the time. */
  async poll(): Promise<void> {
    try {
      await this.#heartbeat()
      for (const partition of [...this.#positions.keys()]) await this.#read(partition)
    } catch (problem) {
      if (problem instanceof Lost || isOfTheConnection(problem)) this.#caller.close()
      else if (problem instanceof Refused && fenced.has(problem.error)) {
        if (problem.error !== 'STALE_MEMBER_EPOCH') this.#forget()
      } else throw problem
    }
  }

  async leave(): Promise<void> {
    if (this.#epoch === 0) return
    const epoch = this.#epoch
    this.#forget()
    const body = { groupId: this.#of.group, memberId: this.#id, memberEpoch: -1 }
    if (epoch > 0) await this.#caller.ask(consumerGroupHeartbeat, 0, body).catch(() => {})
  }

  #name(partition: number): string {
    return `${this.#of.group} ${this.#of.topic}-${partition}`
  }

  #forget(): void {
    for (const partition of this.#positions.keys()) this.#ownership.give(this.#name(partition), this.#id)
    this.#positions.clear()
    this.#epoch = 0
  }

  async #heartbeat(): Promise<void> {
    const sentAt = this.#caller.loop.now
    const owned = { topicId: this.#topicId, partitions: [...this.#positions.keys()] }
    const isNew = this.#epoch === 0
    const answer = await this.#caller.ask(consumerGroupHeartbeat, 0, {
      groupId: this.#of.group,
      memberId: this.#id,
      memberEpoch: this.#epoch,
      rebalanceTimeoutMs: 30_000,
      subscribedTopicNames: [this.#of.topic],
      topicPartitions: isNew || this.#positions.size === 0 ? [] : [owned],
    })
    const said = errorName(answer.errorCode)
    if (answer.errorCode !== 0 && (said === undefined || !passing.has(said)))
      throw new Refused('heartbeat', said ?? '?')
    if (answer.errorCode !== 0) return
    this.#epoch = answer.memberEpoch
    if (answer.assignment !== null) {
      const assigned = answer.assignment.topicPartitions
      this.#topicId = assigned[0]?.topicId ?? this.#topicId
      const wanted = new Set(assigned.flatMap(({ partitions }) => partitions))
      for (const partition of [...this.#positions.keys()]) {
        if (wanted.has(partition)) continue
        this.#positions.delete(partition)
        this.#ownership.give(this.#name(partition), this.#id)
      }
      for (const partition of wanted) if (!this.#positions.has(partition)) this.#positions.set(partition, undefined)
    }
    const { now } = this.#caller.loop
    for (const partition of this.#positions.keys())
      this.#ownership.take(this.#name(partition), this.#id, now, sentAt + sessionMs)
  }

  async #read(partition: number): Promise<void> {
    const { group, topic, isolation } = this.#of
    const from = this.#positions.get(partition) ?? (await this.#committed(partition))
    const place = { topic, partition }
    const records: [number, string][] = []
    const client = await this.#caller.client()
    const to = await walk(client, place, from, isolation, ({ offset, value }, _, isOut) => {
      if (!isOut) records.push([offset, idOf(value)])
    })
    if (!this.#positions.has(partition)) return
    this.#positions.set(partition, to)
    if (to === from) return
    if (records.length > 0) this.#history.tell({ t: 'read', group, reader: this.#id, ...place, records })
    this.#history.tell({ t: 'commit', group, ...place, offset: to })
    const told = await this.#caller.ask(offsetCommit, 9, {
      groupId: group,
      generationIdOrMemberEpoch: this.#epoch,
      memberId: this.#id,
      topics: [
        { name: topic, partitions: [{ partitionIndex: partition, committedOffset: to, committedMetadata: null }] },
      ],
    })
    const { errorCode } = told.topics[0]!.partitions[0]!
    if (errorCode === 0) this.#history.tell({ t: 'committed', group, ...place, offset: to })
    else if (!passing.has(errorName(errorCode)!)) throw new Refused('OffsetCommit', errorName(errorCode)!)
    else throw new Lost('OffsetCommit')
  }

  async #committed(partition: number): Promise<number> {
    const topics = [{ name: this.#of.topic, partitionIndexes: [partition] }]
    const groups = [{ groupId: this.#of.group, memberId: this.#id, memberEpoch: this.#epoch, topics }]
    const told = await this.#caller.ask(offsetFetch, 9, { groups, requireStable: true })
    const found = told.groups[0]!.topics[0]?.partitions[0]
    const errorCode = told.groups[0]!.errorCode || (found?.errorCode ?? 0)
    if (errorCode === 0) return Math.max(0, found?.committedOffset ?? 0)
    const said = errorName(errorCode)!
    if (passing.has(said)) throw new Lost(`OffsetFetch: ${said}`)
    throw new Refused('OffsetFetch', said)
  }
}

const passing = new Set([
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
  'KAFKA_STORAGE_ERROR',
  'UNSTABLE_OFFSET_COMMIT',
])

/** What reading a log says where there is no answer, or not yet. */
const isOfTheConnection = (problem: unknown): boolean =>
  problem instanceof Refusal || / v\d+: (closed|silence)$/.test((problem as Error).message)
