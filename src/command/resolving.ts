// The op `resolve`: a key that a merge has parked gets one value, and its conflict is closed, in one transaction.

import type { ResolveCommand } from '../branch/commands.ts'
import { conflictKey, type OpenConflict, type ToldVersion } from '../branch/conflict-records.ts'
import { type BranchEvent, Rejection } from '../branch/events.ts'
import { mergeJson } from '../branch/json-merge.ts'
import { KeySince } from '../branch/key-since.ts'
import type { Place } from '../branch/knowledge.ts'
import { MergeWriter } from '../branch/merge-writer.ts'
import { MergeHeaders } from '../branch/origin.ts'
import { politely, RecordReader, type Turns } from '../branch/reading.ts'
import type { Partition } from '../broker/partition.ts'
import type { Topic } from '../broker/topic.ts'
import type { Writing } from './merge-commit.ts'
import { codecOf, type MergeRooms } from './merging.ts'
import { goneMeanwhile, isMissing, noPartition, noTopic } from './not-there.ts'
import type { Call } from './operations.ts'

/** What the key becomes; without an origin it is the target's own record. */
type Chosen = {
  readonly value: Buffer | null
  readonly timestamp: number
  readonly offset: number
  readonly origin?: Place
}

type Resolution = {
  readonly conflict: OpenConflict
  /** Undefined where the target's value stays. */
  readonly chosen: Chosen | undefined
  readonly target: Topic
  readonly partition: Partition
  /** Of the key, behind what the conflict tells of the target. */
  readonly since: KeySince
  readonly turns: Turns
}

export class Resolving {
  readonly #rooms: MergeRooms

  constructor(rooms: MergeRooms) {
    this.#rooms = rooms
  }

  readonly resolve = async (command: ResolveCommand, call: Call): Promise<BranchEvent | Rejection> => {
    const { broker, conflicts } = this.#rooms
    const { merge, topic, partition: index, key } = command
    const target = broker.topic(topic)
    const partition = target?.partitions[index]
    if (target === undefined) return noTopic(topic)
    if (partition === undefined) return noPartition(index, topic, target.partitions.length)
    if (target.config.protection === 'frozen') {
      return new Rejection(
        'POLICY_VIOLATION',
        `'${topic}' has branch.protect=frozen: nothing may be written to it; set it to merge or none.`,
      )
    }
    const conflict = conflicts.find(merge, target, index, key)
    if (conflict === undefined) {
      const message = `No conflict of the merge '${merge}' is open for this key in partition ${index} of '${topic}'. '__branch_conflicts' holds those that are.`
      return new Rejection('NO_SUCH_CONFLICT', message)
    }
    const since = new KeySince(partition.log, key, (conflict.ours?.offset ?? this.#endOf(conflict) - 1) + 1)
    const turns = politely(() => partition.isRemoved)
    await since.read(turns)
    const chosen = this.#choose(command, conflict, partition, since)
    if (chosen instanceof Rejection) return chosen
    return await this.#carryOut(command, call, { conflict, chosen, target, partition, since, turns })
  }

  /** Undefined where the target's value stays. */
  #choose(
    { take, value }: ResolveCommand,
    conflict: OpenConflict,
    target: Partition,
    since: KeySince,
  ): Chosen | undefined | Rejection {
    const now = this.#rooms.broker.clock.now()
    const composed = take === 'ours' || take === 'theirs' ? composedOf(conflict, take, target, since, now) : undefined
    if (composed !== undefined) return composed
    switch (take) {
      case 'ours':
        return undefined
      case 'value':
        return { value: value ?? null, timestamp: now, offset: -1 }
      case 'base':
        if (conflict.kind === 'history-lost' && conflict.fromId !== conflict.intoId) {
          return new Rejection(
            'VALUE_LEFT_OUT',
            'What both sides knew last of the key is gone: give a value with take=value.',
          )
        }
        return conflict.base === undefined
          ? { value: null, timestamp: now, offset: -1 }
          : chosenOf(conflict.base, now, 'base')
      case 'theirs':
        return this.#theirs(conflict, now)
    }
  }

  /** The source's record as it stands in its log, so that it keeps its origin; if it is gone, as the conflict tells it. */
  #theirs(conflict: OpenConflict, now: number): Chosen | Rejection {
    const { theirs, fromId, intoId, partition } = conflict
    if (theirs === undefined) return { value: null, timestamp: now, offset: -1 }
    // What a revert would have written is a record of the target's own: others have yet to hear of it.
    if (fromId === intoId) return chosenOf(theirs, now, 'theirs')
    const source = this.#rooms.broker.topicById(fromId)?.partitions[partition]
    const record = source && new RecordReader(source.log).at(theirs.offset)
    if (record === undefined) return chosenOf(theirs, now, 'theirs')
    const knowledge = this.#rooms.broker.lineage.knowledge(fromId, partition)
    const { offset, value, timestamp, headers } = record
    return { value, timestamp, offset, origin: knowledge.originOf(offset, headers) }
  }

