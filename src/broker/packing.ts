// Packs the closed segments of revision topics in the background, and packs again where the keep rules let enough go. In a process
// of its own where the store is a folder, in slices beside everything else where it is not. What fails stays as it was and is tried again.

import { DamagedRecords, StorageError } from '../../protocol/errors.ts'
import type { Segment } from '../log/segment.ts'
import { segmentName } from '../log/segment-name.ts'
import { shortRest } from '../log/walk.ts'
import { keepsAll } from '../revision/keep-rules.ts'
import { type Packed, PackTooLarge } from '../revision/pack-job.ts'
import { type PackNumbers, packNumbers } from '../revision/pack-numbers.ts'
import { type PackingJob, rewrittenBy, runPacking } from '../revision/packing-job.ts'
import { PackerGone, PackingProcess } from '../revision/packing-process.ts'
import type { RevisionConfig } from '../revision/revision-config.ts'
import type { Clock } from '../storage/clock.ts'
import { Directory } from '../storage/directory.ts'
import type { Store } from '../storage/file.ts'
import { PlainStore } from '../storage/plain-file.ts'
import { nextGroup, nextMerge, packBytesMax } from './packing-plan.ts'
import type { Partition } from './partition.ts'
import type { Topic } from './topic.ts'

/** What a packer wants to know of a topic's configuration. */
export type PackConfig = RevisionConfig & {
  readonly pointers: readonly string[]
  readonly indexIntervalBytes: number
  /** What retention takes whole may not be more. */
  readonly together: { readonly bytes: number; readonly spanMs: number }
}

/** What a packer has done since the start, and how far behind it is. */
export type PackingCounts = {
  packs: number
  failures: number
  /** Bytes that the disk held before and holds now, of all that was packed. */
  bytesBefore: number
  bytesAfter: number
  /** Segments that stay as they came until the next start. */
  unfit: number
}

/** Ends a job that nobody waits for any more. */
class GivenUp extends Error {}

const hourMs = 3_600_000
/** A partition whose packing failed is left alone for this long, twice as long after each time. */
const retryMs = 1000
const retryMsMax = 60_000

/** What may go into one pack, and is more than one can hold, has become at least so many times as much. */
const swellingStep = 8

/** A process that has nothing to do goes after this long: it takes memory, and a tenth of a second to begin. */
const idleMs = 10_000

/** Logs that are opened in one turn, only to see whether anything is there to be packed. */
const openedAtOnce = 16

type Known = { failures: number; retryAt: number; message: string }
/** When to look at it, and how many segments were not fit the last time. */
type Awake = { readonly topic: Topic; readonly from: number; readonly unfit: number }
/** Closed segments that are to be packed: since when the oldest is due, how many are not fit, whether some cannot be packed yet. */
type Waiting = { readonly dueAt: number; readonly unfit: number; readonly isHeldBack: boolean }

export class Packing {
  readonly #store: Store
  /** What packs are written to: maps are longer than what was written. */
  readonly #files: Store
  readonly #clock: Clock
  readonly #topics: () => Iterable<Topic>
  readonly #process: PackingProcess | undefined
  readonly counts: PackingCounts = { packs: 0, failures: 0, bytesBefore: 0, bytesAfter: 0, unfit: 0 }
  /** When a closed segment was first seen. */
  readonly #closedAt = new WeakMap<Segment, number>()
  /** They cannot be packed: too large, damaged, or not understood. */
  readonly #unfit = new WeakSet<Segment>()
  /** As of when a packed segment was held against the keep rules. */
  readonly #judged = new WeakMap<Segment, string>()
  readonly #failed = new WeakMap<Partition, Known>()
  /** Where there may be something to do, and as of when; the others are not looked at: there may be thousands. */
  readonly #awake = new Map<Partition, Awake>()
  /** What is being packed. */
  #current: { readonly topic: Topic; readonly partition: Partition } | undefined
  /** What was known of them was no longer what was there. */
  readonly #outdated = new WeakSet<Partition>()
  /** They were at rest, and rest again when nothing waits for its time any more. */
  readonly #opened = new WeakSet<Partition>()
  /** The hour in which all were looked at. */
  #hour = Number.NaN
  /** How many bytes a byte of a segment was when it was unpacked, of the last that were packed. */
  readonly #swelling = new WeakMap<Partition, number>()
  /** As of when no neighbouring packs were to become one. */
  readonly #merged = new WeakMap<Partition, string>()
  /** For tests: bytes that come into one pack, and that it can hold. */
  limits: { readonly together?: number; readonly alone?: number } = {}
  #workedAt = 0
  #round: Promise<void> | undefined
  #isOver = false

