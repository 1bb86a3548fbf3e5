// Deltas of long values, for who reads a view: made in slices while he waits. One at a time in the whole process, for each takes several
// times the room that its values have.

import { atEase, Considerate, type Walk } from '../log/walk.ts'

/** `base`: the offset of the value before; -1: none. Without a delta the value is told full. */
export type LongDelta = { readonly base: number; readonly delta: Buffer | undefined }

/** Readers of one view at different places, each of whom comes for his. */
const keptMax = 2

let before: Promise<unknown> = Promise.resolve()

/** Does such work when all that was asked for before is done. Undefined where it was given up. */
export function makeLong<T>(work: () => Walk<T>, isOver = () => false): Promise<T | undefined> {
  const done = before.then(() => atEase(work(), new Considerate().rest, isOver))
  before = done.catch(() => {})
  return done
}

export class LongDeltas {
  readonly #walk: (offset: number) => Walk<LongDelta | undefined>
  readonly #made = new Map<number, LongDelta>()
  #wanted: number | undefined

  /** `walk`: undefined where there is no such revision any more. */
  constructor(walk: (offset: number) => Walk<LongDelta | undefined>) {
    this.#walk = walk
  }

  /** What was made for the revision at an offset: to the value before it, if that is still the same. */
  get(offset: number, base: number): LongDelta | undefined {
    const made = this.#made.get(offset)
    return made?.base === base ? made : undefined
  }

  /** Others can be wanted when this one has been made. */
  want(offset: number): void {
    this.#wanted ??= offset
  }

  isComing(offset: number): boolean {
    return this.#wanted === offset
  }

  get isWanted(): boolean {
    return this.#wanted !== undefined
  }

  /** Makes the one that is wanted. Rejects with DamagedRecords. */
  async make(isOver: () => boolean): Promise<void> {
    const offset = this.#wanted
    if (offset === undefined) return
    try {
      const made = await makeLong(() => this.#walk(offset), isOver)
      if (made === undefined) return
      this.#made.delete(offset)
      this.#made.set(offset, made)
      for (const [oldest] of this.#made) if (this.#made.size > keptMax) this.#made.delete(oldest)
    } finally {
      this.#wanted = undefined
    }
  }
}
