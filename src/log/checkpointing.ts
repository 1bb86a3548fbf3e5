// When a log notes what its next start may believe, and with it which snapshots of producers are needed no more.

import type { Store } from '../storage/file.ts'
import { type Checkpoint, durableCheckpoint, saveCheckpoint, saveCheckpointAside } from './checkpoint.ts'
import type { Flushing } from './flushing.ts'
import type { Inherited } from './inherited.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import { dropSnapshots, flushSnapshot } from './producer-snapshot.ts'
import type { Recovered } from './recovery.ts'
import type { Segment } from './segment.ts'

/** What is noted of the log. */
type Noted = {
  readonly folder: string
  readonly segments: readonly Segment[]
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly epochs: LeaderEpochs
  readonly compactedOffset: number
  readonly cleanOffset: number
  readonly isReleased: boolean
}

export class Checkpointing {
  readonly #store: Store
  readonly #log: Noted
  readonly #flushing: Flushing
  readonly #found: Pick<Recovered, 'shared' | 'scannedBytes'>
  readonly #inherited: Inherited | undefined
  #checkpoint: Checkpoint | undefined
  /** The last one that a power cut leaves, and one that is on its way there. */
  #durable: Checkpoint | undefined
  #coming: Checkpoint | undefined
  #last: Promise<void> = Promise.resolve()

  constructor(
    store: Store,
    log: Noted,
    flushing: Flushing,
    found: Pick<Recovered, 'shared' | 'scannedBytes' | 'checkpoint'>,
    inherited: Inherited | undefined,
  ) {
    this.#store = store
    this.#log = log
    this.#flushing = flushing
    this.#found = found
    this.#inherited = inherited
    this.#checkpoint = found.checkpoint
  }

  /** Notes what is flushed and indexed, so that the next start scans no further back. */
  save(durable: boolean, closing = false): void {
    const checkpoint = this.#next(closing)
    if (checkpoint === undefined) return
    saveCheckpoint(this.#store, this.#log.folder, checkpoint, durable)
    if (durable) this.#durable = checkpoint
    this.#dropSnapshots()
  }

  /**
   * The same durably and off the event loop, with the snapshot of producers as of where the next start will begin to look.
   * One after the other, as all are written aside under one name. Rejects with StorageError.
   */
  saveAside(): Promise<void> {
    const saved = this.#last.then(() => this.#saveAside())
    this.#last = saved.catch(() => {}) // Whoever asked for it is told.
    return saved
  }

  async #saveAside(): Promise<void> {
    const checkpoint = this.#next(false)
    if (checkpoint === undefined) return
    this.#coming = checkpoint
    try {
      await flushSnapshot(this.#store, this.#log.folder, checkpoint.recovered.offset)
      const isNewest = () => !this.#log.isReleased && (this.#durable?.count ?? 0) < checkpoint.count
      if (await saveCheckpointAside(this.#store, this.#log.folder, checkpoint, isNewest)) this.#durable = checkpoint
    } finally {
      this.#coming = undefined
    }
    this.#dropSnapshots()
  }

  /** While files are packed, whoever wrote their records must be known after a power cut too. */
  #dropSnapshots(): void {
    const { folder, segments, isReleased } = this.#log
    if (isReleased) return
    const isPacked = this.#coming !== undefined || segments.some((segment) => segment.isPacked)
    if (isPacked) this.#durable ??= durableCheckpoint(this.#store, folder)
    const kept = isPacked ? [this.#durable, this.#coming].map((one) => one?.recovered.offset ?? -1) : []
    // A start after a kill scans the active file: were it not known what was open before, all before it would be read.
    kept.push(segments.at(-1)?.baseOffset ?? -1)
    dropSnapshots(this.#store, folder, this.#checkpoint!.recovered.offset, kept)
  }

  #next(closing: boolean): Checkpoint | undefined {
    const { segments, logStartOffset, logEndOffset, epochs, compactedOffset, cleanOffset, isReleased } = this.#log
    if (isReleased || (segments.length === 0 && logEndOffset === 0)) return undefined
    const { isSettled, lost } = this.#found.shared
    const latest = this.#flushing.vouched(closing)
    // What was vouched for once stays so; its producer snapshot is the one that is there.
    const known = this.#checkpoint?.recovered ?? latest
    this.#checkpoint = {
      v: 1,
      count: (this.#checkpoint?.count ?? 0) + 1,
      logStartOffset,
      epochs: epochs.entries,
      compactedOffset,
      cleanOffset,
      ...(this.#inherited === undefined ? {} : { settled: isSettled }),
      ...(lost.length === 0 ? {} : { lost }),
      recovered: known.offset > latest.offset ? known : latest,
    }
    return this.#checkpoint
  }

  /** The last checkpoint says all there is to say: nothing happened since the start. */
  get isNoted(): boolean {
    const { recovered, logStartOffset } = this.#checkpoint ?? {}
    if (this.#found.scannedBytes > 0 || this.#found.shared.wasDoubted || logStartOffset !== this.#log.logStartOffset)
      return false
    return recovered?.offset === this.#log.logEndOffset
  }
}
