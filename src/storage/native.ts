// The system's own C library, called without a compiler on anybody's machine (koffi comes prebuilt), and only where it is
// known to fit: Linux, the same on every architecture that koffi serves there.

import { createRequire } from 'node:module'
import { nativeAllowed } from '../../protocol/native.ts'

export type Koffi = {
  load(path: string | null): { func(signature: string): unknown }
  view(address: number, byteCount: number): ArrayBuffer
  /** Of the last call. */
  errno(): number
}

export type Call<A extends unknown[]> = (...args: A) => number

/** The same by a thread of libuv's; `done` is called by the event loop. */
export type Later<A extends unknown[]> = { async(...args: [...A, done: (failed: unknown, code: number) => void]): void }

/** `func`: undefined where the system has no such function. */
type Library = { readonly koffi: Koffi; readonly func: (signature: string) => unknown }

let library: Library | null | undefined

/** Undefined where it cannot be had: another system, koffi not installed or not loading. */
export function native(): Library | undefined {
  if (library !== undefined) return library ?? undefined
  library = null
  if (process.platform !== 'linux' || !nativeAllowed()) return undefined
  try {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi
    const loaded = koffi.load(null)
    const func = (signature: string): unknown => {
      try {
        return loaded.func(signature)
      } catch {
        return undefined
      }
    }
    library = { koffi, func }
  } catch {
    library = null
  }
  return library ?? undefined
}
