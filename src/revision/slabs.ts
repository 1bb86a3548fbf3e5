// Memory for what is kept of a pack: slabs that are filled from front to back, and that the cache lets go as a whole. Many small things
// are few things to keep, and lie close together.

import { largePageBytes } from '../storage/large-memory.ts'
import { type CacheRoom, kept } from './pack-cache.ts'
import { Words } from './value-memory.ts'

/** The first slab of a pack, of which perhaps one value is read; each has twice the room of the one before it. */
const firstBytes = 64 * 1024
const slabBytesMax = largePageBytes

export class Slab {
  readonly number: number
  readonly words: Words
  /** What comes next begins here. */
  used = 0
  /** What is not kept from the beginning is whose it was made for. */
  wasKept = false

  constructor(number: number, bytes: Buffer) {
    this.number = number
    this.words = new Words(bytes)
  }

  get left(): number {
    return this.words.bytes.length - this.used
  }
}

export class Slabs {
  readonly #room: CacheRoom
  readonly #kind: number
  readonly #most: number
  readonly #left: (slab: Slab) => void
  #current: Slab | undefined
  #next = 0
  /** So many are kept. */
  count = 0
  #nextBytes = firstBytes

  /** `most`: about so many bytes will be asked for in all; `left`: of a slab that is not kept any more, or was not from the beginning. */
  constructor(room: CacheRoom, kind: 'values' | 'walked', most: number, left: (slab: Slab) => void) {
    this.#room = room
    this.#kind = kept[kind]
    // An integer: of fields that become doubles the second time V8 forgets what it has compiled.
    this.#most = Math.ceil(Math.min(most, slabBytesMax))
    this.#left = left
  }

  /** Numbers of slabs ascend. Undefined: it is not kept any more. */
  get(number: number): Slab | undefined {
    return this.#room.get<Slab>(number * kept.kinds + this.#kind)
  }

  /** A slab that has room for so many bytes where it is `used` up to. */
  withRoom(byteCount: number): Slab {
    const current = this.#current
    if (current !== undefined && current.left >= byteCount) return current
    const slabBytes = Math.min(this.#nextBytes, this.#most)
    // What has a slab of its own leaves the current one to others.
    if (byteCount > slabBytes / 2) return this.#made(byteCount)
    this.#nextBytes = Math.min(slabBytesMax, 2 * slabBytes)
    this.#current = this.#made(slabBytes)
    return this.#current
  }

  #made(byteCount: number): Slab {
    const slab = new Slab(this.#next++, this.#room.slabs.take(byteCount))
    this.count++
    this.#room.set(slab.number * kept.kinds + this.#kind, slab, byteCount, () => this.#letGo(slab))
    slab.wasKept = this.get(slab.number) === slab
    return slab
  }

  #letGo(slab: Slab): void {
    this.count--
    if (slab === this.#current) this.#current = undefined
    this.#left(slab)
    if (slab.wasKept) this.#room.slabs.letGo(slab.words.bytes)
  }
}
