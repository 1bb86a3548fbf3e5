// A disk that fails on demand and remembers what would be left after a kill or a power cut: the ground of crash tests.
// It is as forgetful as POSIX allows: bytes count when they were flushed, names when their folder was.

import { StorageError } from '../../protocol/errors.ts'
import { borrow, type File, type Lease, type OpenOptions, type StagedParts } from './file.ts'
import { MemoryStore } from './memory-file.ts'
import { lacksDescriptors } from './shortage.ts'

/** What may be made to fail; the answer is the error code to fail with, or undefined to go on. */
export type Fault = (
  operation:
    | 'create'
    | 'stage'
    /** The bytes lie above the end. Nothing fails here; it is a moment at which to look. */
    | 'staged'
    | 'commit'
    | 'read'
    | 'flush'
    | 'sync'
    | 'save'
    | 'rename'
    | 'remove'
    | 'share',
  path: string,
) => string | undefined

/** The bytes behind one or more names. */
type Node = {
  file: File
  flushed: number
  staged: Buffer | undefined
  /** The power failed since it was last written. */
  mayHaveLost: boolean
  /** Set by a flush that failed: the file is failed for good. */
  failure?: StorageError
}

/** Where chance decides: true keeps what nobody promised to keep. */
export type Luck = () => boolean

const noLuck: Luck = () => false
const pageBytes = 4096
const parent = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))

class FaultyFile implements File {
  readonly #store: FaultyStore
  readonly #node: Node
  readonly #file: File

  constructor(store: FaultyStore, node: Node, file: File) {
    this.#store = store
    this.#node = node
    this.#file = file
  }

  get path(): string {
    return this.#file.path
  }

  get length(): number {
    return this.#file.length
  }

  get allocatedBytes(): number {
    return this.#file.allocatedBytes
  }

  stage(parts: StagedParts): Buffer {
    if (this.#node.failure !== undefined) throw this.#node.failure
    this.#store.check('stage', this.path)
    const staged = this.#file.stage(parts)
    this.#node.staged = staged
    this.#store.check('staged', this.path)
    return staged
  }

  commit(byteCount: number): void {
    this.#store.check('commit', this.path)
    this.#file.commit(byteCount)
    this.#node.staged = undefined
    this.#node.mayHaveLost = false
  }

  drop(): void {
    this.#node.staged?.fill(0)
    this.#node.staged = undefined
    this.#file.drop()
  }

  read(position: number, byteCount: number): Lease {
    this.#store.check('read', this.path)
    return this.#file.read(position, byteCount)
  }

  async flush(): Promise<void> {
    const node = this.#node
    if (node.failure !== undefined) throw node.failure
    try {
      this.#store.check('flush', this.path)
    } catch (cause) {
      if (!lacksDescriptors(cause)) node.failure = cause as StorageError
      throw cause
    }
    const { length } = this.#file
    await this.#store.slowness('flush', this.path)
    await this.#file.flush()
    this.#node.flushed = Math.max(this.#node.flushed, length)
  }

  cutAt(length: number): void {
    this.#file.cutAt(length)
    this.#node.flushed = Math.min(this.#node.flushed, length)
  }

  seal(): void {
    this.#file.seal()
  }

  close(): void {
    this.#file.close()
  }
}

export class FaultyStore extends MemoryStore {
  override readonly kind = 'faulty'
  fault: Fault = () => undefined
  /** A slow disk: what is waited for off the event loop takes as long as the promise. What would stall everybody is not asked. */
  slowness: (operation: 'flush' | 'sync', path: string) => Promise<void> | undefined = () => undefined
  #powerCuts = 0
  #names = new Map<string, Node>()
  /** Names as stable storage has them. */
  #durableNames = new Map<string, Node>()
  /** Folders that got another name, or none, which stable storage learns with the names around them. */
  #moved: (readonly [from: string, to: string | undefined])[] = []

