// Files that are only memory: `--memory`, and the ground that tests stand on. Nothing touches the disk.

import { StorageError } from '../../protocol/errors.ts'
import {
  copyParts,
  type File,
  type Lease,
  type OpenOptions,
  type StagedParts,
  type Store,
  stagedBytes,
  type Volume,
} from './file.ts'

const nothing = (): void => {}
const chunkBytesMin = 16 * 1024
const chunkBytesMax = 4 * 1024 * 1024

/** The bytes behind a name; several names may share them. */
type Content = {
  /** Pieces, each filled from its start; a committed piece never straddles two. */
  chunks: { bytes: Buffer; used: number; from: number }[]
  length: number
}

class MemoryFile implements File {
  readonly path: string
  readonly #content: Content
  #bound: number | undefined

  constructor(path: string, content: Content, bound: number | undefined) {
    this.path = path
    this.#content = content
    this.#bound = bound
  }

  get length(): number {
    return this.#bound ?? this.#content.length
  }

  get allocatedBytes(): number {
    return this.#content.chunks.reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  stage(parts: StagedParts): Buffer {
    const byteCount = stagedBytes(parts)
    const { chunks, length } = this.#content
    let last = chunks.at(-1)
    if (last === undefined || last.bytes.length - last.used < byteCount) {
      const size = Math.max(byteCount, Math.min(chunkBytesMax, Math.max(chunkBytesMin, length)))
      last = { bytes: Buffer.alloc(size), used: 0, from: length }
      chunks.push(last)
    }
    return copyParts(parts, last.bytes.subarray(last.used, last.used + byteCount))
  }

  commit(byteCount: number): void {
    this.#content.chunks.at(-1)!.used += byteCount
    this.#content.length += byteCount
  }

  drop(): void {}

  read(position: number, byteCount: number): Lease {
    const { chunks } = this.#content
    const end = Math.min(position + byteCount, this.length)
    let low = 0
    for (let high = chunks.length - 1; low < high; ) {
      const middle = (low + high + 1) >> 1
      if (chunks[middle]!.from <= position) low = middle
      else high = middle - 1
    }
    const chunk = chunks[low]
    if (chunk === undefined || end <= position) return { bytes: Buffer.alloc(0), release: nothing }
    const from = position - chunk.from
    return { bytes: chunk.bytes.subarray(from, Math.min(chunk.used, end - chunk.from)), release: nothing }
  }

  flush(): Promise<void> {
    return Promise.resolve()
  }

  cutAt(length: number): void {
    const content = this.#content
    while (content.chunks.length > 0 && content.chunks.at(-1)!.from >= length) content.chunks.pop()
    const last = content.chunks.at(-1)
    if (last !== undefined) {
      last.used = length - last.from
      last.bytes.fill(0, last.used)
    }
    content.length = length
    this.#bound = undefined
  }

  seal(): void {}
  close(): void {}
}

/** A folder is there as long as something is in it. */
class Folder {
  readonly files = new Map<string, Content>()
  readonly folders = new Map<string, Folder>()

  get isEmpty(): boolean {
    return this.files.size === 0 && this.folders.size === 0
  }
}

const split = (path: string): readonly [folder: string, name: string] => {
  const at = path.lastIndexOf('/')
  return [path.slice(0, Math.max(0, at)), path.slice(at + 1)]
}

/** Names and what they stand for; a folder's worth of them is found without looking at all others. */
class Names {
  readonly #root = new Folder()

  folder(path: string, make = false): Folder | undefined {
    let folder: Folder | undefined = this.#root
    for (const name of path === '' ? [] : path.split('/')) {
      let inner: Folder | undefined = folder.folders.get(name)
      if (inner === undefined) {
        if (!make) return undefined
        inner = new Folder()
        folder.folders.set(name, inner)
      }
      folder = inner
    }
    return folder
  }

  get(path: string): Content | undefined {
    const [folder, name] = split(path)
    return this.folder(folder)?.files.get(name)
  }

  has(path: string): boolean {
    return this.get(path) !== undefined
  }

  set(path: string, content: Content): void {
    const [folder, name] = split(path)
    this.folder(folder, true)!.files.set(name, content)
  }

  remove(path: string): void {
    const [folder, name] = split(path)
    if (this.folder(folder)?.files.delete(name)) this.#prune(folder)
  }

