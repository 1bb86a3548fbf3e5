// What views with `view.where` show. Packs have an index of scalars; what is not packed is looked at as it comes.

import { DamagedRecords } from '../../protocol/errors.ts'
import { canonicalScalar, parseJson, parsePointer, scalarAt, scalarHash } from './json-scalars.ts'
import { partIndexOf } from './part.ts'
import type { Revisions } from './revisions.ts'
import { RisingOffsets, type Selection } from './selection.ts'
import type { ViewWhere } from './view-config.ts'

/** What a look at a record costs beside its value, told in bytes of a scan. */
const recordCost = 1024

/** Offsets of which one pack says that they may have the scalar; it speaks for all below `to`. */
type Told = { readonly offsets: Float64Array; next: number; readonly to: number }

/** What another selection shows, and of that the documents that have a scalar at a place. Values that are no JSON are skipped. */
export class WhereSelection implements Selection {
  readonly isCut = false
  readonly #revisions: Revisions
  readonly #inner: Selection
  readonly #pointer: string
  readonly #names: readonly string[]
  readonly #scalar: string
  readonly #hash: number
  /** Packs know it of all keys at once. */
  readonly #isOfAll: boolean
  readonly #found = new RisingOffsets()
  #seenOffset = 0
  /** What a pack knows, and how far it was looked at. */
  #told: Told | undefined
  #unparsed = 0

  constructor(revisions: Revisions, inner: Selection, { pointer, scalar }: ViewWhere, isOfAll: boolean) {
    this.#revisions = revisions
    this.#inner = inner
    this.#pointer = pointer
    this.#names = parsePointer(pointer) ?? []
    this.#scalar = canonicalScalar(scalar)
    this.#hash = scalarHash(scalar)
    this.#isOfAll = isOfAll
  }

  /** Values that were looked at and are no JSON. */
  get unparsed(): number {
    return this.#unparsed
  }

  advance(bytes: number): boolean {
    if (this.#inner.advance(bytes)) return true
    const { known, indexedOffset } = this.#revisions
    for (let left = bytes; this.#seenOffset < indexedOffset; ) {
      if (left <= 0) return true
      if (this.#told !== undefined) {
        left -= this.#lookAtTold(this.#told)
        continue
      }
      const part = known.all[partIndexOf(known.all, this.#seenOffset)]
      const offsets =
        this.#isOfAll && part?.baseOffset === this.#seenOffset && part.nextOffset <= indexedOffset
          ? part.withScalar(this.#pointer, this.#hash)
          : undefined
      if (offsets !== undefined) this.#told = { offsets, next: 0, to: part!.nextOffset }
      else left -= this.#lookAtOne(indexedOffset)
    }
    return false
  }

  /** Answers what it cost. */
  #lookAtTold(told: Told): number {
    const offset = told.offsets[told.next++]
    if (offset === undefined) {
      this.#seenOffset = told.to
      this.#told = undefined
      return 0
    }
    if (this.#holds(offset)) this.#found.push(offset)
    return recordCost + this.#lookedAt
  }

  /** Answers what it cost. */
  #lookAtOne(indexedOffset: number): number {
    const offset = this.#inner.next(this.#seenOffset)
    if (offset === undefined || offset >= indexedOffset) {
      this.#seenOffset = indexedOffset
      return 0
    }
    if (this.#holds(offset)) this.#found.push(offset)
    this.#seenOffset = offset + 1
    return recordCost + this.#lookedAt
  }

  /** Bytes of the value that was looked at last. */
  #lookedAt = 0

  #holds(offset: number): boolean {
    const value = this.#valueAt(offset)
    this.#lookedAt = value?.length ?? 0
    if (value === null) return false
    const json = parseJson(value)
    if (json === undefined) {
      this.#unparsed++
      return false
    }
    const found = scalarAt(json, this.#names)
    return found !== undefined && canonicalScalar(found) === this.#scalar
  }

  /** What is damaged cannot be judged; it is no reason to show nothing else. */
  #valueAt(offset: number): Buffer | null {
    try {
      return this.#revisions.read(offset)?.value ?? null
    } catch (cause) {
      if (!(cause instanceof DamagedRecords)) throw cause
      return null
    }
  }

  next(from: number): number | undefined {
    return this.#found.next(from)
  }

  get last(): number {
    return this.#found.last
  }
}
