// Cuts a byte stream into frames: an int32 length, then as many bytes. Nothing is copied and nothing is allocated from
// an announced length: a frame is the view, or the views, in which its bytes came.

import { ProtocolViolation } from '../../protocol/errors.ts'
import { ChunkReader, Reader } from '../../protocol/reader.ts'

const lengthBytes = 4
/** API key, version and correlation id: no request is shorter. */
const frameBytesMin = 8

export class Frames {
  readonly #bytesMax: number
  /** Digits of a length that came in parts. */
  readonly #length = Buffer.alloc(lengthBytes)
  #lengthHave = 0
  /** Bytes that the frame still lacks; -1 before its length is known. */
  #missing = -1
  #chunks: Buffer[] = []

  /** `bytesMax`: `socket.request.max.bytes`. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Calls `take` for each frame that the chunk completes. Throws ProtocolViolation on a length out of range. */
  push(chunk: Buffer, take: (frame: Reader) => void): void {
    let position = 0
    while (position < chunk.length) {
      if (this.#missing === -1) {
        position = this.#readLength(chunk, position)
        if (this.#missing === -1) return
      }
      const size = Math.min(this.#missing, chunk.length - position)
      const whole = size === this.#missing && this.#chunks.length === 0
      if (whole) {
        this.#missing = -1
        take(new Reader(chunk, position, position + size))
      } else {
        if (size > 0) this.#chunks.push(chunk.subarray(position, position + size))
        this.#missing -= size
        if (this.#missing === 0) this.#complete(take)
      }
      position += size
    }
  }

  #complete(take: (frame: Reader) => void): void {
    const chunks = this.#chunks
    this.#chunks = []
    this.#missing = -1
    take(new ChunkReader(chunks))
  }

  #readLength(chunk: Buffer, from: number): number {
    let position = from
    while (position < chunk.length && this.#lengthHave < lengthBytes) {
      this.#length[this.#lengthHave++] = chunk[position++]!
    }
    if (this.#lengthHave < lengthBytes) return position
    this.#lengthHave = 0
    const length = this.#length.readInt32BE(0)
    if (length < frameBytesMin || length > this.#bytesMax) {
      throw new ProtocolViolation(`a frame of ${length} bytes; ${frameBytesMin} to ${this.#bytesMax} are possible`)
    }
    this.#missing = length
    return position
  }
}
