// The parts of a partition's revisions in their order, and a hint for each key where its newest one is: look-ups that go from
// part to part.

import type { KeyHash } from './key-hash.ts'
import { hashOf } from './key-table.ts'
import { NewestParts } from './newest-parts.ts'
import { type Numbered, none, type Part, partIndexOf } from './part.ts'

/** Where a revision is known. */
export type Place = { readonly part: Part; readonly entry: number }

export const offsetOf = ({ part, entry }: Place): number => part.offsetOf(entry)

export class KnownParts {
  readonly #hash: KeyHash
  /** Ascending, without overlap. */
  #parts: Part[] = []
  /** Those of them that a fork shows the first of: one for each fork that went through a pack. */
  #cut: Part[] = []
  /** A part by the number that hints have; undefined once it is gone, another once it was replaced. */
  readonly #numbered: (Part | undefined)[] = [undefined]
  readonly #numbers = new Map<Part, number>()
  readonly #hints = new NewestParts()

  constructor(hash: KeyHash) {
    this.#hash = hash
  }

  get all(): readonly Part[] {
    return this.#parts
  }

  /** A part behind all others. Its keys are noted, by `noteKey`, before it is added or as they come. */
  add(part: Part): void {
    this.#parts.push(part)
    if (part.isCut) this.#cut.push(part)
    this.#numberOf(part)
  }

  #numberOf(part: Part): number {
    return this.#numbers.get(part) ?? this.#number(part)
  }

  #number(part: Part): number {
    const number = this.#numbered.push(part) - 1
    this.#numbers.set(part, number)
    return number
  }

  /** The last part, or the one that is added next, has a key. */
  noteKey(part: Part, hash: number): void {
    this.#hints.put(hash, this.#numberOf(part))
  }

  /** Other parts from now on. Each that is not among them any more is replaced by the one that covers where it began, if there is one. */
  replace(parts: Part[]): void {
    const kept = new Set(parts)
    for (const [number, part] of this.#numbered.entries()) {
      if (part === undefined || kept.has(part)) continue
      const index = partIndexOf(parts, part.baseOffset)
      const covering = parts[index]
      const isThere = covering !== undefined && covering.nextOffset > part.baseOffset
      // One that was never added may have taken the hints of others: those are looked for from the last part on.
      const isAhead = parts.length > 0 && part.baseOffset >= parts.at(-1)!.nextOffset
      this.#numbered[number] = isThere ? covering : isAhead ? parts.at(-1) : undefined
      this.#numbers.delete(part)
    }
    for (const part of parts) if (!this.#numbers.has(part)) this.#number(part)
    this.#parts = parts
    this.#cut = parts.filter(({ isCut }) => isCut)
  }

  /** The most revisions of a key that may have been where a fork cut through a pack. */
  countAtCuts(hash: number, key: Uint8Array): number {
    return this.#cut.reduce((most, part) => Math.max(most, part.countAtCut(hash, key)), 0)
  }

  /** The newest revision of a key, of those below an offset. */
  newest(hash: number, key: Uint8Array, below = Infinity): Place | undefined {
    const hint = this.#numbered[this.#hints.get(hash)]
    if (hint === undefined) return undefined
    return this.#downFrom(partIndexOf(this.#parts, Math.min(hint.baseOffset, below - 1)), hash, key, below)
  }

  #downFrom(index: number, hash: number, key: Uint8Array, below: number): Place | undefined {
    for (let i = index; i >= 0; i--) {
      const part = this.#parts[i]!
      const entry = part.newest(hash, key, below)
      if (entry !== none) return { part, entry }
    }
    return undefined
  }

  /** The same for who has no hash. */
  newestOf(key: Uint8Array, below = Infinity): Place | undefined {
    return this.newest(hashOf(this.#hash, key), key, below)
  }

  /** The revision of the same key before. */
  before({ part, entry }: Place): Place | undefined {
    const previous = part.previous(entry)
    if (previous !== none) return { part, entry: previous }
    const index = partIndexOf(this.#parts, part.baseOffset) - 1
    return index < 0 ? undefined : this.#downFrom(index, part.hashOf(entry), part.keyOf(entry), Infinity)
  }

  /** The revision at an offset. */
  at(offset: number): Place | undefined {
    const part = this.#parts[partIndexOf(this.#parts, offset)]
    const entry = part?.entryAt(offset) ?? none
    return entry === none ? undefined : { part: part!, entry }
  }

  /** The first revision of any key from an offset on. */
  from(offset: number): Place | undefined {
    for (let i = Math.max(0, partIndexOf(this.#parts, offset)); i < this.#parts.length; i++) {
      const part = this.#parts[i]!
      const entry = part.entryFrom(Math.max(offset, part.baseOffset))
      if (entry !== none) return { part, entry }
    }
    return undefined
  }

  /** Notes revisions of any key, as `Part.number` does. */
  number(from: number, to: number, into: Numbered): number {
    const index = Math.max(0, partIndexOf(this.#parts, from))
    const part = this.#parts[index]
    if (part === undefined || part.baseOffset >= to) return to
    const next = part.number(Math.max(from, part.baseOffset), to, into)
    // Between parts there is nothing.
    return next < part.nextOffset ? next : (this.#parts[index + 1]?.baseOffset ?? to)
  }

  /** Whether a revision is the newest of its key. */
  isNewest({ part, entry }: Place): boolean {
    if (!part.isNewest(entry)) return false
    const hash = part.hashOf(entry)
    const hint = this.#numbered[this.#hints.get(hash)]
    // Another key may have the same hash.
    return hint === part || hint === undefined || this.newest(hash, part.keyOf(entry))?.part === part
  }

  /** The last revision of any key. */
  last(): Place | undefined {
    for (let i = this.#parts.length - 1; i >= 0; i--) {
      const entry = this.#parts[i]!.last()
      if (entry !== none) return { part: this.#parts[i]!, entry }
    }
    return undefined
  }
}
