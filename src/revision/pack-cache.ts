// What reads of packs keep in memory, all packs of the process together: of each kind the least recently used goes first.

import { totalmem } from 'node:os'

type Node = {
  previous: Node
  next: Node
  room: Place
  key: number
  value: unknown
  bytes: number
  /** What the shelf had taken in when this one was put last. */
  putAt: number
}

/** Where a pack finds what is kept of it. */
type Place = { delete(key: number): void }

/** Kinds of what is kept of a pack: number × kinds + kind is its key there. */
export const kept = { values: 0, entries: 1, keys: 2, frames: 3, decoded: 4, batches: 5, walked: 6, kinds: 8 } as const
/** The first so many kinds are blocks. */
const blockKinds = 4

const megabyte = 1024 * 1024

/**
 * 72 to 128 MiB, as the machine, or what the process may have of it, is large. A reader that goes through a topic meets a rebuilt batch
 * once, a value twice, and a block as often as it has revisions: of many keys all blocks of a pack should have room, or each is
 * inflated for every record.
 */
function sharesOf(memory: number) {
  const blocks = Math.min(96 * megabyte, Math.max(40 * megabyte, memory / 32))
  return { blocks, values: 20 * megabyte, batches: 12 * megabyte }
}

const memory = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY)

/** One kind of things; none drives out one of another kind. */
class Shelf {
  readonly #bytesMax: number
  readonly #ends: Node
  #bytes = 0
  /** Bytes ever taken in. */
  #taken = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
    const ends = { room: new Map(), key: 0, value: undefined, bytes: 0, putAt: 0 } as unknown as Node
    ends.previous = ends
    ends.next = ends
    this.#ends = ends
  }

  get bytes(): number {
    return this.#bytes
  }

  /**
   * What was just used goes last, unless it is among the last anyway: the neighbours of a node lie anywhere in memory, and to look at
   * them would take longer than all else that a read does with it.
   */
  touch(node: Node): void {
    if (this.#taken - node.putAt < this.#bytesMax / 4) return
    node.previous.next = node.next
    node.next.previous = node.previous
    this.#append(node)
  }

  /** Undefined where it is not kept: what alone would drive out much of the rest is better made again. */
  enter(room: Place, key: number, value: unknown, bytes: number): Node | undefined {
    if (bytes > this.#bytesMax / 4) return undefined
    const node = { room, key, value, bytes, putAt: 0 } as Node
    this.#taken += bytes
    this.#append(node)
    this.#bytes += bytes
    while (this.#bytes > this.#bytesMax) this.leave(this.#ends.next)
    return node
  }

  leave(node: Node): void {
    node.previous.next = node.next
    node.next.previous = node.previous
    node.room.delete(node.key)
    this.#bytes -= node.bytes
  }

  #append(node: Node): void {
    const ends = this.#ends
    node.putAt = this.#taken
    node.previous = ends.previous
    node.next = ends
    ends.previous.next = node
    ends.previous = node
  }
}

export class PackCache {
  readonly #shelves: readonly Shelf[]

  constructor({ blocks, values, batches } = sharesOf(memory)) {
    const ofBlocks = new Shelf(blocks)
    const ofValues = new Shelf(values)
    this.#shelves = [ofBlocks, ofBlocks, ofBlocks, ofBlocks, ofValues, new Shelf(batches), ofValues]
  }

  get bytes(): number {
    return [...new Set(this.#shelves)].reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** A pack's own part of it. */
  room(): CacheRoom {
    return new CacheRoom(this.#shelves)
  }
}

/** Nodes by their keys: blocks, of which there are not many, in arrays; what else there is in a map. */
class Nodes {
  readonly #blocks: (Node | undefined)[][] = Array.from({ length: blockKinds }, () => [])
  readonly #others = new Map<number, Node>()

  get(key: number): Node | undefined {
    const kind = key % kept.kinds
    return kind < blockKinds ? this.#blocks[kind]![(key - kind) / kept.kinds] : this.#others.get(key)
  }

  set(key: number, node: Node | undefined): void {
    const kind = key % kept.kinds
    if (kind >= blockKinds) {
      if (node === undefined) this.#others.delete(key)
      else this.#others.set(key, node)
      return
    }
    const blocks = this.#blocks[kind]!
    const index = (key - kind) / kept.kinds
    while (blocks.length < index) blocks.push(undefined)
    blocks[index] = node
  }

  delete(key: number): void {
    this.set(key, undefined)
  }

  all(): Node[] {
    return [...this.#blocks.flat().filter((node) => node !== undefined), ...this.#others.values()]
  }
}

export class CacheRoom {
  readonly #shelves: readonly Shelf[]
  readonly #nodes = new Nodes()

  constructor(shelves: readonly Shelf[]) {
    this.#shelves = shelves
  }

  get<T>(key: number): T | undefined {
    const node = this.#nodes.get(key)
    if (node === undefined) return undefined
    this.#shelves[key % kept.kinds]!.touch(node)
    return node.value as T
  }

  set(key: number, value: unknown, bytes: number): void {
    this.drop(key)
    const node = this.#shelves[key % kept.kinds]!.enter(this.#nodes, key, value, bytes)
    if (node !== undefined) this.#nodes.set(key, node)
  }

  /** What was kept as one thing is kept as another. */
  move(from: number, to: number): void {
    const node = this.#nodes.get(from)
    if (node === undefined) return
    this.drop(to)
    this.#nodes.delete(from)
    node.key = to
    this.#nodes.set(to, node)
    this.#shelves[to % kept.kinds]!.touch(node)
  }

  drop(key: number): void {
    const node = this.#nodes.get(key)
    if (node !== undefined) this.#shelves[key % kept.kinds]!.leave(node)
  }

  clear(): void {
    for (const node of this.#nodes.all()) this.#shelves[node.key % kept.kinds]!.leave(node)
  }
}

/** The process's own. */
export const packCache = new PackCache()
