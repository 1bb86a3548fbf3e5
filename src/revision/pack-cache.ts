// What reads of packs keep in memory, all packs of the process together: of each kind the least recently used goes first.

type Node = { previous: Node; next: Node; room: Map<number, Node>; key: number; value: unknown; bytes: number }

/** Kinds of what is kept of a pack: number × kinds + kind is its key there. */
export const kept = { values: 0, entries: 1, keys: 2, frames: 3, decoded: 4, batches: 5, walked: 6, kinds: 8 } as const

/** 64 MiB. A reader that goes through a topic meets a rebuilt batch once, a value twice, and a block as often as it has revisions. */
const sharesDefault = { blocks: 40 * 1024 * 1024, values: 12 * 1024 * 1024, batches: 12 * 1024 * 1024 }

/** One kind of things; none drives out one of another kind. */
class Shelf {
  readonly #bytesMax: number
  readonly #ends: Node
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
    const ends = { room: new Map(), key: 0, value: undefined, bytes: 0 } as unknown as Node
    ends.previous = ends
    ends.next = ends
    this.#ends = ends
  }

  get bytes(): number {
    return this.#bytes
  }

  /** What was just used goes last. */
  touch(node: Node): void {
    node.previous.next = node.next
    node.next.previous = node.previous
    this.#append(node)
  }

  enter(room: Map<number, Node>, key: number, value: unknown, bytes: number): void {
    const known = room.get(key)
    if (known !== undefined) this.leave(known)
    // What alone would drive out much of the rest is better made again.
    if (bytes > this.#bytesMax / 4) return
    const node = { room, key, value, bytes } as Node
    room.set(key, node)
    this.#append(node)
    this.#bytes += bytes
    while (this.#bytes > this.#bytesMax) this.leave(this.#ends.next)
  }

  leave(node: Node): void {
    node.previous.next = node.next
    node.next.previous = node.previous
    node.room.delete(node.key)
    this.#bytes -= node.bytes
  }

  #append(node: Node): void {
    const ends = this.#ends
    node.previous = ends.previous
    node.next = ends
    ends.previous.next = node
    ends.previous = node
  }
}

export class PackCache {
  readonly #shelves: readonly Shelf[]

  constructor({ blocks, values, batches } = sharesDefault) {
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

export class CacheRoom {
  readonly #shelves: readonly Shelf[]
  readonly #nodes = new Map<number, Node>()

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
    this.#shelves[key % kept.kinds]!.enter(this.#nodes, key, value, bytes)
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
    for (const node of [...this.#nodes.values()]) this.#shelves[node.key % kept.kinds]!.leave(node)
  }
}

/** The process's own. */
export const packCache = new PackCache()
