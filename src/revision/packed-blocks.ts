// Blocks that are decoded when they are read, each kept by itself.

import type { File } from '../storage/file.ts'
import { KeptBlocks } from './kept-blocks.ts'
import { type CacheRoom, kept } from './pack-cache.ts'

/** Decodes a block; answers about how many bytes that takes in memory too. Throws ProtocolViolation where the bytes are none. */
type Decode<T> = (bytes: Buffer, index: number) => [decoded: T, byteCount: number]

export class PackedBlocks<T> extends KeptBlocks<T> {
  readonly #room: CacheRoom
  readonly #kind: number
  readonly #decode: Decode<T>

  constructor(
    file: File,
    rows: Float64Array,
    room: CacheRoom,
    kind: 'entries' | 'keys' | 'frames',
    decode: Decode<T>,
    rowLength?: number,
  ) {
    super(file, rows, kind, rowLength)
    this.#room = room
    this.#kind = kept[kind]
    this.#decode = decode
  }

  protected override touch(index: number): void {
    this.#room.get(index * kept.kinds + this.#kind)
  }

  protected override decode(bytes: Buffer, index: number): T {
    const [decoded, byteCount] = this.#decode(bytes, index)
    this.keep(index, decoded)
    this.#room.set(index * kept.kinds + this.#kind, decoded, byteCount, () => this.drop(index))
    return decoded
  }
}
