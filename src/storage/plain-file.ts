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

class PlainFile implements File {
  readonly path: string
  length: number
  readonly #append: boolean
  #descriptor: number
  #staged: Buffer = Buffer.alloc(0)
  #failure: StorageError | undefined

  constructor(path: string, descriptor: number, length: number, append: boolean) {
    this.path = path
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
      throw storageError(cause)
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
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(byteCount, this.length - position)))
    try {
      for (let done = 0; done < bytes.length; ) {
        const read = fs.readSync(this.#descriptor, bytes, done, bytes.length - done, position + done)
        if (read === 0) throw new StorageError('EIO', `${this.path} ends at ${position + done}, before ${this.length}`)
        done += read
      }
    } catch (cause) {
      throw storageError(cause)
    }
    return { bytes, release: nothing }
  }

  async flush(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    try {
      await flushDescriptor(this.#descriptor)
    } catch (cause) {
      // The kernel may have dropped the dirty pages: a second fsync would succeed without them.
      this.#failure = cause as StorageError
      throw cause
    }
  }

  cutAt(length: number): void {
    if (this.#append && length < this.length) fs.ftruncateSync(this.#descriptor, length)
    this.length = length
  }

  seal(): void {
    this.#staged = Buffer.alloc(0)
  }

  close(): void {
    if (this.#descriptor < 0) return
    fs.closeSync(this.#descriptor)
    this.#descriptor = -1
  }
}

export class PlainStore extends Directory implements Store {
  readonly kind = 'plain'

  create(path: string, _growthMax: number): File {
    return new PlainFile(path, this.openFile(path, 'wx+'), 0, true)
  }

  open(path: string, _growthMax: number, { length, append = false }: OpenOptions = {}): File {
    const descriptor = this.openFile(path, append ? 'r+' : 'r')
    return new PlainFile(path, descriptor, length ?? fs.fstatSync(descriptor).size, append)
  }

  close(): void {}
}
