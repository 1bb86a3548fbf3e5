// Which topics stand for themselves: all but branches. One that takes a name takes the place of what had it, too, and gives it
// its own: what is forked with all topics is what they are called, and not what once became of it.

import type { StandingRecord } from './lineage-records.ts'

export class Standing {
  readonly #isBranch: (topicId: string) => boolean
  /** By topic id, where promotions have made it another. */
  readonly #changed = new Map<string, boolean>()

  constructor(isBranch: (topicId: string) => boolean) {
    this.#isBranch = isBranch
  }

  standsForItself(topicId: string): boolean {
    return this.#changed.get(topicId) ?? !this.#isBranch(topicId)
  }

  swap(one: string, other: string): void {
    const [ofOne, ofOther] = [one, other].map((id) => this.standsForItself(id)) as [boolean, boolean]
    this.#changed.set(one, ofOther).set(other, ofOne)
  }

  apply({ id, standsForItself }: StandingRecord): void {
    this.#changed.set(id, standsForItself)
  }

  removed(topicId: string): void {
    this.#changed.delete(topicId)
  }

  records(): StandingRecord[] {
    return [...this.#changed].map(([id, standsForItself]) => ({ v: 1, type: 'standing', id, standsForItself }))
  }
}
