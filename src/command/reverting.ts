// The op `revert`: what a merge, a resolution, a revert or a range has changed is taken back by writing what stood there before,
// in one transaction over all partitions.

import type { RevertCommand } from '../branch/commands.ts'
import { conflictKey, conflictValue, told } from '../branch/conflict-records.ts'
import { type BranchEvent, type EventCounts, type PlannedKey, Rejection, sumOfCounts } from '../branch/events.ts'
import type { OwnProducer } from '../branch/merge-writer.ts'
import { MergeHeaders } from '../branch/origin.ts'
import { politely } from '../branch/reading.ts'
import { type RevertOptions, RevertPlan } from '../branch/revert-plan.ts'
import type { KeyedRecord } from '../broker/internal-topic.ts'
import type { Partition } from '../broker/partition.ts'
import type { Topic } from '../broker/topic.ts'
import type { MergeJob, Writing } from './merge-commit.ts'
import { codecOf, type MergeRooms, wantsOf } from './merging.ts'
import { goneMeanwhile, isMissing, noPartition, noTopic } from './not-there.ts'
import type { Call } from './operations.ts'
import { numbersOf } from './revision-numbers.ts'

type Range = { readonly topic: Topic; readonly partition: Partition; readonly first: number; readonly last: number }
type Planned = Range & { readonly plan: RevertPlan }

const nobody: OwnProducer = { producerId: 0, producerEpoch: 0 }

export class Reverting {
  readonly #rooms: MergeRooms

  constructor(rooms: MergeRooms) {
    this.#rooms = rooms
  }

  readonly revert = async (command: RevertCommand, call: Call): Promise<BranchEvent | Rejection> => {
    const ranges = this.#rangesOf(command)
    if (ranges instanceof Rejection) return ranges
    try {
      if (ranges.length === 0 && !command.dryRun) return await this.#tellNothing(command, call)
      const producer = command.dryRun ? nobody : await this.#rooms.transaction.begin()
      const planned: Planned[] = []
      for (const range of ranges) {
        const plan = this.#planOf(range, command, producer, await numbersOf(range.topic, range.partition))
        await plan.prepare()
        planned.push({ ...range, plan })
      }
      return command.dryRun
        ? await this.#tell('plan', planned, command, call)
        : await this.#carryOut(planned, command, call, producer)
    } catch (cause) {
      if (cause instanceof Rejection) return cause
      const topics = ranges.map(({ topic }) => topic)
      const gone = isMissing(cause) ? goneMeanwhile(topics, this.#rooms.broker) : undefined
      if (gone !== undefined) return gone
      throw cause
    }
  }

  // --- what is taken back

  #rangesOf(command: RevertCommand): Range[] | Rejection {
    const ranges = command.range === undefined ? this.#rangesOfMerge(command) : this.#rangesGiven(command)
    if (ranges instanceof Rejection) return ranges
    const frozen = ranges.find(({ topic }) => topic.config.protection === 'frozen')
    if (frozen === undefined) return ranges
    const message = `'${frozen.topic.name}' has branch.protect=frozen: nothing may be written to it; set it to merge or none.`
    return new Rejection('POLICY_VIOLATION', message)
  }

  #rangesOfMerge({ merge: id, topic: name }: RevertCommand): Range[] | Rejection {
    const { broker } = this.#rooms
    const merge = broker.lineage.merges.get(id!)
    const places = (merge?.topics ?? []).flatMap(({ intoId, partitions }) => {
      const topic = broker.topicById(intoId)
      return topic === undefined || (name !== undefined && topic.name !== name) ? [] : [{ topic, partitions }]
    })
    if (merge === undefined || places.length === 0) {
      if (this.#hasWrittenNothing(id!, name)) return []
      const where = name === undefined ? '' : ` into '${name}'`
      return new Rejection(
        'UNKNOWN_MERGE',
        `No merge, resolve or revert '${id}'${where} is known. 'twiglog branch log' tells the ids.`,
      )
    }
    const isByKey = merge.op !== 'merge' || merge.strategy === 'three-way' || merge.strategy === 'replay'
    const plain = places.find(({ topic }) => !isByKey && !topic.config.isKeyed)
    if (plain !== undefined) return notInvertible(plain.topic)
    return places.flatMap(({ topic, partitions }) =>
      partitions.flatMap(({ partition: index, first, last }): Range[] => {
        const partition = topic.partitions[index]
        if (partition === undefined || first === undefined || last === undefined) return []
        return [{ topic, partition, first, last }]
      }),
    )
  }

