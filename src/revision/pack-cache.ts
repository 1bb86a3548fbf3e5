// What reads of packs keep in memory, all packs of the process together: of each kind the least recently used goes first.

import { totalmem } from 'node:os'
import { RunMemory } from './run-memory.ts'
import { SlabMemory } from './slab-memory.ts'

type Node = {
  previous: Node
  next: Node
  room: Place
  key: number
  value: unknown
  bytes: number
  /** What the shelf had taken in when this one was put last. */
  putAt: number
  /** It is not kept any more. */
  left: (() => void) | undefined
}

/** Where a pack finds what is kept of it. */
type Place = { delete(key: number): void }

/** Kinds of what is kept of a pack: number × kinds + kind is its key there. */
export const kept = { values: 0, entries: 1, keys: 2, frames: 3, walked: 4, decoded: 5, batches: 6, kinds: 8 } as const
/** The first so many kinds are numbered without gaps: blocks, and slabs. */
const listedKinds = 5

const megabyte = 1024 * 1024
/** More than all shelves may have: a slab goes where the next one is put, and its memory is to be there for the one after that. */
const sparesMin = 8 * megabyte

/**
 * 72 to 172 MiB, as the machine, or what the process may have of it, is large. A reader that goes through a topic meets a rebuilt batch
 * once, a value twice, and a block as often as it has revisions: of many keys all blocks of a pack should have room, or each is
 * inflated for every record, and the newest value of each, or it is made from the first one on.
 */
function sharesOf(memory: number) {
  const share = (least: number, most: number, part: number) => Math.min(most, Math.max(least, memory * part))
  return {
    blocks: share(40 * megabyte, 96 * megabyte, 1 / 32),
    values: share(20 * megabyte, 64 * megabyte, 1 / 64),
    batches: 12 * megabyte,
  }
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
    const ends = { room: new Map(), key: 0, value: undefined, bytes: 0, putAt: 0, left: undefined } as unknown as Node
    ends.previous = ends
    ends.next = ends
    this.#ends = ends
  }

  get bytes(): number {
    return this.#bytes
  }

  get left(): number {
    return this.#bytesMax - this.#bytes
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
  enter(room: Place, key: number, value: unknown, bytes: number, left: (() => void) | undefined): Node | undefined {
    if (bytes > this.#bytesMax / 4) return undefined
    const node = { room, key, value, bytes, putAt: 0, left } as Node
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
    node.left?.()
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
  readonly #runs = new RunMemory()
  readonly #slabs: SlabMemory

  constructor({ blocks, values, batches } = sharesOf(memory)) {
    const ofBlocks = new Shelf(blocks)
    const ofValues = new Shelf(values)
    this.#shelves = [ofBlocks, ofBlocks, ofBlocks, ofBlocks, ofValues, ofValues, new Shelf(batches)]
    this.#slabs = new SlabMemory((byteCount) => byteCount <= ofBlocks.left + ofValues.left + sparesMin)
  }

  get bytes(): number {
    return [...new Set(this.#shelves)].reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** A pack's own part of it. */
  room(): CacheRoom {
    return new CacheRoom(this.#shelves, this.#runs, this.#slabs)
  }
}

/** Nodes by their keys: of what there are not many in arrays; what else there is in a map. */
class Nodes {
  readonly #lists: (Node | undefined)[][] = Array.from({ length: listedKinds }, () => [])
  readonly #others = new Map<number, Node>()

  get(key: number): Node | undefined {
    const kind = key % kept.kinds
    return kind < listedKinds ? this.#lists[kind]![(key - kind) / kept.kinds] : this.#others.get(key)
  }

  set(key: number, node: Node | undefined): void {
    const kind = key % kept.kinds
    if (kind >= listedKinds) {
      if (node === undefined) this.#others.delete(key)
      else this.#others.set(key, node)
      return
    }
    const list = this.#lists[kind]!
    const index = (key - kind) / kept.kinds
    while (list.length < index) list.push(undefined)
    list[index] = node
  }

  delete(key: number): void {
    this.set(key, undefined)
  }

  all(): Node[] {
    return [...this.#lists.flat().filter((node) => node !== undefined), ...this.#others.values()]
  }
}

export class CacheRoom {
  /** Where runs of rebuilt batches lie. */
  readonly runs: RunMemory
  /** Where slabs have their memory from. */
  readonly slabs: SlabMemory
  readonly #shelves: readonly Shelf[]
  readonly #nodes = new Nodes()

  constructor(shelves: readonly Shelf[], runs: RunMemory, slabs: SlabMemory) {
    this.#shelves = shelves
    this.runs = runs
    this.slabs = slabs
  }

  get<T>(key: number): T | undefined {
    const node = this.#nodes.get(key)
    if (node === undefined) return undefined
    this.#shelves[key % kept.kinds]!.touch(node)
    return node.value as T
  }

  /** `left`: it is not kept, or no longer. */
  set(key: number, value: unknown, bytes: number, left?: () => void): void {
    this.drop(key)
    const node = this.#shelves[key % kept.kinds]!.enter(this.#nodes, key, value, bytes, left)
    if (node !== undefined) this.#nodes.set(key, node)
    else left?.()
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
