// The moment of a merge: the targets' producers wait, the plan is held against what arrived since, batches and markers go in
// as one transaction, and the producers go on. What a kill leaves of it, or a disk, is finished or taken back by the next start
// or the next merge (merge-recovery.ts).
//
//   merge-begin ─ gates closed ─ last look ─ append ─ commit (true from here on) ─ merge ─ gates open ─ __branches

import type { BranchEvent } from '../branch/events.ts'
import { eventOfMerge } from '../branch/merge-event.ts'
import type { MergeBeginRecord, MergedPartition, MergedTopic, MergeRecord } from '../branch/merge-records.ts'
import type { OwnProducer } from '../branch/merge-writer.ts'
import type { Broker } from '../broker/broker.ts'
import type { KeyedRecord } from '../broker/internal-topic.ts'
import type { Partition } from '../broker/partition.ts'
import type { Topic } from '../broker/topic.ts'
import type { History } from './history.ts'
import type { MergeTransaction } from './merge-transaction.ts'
import type { OpenConflicts } from './open-conflicts.ts'

/** What is to be written into one partition. */
export type Writing = {
  /** By place in the record. */
  readonly topic: number
  readonly target: Topic
  readonly partition: Partition
  /** Without what is known only when it is written. */
  readonly merged: () => Omit<MergedPartition, 'first' | 'last' | 'end'>
  readonly written: () => number
  readonly batches: () => readonly Buffer[]
  /** Behind those, from an offset on. */
  readonly lateBatches: (from: number) => readonly Buffer[]
}

export type MergeJob = {
  readonly producer: OwnProducer
  readonly topics: readonly Omit<MergedTopic, 'partitions'>[]
  readonly writings: readonly Writing[]
  /** What arrived meanwhile is looked at, but for the last of it. */
  readonly catchUp?: () => Promise<void>
  /** Nobody writes into the targets any more; false: nothing may be written. Undefined: to see that would take long (catchUp). */
  readonly conclude: (mayTakeLong: boolean) => boolean | undefined
  /** All of the record that is not about places. */
  readonly record: () => Omit<MergeRecord, 'v' | 'type' | 'topics' | 'gateMs' | 'at'>
  /** For `__branch_conflicts`, as part of the transaction. */
  readonly conflicts: () => readonly KeyedRecord[]
}

/** `unknown`: the transaction log refused both answers, and may hold the first all the same (merge-recovery.ts finds out). */
type Fate = { is: 'open' | 'committed' | 'unknown' }

