// Everything that a file system still has to write, brought to the disk in one go: of ten thousand small files that takes a fraction of
// what it takes to flush one after the other, each of which waits for a commit of the journal.

import { closeSync, openSync } from 'node:fs'
import { release } from 'node:os'
import { type Later, native } from './native.ts'

type Syncfs = Later<[descriptor: number]>

/** Before Linux 5.8 it did not say that something could not be written. */
function tellsOfErrors(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number)
  return major > 5 || (major === 5 && minor >= 8)
}

/**
 * Brings all that was written before the call to the disk on which `folder` lies. Resolves to false where that cannot be had, or failed:
 * then each file has to be flushed by itself, and tells for itself.
 */
export async function flushWholeDisk(folder: string): Promise<boolean> {
  const syncfs = tellsOfErrors() ? (native()?.func('int syncfs(int)') as Syncfs | undefined) : undefined
  if (syncfs === undefined) return false
  let descriptor: number
  try {
    descriptor = openSync(folder, 'r')
  } catch {
    return false
  }
  try {
    return await new Promise<boolean>((resolve) => {
      syncfs.async(descriptor, (failed, code) => resolve(failed === null && code === 0))
    })
  } finally {
    closeSync(descriptor)
  }
}