  constructor({ store, clock }: { store: Store; clock: Clock }, topics: () => Iterable<Topic>) {
    this.#store = store
    this.#files = store
    this.#clock = clock
    this.#topics = topics
    if (store instanceof Directory) {
      this.#process = new PackingProcess(store.root)
      this.#files = new PlainStore(store.root)
    }
  }

  /** A round over all partitions, unless one is still under way. */
  run(): void {
    this.#round ??= this.#packAll()
      .catch((cause: unknown) => console.error('Packing failed:', cause))
      .finally(() => {
        this.#round = undefined
      })
  }

  /** Resolves when the round that is under way is over. */
  settled(): Promise<void> {
    return this.#round ?? Promise.resolve()
  }

  /** A segment of it was closed, or it is packed by other rules from now on. */
  wake(topic: Topic, partition: Partition): void {
    this.#awake.set(partition, { topic, from: 0, unfit: 0 })
  }

  /** How long the oldest segment waits beyond its time; it waits until its pack has taken its place. */
  get lagMs(): number {
    const now = this.#clock.now()
    let lagMs = 0
    const look = (topic: Topic, partition: Partition): void => {
      lagMs = Math.max(lagMs, now - this.#waitingIn(topic, partition).dueAt)
    }
    for (const [partition, { topic }] of this.#awake) look(topic, partition)
    if (this.#current !== undefined) look(this.#current.topic, this.#current.partition)
    return lagMs
  }

  /** Keep rules count hours, and what a fork shared may be its own by now. */
  #wakeByTheHour(): void {
    const hour = Math.floor(this.#clock.now() / hourMs)
    if (hour === this.#hour) return
    this.#hour = hour
    for (const topic of this.#topics()) {
      if (topic.packs !== undefined) for (const partition of topic.partitions) this.wake(topic, partition)
    }
  }

  async #packAll(): Promise<void> {
    this.#wakeByTheHour()
    let worked = false
    let opened = 0
    for (const [partition, { topic, from }] of [...this.#awake]) {
      if (this.#isOver) return
      if (topic.packs === undefined || partition.isRemoved) {
        this.#awake.delete(partition)
        continue
      }
      if (this.#clock.now() < from || partition.offline !== undefined) continue
      if (!partition.isOpen) {
        if (++opened % openedAtOnce === 0) await shortRest()
        this.#opened.add(partition)
      }
      // Whoever wakes it meanwhile has it looked at again.
      this.#awake.delete(partition)
      this.#current = { topic, partition }
      while (!this.#isOver && (await this.#step(topic, partition))) worked = true
      this.#current = undefined
      if (!(partition.isRemoved || this.#awake.has(partition))) this.#putBack(topic, partition)
    }
    const now = this.#clock.now()
    this.counts.unfit = [...this.#awake.values()].reduce((sum, { unfit }) => sum + unfit, 0)
    if (worked) this.#workedAt = now
    else if (now - this.#workedAt > idleMs) await this.#process?.end()
  }

  #waitingIn(topic: Topic, partition: Partition): Waiting {
    let dueAt = Number.POSITIVE_INFINITY
    let unfit = 0
    let isHeldBack = false
    const isThere = partition.isOpen && partition.offline === undefined && !partition.isRemoved
    for (const segment of isThere ? partition.log.segments.slice(0, -1) : []) {
      if (segment.isPacked) continue
      const closedAt = this.#closedAt.get(segment)
      if (this.#unfit.has(segment)) unfit++
      else if (closedAt === undefined) isHeldBack = true
      else dueAt = Math.min(dueAt, closedAt + (topic.packs?.packLagMs ?? 0))
    }
    return { dueAt, unfit, isHeldBack }
  }

  /** Not where nothing is to be done before it is woken. */
  #putBack(topic: Topic, partition: Partition): void {
    const failed = this.#failed.get(partition)
    const { dueAt, unfit, isHeldBack } = this.#waitingIn(topic, partition)
    let from = this.#outdated.has(partition) || partition.offline !== undefined ? 0 : Number.POSITIVE_INFINITY
    if (dueAt === Number.POSITIVE_INFINITY && failed === undefined && this.#opened.has(partition)) partition.rest()
    // What cannot be packed yet, because it is not flushed, or open, or the last of all, can be at any time while it is used.
    if (isHeldBack && partition.isOpen) from = 0
    // What is not fit is told of for as long as it is there.
    if (unfit > 0) from = Math.min(from, this.#clock.now() + retryMsMax)
    from = failed?.retryAt ?? Math.min(from, dueAt)
    if (Number.isFinite(from)) this.#awake.set(partition, { topic, from, unfit })
  }

  /** Packs once; false where there is nothing to do, or nothing that can be done now. */
  async #step(topic: Topic, partition: Partition): Promise<boolean> {
    try {
      const config = topic.packs
      this.#outdated.delete(partition)
      if (config === undefined || partition.isRemoved) return false
      // What has outlived a kill nobody has flushed yet, and only what is flushed is packed.
      const { log } = partition
      if (log.flushedOffset < (log.segments.at(-1)?.baseOffset ?? 0)) await partition.flush()
      const group =
        this.#nextGroup(partition, config) ?? this.#nextMerge(partition, config) ?? this.#nextDamaged(partition)
      const done =
        group === undefined ? await this.#packAgain(partition, config) : await this.#packGroup(partition, config, group)
      if (done) this.#failed.delete(partition)
      return done
    } catch (cause) {
      if (!(cause instanceof GivenUp || this.#isOver || partition.isRemoved))
        this.#fail(topic, partition, cause as Error)
      // It is left alone from now on, and what stands behind it need not wait.
      return cause instanceof PackTooLarge
    }
  }

  #fail({ name }: Topic, partition: Partition, cause: Error): void {
    this.counts.failures++
    const known = this.#failed.get(partition)
    const failures = (known?.failures ?? 0) + 1
    const waitMs = Math.min(retryMsMax, retryMs * 2 ** (failures - 1))
    // A disk that stays full says so once.
    if (known?.message !== cause.message) console.error(`Packing of ${name}-${partition.index}: ${cause.message}`)
    this.#failed.set(partition, { failures, retryAt: this.#clock.now() + waitMs, message: cause.message })
  }

  // --- what is to be packed

  #limitsOf({ together: { bytes, spanMs } }: PackConfig) {
    return { bytesMax: Math.min(this.limits.together ?? packBytesMax, bytes), spanMs }
  }

  #nextGroup(partition: Partition, config: PackConfig): Segment[] | undefined {
    const { packLagMs } = config
    const now = this.#clock.now()
    const { log } = partition
    const { packable } = log
    for (const segment of packable) if (!this.#closedAt.has(segment)) this.#closedAt.set(segment, now)
    const isDue = (segment: Segment): boolean => now - this.#closedAt.get(segment)! >= packLagMs
    const isFit = (segment: Segment): boolean => !this.#unfit.has(segment)
    const swelling = this.#swelling.get(partition) ?? 1
    return nextGroup(packable, { isDue, isFit, seams: log.seams, swelling, ...this.#limitsOf(config) })
  }

  /** Packs that are to become one. What a fork shares takes no room of its own as it is. */
  #nextMerge(partition: Partition, config: PackConfig): Segment[] | undefined {
    const { packable, seams, filesVersion } = partition.log
    const asOf = `${filesVersion} ${packable.length}`
    if (this.#merged.get(partition) === asOf) return undefined
    const isFit = (segment: Segment): boolean => !(this.#unfit.has(segment) || segment.isShared)
    const group = nextMerge(packable, { isFit, seams, ...this.#limitsOf(config) })
    if (group === undefined) this.#merged.set(partition, asOf)
    return group
  }

  /** One that still gives everything: before more of it is damaged. */
  #nextDamaged({ log }: Partition): Segment[] | undefined {
    const found = log.packable.find((segment) => segment.isDamaged && !this.#unfit.has(segment))
    return found && [found]
  }

  /** The first packed segment of which the keep rules let a tenth go, or more. */
  async #packAgain(partition: Partition, config: PackConfig): Promise<boolean> {
    if (keepsAll(config)) return false
    const { packable } = partition.log
    const packed = packable.filter((segment) => segment.isPacked && !this.#unfit.has(segment))
    // Later revisions, other rules and another hour let others go.
    const asOf = `${packable.at(-1)?.nextOffset} ${JSON.stringify(config)} ${Math.floor(this.#clock.now() / hourMs)}`
    for (const segment of packed) {
      if (this.#judged.get(segment) === asOf) continue
      const numbers = await this.#numbersOf(partition, config, [segment])
      if (numbers === undefined) return false
      this.#judged.set(segment, asOf)
      if (numbers.leftOut > 0 && 10 * numbers.leftOut >= numbers.revs.length) {
        return await this.#packGroup(partition, config, [segment], numbers)
      }
    }
    return false
  }

  // --- packing

  readonly #rest = async (): Promise<void> => {
    await shortRest()
    if (this.#isOver) throw new GivenUp()
  }

  /** Undefined where it has to be asked again later. */
  async #numbersOf(
    partition: Partition,
    config: PackConfig,
    group: readonly Segment[],
  ): Promise<PackNumbers | undefined> {
    const { revisions } = partition
    await revisions.ready()
    const numbers =
      this.#isOver || revisions.isOutdated
        ? undefined
        : await packNumbers(revisions, {
            from: group[0]!.baseOffset,
            to: group.at(-1)!.nextOffset,
            rules: config,
            now: this.#clock.now(),
            spared: new Set(await partition.spared()),
            rest: this.#rest,
          })
    if (numbers === undefined) this.#outdated.add(partition)
    return numbers
  }

  async #packGroup(
    partition: Partition,
    config: PackConfig,
    group: readonly Segment[],
    known?: PackNumbers,
  ): Promise<boolean> {
    const { log } = partition
    const numbers = known ?? (await this.#numbersOf(partition, config, group))
    const isThere = () => !log.isReleased && group.every((segment) => log.segments.includes(segment))
    if (numbers === undefined || !isThere()) {
      this.#outdated.add(partition)
      return false
    }
    const [from, to] = [group[0]!.baseOffset, group.at(-1)!.nextOffset]
    const path = `${log.folder}/${segmentName(from, 'pack')}${this.#process?.token ?? ''}.tmp`
    const takenBack = log.abortedTransactions(from, to)
    const aborted = group.flatMap((segment) => [...segment.aborted])
    const { keyframeEvery, diffMaxBytes, pointers, indexIntervalBytes } = config
    const lengthMax = this.limits.alone
    const options = { keyframeEvery, diffMaxBytes, pointers, indexIntervalBytes, lengthMax }
    const segments = group.map(({ path, baseOffset, length, isPacked }) => ({ path, baseOffset, length, isPacked }))
    const before = group.reduce((sum, { storedBytes }) => sum + storedBytes, 0)
    const holes = numbers.leftOut > 0 || takenBack.length > 0
    try {
      this.#store.remove(path) // left by one that failed
      this.#store.create(path, 1).close()
      const packed = await this.#build({ segments, nextOffset: to, path, numbers, aborted, takenBack, ...options })
      await partition.numbering.carryDropped(partition.revisions, group, numbers)
      if (!(await log.pack(group, rewrittenBy(this.#store, path, packed), holes))) {
        this.#outdated.add(partition)
        return false
      }
      this.counts.packs++
      this.counts.bytesBefore += before
      this.counts.bytesAfter += packed.storedBytes
      this.#noteSwelling(partition, segments, packed)
      return true
    } catch (cause) {
      if (!log.isReleased) this.#store.remove(path)
      if (!isThere()) return false
      if (cause instanceof PackTooLarge && group.length > 1 && !group.at(-1)!.isPacked) {
        // They unpack to more than was thought: fewer at once.
        this.#swelling.set(partition, swellingStep * (this.#swelling.get(partition) ?? 1))
        return true
      }
      this.#judgeFailure(group, cause)
      throw cause
    }
  }

  /** What keep rules left out counts as if it were there. */
  #noteSwelling(partition: Partition, segments: PackingJob['segments'], { fullBytes }: Packed): void {
    if (segments.some(({ isPacked }) => isPacked)) return
    const byteCount = segments.reduce((sum, { length }) => sum + length, 0)
    if (byteCount > 0) this.#swelling.set(partition, Math.max(1, fullBytes / byteCount))
  }

  #build(job: PackingJob): Promise<Packed> {
    return this.#process?.isAvailable ? this.#process.run(job) : runPacking(this.#files, job, this.#rest)
  }

  /** A full disk finds room again, and a packer that somebody killed is started again; what a file holds does not change. */
  #judgeFailure(group: readonly Segment[], cause: unknown): void {
    const passes = [StorageError, GivenUp, PackerGone].some((type) => cause instanceof type)
    if (passes || this.#isOver) return
    if (cause instanceof DamagedRecords) {
      const packed = group.filter(({ isPacked }) => isPacked)
      // Those that came as they are may be packed without them.
      for (const segment of packed.length > 0 ? packed : group) this.#unfit.add(segment)
    } else for (const segment of group) this.#unfit.add(segment)
  }

  /** Resolves when nothing is under way any more; what is being packed is left as it is. */
  async end(): Promise<void> {
    this.#isOver = true
    await this.#process?.end()
    await this.#round
  }
}
