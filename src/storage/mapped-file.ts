// Files mapped into memory: bytes are copied once, from the socket's chunk into the map, and leave as views of it.
//
//   length              allocated                     mapped
//   ▼                   ▼                             ▼
//   ███████████░░░░░░░░░│ (no such pages yet)          │
//
// Blocks are allocated before they are touched, so a full disk is an error code of posix_fallocate and never a SIGBUS.
// The space grows by doubling: an idle topic costs 16 KiB, a busy one is not in the allocator's way.

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
import { held, MemoryMap, mapsMax, memoryCalls, punchHole } from './memory-map.ts'
import { flushWholeDisk } from './whole-disk.ts'

const nothing = (): void => {}

const pageBytes = 4096
const allocationMin = 16 * 1024
const allocationStepMax = 128 * 1024 * 1024
/** Larger pieces are written by a call, smaller ones stored through the map (measured: bench/README.md). */
const writeFrom = 4096

/** In a smaller file nobody waits long for the system to read ahead, and there may be very many of them. */
const readAheadMin = 1024 * 1024

const roundUp = (byteCount: number): number => Math.ceil(byteCount / pageBytes) * pageBytes
/** EINTR. */
const interrupted = 4
const names = new Map([
  [28, 'ENOSPC'],
  [27, 'EFBIG'],
  [122, 'EDQUOT'],
  [30, 'EROFS'],
  [5, 'EIO'],
])

class MappedFile implements File {
  readonly path: string
  length: number
  readonly #growthMax: number
  readonly #append: boolean
  readonly #absolute: string
  #descriptor: number
  #allocated: number
  #map: MemoryMap | undefined
  #stagedBytes = 0
  #failure: StorageError | undefined
  #sealed = false
  /** From here on everything was written since the file was opened: it is in memory, as far as anything is. */
  #freshFrom: number

  constructor(path: string, absolute: string, descriptor: number, length: number, growthMax: number, append: boolean) {
    this.path = path
    this.#absolute = absolute
    this.#descriptor = descriptor
    this.length = length
    this.#freshFrom = length
    this.#growthMax = growthMax
    this.#append = append
    this.#allocated = append ? fs.fstatSync(descriptor).size : length
  }

  get allocatedBytes(): number {
    return this.#sealed ? this.length : this.#allocated
  }

