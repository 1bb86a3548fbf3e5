// Where values are made: memory for them, and how bytes get there.

/** Shorter pieces are copied byte by byte: asking for the bytes between costs more than moving them. */
const loopMax = 32
/** Small values share memory: a value lives about as long as its neighbours, and memory of its own costs more than the value. */
const sharedBytes = 128 * 1024
const sharedMax = 16 * 1024
let shared = Buffer.alloc(0)
let sharedUsed = 0

export function allocate(length: number): Buffer {
  if (length > sharedMax) return Buffer.allocUnsafeSlow(length)
  if (sharedUsed + length > shared.length) {
    shared = Buffer.allocUnsafeSlow(sharedBytes)
    sharedUsed = 0
  }
  sharedUsed += length
  return shared.subarray(sharedUsed - length, sharedUsed)
}

export function copyTo(target: Uint8Array, at: number, bytes: Uint8Array, start: number, end: number): void {
  // A plain view is cheaper than Buffer's, and nobody sees it.
  if (end - start > loopMax) target.set(new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start), at)
  else for (let i = start; i < end; i++) target[at + i - start] = bytes[i]!
}
