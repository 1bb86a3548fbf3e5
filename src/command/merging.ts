// The ops `plan` and `merge`: every partition of every pair is planned while clients go on, and what comes out is told, or
// carried out in one moment (merge-commit.ts). Merges are carried out one after the other.

import type { CodecName } from '../../protocol/records/compression.ts'
import type { MergeCommand } from '../branch/commands.ts'
import { type ConflictSides, conflictKey, conflictValue, told } from '../branch/conflict-records.ts'
import { type BranchEvent, type EventCounts, type PlannedKey, Rejection, sumOfCounts } from '../branch/events.ts'
import type { Lineage } from '../branch/lineage.ts'
import { MergePlan } from '../branch/merge-plan.ts'
import type { OwnProducer } from '../branch/merge-writer.ts'
import type { PairOptions, Side } from '../branch/pair.ts'
import { keyText, politely, type Turns } from '../branch/reading.ts'
import type { Broker } from '../broker/broker.ts'
import type { KeyedRecord } from '../broker/internal-topic.ts'
import type { Partition } from '../broker/partition.ts'
import type { Topic } from '../broker/topic.ts'
import { cureOf } from './disk-refusal.ts'
import { FastForward } from './fast-forward.ts'
import { type History, isOfTheDisk } from './history.ts'
import type { MergeCommits, MergeJob, Writing } from './merge-commit.ts'
import { type Asked, pairsOf, type TopicPair } from './merge-pairs.ts'
import type { MergeTransaction } from './merge-transaction.ts'
import { goneMeanwhile, isMissing } from './not-there.ts'
import type { OpenConflicts } from './open-conflicts.ts'
import type { Call } from './operations.ts'
import { numbersOf } from './revision-numbers.ts'

export type MergeRooms = {
  readonly broker: Broker
  readonly history: History
  readonly transaction: MergeTransaction
  readonly conflicts: OpenConflicts
  readonly commits: MergeCommits
  /** Whether `__branch_conflicts` may hold what stands in topics. */
  readonly tellsValues: boolean
}

/** The plan of one partition of one pair. */
type Planned = {
  readonly pair: number
  readonly from: Topic
  readonly into: Topic
  readonly partition: Partition
  /** End of the source. */
  readonly to: number
  readonly plan: MergePlan
}

/** Of a plan that is only told. */
const nobody: OwnProducer = { producerId: 0, producerEpoch: 0 }
/** Of a fast-forward, which writes nothing of its own. */
const nobodyYet: OwnProducer = { producerId: 0, producerEpoch: 0 }

export class Merging {
  readonly #rooms: MergeRooms
  readonly #forward: FastForward

  constructor(rooms: MergeRooms) {
    this.#rooms = rooms
    this.#forward = new FastForward(rooms.broker, rooms.history)
  }

  readonly plan = (asked: Asked, call: Call): Promise<BranchEvent | Rejection> => this.#tried(asked, call, nobody)

  readonly merge = async (asked: MergeCommand, call: Call): Promise<BranchEvent | Rejection> => {
    if (asked.dryRun) return await this.plan(asked, call)
    const isForward = asked.strategy === 'fast-forward'
    return await this.#tried(asked, call, isForward ? nobodyYet : await this.#rooms.transaction.begin())
  }

  /** A topic may go while it is read. */
  async #tried(asked: Asked, call: Call, producer: OwnProducer): Promise<BranchEvent | Rejection> {
    const pairs = pairsOf(asked, this.#rooms.broker)
    if (pairs instanceof Rejection) return pairs
    try {
      if (pairs.some(({ strategy }) => strategy === 'fast-forward')) {
        return producer === nobody
          ? await this.#forward.plan(pairs, asked, call)
          : await this.#forward.merge(pairs, asked as MergeCommand, call)
      }
      const planned = await this.#planAll(pairs, asked, call, producer)
      if (planned instanceof Rejection) return planned
      return producer === nobody
        ? await this.#tell(planned, pairs, asked, call)
        : await this.#carryOut(planned, pairs, asked as MergeCommand, call, producer)
    } catch (cause) {
      if (cause instanceof Rejection) return cause
      const gone = isMissing(cause) ? this.#goneOf(pairs) : undefined
      if (gone !== undefined) return gone
      throw cause
    }
  }

