// Files by read and write calls: what serves where memory cannot be mapped. One copy in (the staging buffer, which the
// write call hands to the page cache), and one out.

import * as fs from 'node:fs'
import { StorageError } from '../../protocol/errors.ts'
import { Directory, flushDescriptor, storageError } from './directory.ts'
import {
  copyParts,
  type File,
  type Lease,
  type OpenOptions,
  type StagedParts,
  type Store,
  stagedBytes,
} from './file.ts'

const nothing = (): void => {}

/** What has been let go, and serves again. */
const sparesMax = 4
const spareBytesMax = 4 * 1024 * 1024

/**
 * Memory of reads for who lets go of each before the next and keeps none: to get new memory for every one, and to give it back,
 * takes all threads of a process longer than to read.
 */
class ReadMemory {
  readonly #spares: Buffer[] = []

  lend(byteCount: number): Lease {
    const at = this.#spares.findIndex(({ length }) => length >= byteCount)
    // A power of two serves whatever comes next.
    const memory =
      at < 0
        ? Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(Math.max(byteCount, 4096))))
        : this.#spares.splice(at, 1)[0]!
    let isLent = true
    const release = (): void => {
      if (isLent && memory.length <= spareBytesMax) this.#keep(memory)
      isLent = false
    }
    return { bytes: memory.subarray(0, byteCount), release }
  }

  /** The largest serve most. */
  #keep(memory: Buffer): void {
    const place =
      this.#spares.length < sparesMax
        ? this.#spares.length
        : this.#spares.findIndex(({ length }) => length < memory.length)
    if (place >= 0) this.#spares[place] = memory
  }
}

/** Of files that are only read so many stay open: a system gives a process some thousand descriptors, and a log may have more files. */
const readMax = 256

/** Files that are only read, and open. */
class Readers {
  readonly #open = new Set<PlainFile>()

  opened(file: PlainFile): void {
    this.#open.add(file)
    if (this.#open.size <= readMax) return
    const [oldest] = this.#open
    oldest!.close()
  }

  closed(file: PlainFile): void {
    this.#open.delete(file)
  }
}

/** What the files of a store have in common. */
type Shared = { readonly readers: Readers; readonly memory: ReadMemory | undefined }

class PlainFile implements File {
  readonly path: string
  length: number
  readonly #append: boolean
  readonly #absolute: string
  readonly #shared: Shared
  /** -1: not open. One that takes no bytes is opened by whoever reads. */
  #descriptor: number
  #staged: Buffer = Buffer.alloc(0)
  #sealed = false
  #failure: StorageError | undefined

  constructor(path: string, absolute: string, descriptor: number, length: number, append: boolean, shared: Shared) {
    this.path = path
    this.#absolute = absolute
    this.#shared = shared
    this.#append = append
    this.#descriptor = descriptor
    this.length = length
  }

  get allocatedBytes(): number {
    return this.length
  }

  stage(parts: StagedParts): Buffer {
    if (this.#failure !== undefined) throw this.#failure
    const byteCount = stagedBytes(parts)
    if (this.#staged.length < byteCount) this.#staged = Buffer.allocUnsafeSlow(Math.max(byteCount, 64 * 1024))
    return copyParts(parts, this.#staged.subarray(0, byteCount))
  }

  commit(byteCount: number): void {
    try {
      for (let done = 0; done < byteCount; ) {
        done += fs.writeSync(this.#descriptor, this.#staged, done, byteCount - done, this.length + done)
      }
    } catch (cause) {
      this.#forget()
      throw storageError(cause, this.path)
    }
    this.length += byteCount
    if (this.#staged.length > 4 * 1024 * 1024) this.#staged = Buffer.alloc(0)
  }

  /** What a failed write left above the end must not be found there once the file is sealed. */
  #forget(): void {
    try {
      fs.ftruncateSync(this.#descriptor, this.length)
    } catch {
      // It is written over by the next batch, or cut off at the next start.
    }
  }

  drop(): void {}

  read(position: number, byteCount: number): Lease {
    const wanted = Math.max(0, Math.min(byteCount, this.length - position))
    const { memory } = this.#shared
    const lease = memory?.lend(wanted) ?? { bytes: Buffer.allocUnsafe(wanted), release: nothing }
    const { bytes } = lease
    try {
      if (this.#descriptor < 0) this.#openToRead()
      for (let done = 0; done < bytes.length; ) {
        const read = fs.readSync(this.#descriptor, bytes, done, bytes.length - done, position + done)
        if (read === 0) throw new StorageError('EIO', `${this.path} ends at ${position + done}, before ${this.length}`)
        done += read
      }
    } catch (cause) {
      throw storageError(cause, this.path)
    }
    return lease
  }

  /** No more bytes come: then it need not stay open. */
  get #isSealed(): boolean {
    return this.#sealed || !this.#append
  }

  #openToRead(): void {
    this.#descriptor = fs.openSync(this.#absolute, 'r')
    this.#shared.readers.opened(this)
  }

  async flush(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    // One of its own where the file has none that stays open all the while. Some systems flush only what may be written.
    const own = this.#isSealed
    const descriptor = own ? this.#openToFlush() : this.#descriptor
    try {
      await flushDescriptor(descriptor, this.path)
    } catch (cause) {
      // The kernel may have dropped the dirty pages: a second fsync would succeed without them.
      this.#failure = cause as StorageError
      throw this.#failure
    } finally {
      if (own) fs.closeSync(descriptor)
    }
  }

  #openToFlush(): number {
    try {
      return fs.openSync(this.#absolute, 'r+')
    } catch (cause) {
      throw storageError(cause)
    }
  }

  cutAt(length: number): void {
    if (this.#append && length < this.length) fs.ftruncateSync(this.#descriptor, length)
    this.length = length
  }

  seal(): void {
    this.#staged = Buffer.alloc(0)
    if (this.#isSealed) return
    this.#sealed = true
    if (this.#descriptor >= 0) this.#shared.readers.opened(this)
  }

  close(): void {
    this.#shared.readers.closed(this)
    if (this.#descriptor < 0) return
    fs.closeSync(this.#descriptor)
    this.#descriptor = -1
  }
}

export class PlainStore extends Directory implements Store {
  readonly kind = 'plain'
  readonly #shared: Shared

  /** `reusesReads`: what a read has lent is written over once it is released. */
  constructor(root: string, { reusesReads = false } = {}) {
    super(root)
    this.#shared = { readers: new Readers(), memory: reusesReads ? new ReadMemory() : undefined }
  }

  create(path: string, _growthMax: number): File {
    return new PlainFile(path, this.path(path), this.openFile(path, 'wx+'), 0, true, this.#shared)
  }

  open(path: string, _growthMax: number, { length, append = false }: OpenOptions = {}): File {
    const descriptor = this.openFile(path, append ? 'r+' : 'r')
    const size = length ?? fs.fstatSync(descriptor).size
    const file = new PlainFile(path, this.path(path), descriptor, size, append, this.#shared)
    if (!append) this.#shared.readers.opened(file)
    return file
  }

  close(): void {}
}
