// What of a log is on stable storage, and how the rest gets there: one flush at a time, the oldest segment first.

import { StorageError } from '../../protocol/errors.ts'
import type { Store } from '../storage/file.ts'
import { lacksDescriptors } from '../storage/shortage.ts'
import type { Checkpoint } from './checkpoint.ts'
import { GroupCommit } from './group-commit.ts'
import { type LogWork, workOn } from './log-work.ts'
import type { Segment } from './segment.ts'

/** So long it waits for a descriptor before it asks again. */
const lateMs = 20

/** What a flush looks at when its turn comes. */
type Flushed = {
  readonly folder: string
  readonly segments: readonly Segment[]
  readonly logEndOffset: number
  readonly isReleased: boolean
}

export class Flushing {
  readonly #store: Store
  readonly #log: Flushed
  readonly #work: LogWork
  readonly #commits = new GroupCommit(() => this.#flushNow())
  /** Sealed segments whose bytes are not known to be on stable storage. */
  readonly unflushed = new Set<Segment>()
  #flushedOffset: number
  /** Names came or went, and stable storage may not know of it. */
  namesChanged = false
  #failure: StorageError | undefined

  constructor(store: Store, log: Flushed, flushedOffset: number) {
    this.#store = store
    this.#work = workOn(store)
    this.#log = log
    this.#flushedOffset = flushedOffset
  }

  /** Everything below is on stable storage, as far as this process knows. */
  get flushedOffset(): number {
    return this.#flushedOffset
  }

  /** What was scanned has outlived a kill, but perhaps nobody flushed it. */
  distrust(flushedOffset: number): void {
    this.namesChanged = true
    this.#flushedOffset = Math.min(flushedOffset, this.#log.logEndOffset)
    // What a checkpoint vouches for was flushed, and a packed file before it got its name.
    for (const segment of this.#log.segments.slice(0, -1)) {
      if (!segment.isPacked && segment.nextOffset > flushedOffset) this.unflushed.add(segment)
    }
  }

  /**
   * Flushed segments that may lose records: the sealed ones in front of the first that is not flushed, and not the last of
   * all while nothing is behind it. Behind the last record there must be no hole: clients do not cross it.
   */
  get flushedSegments(): readonly Segment[] {
    const { segments } = this.#log
    const sealed = segments.slice(0, segments.at(-1)?.isEmpty ? -2 : -1)
    const end = sealed.findIndex((segment) => this.unflushed.has(segment))
    return end === -1 ? sealed : sealed.slice(0, end)
  }

  /** Where the next start may begin to look: behind sealed and flushed segments, or all of a log that was just closed. */
  vouched(closing: boolean): Checkpoint['recovered'] {
    const { segments, logEndOffset } = this.#log
    const active = segments.at(-1)
    const unflushed = [...this.unflushed].reduce((low, { baseOffset }) => Math.min(low, baseOffset), Infinity)
    const isWhole = closing && unflushed === Infinity && active !== undefined
    if (isWhole) return { offset: logEndOffset, segment: active.baseOffset, position: active.length }
    const segment = Math.min(unflushed, active?.baseOffset ?? logEndOffset)
    return { offset: segment, segment, position: 0 }
  }

  /**
   * Why nothing can be promised any more: a flush of some file or folder of the log failed. The kernel may have dropped what it could
   * not write, so another one that works would prove nothing, and whatever is appended would stand behind what is perhaps lost.
   */
  get failure(): StorageError | undefined {
    return this.#failure
  }

  /** Resolves when everything appended before the call is on stable storage. Rejects with StorageError, and then for ever. */
  run(): Promise<void> {
    return this.#commits.run()
  }

  /** Everything below `end` is on stable storage, with all else that its disk had to write. Says nothing of a log that has grown since. */
  wasRun(end: number): void {
    if (this.#failure !== undefined || this.#log.logEndOffset !== end) return
    for (const segment of this.unflushed) segment.seal()
    this.unflushed.clear()
    this.#flushedOffset = end
    this.namesChanged = false
  }

  async #flushNow(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    try {
      await this.#flushPatiently()
    } catch (cause) {
      if (cause instanceof StorageError && !this.#log.isReleased) {
        this.#failure = cause
        console.error(`${this.#log.folder} takes no more writes until the broker is started again: ${cause.message}`)
      }
      throw cause
    }
  }

  /**
   * Where no descriptor is left nothing has begun, so nothing has failed: it is late. Were it to fail, whoever writes something once
   * would write it again behind what is there.
   */
  async #flushPatiently(): Promise<void> {
    for (;;) {
      try {
        return await this.#flushAll()
      } catch (cause) {
        if (!lacksDescriptors(cause) || this.#log.isReleased) throw cause
      }
      await new Promise((resolve) => setTimeout(resolve, lateMs))
    }
  }

  async #flushAll(): Promise<void> {
    const since = performance.now()
    const end = this.#log.logEndOffset
    const active = this.#log.segments.at(-1)
    for (const segment of [...this.unflushed]) {
      await this.#flushOne(segment)
      this.unflushed.delete(segment)
      segment.seal()
    }
    if (active !== undefined && this.#flushedOffset < end) {
      await this.#flushOne(active)
      await this.#syncNames()
    }
    this.#flushedOffset = Math.max(this.#flushedOffset, end)
    this.#work.flushes.note(performance.now() - since)
  }

  async #flushOne(segment: Segment): Promise<void> {
    // Its files are let go, and may be others' by now: whoever opened them again would hold them for ever.
    if (this.#log.isReleased) throw new StorageError('ENOENT', `${this.#log.folder} was let go`)
    if (!this.#log.segments.includes(segment)) return
    try {
      await segment.flush()
    } catch (cause) {
      // Taken by retention meanwhile, with its descriptor: nobody waits for its bytes any more.
      if (this.#log.segments.includes(segment)) throw cause
    }
  }

  async #syncNames(): Promise<void> {
    if (!this.namesChanged) return
    this.namesChanged = false
    try {
      await this.#store.syncFolder(this.#log.folder)
    } catch (cause) {
      this.namesChanged = true
      throw cause
    }
  }
}
