// A sealed segment may lie packed on the disk: in another file, which gives the same batches when it is read. How, the log
// does not know; whoever configures a log gives in what opens such files.
//
//   <base>.log     ███ ███ █████ ███      batches as they were sent
//   <base>.pack    ▓▓▓ table              opened as  ███ ███ █████ ███, one behind the other at positions of their own

import { Corruption, DamagedRecords } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { borrow, type File, type Store } from '../storage/file.ts'
import type { Segment } from './segment.ts'

export interface PackedFile {
  readonly baseOffset: number
  /** Offset behind the last that it covers; offsets may be missing in front of it. */
  readonly nextOffset: number
  /** What is wrong with the file, where it gives everything all the same. */
  readonly damage?: string | undefined
  /**
   * Its batches one behind the other, read-only. A read that begins at a batch gives at least what is asked for of this one,
   * and its header without looking at the records. Throws DamagedRecords.
   */
  asFile(): File
  /** Lets all of it go, with the file that it was opened from. */
  close(): void
}

/** Opens a packed file. Throws Corruption, which names it, where it is not whole; damage to single records shows when they are read. */
export type OpenPacked = (file: File) => PackedFile

/** What a segment holds of its packed file: nothing until somebody reads. */
export class PackedContent {
  readonly #store: Store
  readonly #path: string
  readonly #open: OpenPacked
  #opened: PackedFile | undefined
  #file: File | undefined
  #storedBytes: number | undefined
  /** Why it cannot be opened: to find that out takes a look at much of the file. */
  #refused: DamagedRecords | undefined

  constructor(store: Store, path: string, open: OpenPacked) {
    this.#store = store
    this.#path = path
    this.#open = open
  }

  /** Throws DamagedRecords where the file is not whole: the others of the log are. */
  get opened(): PackedFile {
    if (this.#opened !== undefined) return this.#opened
    if (this.#refused !== undefined) throw this.#refused
    const file = this.#store.open(this.#path, 0)
    try {
      this.#opened = this.#open(file)
      return this.#opened
    } catch (cause) {
      file.close()
      if (!(cause instanceof Corruption)) throw cause
      this.#refused = new DamagedRecords(cause.message)
      throw this.#refused
    }
  }

  /** Of the opened file; undefined, too, while nobody has opened it. */
  get damage(): string | undefined {
    return this.#opened?.damage
  }

  /** Its batches. */
  get file(): File {
    this.#file ??= this.opened.asFile()
    return this.#file
  }

  get storedBytes(): number {
    this.#storedBytes ??= this.#store.sizeOf(this.#path)
    return this.#storedBytes
  }

  close(): void {
    this.#opened?.close()
    this.#opened = undefined
    this.#file = undefined
    this.#refused = undefined
  }
}

/**
 * Visits the batches of a packed segment: of those with records the header alone, which costs nothing to rebuild. Answers the
 * position behind the last.
 */
export function walkPacked(
  segment: Segment,
  from: number,
  visit: (bytes: Buffer, at: number, position: number) => void,
): number {
  let position = from
  while (position < segment.length) {
    const { byteCount } = segment.batchAt(position)
    borrow(segment.read(position, batch.headerBytes), (header) => {
      if (!batch.isControl(header, 0)) return visit(header, 0, position)
      borrow(segment.read(position, byteCount), (whole) => visit(whole, 0, position))
    })
    position += byteCount
  }
  return position
}