  /** A merge that had nothing to bring is known to the history alone. */
  #hasWrittenNothing(id: string, name: string | undefined): boolean {
    const { type = '', status, counts, topics = [] } = this.#rooms.history.result(id) ?? {}
    if (!['merge', 'resolve', 'revert'].includes(type) || counts?.written !== 0) return false
    const isDone = status === 'committed' || status === 'parked' || status === 'done'
    return isDone && (name === undefined || topics.some(({ into }) => into === name))
  }

  #rangesGiven({ topic: name, range }: RevertCommand): Range[] | Rejection {
    const topic = this.#rooms.broker.topic(name!)
    if (topic === undefined) return noTopic(name!)
    if (topic.isInternal) {
      return new Rejection(
        'INVALID_TOPIC_EXCEPTION',
        `'${name}' is the broker's own topic; nothing in it is taken back. Name one of yours.`,
      )
    }
    if (!topic.config.isKeyed) return notInvertible(topic)
    const ranges: Range[] = []
    for (const [index, [first, last]] of Object.entries(range!)) {
      const partition = topic.partitions[Number(index)]
      if (partition === undefined) return noPartition(Number(index), topic.name, topic.partitions.length)
      if (first < partition.logStartOffset || last >= partition.lastStableOffset) {
        const message = `Partition ${index} holds the decided offsets ${partition.logStartOffset} to ${partition.lastStableOffset - 1}; [${first}, ${last}] is not within them. Both ends of a range belong to it.`
        return new Rejection('OFFSET_OUT_OF_RANGE', message)
      }
      ranges.push({ topic, partition, first, last })
    }
    return ranges
  }

  #planOf(
    { topic, partition, first, last }: Range,
    command: RevertCommand,
    producer: OwnProducer,
    revAt: RevertOptions['revAt'],
  ): RevertPlan {
    return new RevertPlan({
      log: partition.log,
      branch: topic.id,
      first,
      last,
      mode: command.mode,
      onConflict: command.onConflict,
      wants: wantsOf(command),
      revAt,
      turns: politely(() => partition.isRemoved),
      writer: {
        headers: new MergeHeaders(command.id, topic.name, partition.index),
        producer,
        messageBytesMax: topic.config.maxMessageBytes,
        mergeBytesMax: this.#rooms.broker.config.number('branch.max.merge.bytes'),
        codec: codecOf(topic),
      },
    })
  }

  // --- telling and carrying out

  async #tell(type: 'plan' | 'revert', planned: readonly Planned[], command: RevertCommand, { by }: Call) {
    const counts = countsOf(planned)
    const { id, limit, dryRun } = command
    return await this.#rooms.history.write({
      v: 1,
      type,
      id,
      at: this.#rooms.broker.clock.now(),
      by,
      status: counts.conflicts > 0 ? 'conflicts' : 'clean',
      ...(dryRun ? { op: 'revert', dryRun } : {}),
      topics: topicsOf(planned).map(({ topic }) => ({ into: topic.name, intoId: topic.id })),
      counts: dryRun ? counts : { ...counts, written: 0 },
      keys: shownOf(planned, limit),
    })
  }

  async #tellNothing({ id }: RevertCommand, { by }: Call): Promise<BranchEvent> {
    const at = this.#rooms.broker.clock.now()
    return await this.#rooms.history.write({
      ...{ v: 1, type: 'revert', id, at, by, status: 'committed' },
      topics: [],
      counts: sumOfCounts([]),
    })
  }

  async #carryOut(planned: readonly Planned[], command: RevertCommand, call: Call, producer: OwnProducer) {
    const isRefused = () => planned.some(({ plan }) => plan.isRefused)
    if (isRefused()) return await this.#tell('revert', planned, command, call)
    await this.#rooms.conflicts.prepare()
    const topics = topicsOf(planned).map(({ topic }) => topic)
    const { id, onConflict } = command
    const job: MergeJob = {
      producer,
      topics: topics.map(({ name, id }) => ({ into: name, intoId: id })),
      writings: planned.map((one) => this.#writingOf(one, topics.indexOf(one.topic))),
      catchUp: async () => {
        for (const { plan } of planned) await plan.catchUp()
      },
      conclude: () => {
        for (const { plan } of planned) plan.conclude()
        return !isRefused()
      },
      record: () => {
        const counts = countsOf(planned)
        const status = onConflict === 'park' && counts.conflicts > 0 ? 'parked' : 'committed'
        return { id, by: call.by, op: 'revert', onConflict, status, counts }
      },
      conflicts: () =>
        onConflict === 'park' ? planned.flatMap((one) => parkedOf(one, id, this.#rooms.tellsValues)) : [],
    }
    return (await this.#rooms.commits.run(job)) ?? (await this.#tell('revert', planned, command, call))
  }

  #writingOf({ topic, partition, plan }: Planned, at: number): Writing {
    const { known } = this.#rooms.broker.lineage.knowledge(topic.id, partition.index)
    return {
      topic: at,
      target: topic,
      partition,
      merged: () => ({ partition: partition.index, known }),
      written: () => plan.counts.written,
      batches: () => [],
      lateBatches: (from) => plan.batches(from),
    }
  }
}

function notInvertible({ name }: Topic): Rejection {
  const message = `'${name}' is not about keys (neither cleanup.policy=compact nor revision.diff=true): what was appended to it has no inverse. Fork it at the offset in front (branch.at) and promote that.`
  return new Rejection('NOT_INVERTIBLE', message)
}

function parkedOf({ topic, partition, plan }: Planned, merge: string, tellsValues: boolean): KeyedRecord[] {
  const sides = { from: topic.name, fromId: topic.id, into: topic.name, intoId: topic.id }
  return plan.conflicts.map((conflict) => ({
    key: conflictKey({ merge, topic: topic.name, partition: partition.index, key: conflict.key }),
    value: conflictValue(conflict, sides, partition.index, tellsValues),
  }))
}

/** One for each topic. */
const topicsOf = (planned: readonly Planned[]): Planned[] =>
  planned.filter(({ topic }, i) => planned.findIndex((other) => other.topic === topic) === i)

const countsOf = (planned: readonly Planned[]): EventCounts => sumOfCounts(planned.map(({ plan }) => plan.counts))

const shownOf = (planned: readonly Planned[], limit: number): PlannedKey[] =>
  planned
    .flatMap(({ topic, partition, plan }) =>
      plan.shown(limit).map(({ key, kind, source, target }): PlannedKey => {
        const into = target === undefined ? {} : { into: target }
        return { topic: topic.name, partition: partition.index, ...told('key', key), kind, from: source, ...into }
      }),
    )
    .slice(0, limit)
