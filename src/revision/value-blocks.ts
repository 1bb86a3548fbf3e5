// The blocks of values of a pack: laid out one behind the other in slabs, for who reads in the order of the log looks into another one for
// every record.

import type { File } from '../storage/file.ts'
import { KeptBlocks } from './kept-blocks.ts'
import type { CacheRoom } from './pack-cache.ts'
import { ValueBlock } from './pack-values.ts'
import { type Slab, Slabs } from './slabs.ts'

export class ValueBlocks extends KeptBlocks<ValueBlock> {
  readonly #slabs: Slabs
  /** Which blocks lie in each slab. */
  readonly #indexes = new Map<Slab, number[]>()

  /** `left`: blocks are not kept any more, and whoever has one lets go of it. */
  constructor(file: File, rows: Float64Array, room: CacheRoom, entryCount: number, left: () => void) {
    super(file, rows, 'values')
    this.#slabs = new Slabs(room, 'values', this.#bytesOfAll(entryCount), (slab) => {
      for (const index of this.#indexes.get(slab) ?? []) this.drop(index)
      this.#indexes.delete(slab)
      left()
    })
  }

  #bytesOfAll(entryCount: number): number {
    let sum = 0
    for (let index = 0; index < this.count; index++) sum += this.byteCount(index)
    return ValueBlock.byteCountOf(sum, entryCount)
  }

  protected override touch(_: number, block: ValueBlock): void {
    this.#slabs.get(block.slab)
  }

  protected override decode(bytes: Buffer, index: number): ValueBlock {
    const byteCount = ValueBlock.byteCountOf(bytes.length, ValueBlock.countIn(bytes))
    const slab = this.#slabs.withRoom(byteCount)
    const block = new ValueBlock(bytes, slab.words, slab.used, slab.number)
    slab.used += byteCount
    // A block that alone would drive out much of the rest is not kept.
    if (this.#slabs.get(slab.number) === undefined) return block
    const indexes = this.#indexes.get(slab)
    if (indexes === undefined) this.#indexes.set(slab, [index])
    else indexes.push(index)
    this.keep(index, block)
    return block
  }
}
