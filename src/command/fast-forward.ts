// The strategy `fast-forward`: a target whose log is the beginning of the source's gets the rest of it, byte for byte and at the
// same offsets. Its files are those of the source then, shared as a fork shares them:
//
//   source   ████████████│████████│██████│▒▒ goes on, not decided yet
//   target   ████████████│████┃            before
//   target   ████████████│████████│██████┃ after, its own writes behind it
//
// All partitions are put together in a folder aside; one record makes it true, and the folder takes its place.

import { StorageError } from '../../protocol/errors.ts'
import type { MergeCommand } from '../branch/commands.ts'
import type { BranchEvent, PlannedKey, Rejection } from '../branch/events.ts'
import { eventOfMerge } from '../branch/merge-event.ts'
import type { MergedPartition, MergedTopic, MergeRecord } from '../branch/merge-records.ts'
import { raised } from '../branch/vector.ts'
import type { Broker } from '../broker/broker.ts'
import type { Partition } from '../broker/partition.ts'
import type { Topic } from '../broker/topic.ts'
import { forwardedFolder, nameForwarded } from '../broker/topic-folders.ts'
import { type Fork, forkLog } from '../log/fork.ts'
import type { Log } from '../log/log.ts'
import { flushSnapshot, saveSnapshot } from '../log/producer-snapshot.ts'
import { randomId } from '../storage/clock.ts'
import type { History } from './history.ts'
import type { Asked, TopicPair } from './merge-pairs.ts'
import type { Call } from './operations.ts'

