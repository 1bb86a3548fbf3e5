// How a log loses records from its beginning: those that somebody deletes, and those that retention takes. Files go whole, and the name
// of the first that is left tells where the log begins; so most of this needs no room on a disk that is full. The last file may go
// when another has begun and stable storage knows of it, or the log would begin at 0 again after a power cut.

import type { Store } from '../storage/file.ts'
import { isShortage } from '../storage/shortage.ts'
import type { Checkpointing } from './checkpointing.ts'
import type { Flushing } from './flushing.ts'
import type { LogConfig } from './log-config.ts'
import { flushSnapshot, saveSnapshot } from './producer-snapshot.ts'
import type { ProducerState } from './producer-state.ts'
import { type BroughtAt, expiredSegments } from './retention.ts'
import type { Segment } from './segment.ts'
import { whereRoom } from './where-room.ts'

/** What is asked of the log. */
type Removed = {
  readonly folder: string
  readonly segments: readonly Segment[]
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly producers: ProducerState
  readonly isReleased: boolean
  readonly hooks: { readonly beforeRemoval?: (upTo: number) => void }
  roll(): Segment
}

/** What the log has to itself. */
type Parts = {
  readonly config: LogConfig
  readonly flushing: Flushing
  readonly checkpointing: Checkpointing
  startAt(offset: number): void
  /** The first segment is one no more. */
  dropFirst(): Segment
}

/** A file of which everything is deleted is worth another one from here on. */
const worthBytes = 1024 * 1024

export class Removing {
  readonly #store: Store
  readonly #log: Removed
  readonly #parts: Parts
  #takingLast: Promise<void> | undefined
  /** The disk has not taken the log start yet. */
  #isUntold = false

  constructor(store: Store, log: Removed, parts: Parts) {
    this.#store = store
    this.#log = log
    this.#parts = parts
  }

  /** Moves the log start up; whole segments below it go. The caller has held the offset against the bounds. Throws StorageError. */
  deleteBelow(offset: number): void {
    if (offset <= this.#log.logStartOffset && !this.#isUntold) return
    const isAll = offset === this.#log.logEndOffset
    if (isAll) this.#beforeAllGoes()
    this.#parts.startAt(offset)
    this.#isUntold = true
    // On a disk that is full these make the room for the note. The first file left tells the log start till then.
    this.#dropWhile((segment) => segment.nextOffset <= offset)
    const active = this.#log.segments.at(-1)
    const byteCount = active?.length ?? 0
    try {
      // If no file may be left to tell where the log goes on, a power cut must not make it begin at 0 again.
      this.#parts.checkpointing.save(active?.isEmpty ?? true)
      this.#isUntold = false
    } finally {
      if (isAll && byteCount > 0 && (this.#isUntold || byteCount >= worthBytes)) this.#leave()
    }
  }

  /** Nothing of the active file is to be shown any more. */
  #leave(): void {
    const { segments } = this.#log
    const doomed = segments.filter(({ isEmpty }) => !isEmpty)
    this.#log.roll()
    this.#beginTakingLast(doomed)
  }

  /** Applies retention by time and by bytes; answers how many segments went. Throws StorageError, what is old being gone all the same. */
  retain(now: number, broughtAt?: BroughtAt): number {
    const { segments } = this.#log
    const doomed = expiredSegments(segments, this.#parts.config, now, broughtAt)
    if (doomed.length === 0) return 0
    const takesAll = segments[doomed.length]?.isEmpty ?? true
    const older = takesAll ? doomed.slice(0, -1) : doomed
    if (takesAll) this.#beforeAllGoes()
    this.#parts.startAt(older.at(-1)?.nextOffset ?? 0)
    this.#drop(older)
    if (takesAll) {
      this.#log.roll()
      this.#parts.startAt(this.#log.logEndOffset)
    }
    if (takesAll) this.#beginTakingLast(doomed)
    this.#parts.checkpointing.save(false)
    return doomed.length
  }

  /** The last file stays for a while, and a start lets it go without a word once another has begun. */
  #beforeAllGoes(): void {
    const { logEndOffset: end, producers, hooks } = this.#log
    if (producers.transactions.firstUnstable(end) >= end) hooks.beforeRemoval?.(end)
  }

  #beginTakingLast(doomed: readonly Segment[]): void {
    this.#takingLast ??= this.#takeLast(doomed).finally(() => {
      this.#takingLast = undefined
    })
  }

  /** It may take seconds until stable storage knows where the log goes on. */
  async #takeLast(doomed: readonly Segment[]): Promise<void> {
    const { folder } = this.#log
    const end = doomed.at(-1)!.nextOffset
    try {
      const isTold = await this.#tellStart(end)
      await this.#store.syncFolder(folder)
      if (this.#log.isReleased) return
      this.#drop(doomed)
      if (!isTold) this.#tellLate(end)
    } catch (cause) {
      console.error(`${folder}: what retention took stays on the disk for now: ${String(cause)}`)
    }
  }

  /** False where there is no room for it: the name of the file that begins there tells it, too. Rejects with StorageError. */
  async #tellStart(end: number): Promise<boolean> {
    try {
      // What ended the transactions of older snapshots goes with the files.
      await flushSnapshot(this.#store, this.#log.folder, end)
      await this.#parts.checkpointing.saveAside()
      return true
    } catch (cause) {
      if (!isShortage(cause)) throw cause
      if (!this.#log.isReleased) void this.#log.segments.at(-1)!.file // made by whoever asks for it first
      return false
    }
  }

  /** There is room now. */
  #tellLate(end: number): void {
    const { folder, logEndOffset, producers } = this.#log
    whereRoom(() => {
      if (logEndOffset === end) saveSnapshot(this.#store, folder, end, producers)
      this.#parts.checkpointing.save(false)
      this.#isUntold = false
    })
  }

  #drop(segments: readonly Segment[]): void {
    const doomed = new Set(segments)
    this.#dropWhile((segment) => doomed.has(segment))
  }

  #dropWhile(doomed: (segment: Segment) => boolean): void {
    const { segments, hooks } = this.#log
    const stays = segments.findIndex((segment) => !doomed(segment))
    const first = segments.at(stays)
    if (first === undefined || first === segments[0]) return
    hooks.beforeRemoval?.(first.baseOffset)
    while (this.#log.segments[0] !== first) {
      const segment = this.#parts.dropFirst()
      // Were it to come back after a power cut, a hole would be in it.
      if (this.#parts.flushing.unflushed.delete(segment)) this.#parts.flushing.namesChanged = true
      segment.remove()
    }
  }
}
