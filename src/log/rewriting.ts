// Segments that are written anew and take the place of old ones: compacted (compaction.ts), or packed (packed.ts). Readers keep
// the bytes that they hold, and branches theirs.
//
//   packing   A.log B.log C.log │ D.log …      A.pack.tmp is written beside them, by somebody who has the time for it
//             A.pack            │ D.log …      renamed; the other names go once the folder is synced
//
// A start that finds both takes the packed file if it is whole (segment-files.ts). No index may lie there then which tells of
// another file than the one that counts, so the old one goes before the rename, and the new one comes after it.

import { StorageError } from '../../protocol/errors.ts'
import type { Store } from '../storage/file.ts'
import type { Checkpointing } from './checkpointing.ts'
import { type CompactionPlan, compactSegments, mapKeys, type Pins, planCompaction, type Turns } from './compaction.ts'
import type { Flushing } from './flushing.ts'
import { ownPrefix } from './inherited.ts'
import type { LogConfig } from './log-config.ts'
import { workOn } from './log-work.ts'
import type { OffsetIndex } from './offset-index.ts'
import type { AbortedTransaction } from './open-transactions.ts'
import type { ProducerState } from './producer-state.ts'
import type { Recovered } from './recovery.ts'
import type { Segment } from './segment.ts'
import { segmentName } from './segment-name.ts'
import type { TimeIndex } from './time-index.ts'
import { shortRest } from './walk.ts'
import { whereRoom } from './where-room.ts'

/** What compaction or packing made of segments: a file that is flushed and waits to take their place. */
export type RewrittenFile = {
  path: string
  /** Bytes of batches that it gives. */
  length: number
  /** As of the last segment that went into it. */
  nextOffset: number
  offsets: OffsetIndex
  times: TimeIndex
  aborted: AbortedTransaction[]
  maxTimestamp: number
  /** Removes the file instead. */
  discard(): void
}

/** What is asked of the log. */
type Rewritten = {
  readonly folder: string
  readonly producers: ProducerState
  readonly segments: readonly Segment[]
  readonly logStartOffset: number
  readonly isReleased: boolean
  abortedTransactions(from: number, upTo: number): AbortedTransaction[]
}

/** What the log has to itself. */
type Parts = {
  readonly config: LogConfig
  readonly flushing: Flushing
  readonly checkpointing: Checkpointing
  readonly isFork: boolean
  /** Base offset of the first file that no parent shares. */
  readonly ownFrom: number
  /** In this turn the segments, or the files behind them, become others. */
  replaceSegments(segments: Segment[]): void
}

export class Rewriting {
  readonly #store: Store
  readonly #log: Rewritten
  readonly #parts: Parts
  #compactedOffset: number
  #cleanOffset: number
  #compacting = false

  constructor(
    store: Store,
    log: Rewritten,
    parts: Parts,
    { compactedOffset, checkpoint }: Pick<Recovered, 'compactedOffset' | 'checkpoint'>,
  ) {
    this.#store = store
    this.#log = log
    this.#parts = parts
    this.#compactedOffset = compactedOffset
    this.#cleanOffset = checkpoint?.cleanOffset ?? 0
  }

  /** Below it offsets may be missing: compaction has been there, or records were left out of packed files. */
  get compactedOffset(): number {
    return this.#compactedOffset
  }

  /** Everything below was compacted as far as it goes. `<= compactedOffset`. */
  get cleanOffset(): number {
    return this.#cleanOffset
  }

  // --- compaction

