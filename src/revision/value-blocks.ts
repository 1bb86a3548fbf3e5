// The blocks of values of a pack as they are used: laid out one behind the other in slabs, for who reads in the order of the log looks
// into another one for every record.

import { DamagedRecords, ProtocolViolation } from '../../protocol/errors.ts'
import type { File } from '../storage/file.ts'
import { Blocks } from './pack-blocks.ts'
import type { CacheRoom } from './pack-cache.ts'
import { ValueBlock } from './pack-values.ts'
import { toldEvery } from './packed-blocks.ts'
import { type Slab, Slabs } from './slabs.ts'

export class ValueBlocks {
  readonly #blocks: Blocks
  readonly #slabs: Slabs
  #known: (ValueBlock | undefined)[] = []
  #asked = 0
  /** Which blocks lie in each slab. */
  readonly #indexes = new Map<Slab, number[]>()

  /** `left`: blocks are not kept any more, and whoever has one lets go of it. */
  constructor(file: File, rows: Float64Array, room: CacheRoom, entryCount: number, left: () => void) {
    this.#blocks = new Blocks(file, rows, 'values')
    this.#slabs = new Slabs(room, 'values', this.#bytesOfAll(entryCount), (slab) => {
      for (const index of this.#indexes.get(slab) ?? []) this.#known[index] = undefined
      this.#indexes.delete(slab)
      left()
    })
  }

  #bytesOfAll(entryCount: number): number {
    let sum = 0
    for (let index = 0; index < this.#blocks.count; index++) sum += this.#blocks.byteCount(index)
    return ValueBlock.byteCountOf(sum, entryCount)
  }

  get count(): number {
    return this.#blocks.count
  }

  /** The first entry of each. */
  firsts(): Int32Array {
    return this.#blocks.firsts()
  }

  damage(index: number, what: string): DamagedRecords {
    return this.#blocks.damage(index, what)
  }

  /** Throws DamagedRecords where the bytes are not what was written. */
  get(index: number): ValueBlock {
    const known = this.#known[index]
    if (known !== undefined) {
      // Who asks for it has used its slab.
      if (++this.#asked % toldEvery === 0) this.#slabs.get(known.slab)
      return known
    }
    if (index < 0 || index >= this.count) throw new DamagedRecords(`there is no block ${index} of values`)
    const bytes = this.#blocks.load(index)
    try {
      return this.#laid(bytes, index)
    } catch (cause) {
      // A length that no array has, too.
      if (cause instanceof ProtocolViolation || cause instanceof RangeError) throw this.damage(index, cause.message)
      throw cause
    }
  }

  #laid(bytes: Buffer, index: number): ValueBlock {
    const byteCount = ValueBlock.byteCountOf(bytes.length, ValueBlock.countIn(bytes))
    const slab = this.#slabs.withRoom(byteCount)
    const block = new ValueBlock(bytes, slab.words, slab.used, slab.number)
    slab.used += byteCount
    // A block that alone would drive out much of the rest is not kept.
    if (this.#slabs.get(slab.number) === undefined) return block
    const indexes = this.#indexes.get(slab)
    if (indexes === undefined) this.#indexes.set(slab, [index])
    else indexes.push(index)
    if (this.#known.length === 0) this.#known = new Array<ValueBlock | undefined>(this.count).fill(undefined)
    this.#known[index] = block
    return block
  }
}
