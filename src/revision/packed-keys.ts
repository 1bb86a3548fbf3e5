// The keys of a pack by their ordinals, each where it lies in its block.

import { Cursor } from '../../protocol/varint.ts'
import type { File } from '../storage/file.ts'
import type { CacheRoom } from './pack-cache.ts'
import { type Footer, sectionOf } from './pack-format.ts'
import { Steps } from './pack-steps.ts'
import { PackedBlocks } from './packed-blocks.ts'

/** Keys of a block, each found by its place. */
type KeyBlock = { bytes: Buffer; ends: Uint32Array; starts: Uint32Array }

export class KeyBlocks {
  readonly #blocks: PackedBlocks<KeyBlock>
  /** The first key of each. */
  readonly #firsts: Int32Array
  readonly #steps: Steps
  /** The block that was looked into last, and which keys it has: the next one is mostly there, too. */
  #last: KeyBlock | undefined
  #lastFirst = 0
  #lastEnd = 0
  /** The key found last. */
  bytes: Buffer = Buffer.alloc(0)
  start = 0
  end = 0

  constructor(file: File, footer: Footer, room: CacheRoom, keyCount: number) {
    this.#blocks = new PackedBlocks(file, footer.floats(sectionOf.keys), room, 'keys', readKeys)
    this.#firsts = this.#blocks.firsts()
    this.#steps = new Steps(this.#firsts, this.#blocks.count, keyCount)
  }

  /** Then it is from `start` to `end` in `bytes`. */
  find(ordinal: number): void {
    if (ordinal < this.#lastFirst || ordinal >= this.#lastEnd) this.#show(ordinal)
    const { bytes, starts, ends } = this.#last!
    const place = ordinal - this.#lastFirst
    this.bytes = bytes
    this.start = starts[place]!
    this.end = ends[place]!
  }

  #show(ordinal: number): void {
    const index = this.#steps.find(ordinal)
    const block = this.#blocks.get(index)
    this.#last = block
    this.#lastFirst = this.#firsts[index]!
    this.#lastEnd = this.#lastFirst + block.starts.length
  }

  /** Lets go what it holds. */
  clear(): void {
    this.#last = undefined
    this.#lastEnd = 0
  }
}

function readKeys(bytes: Buffer): [KeyBlock, number] {
  const cursor = new Cursor(bytes)
  let count = 0
  for (; cursor.remaining > 0; count++) cursor.skip(cursor.unsignedVarint())
  const starts = new Uint32Array(count)
  const ends = new Uint32Array(count)
  cursor.reset(bytes)
  for (let i = 0; i < count; i++) {
    const length = cursor.unsignedVarint()
    starts[i] = cursor.position
    cursor.skip(length)
    ends[i] = cursor.position
  }
  return [{ bytes, starts, ends }, bytes.length + 8 * count]
}
