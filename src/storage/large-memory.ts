// Memory for what is large and looked into all over. The system gives memory in pages of 4 KiB, and a processor knows by heart where two
// thousand of them lie: who looks at one thing here and at the next one there waits for the page table as long as for memory itself.
// So it is asked for pages of 2 MiB, where it can be asked.

import { isMainThread } from 'node:worker_threads'
import { anonymousMemory } from './memory-map.ts'

export const largePageBytes = 2 * 1024 * 1024

/** So many bytes: what lies in them is anything. The collector gives them back. */
export function largeMemory(byteCount: number): Buffer {
  // What another thread has when it ends no collector gives back.
  const isAsked = isMainThread && byteCount > 0 && byteCount % largePageBytes === 0
  const large = isAsked ? anonymousMemory(byteCount, largePageBytes) : undefined
  return large ?? Buffer.allocUnsafeSlow(byteCount)
}