  async compact(now: number, turns: Turns, pins: Pins | undefined): Promise<void> {
    const log = this.#log
    const { config, checkpointing } = this.#parts
    const plan = this.#compactionPlan(now)
    if (plan === undefined) return
    const since = performance.now()
    const work = workOn(this.#store)
    this.#compacting = true
    try {
      const place = {
        store: this.#store,
        config,
        producers: log.producers,
        hidesOlder: log.logStartOffset < plan.segments[0]!.baseOffset,
        pins,
        isFork: this.#parts.isFork,
        aborted: (from: number, upTo: number) => log.abortedTransactions(from, upTo),
        isOver: () => log.isReleased || turns.isOver(),
        now,
        turns,
      }
      const keeping = await mapKeys(plan, place)
      if (place.isOver()) return
      // First of all: a start that finds holes must know that they are meant.
      this.#compactedOffset = Math.max(this.#compactedOffset, plan.end)
      await checkpointing.saveAside()
      await this.#store.syncFolder(log.folder)
      if (place.isOver()) return
      for await (const { segments, compacted } of compactSegments(plan, keeping, place)) {
        work.compactedBytesBefore += segments.reduce((sum, { length }) => sum + length, 0)
        work.compactedBytesAfter += compacted.length
        await this.#replace(segments, compacted)
      }
      if (place.isOver()) return
      // A record that came back behind this would never be looked at again.
      await this.#store.syncFolder(log.folder)
      this.#cleanOffset = keeping.mappedEnd
      checkpointing.save(false)
      work.compactions.note(performance.now() - since)
    } catch (cause) {
      // Retention has taken what was to be read next: another round plans without it.
      const isGone = cause instanceof StorageError && cause.code === 'ENOENT'
      if (!isGone || !this.#isStale(plan.segments)) throw cause
    } finally {
      this.#compacting = false
    }
  }

  #compactionPlan(now: number): CompactionPlan | undefined {
    const { config, flushing, ownFrom } = this.#parts
    const { isReleased, producers } = this.#log
    if (this.#compacting || isReleased || !config.compacts) return undefined
    const stable = producers.transactions.firstUnstable(flushing.flushedOffset)
    const all = flushing.flushedSegments
    // What a fork shares stays as it is: the bound of its last file holds for that file only. And what is packed stays packed.
    const fixed = all.findLastIndex(({ baseOffset, isPacked }) => isPacked || baseOffset < ownFrom)
    return planCompaction(all.slice(fixed + 1), this.#cleanOffset, stable, config, now)
  }

  /** Retention or DeleteRecords may have taken some of them meanwhile. */
  #isStale(segments: readonly Segment[]): boolean {
    return this.#log.isReleased || !segments.every((segment) => this.#log.segments.includes(segment))
  }

  async #replace(segments: readonly Segment[], compacted: RewrittenFile): Promise<void> {
    const [first, ...others] = segments
    if (this.#isStale(segments)) return compacted.discard()
    try {
      first!.replaceBy(compacted)
    } catch (cause) {
      compacted.discard()
      throw cause
    }
    // In the same turn, whatever becomes of the index: another round would write twice what both hold.
    this.#withdraw(others)
    whereRoom(() => first!.saveIndex())
    if (others.length === 0) return
    // Their names go when stable storage knows of the file that holds what they held.
    await this.#store.syncFolder(this.#log.folder)
    for (const other of others) {
      // Under the same names others may lie by now; a start removes what is left.
      if (this.#log.isReleased) other.close()
      else other.remove()
    }
  }

  #withdraw(others: readonly Segment[]): void {
    const { segments } = this.#log
    this.#parts.replaceSegments(segments.filter((segment) => !others.includes(segment)))
  }

  // --- packing

  /** Sealed segments from the first on that may be packed: they are on stable storage, and all their transactions are decided. */
  get packable(): readonly Segment[] {
    const { flushing } = this.#parts
    const { producers } = this.#log
    if (this.#compacting || this.#log.isReleased) return []
    // What a fork shares nobody has flushed, perhaps; the packed file is, before it takes its place.
    const stable = producers.transactions.firstUnstable(flushing.flushedOffset)
    const sealed = flushing.flushedSegments
    const end = sealed.findIndex(({ nextOffset }) => nextOffset > stable)
    return end === -1 ? sealed : sealed.slice(0, end)
  }

  /**
   * Puts a packed file in the place of segments that stand one behind the other; false where some of them are gone. `holes`:
   * records were left out. Throws StorageError; if that was after the rename, the packed file counts all the same.
   */
  async pack(segments: readonly Segment[], packed: RewrittenFile, holes: boolean): Promise<boolean> {
    const { folder } = this.#log
    const { checkpointing, config } = this.#parts
    const [first, ...others] = segments
    if (this.#isOvertaken(segments)) return this.#giveUp(packed)
    // A start that finds holes must know that they are meant, and who wrote the records it cannot learn from a packed file.
    if (holes) this.#compactedOffset = Math.max(this.#compactedOffset, packed.nextOffset)
    await checkpointing.saveAside()
    if (this.#isOvertaken(segments)) return this.#giveUp(packed)
    const prefix = ownPrefix(folder)
    const indexPath = `${prefix}${segmentName(first!.baseOffset, 'index')}`
    if (first!.indexPath === indexPath) first!.dropIndex()
    else this.#store.remove(indexPath)
    await this.#store.syncFolder(folder)
    if (this.#isOvertaken(segments)) return this.#giveUp(packed)
    const gone = first!.packBy(packed, prefix, config.openPacked!)
    this.#withdraw(others)
    await this.#store.syncFolder(folder)
    // Under the same names others may lie by now.
    if (this.#log.isReleased) return true
    // What goes then makes the room that there may not have been for it.
    if (this.#log.segments.includes(first!)) whereRoom(() => first!.saveIndex())
    for (const name of gone) this.#store.remove(name)
    for (const other of others) {
      // To unmap a large file takes a millisecond, and there may be many.
      await shortRest()
      // Then the pack counts, and a start removes the names.
      if (this.#log.isReleased) other.close()
      else other.remove()
    }
    return true
  }

  /** Gone, or no more to be packed: the topic was switched, and compaction may have been where the packer has read, or be there now. */
  #isOvertaken(segments: readonly Segment[]): boolean {
    return this.#parts.config.compacts || this.#compacting || this.#isStale(segments)
  }

  #giveUp(packed: RewrittenFile): false {
    packed.discard()
    return false
  }
}
