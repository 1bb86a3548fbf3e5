// Deltas of long values, for who reads a view: made in slices while he waits. One at a time in the whole process, for each takes several
// times the room that its values have.

import { atEase, Considerate, type Walk } from '../log/walk.ts'

/** `base`: the offset of the value before; -1: none. Without a delta the value is told full. */
export type LongDelta = { readonly base: number; readonly delta: Buffer | undefined }

/** Of all views: who has waited for one comes for it at once, and the last one stays in any case. */
const keptBytesMax = 32 * 1024 * 1024
const keptMax = 16

/** Those that were made last, by view and offset. */
const kept = new Map<string, LongDelta>()

function keep(name: string, made: LongDelta): void {
  kept.delete(name)
  kept.set(name, made)
  let byteCount = 0
  for (const { delta } of kept.values()) byteCount += delta?.length ?? 0
  for (const [oldest, { delta }] of kept) {
    if ((byteCount <= keptBytesMax && kept.size <= keptMax) || oldest === name) return
    kept.delete(oldest)
    byteCount -= delta?.length ?? 0
  }
}

const nothing = (): void => {}

let views = 0
let before: Promise<unknown> = Promise.resolve()

/** Does such work when all that was asked for before is done. Undefined where it was given up. */
export function makeLong<T>(work: () => Walk<T>, isOver = () => false): Promise<T | undefined> {
  const done = before.then(() => atEase(work(), new Considerate().rest, isOver))
  before = done.then(nothing, nothing)
  return done
}

export class LongDeltas {
  readonly #walk: (offset: number) => Walk<LongDelta | undefined>
  readonly #view = views++
  #wanted: number | undefined

  /** `walk`: undefined where there is no such revision any more. */
  constructor(walk: (offset: number) => Walk<LongDelta | undefined>) {
    this.#walk = walk
  }

  /** What was made for the revision at an offset: to the value before it, if that is still the same. */
  get(offset: number, base: number): LongDelta | undefined {
    const made = kept.get(this.#nameOf(offset))
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
      if (made !== undefined) keep(this.#nameOf(offset), made)
    } finally {
      this.#wanted = undefined
    }
  }

  #nameOf(offset: number): string {
    return `${this.#view} ${offset}`
  }
}
