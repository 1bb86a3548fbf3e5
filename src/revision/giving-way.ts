// Has a thread give way to all others at once. A low priority alone says who gets more, not who waits: Linux lets whoever
// runs go on until the next tick of its clock, up to 4 ms, and a broker that was to acknowledge waited for them beside its packer.

import { endianness, setPriority } from 'node:os'
import { native } from '../storage/native.ts'

type SystemCall = (number: number, thread: number, attributes: Buffer, flags: number) => number

/** Linux's number of sched_setattr. */
const numbers: Partial<Record<NodeJS.Architecture, number>> = { x64: 314, arm64: 274, riscv64: 274 }
/** Wakes nobody else early, and is woken without hurry. */
const schedBatch = 3
const attributesBytes = 48
/** The longest there is: who runs for less at a time is let in before this one is through with its own (Linux 6.12). */
const sliceNs = 100_000_000n

/**
 * Answers whether it could be had. `thread`: as /proc/self/task names it, on Linux alone; 0 is the calling one, elsewhere with all of its
 * process.
 */
export function giveWay(niceness: number, thread = 0): 'at once' | 'by and by' | 'never' {
  const isLinux = process.platform === 'linux'
  if (thread !== 0 && !isLinux) return 'never'
  if (isLinux && setAttributes(niceness, thread)) return 'at once'
  try {
    setPriority(thread, niceness)
    return 'by and by'
  } catch {
    return 'never'
  }
}

function setAttributes(niceness: number, thread: number): boolean {
  const number = numbers[process.arch]
  if (number === undefined || endianness() !== 'LE') return false
  try {
    const call = native()?.func('long syscall(long, int, void *, unsigned int)') as SystemCall | undefined
    if (call === undefined) return false
    const attributes = Buffer.alloc(attributesBytes)
    attributes.writeUInt32LE(attributesBytes, 0)
    attributes.writeUInt32LE(schedBatch, 4)
    attributes.writeInt32LE(niceness, 16)
    attributes.writeBigUInt64LE(sliceNs, 24)
    return call(number, thread, attributes, 0) === 0
  } catch {
    return false
  }
}