/** How often the gates are opened again because the last look would take long. */
const againMax = 4
/** Bytes that are appended in one go, in a few milliseconds: with every turn of others in between the gate stays closed longer. */
const sliceBytes = 4 * 1024 * 1024

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export class MergeCommits {
  readonly #broker: Broker
  readonly #history: History
  readonly #transaction: MergeTransaction
  readonly #conflicts: OpenConflicts
  /** Of a merge that is committed and not noted: the disk did not take it, and takes it later. */
  #note: (() => Promise<void>) | undefined

  constructor(broker: Broker, history: History, transaction: MergeTransaction, conflicts: OpenConflicts) {
    this.#broker = broker
    this.#history = history
    this.#transaction = transaction
    this.#conflicts = conflicts
  }

  /** Undefined where the last look has found that nothing may be written. Rejects with StorageError. */
  async run(job: MergeJob): Promise<BranchEvent | undefined> {
    await this.settle()
    const begin = this.#beginning(job)
    await this.#broker.noteLineage([begin])
    const fate: Fate = { is: 'open' }
    let record: MergeRecord | undefined
    try {
      await this.#history.write(eventOfMerge(begin))
      // While that went to the disk a busy target got more than should be looked at behind a closed gate.
      await job.catchUp?.()
      let written = await this.#write(job, fate, false)
      for (let again = 1; written === 'again'; again++) {
        await job.catchUp?.()
        written = await this.#write(job, fate, again === againMax)
      }
      record = written
    } catch (cause) {
      // What is committed and not noted is noted when it is asked for again, or by the next start.
      if (fate.is === 'open') await this.#giveUp(begin)
      throw cause
    }
    if (record === undefined) {
      await this.#giveUp(begin)
      return undefined
    }
    return await this.#history.write(eventOfMerge(record))
  }

  /** Notes what is committed, if that is left to do. Rejects with StorageError. */
  async settle(): Promise<void> {
    await this.#note?.()
    this.#note = undefined
  }

  #beginning({ producer, topics, writings, record }: MergeJob): MergeBeginRecord {
    const places = topics.map((topic, i): MergedTopic => {
      const own = writings.filter((writing) => writing.topic === i)
      return {
        ...topic,
        partitions: own.map(({ merged, partition }) => ({ ...merged(), end: partition.logEndOffset })),
      }
    })
    const at = this.#broker.clock.now()
    return { v: 1, type: 'merge-begin', ...record(), ...producer, at, topics: places }
  }

  async #giveUp({ id }: MergeBeginRecord): Promise<void> {
    const begin = this.#broker.lineage.begun.get(id)
    if (begin === undefined) return
    await this.#broker.noteLineage([{ v: 1, type: 'merge-aborted', id }])
    await this.#history.write(eventOfMerge(begin, 'aborted'))
  }

  async #write(job: MergeJob, fate: Fate, mayTakeLong: boolean): Promise<MergeRecord | 'again' | undefined> {
    const targets = [...new Set(job.writings.map(({ partition }) => partition))]
    const began = performance.now()
    const open = targets.map(({ gate }) => gate.close())
    try {
      await turn() // Whoever saw a gate open has written by now.
      const isGood = job.conclude(mayTakeLong)
      if (isGood !== true) return isGood === undefined ? 'again' : undefined
      const partitions = await this.#append(job, fate)
      const gateMs = Math.round(10 * (performance.now() - began)) / 10
      const record: MergeRecord = {
        v: 1,
        type: 'merge',
        ...job.record(),
        at: this.#broker.clock.now(),
        gateMs,
        topics: job.topics.map((topic, i) => ({
          ...topic,
          partitions: partitions.filter((_, at) => job.writings[at]!.topic === i),
        })),
      }
      // In effect before anybody writes on, or forks what was written.
      this.#broker.lineage.apply(record)
      for (const each of open.splice(0)) each()
      this.#note = async () => {
        // A power cut must not leave it said of records that are gone.
        await Promise.all(targets.map(flushUnlessGone))
        await this.#broker.noteLineage([record])
      }
      await this.settle()
      return record
    } finally {
      for (const each of open) each()
    }
  }

  async #append(job: MergeJob, fate: Fate): Promise<MergedPartition[]> {
    const conflicts = job.conflicts()
    const places = job.writings
      .filter(({ written }) => written() > 0)
      .map(({ target, partition }) => ({ topic: target.name, partition: partition.index }))
    if (conflicts.length > 0) places.push(this.#conflicts.place)
    if (places.length === 0) {
      fate.is = 'committed'
      return job.writings.map((writing) => endOf(writing))
    }
    await this.#transaction.join(places)
    const partitions: MergedPartition[] = []
    try {
      for (const writing of job.writings) partitions.push(await appendTo(writing))
      await Promise.all(job.writings.map(({ partition }) => partition.flushed()))
      if (conflicts.length > 0) await this.#conflicts.append(conflicts, job.producer)
      await this.#transaction.commit()
      fate.is = 'committed'
    } catch (cause) {
      if (!(await this.#transaction.abort())) fate.is = 'unknown'
      throw cause
    }
    this.#conflicts.apply(conflicts)
    return partitions.map((merged, i) => ({ ...merged, end: endBehind(job.writings[i]!.partition, merged) }))
  }
}

const endOf = ({ merged, partition }: Writing): MergedPartition => ({ ...merged(), end: partition.logEndOffset })

/** With the marker. A topic may be deleted in the moment of its merge, and the others of the set are merged all the same. */
const endBehind = (partition: Partition, { end }: MergedPartition): number =>
  partition.isRemoved ? end : partition.logEndOffset

/** What went offline meanwhile is flushed by nobody any more, and later merges are not to wait for it. */
async function flushUnlessGone(partition: Partition): Promise<void> {
  const isGone = () => partition.isRemoved || partition.offline !== undefined
  try {
    if (!isGone()) await partition.flush()
  } catch (cause) {
    if (!isGone()) throw cause
  }
}

async function appendTo(writing: Writing): Promise<MergedPartition> {
  if (writing.written() === 0) return endOf(writing)
  const { partition } = writing
  let first: number | undefined
  let last = -1
  let byteCount = 0
  const append = (bytes: Buffer) => {
    const appended = partition.appendOwn(bytes)
    first ??= appended.baseOffset
    last = appended.lastOffset
    byteCount += bytes.length
  }
  for (const bytes of writing.batches()) {
    append(bytes)
    if (byteCount < sliceBytes) continue
    byteCount = 0
    await turn()
  }
  // They name their own offsets, so nothing comes in between.
  for (const bytes of writing.lateBatches(partition.logEndOffset)) append(bytes)
  return { ...endOf(writing), ...(first === undefined ? {} : { first, last }) }
}