  /** Throws what the fault asks for. */
  check(operation: Parameters<Fault>[0], path: string): void {
    const code = this.fault(operation, path)
    if (code !== undefined) throw new StorageError(code, `${operation} of ${path} failed with ${code}`)
  }

  override create(path: string, growthMax: number): File {
    this.check('create', path)
    const file = super.create(path, growthMax)
    const node: Node = { file, flushed: 0, staged: undefined, mayHaveLost: false }
    this.#names.set(path, node)
    return new FaultyFile(this, node, file)
  }

  override open(path: string, growthMax: number, options?: OpenOptions): File {
    const file = super.open(path, growthMax, options)
    return new FaultyFile(this, this.#names.get(path)!, file)
  }

  override remove(path: string): void {
    this.check('remove', path)
    super.remove(path)
    this.#names.delete(path)
  }

  override removeFolder(folder: string): void {
    this.check('remove', folder)
    super.removeFolder(folder)
    this.#moved.push([folder, undefined])
    for (const path of [...this.#names.keys()]) if (path.startsWith(`${folder}/`)) this.#names.delete(path)
  }

  override rename(from: string, to: string): void {
    this.check('rename', from)
    super.rename(from, to)
    if (!this.#names.has(from)) this.#moved.push([from, to])
    for (const [path, node] of [...this.#names]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue
      this.#names.delete(path)
      this.#names.set(to + path.slice(from.length), node)
    }
  }

  override share(from: string, to: string): number {
    this.check('share', from)
    const copied = super.share(from, to)
    this.#names.set(to, this.#names.get(from)!)
    return copied
  }

  override load(path: string): Buffer | undefined {
    if (this.exists(path)) this.check('read', path)
    return super.load(path)
  }

  override save(path: string, bytes: Buffer, durable: boolean): void {
    this.check('save', path)
    super.save(path, bytes, durable)
    const file = super.open(path, 0)
    this.#names.set(path, { file, flushed: durable ? bytes.length : 0, staged: undefined, mayHaveLost: false })
    if (durable) this.#sync(parent(path))
  }

  override async syncFolder(...folders: string[]): Promise<void> {
    for (const folder of folders) {
      this.check('sync', folder)
      await this.slowness('sync', folder)
      this.#sync(folder)
    }
  }

  /** For a fault its path is that of the root: ''. */
  async flushAll(): Promise<boolean> {
    const nodes = [...new Set(this.#names.values())].map((node) => ({ node, length: node.file.length }))
    await this.slowness('flush', '')
    if (nodes.some(({ node }) => node.failure !== undefined) || this.fault('flush', '') !== undefined) return false
    for (const { node, length } of nodes) node.flushed = Math.max(node.flushed, length)
    for (const folder of new Set([...this.#names.keys()].map(parent))) this.#sync(folder)
    return true
  }

  /** Turns one bit over, under all names of a file: what a cosmic ray or a bad controller does. */
  flip(path: string, at: number, bit: number): void {
    borrow(super.open(path, 0).read(at, 1), (bytes) => {
      bytes[0]! ^= 1 << bit
    })
  }

  /** The names in a folder and in those around it: first which folders these are, for what is in one moves with it. */
  #sync(folder: string): void {
    const around = new Set([''])
    for (let outer = folder; outer !== ''; outer = parent(outer)) around.add(outer)
    const isHere = ([from, to]: readonly [string, string | undefined]) =>
      around.has(parent(from)) || (to !== undefined && around.has(parent(to)))
    for (const [from, to] of this.#moved.filter(isHere)) this.#moveDurable(from, to)
    this.#moved = this.#moved.filter((move) => !isHere(move))
    for (const path of [...this.#durableNames.keys()]) if (parent(path) === folder) this.#durableNames.delete(path)
    for (const [path, node] of this.#names) if (parent(path) === folder) this.#durableNames.set(path, node)
    if (folder !== '') this.#sync(parent(folder))
  }

  /** What stable storage knows in a folder goes with it. */
  #moveDurable(from: string, to: string | undefined): void {
    for (const [path, node] of [...this.#durableNames]) {
      if (!path.startsWith(`${from}/`)) continue
      this.#durableNames.delete(path)
      if (to !== undefined) this.#durableNames.set(to + path.slice(from.length), node)
    }
  }

  override linkCount(path: string): number {
    const node = this.#names.get(path)
    return node === undefined ? 0 : [...this.#names.values()].filter((other) => other === node).length
  }

  override get boot(): string {
    return String(this.#powerCuts)
  }

  override mayHaveLost(path: string): boolean {
    return this.#names.get(path)?.mayHaveLost ?? false
  }

  /**
   * The disk as a new process finds it. After a kill all committed bytes are there, and the first `tornBytes` of what
   * was staged, before zeros allocated ahead. After a power cut what was flushed is there, and of the rest what luck
   * keeps, page by page.
   */
  after(event: 'kill' | 'power cut', tornBytes = 0, luck: Luck = noLuck, aheadBytes = 0): FaultyStore {
    const left = new FaultyStore()
    left.#powerCuts = event === 'kill' ? this.#powerCuts : this.#powerCuts + 1
    const copies = new Map<Node, Node>()
    const copyOf = (node: Node): Node => {
      const known = copies.get(node)
      if (known !== undefined) return known
      const content = event === 'kill' ? killed(node, tornBytes, aheadBytes) : powerless(node, luck)
      const file = left.#content(content)
      const flushed = event === 'kill' ? node.flushed : content.length
      const copy = { file, flushed, staged: undefined, mayHaveLost: node.mayHaveLost || event === 'power cut' }
      copies.set(node, copy)
      return copy
    }
    const found = event === 'kill' || luck() ? this.#names : this.#durableNames
    const durable = event === 'kill' ? this.#durableNames : found
    for (const [path, node] of found) left.#link(path, copyOf(node))
    for (const [path, node] of durable) left.#durableNames.set(path, copyOf(node))
    if (event === 'kill') left.#moved = [...this.#moved]
    return left
  }

  /** A file of this store under a name that nobody sees. */
  #content(bytes: Buffer): File {
    const path = `\0${this.#hidden++}`
    const file = super.create(path, bytes.length)
    if (bytes.length > 0) {
      bytes.copy(file.stage(bytes.length))
      file.commit(bytes.length)
    }
    return file
  }

  #hidden = 0

  #link(path: string, node: Node): void {
    super.share(node.file.path, path)
    this.#names.set(path, node)
  }

  override list(folder: string): string[] {
    return super.list(folder).filter((name) => !name.startsWith('\0'))
  }
}

function killed({ file, staged }: Node, tornBytes: number, aheadBytes: number): Buffer {
  const torn = staged === undefined ? Buffer.alloc(0) : Buffer.from(staged.subarray(0, tornBytes))
  return Buffer.concat([bytesOf(file), torn, Buffer.alloc(staged === undefined ? 0 : aheadBytes)])
}

function powerless({ file, flushed }: Node, luck: Luck): Buffer {
  const whole = bytesOf(file)
  const left = Buffer.alloc(whole.length)
  let end = Math.min(flushed, whole.length)
  whole.copy(left, 0, 0, end)
  for (let at = end; at < whole.length; ) {
    const pageEnd = Math.min(whole.length, at - (at % pageBytes) + pageBytes)
    if (luck()) {
      whole.copy(left, at, at, pageEnd)
      end = pageEnd
    }
    at = pageEnd
  }
  return left.subarray(0, end)
}

function bytesOf(file: File): Buffer {
  const pieces: Buffer[] = []
  for (let at = 0; at < file.length; ) {
    at += borrow(file.read(at, file.length - at), (bytes) => pieces.push(Buffer.from(bytes)) && bytes.length)
  }
  return Buffer.concat(pieces)
}
