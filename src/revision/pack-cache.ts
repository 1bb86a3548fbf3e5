// What reads of packs keep in memory, all packs of the process together: the least recently used goes first, whatever it is.

type Node = { previous: Node; next: Node; room: Map<number, Node>; key: number; value: unknown; bytes: number }

/** Kinds of what is kept of a pack: number × kinds + kind is its key there. */
export const kept = { values: 0, entries: 1, keys: 2, frames: 3, decoded: 4, batches: 5, kinds: 8 } as const

export const cacheBytesDefault = 64 * 1024 * 1024

export class PackCache {
  readonly #bytesMax: number
  readonly #ends: Node
  #bytes = 0

  constructor(bytesMax = cacheBytesDefault) {
    this.#bytesMax = bytesMax
    const ends = { room: new Map(), key: 0, value: undefined, bytes: 0 } as unknown as Node
    ends.previous = ends
    ends.next = ends
    this.#ends = ends
  }

  get bytes(): number {
    return this.#bytes
  }

  /** A pack's own part of it. */
  room(): CacheRoom {
    return new CacheRoom(this)
  }

  /** For a room: what was just used goes last. */
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

export class CacheRoom {
  readonly #cache: PackCache
  readonly #nodes = new Map<number, Node>()

  constructor(cache: PackCache) {
    this.#cache = cache
  }

  get<T>(key: number): T | undefined {
    const node = this.#nodes.get(key)
    if (node === undefined) return undefined
    this.#cache.touch(node)
    return node.value as T
  }

  set(key: number, value: unknown, bytes: number): void {
    this.#cache.enter(this.#nodes, key, value, bytes)
  }

  clear(): void {
    for (const node of [...this.#nodes.values()]) this.#cache.leave(node)
  }
}

/** The process's own. */
export const packCache = new PackCache()
