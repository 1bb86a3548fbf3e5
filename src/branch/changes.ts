// What changed on one side of a merge: the newest record of every key in the part of a log that the other side may not know.
// A key takes 32 bytes however long it is, and an offset one, so that a million changed keys fit.

import type { RecordCursor, StoredRecord } from '../../protocol/records/record.ts'
import { GrowingKeyOffsets } from '../log/key-offsets.ts'
import type { Log } from '../log/log.ts'
import { findBack } from './find-back.ts'
import type { Knowledge, Place } from './knowledge.ts'
import { originOf } from './origin.ts'
import { eachBatch, eachBatchAtOnce, Fates, keyBytes, keyText, noWalk, type Turns, walkBatch } from './reading.ts'

/** The other side knows the record, by its place or by its origin. */
const knownMark = 1
const openMark = 2

export type ChangesOptions = {
  readonly log: Log
  readonly own: Knowledge
  readonly other: Knowledge
  /** From here on the other side may not know the records. */
  readonly start: number
  /** 32 bytes of chance. */
  readonly seed: Buffer
  /** Whether a key counts; absent: every one does. */
  readonly wants?: (key: Buffer) => boolean
}

export class Changes {
  readonly start: number
  /** Everything from `start` up to here was read. */
  #end: number
  readonly #options: ChangesOptions
  readonly #newest: GrowingKeyOffsets
  /** Resolutions by key, and what they took of what the other side knows. */
  readonly #taken = new Map<string, { readonly offset: number; readonly place: Place }>()
  /** By offset from `start` on. */
  #marks = new Uint8Array(1024)

  constructor(options: ChangesOptions) {
    this.#options = options
    this.start = options.start
    this.#end = options.start
    this.#newest = new GrowingKeyOffsets(options.seed)
  }

  get end(): number {
    return this.#end
  }

  /** Reads on up to `to`. */
  async read(to: number, turns: Turns): Promise<void> {
    const from = this.#end
    if (to <= from) return
    const fates = new Fates(this.#options.log, from, to)
    const visit = (bytes: Buffer, position: number, first: number) => this.#take(bytes, position, first, to, fates)
    await eachBatch(this.#options.log, from, to, turns, visit)
    this.#end = to
  }

  /** The same without a pause; tells of each key as it meets it. */
  readAtOnce(to: number, met: (key: Buffer) => void): void {
    const from = this.#end
    if (to <= from) return
    const fates = new Fates(this.#options.log, from, to)
    eachBatchAtOnce(this.#options.log, from, to, (bytes, position, first) =>
      this.#take(bytes, position, first, to, fates, met),
    )
    this.#end = to
  }

  #take(bytes: Buffer, at: number, first: number, to: number, fates: Fates, met?: (key: Buffer) => void) {
    const fate = fates.of(bytes, at)
    if (fate === 'aborted') return noWalk
    const { own, wants } = this.#options
    return walkBatch(bytes, at, first, to, (cursor, offset) => {
      const { keyLength, keyStart } = cursor
      if (keyLength < 0 || (wants !== undefined && !wants(cursor.key()!))) return
      this.#newest.put(cursor.bytes, keyStart, keyStart + keyLength, offset)
      if (fate === 'open') this.#mark(offset, openMark)
      else if (this.#isKnown(cursor, offset, own)) this.#mark(offset, knownMark)
      else this.#noteTaken(cursor, offset, own)
      met?.(cursor.key()!)
    })
  }

  #isKnown(cursor: RecordCursor, offset: number, own: Knowledge): boolean {
    const { other } = this.#options
    if (other.knows({ branch: own.home(offset), offset })) return true
    if (cursor.headerCount === 0 || !own.isMerged(offset)) return false
    return other.knows(own.originOf(offset, cursor.headers()))
  }

  #noteTaken(cursor: RecordCursor, offset: number, own: Knowledge): void {
    if (cursor.headerCount === 0 || !own.isMerged(offset)) return
    const place = own.takenBy(offset, cursor.headers())
    if (place === undefined || !this.#options.other.knows(place)) return
    this.#taken.set(keyText(cursor.key()!), { offset, place })
  }

  /**
   * A resolution that took a record of the other side's is no change for it, if that is the newest there of which this side knows. Behind
   * another one it decides anew: both have heard of both, and this side alone has chosen.
   *
   *   P   k=p ──────── k=c ──▶      C has heard of k=p by a third and parked it; P has taken k=c of C, and loses k=p by that;
   *   C   k=c ──────────── k=p      then C is resolved for k=p, which P has known all along
   */
  async settleTaken({ log, end }: { readonly log: Log; readonly end: number }, turns: Turns): Promise<void> {
    const { own, other } = this.#options
    const isNewest = ([key, { offset }]: readonly [string, { offset: number }]) =>
      this.newestOf(keyBytes(key)) === offset
    const taken = new Map([...this.#taken].filter(isNewest))
    const accepts = ({ offset, headers }: StoredRecord) =>
      own.knows({ branch: other.home(offset), offset }) || own.knows(other.originOf(offset, headers))
    const found = await findBack({ log, below: end, keys: new Set(taken.keys()), accepts }, turns)
    for (const [key, { offset, headers }] of found) {
      const here = { branch: other.home(offset), offset }
      const first = [here, other.originOf(offset, headers), other.takenBy(offset, headers)]
      const { offset: mine, place } = taken.get(key)!
      if (first.some((one) => one?.branch === place.branch && one.offset === place.offset)) this.#mark(mine, knownMark)
    }
  }

  #mark(offset: number, mark: number): void {
    const at = offset - this.start
    if (at >= this.#marks.length) {
      const marks = new Uint8Array(Math.max(at + 1, 2 * this.#marks.length))
      marks.set(this.#marks)
      this.#marks = marks
    }
    this.#marks[at]! |= mark
  }

  /** The newest record of a key; -1 where none was met. */
  newest(bytes: Buffer, start: number, end: number): number {
    return this.#newest.get(bytes, start, end)
  }

  newestOf(key: Buffer): number {
    return this.#newest.get(key, 0, key.length)
  }

  /** Of a record that was met. */
  isKnown(offset: number): boolean {
    return ((this.#marks[offset - this.start] ?? 0) & knownMark) !== 0
  }

  isOpen(offset: number): boolean {
    return ((this.#marks[offset - this.start] ?? 0) & openMark) !== 0
  }
}

/** Origins that a log holds beyond what its vector covers: keys that were picked. */
export async function looseOrigins(log: Log, own: Knowledge, turns: Turns): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  for (const { first, last, loose } of own.ranges.loose()) {
    const isCovered = Object.entries(loose).every(([branch, end]) => own.knows({ branch, offset: end - 1 }))
    if (isCovered) continue
    await eachBatch(log, first, last + 1, turns, (bytes, position, from) =>
      walkBatch(bytes, position, from, last + 1, (cursor) => {
        const origin = originOf(cursor.headers())
        if (origin !== undefined && !own.knows(origin)) found.add(`${origin.branch}:${origin.offset}`)
      }),
    )
  }
  return found
}