  stage(parts: StagedParts): Buffer {
    if (this.#failure !== undefined) throw this.#failure
    const byteCount = stagedBytes(parts)
    const end = this.length + byteCount
    const grows = end > this.#allocated
    if (grows) this.#allocate(end)
    const moves = this.#map === undefined || this.#map.bytes.length < end
    if (moves) this.#remap(end)
    if ((grows || moves) && this.#allocated >= readAheadMin)
      this.#map!.storeFrom(this.length - (this.length % pageBytes))
    this.#stagedBytes = byteCount
    const staged = this.#map!.bytes.subarray(this.length, end)
    if (byteCount < writeFrom || typeof parts === 'number') return copyParts(parts, staged)
    this.#write(Buffer.isBuffer(parts) ? [parts] : parts, byteCount)
    return staged
  }

  /** One call that fills the page cache where the map would fault once for every page. The map shows the bytes at once. */
  #write(parts: readonly Buffer[], byteCount: number): void {
    try {
      const written = fs.writevSync(this.#descriptor, parts as Buffer[], this.length)
      if (written !== byteCount) throw new StorageError('EIO', `${this.path}: ${written} of ${byteCount} bytes written`)
    } catch (cause) {
      this.drop() // a part of it may have been written
      throw storageError(cause, this.path)
    }
  }

  #allocate(end: number): void {
    const step = Math.min(allocationStepMax, Math.max(allocationMin, this.#allocated))
    const wanted = Math.max(end, Math.min(this.#allocated + step, this.#growthMax))
    let to = roundUp(wanted)
    let code = this.#fallocate(to)
    if (code === 28 && to > roundUp(end)) {
      to = roundUp(end) // the step was a wish, this is what is needed
      code = this.#fallocate(to)
    }
    if (code !== 0) {
      throw new StorageError(
        names.get(code) ?? `errno ${code}`,
        `${this.path}: no room for ${to - this.#allocated} bytes`,
      )
    }
    this.#allocated = to
  }

  /** Signals cut it short: of profilers, for one. */
  #fallocate(to: number): number {
    for (;;) {
      const code = memoryCalls()!.fallocate(this.#descriptor, this.#allocated, to - this.#allocated)
      if (code !== interrupted) return code
    }
  }

  /** Maps more than is allocated, so that a growing file is mapped anew only a few times. */
  #remap(end: number): void {
    const size = roundUp(Math.max(end, Math.min(4 * this.#allocated, this.#growthMax)))
    const previous = this.#map
    const writable = this.#append && !this.#sealed
    this.#map = new MemoryMap(this.#descriptor, writable ? size : roundUp(end), writable)
    previous?.retire()
  }

  commit(byteCount: number): void {
    this.length += byteCount
    this.#stagedBytes = 0
  }

  drop(): void {
    this.#map?.bytes.fill(0, this.length, this.length + this.#stagedBytes)
    this.#stagedBytes = 0
  }

  read(position: number, byteCount: number): Lease {
    const size = Math.max(0, Math.min(byteCount, this.length - position))
    if (this.#map === undefined) {
      if (this.length === 0) return { bytes: Buffer.alloc(0), release: nothing }
      const isWritten = this.#append && !this.#sealed
      if (!isWritten && held.maps >= mapsMax()) return this.#readAside(position, size)
      this.#openAgain()
      try {
        this.#remap(this.length)
      } finally {
        if (!isWritten) this.#closeDescriptor()
      }
    }
    return this.#map!.lease(position, size)
  }

  bring(position: number, byteCount: number): Promise<void> | undefined {
    if (position >= this.#freshFrom || position >= this.length) return undefined
    this.read(position, 1).release()
    return this.#map?.bring(position, Math.min(byteCount, this.length - position))
  }

  /** Where there are maps enough: a system gives a process so many, and V8 ends it when it gets no more. */
  #readAside(position: number, byteCount: number): Lease {
    const bytes = Buffer.allocUnsafeSlow(byteCount)
    const descriptor = this.#openToRead()
    try {
      for (let done = 0; done < byteCount; ) {
        const read = fs.readSync(descriptor, bytes, done, byteCount - done, position + done)
        if (read === 0) throw new StorageError('EIO', `${this.path} ends at ${position + done}, before ${this.length}`)
        done += read
      }
    } catch (cause) {
      throw storageError(cause, this.path)
    } finally {
      fs.closeSync(descriptor)
    }
    return { bytes, release: nothing }
  }

  #openAgain(): void {
    if (this.#descriptor < 0) this.#descriptor = this.#openToRead()
  }

  #openToRead(): number {
    try {
      return fs.openSync(this.#absolute, 'r')
    } catch (cause) {
      throw storageError(cause)
    }
  }

  async flush(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    // One of its own where the file has none: a reader that comes meanwhile opens, maps and closes the file's.
    const own = this.#descriptor < 0
    const descriptor = own ? this.#openToRead() : this.#descriptor
    try {
      await flushDescriptor(descriptor, this.path)
    } catch (cause) {
      // The kernel may have dropped the dirty pages: a second fsync would succeed without them.
      this.#failure = cause as StorageError
      throw cause
    } finally {
      if (own) fs.closeSync(descriptor)
    }
  }

  cutAt(length: number): void {
    // Never ftruncate under a map. A hole reads as zeros, which is what a fresh allocation holds, and costs no page.
    const pageEnd = roundUp(length)
    const size = Math.max(this.length, this.#append ? this.#allocated : 0)
    if (size > length && this.#append) {
      if (this.#map === undefined || this.#map.bytes.length < pageEnd) this.#remap(Math.max(pageEnd, pageBytes))
      this.#map!.bytes.fill(0, length, Math.min(pageEnd, size))
      if (size > pageEnd) this.#punch(pageEnd, size)
    }
    this.length = length
  }

  #punch(from: number, to: number): void {
    const code = memoryCalls()!.changeSpace(this.#descriptor, punchHole, from, to - from)
    if (code === 0) {
      this.#allocated = from
      return
    }
    if (this.#map!.bytes.length < to) this.#remap(to)
    this.#map!.bytes.fill(0, from, to)
  }

  seal(): void {
    if (this.#sealed || !this.#append) return
    this.#sealed = true
    this.#freshFrom = Infinity
    const descriptor = this.#descriptor
    this.#descriptor = -1
    const map = this.#map
    this.#map = undefined // the next reader maps the exact length
    const shrink = () => {
      try {
        fs.ftruncateSync(descriptor, this.length)
      } catch {
        // Space that is not given back is no reason to fail.
      }
      fs.closeSync(descriptor)
    }
    if (map === undefined) shrink()
    else map.retire(shrink)
  }

  #closeDescriptor(): void {
    if (this.#descriptor >= 0) fs.closeSync(this.#descriptor)
    this.#descriptor = -1
  }

  close(): void {
    if (this.#append && !this.#sealed) {
      this.seal()
      return
    }
    this.#map?.retire()
    this.#map = undefined
    this.#closeDescriptor()
  }
}

export class MappedStore extends Directory implements Store {
  readonly kind = 'mapped'

  create(path: string, growthMax: number): File {
    return new MappedFile(path, this.path(path), this.openFile(path, 'wx+'), 0, growthMax, true)
  }

  open(path: string, growthMax: number, { length, append = false }: OpenOptions = {}): File {
    const absolute = this.path(path)
    // A file that is only read is opened at its first read.
    const descriptor = append ? this.openFile(path, 'r+') : -1
    return new MappedFile(path, absolute, descriptor, length ?? this.sizeOf(path), growthMax, append)
  }

  flushAll(): Promise<boolean> {
    return flushWholeDisk(this.root)
  }

  close(): void {}
}

/** Whether files can be mapped here. */
export const canMap = (): boolean => memoryCalls() !== undefined
