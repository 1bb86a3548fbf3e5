// What a record of a view says, by the view's kind: the value itself, the delta to it, or what is known of it.

import { isUtf8 } from 'node:buffer'
import { crc32c } from '../../protocol/crc32c.ts'
import { DamagedRecords } from '../../protocol/errors.ts'
import type { BatchRecord } from '../../protocol/records/builder.ts'
import type { Walk } from '../log/walk.ts'
import { differenceInSlices, differenceOf, takesLong } from './difference.ts'
import type { Place } from './known-parts.ts'
import { type LongDelta, LongDeltas } from './long-deltas.ts'
import type { RevisionFormat, RevisionRecord } from './revision.ts'
import { describe, type Revisions } from './revisions.ts'
import { offsetOrNone } from './selection.ts'
import type { ViewKind } from './view-config.ts'

type Told = { readonly format: RevisionFormat; readonly base: Place | undefined; readonly value: Buffer | null }

/** Values of the revisions shown last: the bases of those that come next. */
const heldBytesMax = 4 * 1024 * 1024
const noBytes = Buffer.alloc(0)

export class ViewRecords {
  readonly #revisions: Revisions
  readonly #kind: ViewKind
  /** Longer values are shown full. */
  readonly #diffMaxBytes: () => number
  readonly #held = new Map<number, Buffer>()
  #heldBytes = 0
  /** Deltas that a page ended in front of: they are made while others have their turn. */
  readonly long = new LongDeltas((offset) => this.#makeLong(offset))

  constructor(revisions: Revisions, kind: ViewKind, diffMaxBytes: () => number) {
    this.#revisions = revisions
    this.#kind = kind
    this.#diffMaxBytes = diffMaxBytes
  }

  /**
   * The view's record at an offset, and the bytes that were looked at for it; undefined where it is gone, 'later' where its delta is
   * to be made first. Throws DamagedRecords.
   */
  at(offset: number): { record: BatchRecord & { offset: number }; cost: number } | 'later' | undefined {
    if (this.long.isComing(offset)) return 'later'
    const source = this.#revisions.read(offset)
    if (source === undefined) return undefined
    const { timestamp, key, headers } = source
    const cost = source.value?.length ?? 0
    if (this.#kind === 'state') return { record: { ...source, headers }, cost }
    const place = this.#revisions.known.at(offset)
    if (place === undefined) return undefined
    const told = this.#tell(place, source)
    if (told === 'later') return told
    const all = [...headers, ...headersOf(place, told, source)]
    return { record: { offset, timestamp, key, value: told.value, headers: all }, cost }
  }

  #tell(place: Place, source: RevisionRecord): Told | 'later' {
    const { value } = source
    switch (this.#kind) {
      case 'list': {
        const { format } = describe(place)
        const base = format === 'vcdiff' ? this.#revisions.before(place) : undefined
        return { format, base, value: listed(place, source) }
      }
      case 'diff':
        return this.#difference(place, source)
      default:
        return { format: value === null ? 'tombstone' : 'full', base: undefined, value }
    }
  }

  #difference(place: Place, { offset, value }: RevisionRecord): Told | 'later' {
    if (value === null) return { format: 'tombstone', base: undefined, value }
    const told = (delta: Buffer | undefined): Told =>
      delta === undefined ? { format: 'full', base: undefined, value } : { format: 'vcdiff', base, value: delta }
    const base = this.#revisions.before(place)
    const made = this.long.get(offset, offsetOrNone(base))
    if (made !== undefined) return told(made.delta)
    const before = base && this.#valueOf(base)
    this.#hold(offset, value)
    const bytesMax = this.#diffMaxBytes()
    if (!takesLong(before, value, bytesMax)) return told(differenceOf(before, value, bytesMax))
    this.long.want(offset)
    return 'later'
  }

  /** It is found anew: files may have been packed since somebody asked for it. */
  *#makeLong(offset: number): Walk<LongDelta | undefined> {
    const place = this.#revisions.known.at(offset)
    if (place === undefined) return undefined
    const base = this.#revisions.before(place)
    const before = base && this.#valueOf(base)
    const delta = yield* differenceInSlices(before, this.#valueOf(place), this.#diffMaxBytes())
    return { base: offsetOrNone(base), delta }
  }

  /** Null where it is damaged, too: who reads on is owed what comes after it, and has nothing to apply a delta to. */
  #valueOf({ part, entry }: Place): Buffer | null {
    try {
      const offset = part.offsetOf(entry)
      return this.#held.get(offset) ?? this.#revisions.read(offset)?.value ?? null
    } catch (cause) {
      if (!(cause instanceof DamagedRecords)) throw cause
      return null
    }
  }

  #hold(offset: number, value: Buffer): void {
    // Whoever reads it once more makes it the youngest.
    this.#heldBytes += value.length - (this.#held.get(offset)?.length ?? 0)
    this.#held.delete(offset)
    this.#held.set(offset, value)
    for (const [oldest, { length }] of this.#held) {
      if (this.#heldBytes <= heldBytesMax || oldest === offset) return
      this.#held.delete(oldest)
      this.#heldBytes -= length
    }
  }
}

/** The value of a record of a list. */
function listed(place: Place, { key }: RevisionRecord): Buffer {
  const { rev, offset, timestamp: ts, size, stored, format } = describe(place)
  const name = isUtf8(key) ? { key: key.toString() } : { keyBase64: key.toString('base64') }
  return Buffer.from(
    JSON.stringify({ ...name, rev, offset, ts, size, stored, format, tombstone: format === 'tombstone' }),
  )
}

/** `rev.…` of a record. */
function headersOf({ part, entry }: Place, { format, base }: Told, { value }: RevisionRecord) {
  const told: [string, string | number][] = [['rev', part.revOf(entry)]]
  if (base !== undefined) {
    told.push(['rev.base', base.part.revOf(base.entry)], ['rev.base.offset', base.part.offsetOf(base.entry)])
  }
  told.push(
    ['rev.format', format],
    ['rev.size', value?.length ?? 0],
    [
      'rev.crc32c',
      crc32c(value ?? noBytes)
        .toString(16)
        .padStart(8, '0'),
    ],
  )
  return told.map(([key, of]) => ({ key, value: Buffer.from(String(of)) }))
}
