// Where values are made: memory for them, and how bytes get there.

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

/** Bytes as pieces of values are copied from and to: one by one, and four at a time. */
export class Words {
  readonly bytes: Buffer
  readonly view: DataView
  /** Where they lie: to ask the bytes for it is a call into the engine, which no copy of a value can afford. */
  readonly buffer: ArrayBufferLike
  readonly start: number

  constructor(bytes: Buffer) {
    this.bytes = bytes
    this.buffer = bytes.buffer
    this.start = bytes.byteOffset
    this.view = new DataView(this.buffer, this.start, bytes.length)
  }
}

export const noWords = new Words(Buffer.alloc(0))

/** Shorter pieces are copied in words: asking for the bytes between costs as much as moving this many, and one by one costs three times as much. */
const loopMax = 80
const wordBytes = 4

/** Both places have all of the piece, and it is not copied over itself. */
export function copyTo(target: Words, at: number, source: Words, start: number, end: number): void {
  const size = end - start
  if (size > loopMax) {
    // A plain view is cheaper than Buffer's, and nobody sees it.
    target.bytes.set(new Uint8Array(source.buffer, source.start + start, size), at)
  } else if (size < wordBytes) {
    for (let i = 0; i < size; i++) target.bytes[at + i] = source.bytes[start + i]!
  } else {
    const from = source.view
    const to = target.view
    // The last word ends with the piece and may lie over the one before it.
    const last = size - wordBytes
    for (let i = 0; i < last; i += wordBytes) to.setInt32(at + i, from.getInt32(start + i, true), true)
    to.setInt32(at + last, from.getInt32(start + last, true), true)
  }
}
