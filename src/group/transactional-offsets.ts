// Offsets that are committed as part of a transaction (KIP-98): they lie in the log as its records, and count from its
// marker on, or never.

import type { ErrorName, Refusal } from '../../protocol/errors.ts'
import type { Committer } from './group.ts'
import type { Commit } from './offset-requests.ts'
import type { CommittedAt, TopicPartition } from './offsets.ts'
import type { TransactionalProducer, TransactionMarker } from './offsets-log.ts'
import { offsetRecord } from './records.ts'
import { refusalOf } from './refusal.ts'
import type { Roster } from './roster.ts'

export type StageRequest = Committer &
  TransactionalProducer & { readonly groupId: string; readonly commits: readonly Commit[] }

export class TransactionalOffsets {
  readonly #roster: Roster

  constructor(roster: Roster) {
    this.#roster = roster
  }

  /** Where the offsets of a group are kept: the partition that joins a transaction which commits them. */
  placeOf(groupId: string): TopicPartition {
    return { topic: '__consumer_offsets', partition: this.#roster.partitionOf(groupId) }
  }

  /**
   * One answer for each commit; the good ones are in the log by then. The caller has seen that the producer's transaction
   * is open and holds the group's partition, in this very turn: what ends it queues up behind these records.
   */
  async stage(request: StageRequest): Promise<ErrorName[]> {
    const refusal = this.#refuse(request)
    if (refusal !== 'NONE') return request.commits.map(() => refusal)
    const metadataMax = this.#roster.config['offset.metadata.max.bytes']
    const isGood = ({ metadata }: Commit) => metadata.length <= metadataMax
    const outcome = await this.#write(request, request.commits.filter(isGood).map(this.#committed()))
    return request.commits.map((commit) => (isGood(commit) ? outcome : 'OFFSET_METADATA_TOO_LARGE'))
  }

  #refuse(request: StageRequest): ErrorName {
    const closed = this.#roster.memberGate(request.groupId)
    if (closed !== 'NONE') return closed
    const group = this.#roster.find(request.groupId)
    if (group !== undefined) return group.admitTransactionalCommit({ ...request, partitions: request.commits })
    return request.generation < 0 ? 'NONE' : 'ILLEGAL_GENERATION'
  }

  #committed(): (commit: Commit) => CommittedAt {
    const commitAt = this.#roster.clock.now()
    return ({ topic, partition, topicId, offset, leaderEpoch, metadata }) => ({
      topic,
      partition,
      committed: { offset, leaderEpoch, metadata, commitAt, expireAt: null, topicId },
    })
  }

  async #write({ groupId, producerId, producerEpoch }: StageRequest, all: readonly CommittedAt[]): Promise<ErrorName> {
    if (all.length === 0) return 'NONE'
    const records = all.map((of) => offsetRecord(groupId, of.topic, of.partition, of.committed))
    const partition = this.#roster.partitionOf(groupId)
    try {
      await this.#roster.writeBy(
        partition,
        (log) => log.append(partition, records, { producerId, producerEpoch }),
        () => this.#roster.findOrMake(groupId).offsets.stage(producerId, all),
      )
      return 'NONE'
    } catch (error) {
      return refusalOf(error)
    }
  }

  /** The transaction is decided: its marker goes behind its records, and what it committed counts from here on. */
  async settle(partition: number, marker: TransactionMarker): Promise<Refusal | undefined> {
    const { producerId, type } = marker
    let refusal: Refusal | undefined
    const append = async (log: Parameters<Parameters<Roster['writeBy']>[1]>[0]) => {
      refusal = await log.appendMarker(partition, marker)
    }
    const apply = () => {
      if (refusal !== undefined) return
      for (const { id, offsets } of this.#roster.all) {
        if (this.#roster.partitionOf(id) === partition)
          offsets.settle(producerId, type === 'COMMIT' ? 'commit' : 'abort')
      }
    }
    await this.#roster.writeBy(partition, append, apply)
    return refusal
  }
}
