// What a partition of a view sees of its source: the index that it looks into, what is selected there, how it is told. Made
// anew when the source is another topic, or its log another log.

import { shortRest, type Walk } from '../log/walk.ts'
import { type Revisions, sliceBytes } from '../revision/revisions.ts'
import type { Selection } from '../revision/selection.ts'
import type { ViewConfig } from '../revision/view-config.ts'
import { readPage } from '../revision/view-page.ts'
import { ViewRecords } from '../revision/view-records.ts'
import { selectionOf } from '../revision/view-selection.ts'
import type { Partition } from './partition.ts'
import type { Topic } from './topic.ts'

/** Where revisions are not configured: as for those that are. */
const diffMaxBytesDefault = 16 * 1024 * 1024

/** Records that are looked at in one turn: about a tenth of a millisecond. */
const stepsAtOnce = 64

export class Sight {
  readonly source: Partition
  readonly revisions: Revisions
  readonly #selection: Selection
  readonly #records: ViewRecords
  readonly #kind: ViewConfig['kind']

  /** Throws Corruption, StorageError where the source cannot be read. */
  constructor(topic: Topic, source: Partition, view: ViewConfig) {
    this.source = source
    this.revisions = source.revisions
    this.#kind = view.kind
    this.#selection = selectionOf(this.revisions, view, source.index)
    const diffMaxBytes = () => topic.config.revision?.diffMaxBytes ?? diffMaxBytesDefault
    this.#records = new ViewRecords(this.revisions, view.kind, diffMaxBytes)
  }

  /** Looks at what is new, about a slice of it; whether there is more. */
  advance(): boolean {
    const isBehind = this.revisions.catchUp()
    return this.#selection.advance(sliceBytes) || isBehind
  }

  /** Resolves when all that is decided now has been looked at. */
  async reach(): Promise<void> {
    await this.revisions.ready()
    while (this.#selection.advance(sliceBytes)) await shortRest()
  }

  /** A page ended in front of a delta that takes long. */
  get isWanting(): boolean {
    return this.#records.long.isWanted
  }

  /** Makes it, while others have their turn. Rejects with DamagedRecords. */
  make(isOver: () => boolean): Promise<void> {
    return this.#records.long.make(isOver)
  }

  /** The last page ended before it was known what comes next. */
  get isCut(): boolean {
    return this.#selection.isCut
  }

  /** One past the last record that is shown: no hole stands there. */
  get end(): number {
    return Math.max(this.#selection.last + 1, this.source.logStartOffset)
  }

  /** The first offset that is shown, from one on. */
  *#next(from: number): Walk<number | undefined> {
    const first = Math.max(from, this.source.logStartOffset)
    let offset = this.#selection.next(first)
    while (offset === undefined && this.#selection.isCut) {
      yield
      this.#selection.advance(sliceBytes)
      offset = this.#selection.next(first)
    }
    return offset !== undefined && offset < this.end ? offset : undefined
  }

  /** The first record that is shown and at least as young: it may lie behind many that are not. */
  *since(timestamp: number): Walk<number | undefined> {
    const first = this.source.offsetAt(timestamp, this.end)
    let offset = first && (yield* this.#next(first.offset))
    for (let steps = 1; offset !== undefined && this.timestampAt(offset) < timestamp; steps++) {
      if (steps % stepsAtOnce === 0) yield
      offset = yield* this.#next(offset + 1)
    }
    return offset
  }

  /** The first of those with the largest timestamp. */
  *youngest(): Walk<number | undefined> {
    const ofAll = this.source.maxTimestamp()
    // Mostly it is shown.
    if (ofAll !== undefined && this.#selection.next(ofAll.offset) === ofAll.offset) return ofAll.offset
    let found: number | undefined
    let largest = Number.NEGATIVE_INFINITY
    let offset = yield* this.#next(0)
    for (let steps = 1; offset !== undefined; steps++) {
      const timestamp = this.timestampAt(offset)
      if (timestamp > largest) [found, largest] = [offset, timestamp]
      if (steps % stepsAtOnce === 0) yield
      offset = yield* this.#next(offset + 1)
    }
    return found
  }

  timestampAt(offset: number): number {
    const place = this.revisions.known.at(offset)
    return place === undefined ? -1 : place.part.timestampOf(place.entry)
  }

  /** Batches from an offset on. Throws DamagedRecords. */
  page(from: number, bytesMax: number, wholeFirst: boolean): Buffer {
    const { end, source } = this
    const epochAt = (offset: number) => source.epochAt(offset)
    const request = {
      from: Math.max(from, source.logStartOffset),
      end,
      bytesMax,
      wholeFirst,
      kind: this.#kind,
      epochAt,
    }
    return readPage(this.#selection, this.#records, request)
  }
}