  #goneOf(pairs: readonly TopicPair[]): Rejection | undefined {
    const topics = pairs.flatMap(({ from, into }) => [from, into])
    return goneMeanwhile(topics, this.#rooms.broker)
  }

  // --- planning

  async #planAll(
    pairs: readonly TopicPair[],
    asked: Asked,
    call: Call,
    producer: OwnProducer,
  ): Promise<Planned[] | Rejection> {
    const planned: Planned[] = []
    for (const [pair, topics] of pairs.entries()) {
      for (const partition of topics.into.partitions) {
        try {
          planned.push(await this.#planOne(pair, topics, partition, asked, call, producer))
        } catch (cause) {
          if (!isOfTheDisk(cause) || this.#goneOf([topics]) !== undefined) throw cause
          // It will not be better for being tried again, and others wait behind it.
          const message = `Partition ${partition.index} of '${topics.from.name}' or '${topics.into.name}' cannot be read: ${(cause as Error).message}. ${cureOf(cause)}`
          return new Rejection('KAFKA_STORAGE_ERROR', message)
        }
      }
    }
    return planned
  }

  async #planOne(
    pair: number,
    topics: TopicPair,
    partition: Partition,
    asked: Asked,
    call: Call,
    producer: OwnProducer,
  ): Promise<Planned> {
    const options = this.#optionsOf(topics, partition, asked, call, producer)
    const plan = new MergePlan(asked.fields === 'json' ? await withNumbers(options, topics, partition.index) : options)
    await plan.prepare()
    return { pair, from: topics.from, into: topics.into, partition, to: options.source.end, plan }
  }

  #optionsOf(pair: TopicPair, target: Partition, asked: Asked, call: Call, producer: OwnProducer): PairOptions {
    const { from, into, strategy } = pair
    const { broker, conflicts } = this.#rooms
    const { index: partition } = target
    const source = from.partitions[partition]!
    const { lastStableOffset: end } = source
    const { lineage } = broker
    const wants = wantsOf(asked)
    const open = conflicts.between(from.id, into.id, partition)
    return {
      id: asked.id,
      partition,
      source: {
        topic: from.name,
        log: source.log,
        knowledge: lineage.knowledge(from.id, partition).upTo(end),
        ...sparingOf(lineage, from.id),
        end,
      },
      target: {
        topic: into.name,
        log: target.log,
        knowledge: lineage.knowledge(into.id, partition),
        ...sparingOf(lineage, into.id),
        messageBytesMax: into.config.maxMessageBytes,
        mergeBytesMax: broker.config.number('branch.max.merge.bytes'),
        codec: codecOf(into),
        needsKeys: into.config.isKeyed,
      },
      strategy: strategy === 'fast-forward' ? 'append' : strategy,
      fields: asked.fields,
      onConflict: asked.onConflict,
      isPick: wants !== undefined,
      ...(wants === undefined ? {} : { wants }),
      reads: asked.reads.filter(({ topic }) => topic === into.name || topic === from.name).map(({ key }) => key),
      open: new Map(
        open.map(({ key, base }) => [keyText(key), base === undefined ? {} : { base: { value: null, ...base } }]),
      ),
      producer,
      isOnlyTold: producer === nobody,
      seed: broker.clock.random(32),
      turns: turnsIn(call, () => source.isRemoved || target.isRemoved),
      keysShown: asked.limit,
    }
  }

  // --- telling

  async #tell(planned: readonly Planned[], pairs: readonly TopicPair[], asked: Asked, call: Call) {
    for (const { plan } of planned) {
      if (plan.conclude(false)) continue
      await plan.catchUp()
      plan.conclude()
    }
    const counts = countsOf(planned)
    const event: BranchEvent = {
      ...this.#eventOf('plan', asked, call),
      status: counts.conflicts > 0 ? 'conflicts' : 'clean',
      ...(asked.op === 'plan' ? {} : { op: asked.op, dryRun: true }),
      topics: topicsOf(planned, pairs),
      counts,
      keys: shownOf(planned, asked.limit),
    }
    return await this.#rooms.history.write(event)
  }

  #eventOf(type: 'plan' | 'merge', asked: Asked, { by }: Call) {
    const { id, pair, strategy, onConflict } = asked
    return {
      v: 1,
      type,
      id,
      at: this.#rooms.broker.clock.now(),
      by,
      ...('set' in pair ? { set: pair.set } : {}),
      ...(strategy === undefined ? {} : { strategy }),
      onConflict,
    } as const
  }

  /** Nothing is written: what stands against it is told. */
  #refused(planned: readonly Planned[], pairs: readonly TopicPair[], asked: Asked, call: Call): Promise<BranchEvent> {
    return this.#rooms.history.write({
      ...this.#eventOf('merge', asked, call),
      status: 'conflicts',
      topics: topicsOf(planned, pairs),
      counts: { ...countsOf(planned), written: 0 },
      keys: shownOf(planned, asked.limit).filter(({ kind }) => kind !== 'write' && kind !== 'same'),
    })
  }

  /** Nothing is new: there is nothing to remember either. */
  #idle(planned: readonly Planned[], pairs: readonly TopicPair[], asked: Asked, call: Call): Promise<BranchEvent> {
    const topics = topicsOf(planned, pairs)
    return this.#rooms.history.write({
      ...this.#eventOf('merge', asked, call),
      status: 'committed',
      topics,
      counts: countsOf(planned),
      gateMs: 0,
    })
  }

  // --- carrying out

  async #carryOut(
    planned: readonly Planned[],
    pairs: readonly TopicPair[],
    asked: MergeCommand,
    call: Call,
    producer: OwnProducer,
  ): Promise<BranchEvent> {
    const isRefused = () => planned.some(({ plan }) => plan.isRefused)
    // The first was planned a while ago if there are many.
    for (const { plan } of planned) await plan.catchUp()
    if (isRefused()) return await this.#refused(planned, pairs, asked, call)
    if (planned.every(({ plan }) => plan.isIdle)) return await this.#idle(planned, pairs, asked, call)
    if (planned.some(({ plan }) => plan.counts.conflicts > 0 || plan.closed.length > 0)) {
      await this.#rooms.conflicts.prepare()
    }
    const job: MergeJob = {
      producer,
      topics: pairs.map(({ from, into }) => ({ from: from.name, fromId: from.id, into: into.name, intoId: into.id })),
      writings: planned.map(writingOf),
      catchUp: async () => {
        for (const { plan } of planned) await plan.catchUp()
      },
      conclude: (mayTakeLong) => {
        const isSeen = planned.map(({ plan }) => plan.conclude(mayTakeLong)).every(Boolean)
        return isSeen ? !isRefused() : undefined
      },
      record: () => {
        const { id, pair, strategy, onConflict } = asked
        return {
          id,
          by: call.by,
          op: 'merge',
          ...('set' in pair ? { set: pair.set } : {}),
          ...(strategy === undefined ? {} : { strategy }),
          onConflict,
          status: planned.some(({ plan }) => onConflict === 'park' && plan.counts.conflicts > 0)
            ? 'parked'
            : 'committed',
          counts: countsOf(planned),
        }
      },
      conflicts: () => planned.flatMap((one) => this.#conflictsOf(one, asked)),
    }
    return (await this.#rooms.commits.run(job)) ?? (await this.#refused(planned, pairs, asked, call))
  }

  /** What is parked now, and in front of it what was open before and is not any more, or no longer under that merge. */
  #conflictsOf({ from, into, partition, plan }: Planned, { id, onConflict }: MergeCommand): KeyedRecord[] {
    const { conflicts } = this.#rooms
    const closed = new Set(plan.closed)
    const before = conflicts
      .between(from.id, into.id, partition.index)
      .filter(({ key }) => closed.has(keyText(key)))
      .map((conflict) => ({ key: conflictKey(conflict), value: null }))
    if (onConflict !== 'park') return before
    const sides: ConflictSides = { from: from.name, fromId: from.id, into: into.name, intoId: into.id }
    const now = plan.conflicts.map((conflict) => ({
      key: conflictKey({ merge: id, topic: into.name, partition: partition.index, key: conflict.key }),
      value: conflictValue(conflict, sides, partition.index, this.#rooms.tellsValues),
    }))
    return [...before, ...now]
  }
}

/** A plan has changed nothing: whoever stops the broker need not wait for it. */
function turnsIn({ goOn }: Call, isOver: () => boolean): Turns {
  const turns = politely(isOver)
  const rest = async () => {
    await turns.rest()
    goOn?.()
  }
  return { ...turns, rest }
}

/** What pins.ts has compaction leave. */
function sparingOf({ branches }: Lineage, topicId: string): Pick<Side, 'sparesFor'> {
  const branch = branches.get(topicId)
  return branch === undefined ? {} : { sparesFor: branch.fromId }
}

async function withNumbers(options: PairOptions, { from, into }: TopicPair, partition: number): Promise<PairOptions> {
  const [source, target] = await Promise.all(
    [from, into].map((topic) => numbersOf(topic, topic.partitions[partition]!)),
  )
  const { source: theirs, target: ours } = options
  return {
    ...options,
    source: source === undefined ? theirs : { ...theirs, revAt: source },
    target: target === undefined ? ours : { ...ours, revAt: target },
  }
}

const writingOf = ({ pair, into, partition, to, plan }: Planned): Writing => ({
  topic: pair,
  target: into,
  partition,
  merged: () => ({
    partition: partition.index,
    from: plan.from,
    to,
    known: plan.known,
    ...(plan.loose === undefined ? {} : { loose: plan.loose }),
    ...(plan.isWeighed ? { isWeighed: true } : {}),
  }),
  written: () => plan.written,
  batches: () => plan.batches(),
  lateBatches: (from) => plan.lateBatches(from),
})

const countsOf = (planned: readonly Planned[]): EventCounts => sumOfCounts(planned.map(({ plan }) => plan.counts))

/** Nothing is learnt where nothing is done. */
const knownOf = (plan: MergePlan) => (plan.isIdle ? { known: plan.known } : {})

const topicsOf = (planned: readonly Planned[], pairs: readonly TopicPair[]) =>
  pairs.map(({ from, into }, i) => ({
    from: from.name,
    into: into.name,
    fromId: from.id,
    intoId: into.id,
    partitions: planned
      .filter(({ pair }) => pair === i)
      .map(({ partition, plan, to }) => ({ partition: partition.index, from: plan.from, to, ...knownOf(plan) })),
  }))

function shownOf(planned: readonly Planned[], limit: number): PlannedKey[] {
  const keys = planned.flatMap(({ into, partition, plan }) =>
    plan.shown.map(({ key, kind, source, target }): PlannedKey => {
      const offsets = {
        ...(source < 0 ? {} : { from: source }),
        ...(target === undefined || target < 0 ? {} : { into: target }),
      }
      return { topic: into.name, partition: partition.index, ...told('key', key), kind, ...offsets }
    }),
  )
  // Conflicts are what a plan is asked for.
  const rank = ({ kind }: PlannedKey) => (kind === 'write' ? 2 : kind === 'same' ? 1 : 0)
  return keys.sort((a, b) => rank(a) - rank(b)).slice(0, limit)
}

export function wantsOf({
  keys,
  keyPrefix,
}: Pick<Asked, 'keys' | 'keyPrefix'>): ((key: Buffer) => boolean) | undefined {
  if (keys !== undefined) {
    const wanted = new Set(keys.map(keyText))
    return (key) => wanted.has(keyText(key))
  }
  if (keyPrefix === undefined) return undefined
  return (key) => key.subarray(0, keyPrefix.length).equals(keyPrefix)
}

export function codecOf({ config: { compressionType } }: Topic): CodecName | undefined {
  if (compressionType === 'producer') return undefined
  return compressionType === 'uncompressed' ? 'none' : (compressionType as CodecName)
}
