// Mapped memory, safely: a map is leased, and when the last lease of a retired one ends its addresses are overlaid with
// anonymous memory. That frees file and pages at once and makes a stale view harmless (it reads zeros) where munmap
// would make it a crash; the addresses themselves go when the collector has seen the last view.

import { readFileSync } from 'node:fs'
import { StorageError } from '../../protocol/errors.ts'
import type { Lease } from './file.ts'
import { type Call, type Koffi, type Later, native } from './native.ts'

export type MemoryCalls = {
  koffi: Koffi
  mmap: Call<[address: number, byteCount: number, protection: number, flags: number, descriptor: number, at: number]>
  munmap: Call<[address: number, byteCount: number]>
  advise: Call<[address: number, byteCount: number, advice: number]> & Later<[number, number, number]>
  residence: Call<[address: number, byteCount: number, pages: Buffer]>
  fallocate: Call<[descriptor: number, at: number, byteCount: number]>
  changeSpace: Call<[descriptor: number, mode: number, at: number, byteCount: number]>
}

const protRead = 1
const protWrite = 2
const mapShared = 1
const mapPrivate = 2
const mapFixed = 0x10
const mapAnonymous = 0x20
const mapNoReserve = 0x4000
const adviceNormal = 0
const adviceRandom = 1
const adviceHuge = 14
/** MADV_POPULATE_READ, since Linux 5.14. */
const adviceBring = 22
const pageBytes = 4096
/** Gives blocks back without changing the file's size: they read as zeros. */
export const punchHole = 0x03

/** Of a longer read no more is waited for: the system reads ahead by itself. */
const bringMax = 4 * 1024 * 1024
const residents = Buffer.alloc(bringMax / pageBytes)

let calls: MemoryCalls | undefined

/** The system calls, or undefined where they cannot be had. */
export function memoryCalls(): MemoryCalls | undefined {
  if (calls !== undefined) return calls
  const library = native()
  if (library === undefined) return undefined
  const { koffi, func } = library
  const found = {
    mmap: func('intptr_t mmap(intptr_t, size_t, int, int, int, int64_t)'),
    munmap: func('int munmap(intptr_t, size_t)'),
    advise: func('int madvise(intptr_t, size_t, int)'),
    residence: func('int mincore(intptr_t, size_t, void*)'),
    fallocate: func('int posix_fallocate(int, int64_t, int64_t)'),
    changeSpace: func('int fallocate(int, int, int64_t, int64_t)'),
  }
  if (Object.values(found).includes(undefined)) return undefined
  calls = { koffi, ...found } as MemoryCalls
  return calls
}

const unmapLater = new FinalizationRegistry<{ address: number; byteCount: number }>(({ address, byteCount }) => {
  memoryCalls()?.munmap(address, byteCount)
})

/** Memory of nobody's, in pages of `pageBytes`, which is one of the system's sizes, where it has such pages left; undefined where there is none. */
export function anonymousMemory(byteCount: number, pageBytes: number): Buffer | undefined {
  const calls = memoryCalls()
  if (calls === undefined) return undefined
  // Somewhere in it a large page begins; what lies around goes back.
  const start = calls.mmap(0, byteCount + pageBytes, protRead | protWrite, mapPrivate | mapAnonymous, -1, 0)
  if (start === -1) return undefined
  const address = Math.ceil(start / pageBytes) * pageBytes
  if (address > start) calls.munmap(start, address - start)
  if (address < start + pageBytes) calls.munmap(address + byteCount, start + pageBytes - address)
  calls.advise(address, byteCount, adviceHuge)
  const view = calls.koffi.view(address, byteCount)
  unmapLater.register(view, { address, byteCount })
  return Buffer.from(view)
}

/** Of the whole process, for whoever looks at metrics. */
export const held = { maps: 0, leases: 0 }

let most: number | undefined

/** From here on nobody should hold more: half of what the system gives, since what was let go is counted until it is collected. */
export function mapsMax(): number {
  most ??= mapsOfSystem() / 2
  return most
}

function mapsOfSystem(): number {
  try {
    return Number(readFileSync('/proc/sys/vm/max_map_count', 'latin1')) || Infinity
  } catch {
    return Infinity // only Linux counts them
  }
}

export class MemoryMap {
  readonly bytes: Buffer
  readonly #address: number
  #leases = 0
  #retired = false
  #afterRetirement: (() => void) | undefined

  /** Maps the first `byteCount` bytes of a file. Touching a page that the file does not have yet kills the process. */
  constructor(descriptor: number, byteCount: number, writable: boolean) {
    const { koffi, mmap } = memoryCalls()!
    this.#address = mmap(0, byteCount, writable ? protRead | protWrite : protRead, mapShared, descriptor, 0)
    if (this.#address === -1) throw new StorageError('ENOMEM', `${byteCount} bytes could not be mapped`)
    const view = koffi.view(this.#address, byteCount)
    unmapLater.register(view, { address: this.#address, byteCount })
    this.bytes = Buffer.from(view)
    held.maps++
  }

  /**
   * From a page's begin on bytes will be stored, before it they are read. Who stores to a page that is not there yet else waits
   * until the system has read ahead, and of blocks that were never written that is zeros: 8 MiB of them and 22 ms where a disk
   * reads ahead so far. A hint: it may be refused.
   */
  storeFrom(position: number): void {
    const { advise } = memoryCalls()!
    if (position > 0) advise(this.#address, position, adviceNormal)
    advise(this.#address + position, this.bytes.length - position, adviceRandom)
  }

  /** Whether the system has all pages of a range in memory. For files of others it says yes. */
  #isInMemory(from: number, byteCount: number): boolean {
    const pages = Math.ceil(byteCount / pageBytes)
    if (memoryCalls()!.residence(this.#address + from, byteCount, residents) !== 0) return true
    for (let i = 0; i < pages; i++) if ((residents[i]! & 1) === 0) return false
    return true
  }

  /** Brings a range into memory by a thread that may wait for the disk; undefined where it is there. */
  bring(position: number, byteCount: number): Promise<void> | undefined {
    const from = position - (position % pageBytes)
    const size = Math.min(position + byteCount - from, bringMax)
    if (size <= 0 || this.#isInMemory(from, size)) return undefined
    const { release } = this.lease(from, size)
    return new Promise((resolve) => {
      memoryCalls()!.advise.async(this.#address + from, size, adviceBring, () => {
        release()
        resolve()
      })
    })
  }

  lease(position: number, byteCount: number): Lease {
    this.#leases++
    held.leases++
    let released = false
    return {
      bytes: this.bytes.subarray(position, position + byteCount),
      release: () => {
        if (released) return
        released = true
        held.leases--
        if (--this.#leases === 0 && this.#retired) this.#overlay()
      },
    }
  }

  /** No new leases come; after the last one the memory is let go and `then` runs. */
  retire(then?: () => void): void {
    if (this.#retired) return
    this.#retired = true
    this.#afterRetirement = then
    if (this.#leases === 0) this.#overlay()
  }

  #overlay(): void {
    held.maps--
    const flags = mapPrivate | mapFixed | mapAnonymous | mapNoReserve
    memoryCalls()!.mmap(this.#address, this.bytes.length, protRead | protWrite, flags, -1, 0)
    this.#afterRetirement?.()
  }
}
