// Blocks of one kind as they are used: decoded, and kept in memory for a while.

import { DamagedRecords, ProtocolViolation } from '../../protocol/errors.ts'
import type { File } from '../storage/file.ts'
import { Blocks } from './pack-blocks.ts'
import { type CacheRoom, kept } from './pack-cache.ts'

/** Decodes a block; answers about how many bytes that takes in memory too. Throws ProtocolViolation where the bytes are none. */
type Decode<T> = (bytes: Buffer, index: number) => [decoded: T, byteCount: number]

/** Uses of blocks for one that the cache is told of. */
export const toldEvery = 16

export class PackedBlocks<T> {
  readonly #blocks: Blocks
  readonly #room: CacheRoom
  readonly #kind: 'entries' | 'keys' | 'frames'
  readonly #decode: Decode<T>
  /** Those that are kept; made when the first is. */
  #known: (T | undefined)[] = []
  #asked = 0

  constructor(
    file: File,
    rows: Float64Array,
    room: CacheRoom,
    kind: 'entries' | 'keys' | 'frames',
    decode: Decode<T>,
    rowLength?: number,
  ) {
    this.#blocks = new Blocks(file, rows, kind, rowLength)
    this.#room = room
    this.#kind = kind
    this.#decode = decode
  }

  get count(): number {
    return this.#blocks.count
  }

  /** The last block that does not begin above `wanted`; -1 where all do. */
  search(wanted: number, column?: number): number {
    return this.#blocks.search(wanted, column)
  }

  /** What a block begins with, or another column of its row. */
  number(index: number, column = 0): number {
    return this.#blocks.number(index, column)
  }

  /** What each begins with. */
  firsts(): Int32Array {
    return this.#blocks.firsts()
  }

  damage(index: number, what: string): DamagedRecords {
    return this.#blocks.damage(index, what)
  }

  /** Throws DamagedRecords where the bytes are not what was written. */
  get(index: number): T {
    const known = this.#known[index]
    const key = index * kept.kinds + kept[this.#kind]
    if (known !== undefined) {
      // Who asks for it has used it, and the cache is told so now and then: that takes longer than all else here.
      if (++this.#asked % toldEvery === 0) this.#room.get(key)
      return known
    }
    if (index < 0 || index >= this.count) throw new DamagedRecords(`there is no block ${index} of ${this.#kind}`)
    const bytes = this.#blocks.load(index)
    try {
      const [decoded, byteCount] = this.#decode(bytes, index)
      if (this.#known.length === 0) this.#known = new Array<T | undefined>(this.count).fill(undefined)
      this.#known[index] = decoded
      this.#room.set(key, decoded, byteCount, () => {
        this.#known[index] = undefined
      })
      return decoded
    } catch (cause) {
      // A length that no array has, too.
      if (cause instanceof ProtocolViolation || cause instanceof RangeError) throw this.damage(index, cause.message)
      throw cause
    }
  }
}
