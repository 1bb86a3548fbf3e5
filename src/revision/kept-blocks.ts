// Blocks of one kind as they are used: each is read once, and found at once for as long as the cache keeps it.

import { DamagedRecords, ProtocolViolation } from '../../protocol/errors.ts'
import type { File } from '../storage/file.ts'
import { Blocks } from './pack-blocks.ts'

/** Uses of blocks for one that the cache is told of: to tell it takes longer than all else. */
const toldEvery = 16

export abstract class KeptBlocks<T> {
  readonly #blocks: Blocks
  readonly #kind: string
  /** Those that are kept; made when the first is. */
  #known: (T | undefined)[] = []
  #asked = 0

  constructor(file: File, rows: Float64Array, kind: string, rowLength?: number) {
    this.#blocks = new Blocks(file, rows, kind, rowLength)
    this.#kind = kind
  }

  /** Tells the cache that somebody has used it. */
  protected abstract touch(index: number, block: T): void

  /** What the bytes say. Throws ProtocolViolation where they are none. */
  protected abstract decode(bytes: Buffer, index: number): T

  get count(): number {
    return this.#blocks.count
  }

  /** What each begins with. */
  firsts(): Int32Array {
    return this.#blocks.firsts()
  }

  /** What a block begins with, or another column of its row. */
  number(index: number, column = 0): number {
    return this.#blocks.number(index, column)
  }

  /** Bytes of a block, inflated. */
  byteCount(index: number): number {
    return this.#blocks.byteCount(index)
  }

  /** The last block that does not begin above `wanted`; -1 where all do. */
  search(wanted: number, column?: number): number {
    return this.#blocks.search(wanted, column)
  }

  damage(index: number, what: string): DamagedRecords {
    return this.#blocks.damage(index, what)
  }

  /** Throws DamagedRecords where the bytes are not what was written. */
  get(index: number): T {
    const known = this.#known[index]
    if (known === undefined) return this.#load(index)
    if (++this.#asked % toldEvery === 0) this.touch(index, known)
    return known
  }

  #load(index: number): T {
    if (index < 0 || index >= this.count) throw new DamagedRecords(`there is no block ${index} of ${this.#kind}`)
    const bytes = this.#blocks.load(index)
    try {
      return this.decode(bytes, index)
    } catch (cause) {
      // A length that no array has, too.
      if (cause instanceof ProtocolViolation || cause instanceof RangeError) throw this.damage(index, cause.message)
      throw cause
    }
  }

  /** It is found at once from now on. */
  protected keep(index: number, block: T): void {
    if (this.#known.length === 0) this.#known = new Array<T | undefined>(this.count).fill(undefined)
    this.#known[index] = block
  }

  protected drop(index: number): void {
    this.#known[index] = undefined
  }
}