/** What is put together of one partition. */
type Move = {
  readonly partition: Partition
  readonly source: Partition
  readonly from: number
  readonly to: number
  readonly fork: Fork
}
type Prepared = { readonly pair: TopicPair; readonly token: string; readonly moves: readonly Move[] }

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export class FastForward {
  readonly #broker: Broker
  readonly #history: History

  constructor(broker: Broker, history: History) {
    this.#broker = broker
    this.#history = history
  }

  async plan(pairs: readonly TopicPair[], asked: Asked, call: Call): Promise<BranchEvent> {
    const problems = this.#problems(pairs)
    return await this.#history.write({
      ...this.#told(asked, call, problems.length > 0 ? 'conflicts' : 'clean', pairs),
      type: 'plan',
      ...(asked.op === 'plan' ? {} : { op: asked.op, dryRun: true }),
      counts: {
        written: problems.length > 0 ? 0 : this.#length(pairs),
        same: 0,
        skipped: 0,
        conflicts: problems.length,
      },
      keys: problems.slice(0, asked.limit),
    })
  }

  async merge(pairs: readonly TopicPair[], asked: MergeCommand, call: Call): Promise<BranchEvent | Rejection> {
    const targets = [...new Set(pairs.flatMap(({ into }) => into.partitions))]
    const began = performance.now()
    const open = targets.map(({ gate }) => gate.close())
    const prepared: Prepared[] = []
    try {
      await turn() // Whoever saw a gate open has written by now.
      const problems = this.#problems(pairs)
      if (problems.length > 0) return await this.#refuse(pairs, asked, call, problems)
      for (const pair of pairs) prepared.push(this.#prepare(pair))
      await this.#settle(prepared)
      const { lead, record } = this.#record(prepared, asked, call, () => performance.now() - began)
      await this.#broker.noteLineage([...lead.map((one) => one.record), record])
      // In one turn for all of them.
      for (const one of prepared) this.#swap(one)
      for (const one of lead) one.lead()
      return await this.#history.write(eventOfMerge(record))
    } catch (cause) {
      for (const { pair, token } of prepared) this.#discard(pair, token)
      throw cause
    } finally {
      for (const each of open) each()
    }
  }

  // --- whether it may be

  #problems(pairs: readonly TopicPair[]): PlannedKey[] {
    return pairs.flatMap(({ from, into }) =>
      into.partitions.flatMap((partition) => {
        const kind = this.#problem(from, into, partition)
        return kind === undefined ? [] : [{ topic: into.name, partition: partition.index, kind }]
      }),
    )
  }

  #problem(from: Topic, into: Topic, { index, log }: Partition): string | undefined {
    const source = from.partitions[index]!
    const { lineage } = this.#broker
    const own = lineage.knowledge(into.id, index)
    const { logStartOffset, logEndOffset } = log
    if (logEndOffset > source.lastStableOffset) return 'not-a-prefix'
    if (!own.isPrefixOf(lineage.knowledge(from.id, index), logStartOffset, logEndOffset)) return 'not-a-prefix'
    if (Number.isFinite(log.producers.transactions.firstOpen)) return 'open-transaction'
    return source.logStartOffset > logStartOffset || isThinned(source.log, into, log) ? 'history-lost' : undefined
  }

  /** How many offsets are new to the targets. */
  #length(pairs: readonly TopicPair[]): number {
    const partitions = pairs.flatMap(({ from, into }) =>
      into.partitions.map(({ index, logEndOffset }) => from.partitions[index]!.lastStableOffset - logEndOffset),
    )
    return partitions.reduce((sum, count) => sum + count, 0)
  }

  async #refuse(pairs: readonly TopicPair[], asked: MergeCommand, call: Call, problems: readonly PlannedKey[]) {
    return await this.#history.write({
      ...this.#told(asked, call, 'conflicts', pairs),
      type: 'merge',
      counts: { written: 0, same: 0, skipped: 0, conflicts: problems.length },
      keys: problems.slice(0, asked.limit),
    })
  }

  #told({ id, pair }: Asked, { by }: Call, status: 'clean' | 'conflicts', pairs: readonly TopicPair[]) {
    const at = this.#broker.clock.now()
    const set = 'set' in pair ? { set: pair.set } : {}
    const topics = pairs.map(({ from, into }) => ({
      from: from.name,
      into: into.name,
      fromId: from.id,
      intoId: into.id,
    }))
    return { v: 1, id, at, by, status, ...set, strategy: 'fast-forward', topics } as const
  }

  // --- putting together

  #prepare(pair: TopicPair): Prepared {
    const token = randomId(this.#broker.clock).replaceAll('.', '_')
    const moves: Move[] = []
    const prepared = { pair, token, moves }
    try {
      for (const partition of pair.into.partitions) moves.push(this.#move(pair, partition, token))
    } catch (cause) {
      this.#discard(pair, token)
      throw cause
    }
    return prepared
  }

  #move({ from, into }: TopicPair, partition: Partition, token: string): Move {
    const { store, clock } = this.#broker
    const source = from.partitions[partition.index]!
    const folder = `${forwardedFolder(into.id, token)}/${partition.index}`
    const leaderEpoch = epochOf(partition, source)
    const { logStartOffset, logEndOffset } = partition
    const forkAt = (offset: number): Fork => {
      const log = offset > logEndOffset ? source.log : partition.log
      return forkLog(store, log, folder, { offset, leaderEpoch, now: clock.now(), outcomeOf: () => 'ABORT' })
    }
    // A transaction that is decided behind the end is not for this time, and what stands between is not either.
    let to = Math.max(source.lastStableOffset, logEndOffset)
    let fork = forkAt(to)
    while (fork.inherited.open.length > 0) {
      this.#clear(into, token, partition)
      to = Math.max(logEndOffset, Math.min(...fork.inherited.open.map(({ firstOffset }) => firstOffset)))
      fork = forkAt(to)
    }
    // Its producers go on with the sequences that they have here: nothing that was brought is theirs.
    const { producers } = partition.log
    if (source.log.producers.hasSeenTransactions) producers.expectTransactions()
    saveSnapshot(store, folder, to, producers)
    const numbered = to > logEndOffset ? source : partition
    const inherited = { ...fork.inherited, logStartOffset: Math.max(logStartOffset, fork.inherited.logStartOffset) }
    numbered.numbering.carryTo(folder, inherited)
    return { partition, source, from: logEndOffset, to, fork: { ...fork, inherited } }
  }

  /** What was put together of one partition is not what was wanted. */
  #clear({ id }: Topic, token: string, { index }: Partition): void {
    const { store } = this.#broker
    const folder = forwardedFolder(id, token)
    store.removeFolder(`${folder}/${index}`)
    for (const name of store.list(folder)) if (name.startsWith(`${index}.`)) store.remove(`${folder}/${name}`)
  }

  /** Names are on stable storage when it resolves, and bytes as far as they were promised to be. */
  async #settle(prepared: readonly Prepared[]): Promise<void> {
    const { store } = this.#broker
    const folders = prepared.flatMap(({ pair: { into }, token, moves }) => {
      const folder = forwardedFolder(into.id, token)
      return [folder, ...moves.map(({ partition: { index } }) => `${folder}/${index}`)]
    })
    const flushes = prepared.flatMap(({ moves }) =>
      moves.flatMap(({ partition, source }) => [partition.flush(), source.flush()]),
    )
    // No record of the target tells of its producers any more: what is promised of a power cut holds for this too.
    const snapshots = prepared.flatMap(({ pair: { into }, token, moves }) =>
      moves
        .filter(({ partition }) => partition.promisesFlush)
        .map(({ partition: { index }, to }) => flushSnapshot(store, `${forwardedFolder(into.id, token)}/${index}`, to)),
    )
    // Together: what fails while nobody waits for it ends the process.
    await Promise.all([...snapshots, ...flushes])
    await store.syncFolder(...folders)
    const moves = prepared.flatMap((one) => one.moves)
    const gone = moves.flatMap(({ partition, source }) => [partition, source]).find(({ isRemoved }) => isRemoved)
    if (gone !== undefined) throw new StorageError('ENOENT', 'a topic was deleted meanwhile')
  }

  #record(prepared: readonly Prepared[], asked: MergeCommand, { by }: Call, gateMs: () => number) {
    const { leaderships, clock } = this.#broker
    const lead = prepared.map(({ pair: { into, from } }) => leaderships.renewed(into, from))
    const written = prepared.flatMap(({ moves }) => moves).reduce((sum, { from, to }) => sum + to - from, 0)
    const record: MergeRecord = {
      v: 1,
      type: 'merge',
      id: asked.id,
      at: clock.now(),
      by,
      op: 'merge',
      ...('set' in asked.pair ? { set: asked.pair.set } : {}),
      strategy: 'fast-forward',
      status: 'committed',
      topics: prepared.map((one) => this.#topicOf(one)),
      counts: { written, same: 0, skipped: 0, conflicts: 0 },
      gateMs: Math.round(10 * gateMs()) / 10,
    }
    return { lead, record }
  }

  #topicOf({ pair: { from, into }, token, moves }: Prepared): MergedTopic {
    return {
      from: from.name,
      fromId: from.id,
      into: into.name,
      intoId: into.id,
      partitions: moves.map((move) => this.#partitionOf(from, into, move)),
      forwarded: { folder: token, partitions: moves.map(({ fork }) => fork.inherited) },
    }
  }

  #partitionOf(source: Topic, target: Topic, { partition: { index }, from, to }: Move): MergedPartition {
    const { lineage } = this.#broker
    const theirs = lineage.knowledge(source.id, index)
    const { [target.id]: _, ...learnt } = raised(theirs.knownAt(to), { [source.id]: to })
    const known = raised(lineage.known(target.id, index), learnt)
    if (to === from) return { partition: index, from, to, known, end: to }
    const { spans } = theirs.asOf(to)
    const merged = theirs.mergedWithin(from, to)
    return { partition: index, from, to, first: from, last: to - 1, known, end: to, spans, merged }
  }

  // --- taking its place

  #swap({ pair: { into }, token, moves }: Prepared): void {
    for (const { partition, fork } of moves) {
      partition.replaceFiles(fork.inherited)
      // Some of them may not be packed yet.
      this.#broker.housekeeping.noteSealed(into, partition)
    }
    nameForwarded(this.#broker.store, into.id, token, moves.length)
  }

  #discard({ into }: TopicPair, token: string): void {
    if (this.#broker.lineage.forwardedOf(into.id)?.folder === token) return
    try {
      this.#broker.store.removeFolder(forwardedFolder(into.id, token))
    } catch (cause) {
      console.error(`What a fast-forward has put together could not be removed: ${String(cause)}`)
    }
  }
}

/** Whether a part that the target has may have lost records in the source, which the target would not lose by itself. */
const isThinned = (source: Log, { config }: Topic, { compactedOffset, logEndOffset }: Log): boolean =>
  !config.cleanupPolicy.compact &&
  source.compactedOffset > compactedOffset &&
  source.segments.some(
    ({ baseOffset, isShared }) => !isShared && baseOffset < Math.min(logEndOffset, source.compactedOffset),
  )

/** As `Leaderships.renewed` will have it. */
const epochOf = (partition: Partition, source: Partition): number =>
  Math.max(partition.leaderEpoch, source.leaderEpoch) + 1