  removeFolder(path: string): void {
    const [folder, name] = split(path)
    if (this.folder(folder)?.folders.delete(name)) this.#prune(folder)
  }

  /** A folder takes the place of one that is empty or not there, and joins one that is not. */
  rename(from: string, to: string): void {
    const [folder, name] = split(from)
    const content = this.get(from)
    const inner = this.folder(from)
    if (content !== undefined) {
      this.remove(from)
      this.set(to, content)
    }
    if (inner === undefined) return
    this.folder(folder)!.folders.delete(name)
    this.#join(inner, this.folder(to, true)!)
    this.#prune(folder)
  }

  #join(from: Folder, to: Folder): void {
    for (const [name, content] of from.files) to.files.set(name, content)
    for (const [name, inner] of from.folders) {
      const there = to.folders.get(name)
      if (there === undefined) to.folders.set(name, inner)
      else this.#join(inner, there)
    }
  }

  #prune(path: string): void {
    for (let at = path; at !== '' && this.folder(at)?.isEmpty; ) {
      const [folder, name] = split(at)
      this.folder(folder)!.folders.delete(name)
      at = folder
    }
  }

  *contents(folder = this.#root): Generator<Content> {
    yield* folder.files.values()
    for (const inner of folder.folders.values()) yield* this.contents(inner)
  }

  clear(): void {
    this.#root.files.clear()
    this.#root.folders.clear()
  }
}

export class MemoryStore implements Store {
  readonly kind: Store['kind'] = 'memory'
  readonly #contents = new Names()

  create(path: string, _growthMax: number): File {
    if (this.#contents.has(path)) throw new StorageError('EEXIST', `${path} exists`)
    const content: Content = { chunks: [], length: 0 }
    this.#contents.set(path, content)
    return new MemoryFile(path, content, undefined)
  }

  open(path: string, _growthMax: number, { length, append = false }: OpenOptions = {}): File {
    const content = this.#contents.get(path)
    if (content === undefined) throw new StorageError('ENOENT', `${path} does not exist`)
    const file = new MemoryFile(path, content, append ? undefined : length)
    if (append && length !== undefined && length < content.length) file.cutAt(length)
    return file
  }

  exists(path: string): boolean {
    return this.#contents.has(path)
  }

  sizeOf(path: string): number {
    return this.#contents.get(path)?.length ?? 0
  }

  /** Nothing here outlives the process. */
  writtenAt(_path: string): number | undefined {
    return undefined
  }

  linkCount(path: string): number {
    const content = this.#contents.get(path)
    return content === undefined ? 0 : [...this.#contents.contents()].filter((other) => other === content).length
  }

  list(folder: string): string[] {
    const found = this.#contents.folder(folder)
    if (found === undefined) return []
    const names = new Set([...found.files.keys(), ...found.folders.keys()])
    return [...names].sort()
  }

  remove(path: string): void {
    this.#contents.remove(path)
  }

  async makeFolders(): Promise<void> {}

  removeFolder(folder: string): void {
    this.#contents.removeFolder(folder)
  }

  async discardFolder(folder: string): Promise<void> {
    this.removeFolder(folder)
  }

  rename(from: string, to: string): void {
    this.#contents.rename(from, to)
  }

  share(from: string, to: string): number {
    const content = this.#contents.get(from)
    if (content === undefined) throw new StorageError('ENOENT', `${from} does not exist`)
    if (this.#contents.has(to)) throw new StorageError('EEXIST', `${to} exists`)
    this.#contents.set(to, content)
    return 0
  }

  load(path: string): Buffer | undefined {
    const content = this.#contents.get(path)
    if (content === undefined) return undefined
    return Buffer.concat(content.chunks.map(({ bytes, used }) => bytes.subarray(0, used)))
  }

  save(path: string, bytes: Buffer, _durable: boolean): void {
    const copy = Buffer.from(bytes)
    this.#contents.set(path, { chunks: [{ bytes: copy, used: copy.length, from: 0 }], length: copy.length })
  }

  syncFolder(..._folders: string[]): Promise<void> {
    return Promise.resolve()
  }

  syncNames(folder: string): Promise<void> {
    return this.syncFolder(folder)
  }

  volume(): Volume {
    return { path: '/memory' }
  }

  get boot(): string {
    return 'memory'
  }

  mayHaveLost(_path: string): boolean {
    return false
  }

  close(): void {
    this.#contents.clear()
  }
}