  async #carryOut(
    command: ResolveCommand,
    { by }: Call,
    { conflict, chosen, target, partition, since, turns }: Resolution,
  ): Promise<BranchEvent | Rejection> {
    const { broker, transaction, commits, history } = this.#rooms
    const { id, force, key, dryRun } = command
    let moved = movedTo(since, force)
    if (moved !== undefined) return moved
    const counts = { written: chosen === undefined ? 0 : 1, same: 0, skipped: 0, conflicts: 0 }
    const place = { from: conflict.from, fromId: conflict.fromId, into: target.name, intoId: target.id }
    if (dryRun) {
      const told = { v: 1, type: 'plan', id, at: broker.clock.now(), by, status: 'clean' } as const
      return await history.write({ ...told, op: 'resolve', dryRun: true, topics: [place], counts })
    }
    const producer = await transaction.begin()
    const knowledge = broker.lineage.knowledge(target.id, partition.index)
    const write = (origin: Place): readonly Buffer[] => {
      const writer = new MergeWriter({
        headers: new MergeHeaders(id, conflict.from, partition.index),
        producer,
        messageBytesMax: target.config.maxMessageBytes,
        codec: codecOf(target),
        covers: () => true,
      })
      const { value, timestamp, offset } = chosen!
      writer.add({ key, value, timestamp, offset: Math.max(0, offset), headers: [] }, origin)
      return writer.batches()
    }
    const loose = looseOf(chosen, (origin) => knowledge.knows(origin))
    const writing: Writing = {
      topic: 0,
      target,
      partition,
      merged: () => ({ partition: partition.index, known: knowledge.known, ...loose }),
      written: () => counts.written,
      batches: () => [],
      lateBatches: (from) => (chosen === undefined ? [] : write(chosen.origin ?? { branch: target.id, offset: from })),
    }
    try {
      const event = await commits.run({
        producer,
        topics: [place],
        writings: [writing],
        catchUp: () => since.read(turns),
        conclude: () => {
          since.readAtOnce()
          moved = movedTo(since, force)
          return moved === undefined
        },
        record: () => ({ id, by, op: 'resolve', status: 'done', counts }),
        conflicts: () => [{ key: conflictKey(conflict), value: null }],
      })
      return event ?? moved ?? new Rejection('MOVED', 'The key was written again.')
    } catch (cause) {
      const gone = isMissing(cause) ? goneMeanwhile([target], broker) : undefined
      if (gone !== undefined) return gone
      throw cause
    }
  }

  /** Where the target ended when the key was parked. */
  #endOf({ merge, intoId, partition }: OpenConflict): number {
    const topics = this.#rooms.broker.lineage.merges.get(merge)?.topics ?? []
    const partitions = topics.find((topic) => topic.intoId === intoId)?.partitions ?? []
    return partitions.find((one) => one.partition === partition)?.end ?? 0
  }
}

/** Somebody has written the key since: who resolves has not seen it. */
function movedTo({ newest }: KeySince, force: boolean): Rejection | undefined {
  if (force || newest === undefined) return undefined
  const message = `The key was written again since the conflict: its newest record stands at offset ${newest.offset}. Look at it, then resolve with "force":true.`
  return new Rejection('MOVED', message)
}

/** Where members are in conflict the choice is about those: what one side alone has changed in others is nobody's to lose. */
function composedOf(
  { paths, base, ours, theirs }: OpenConflict,
  take: 'ours' | 'theirs',
  { log }: Partition,
  { newest }: KeySince,
  now: number,
): Chosen | undefined {
  if (paths === undefined || !base?.value || !theirs?.value) return undefined
  const told = ours && (new RecordReader(log).at(ours.offset)?.value ?? ours.value)
  const target = newest === undefined ? (told ?? null) : newest.value
  const merged = mergeJson(base.value, theirs.value, target, take === 'theirs' ? 'source' : 'target')
  return merged && { value: merged.value, timestamp: now, offset: theirs.offset }
}

function chosenOf({ value, timestamp, offset }: ToldVersion, now: number, what: string): Chosen | Rejection {
  if (value !== undefined) return { value, timestamp: Math.max(timestamp, 0) || now, offset }
  return new Rejection('VALUE_LEFT_OUT', `The conflict does not hold the value of '${what}': give it with take=value.`)
}

const looseOf = (chosen: Chosen | undefined, knows: (origin: Place) => boolean) =>
  chosen?.origin === undefined || knows(chosen.origin)
    ? {}
    : { loose: { [chosen.origin.branch]: chosen.origin.offset + 1 } }
