// Cuts a byte stream into frames: an int32 length, then as many bytes. A frame is the view, or the views, in which its
// bytes came; only small pieces are copied together, so that a peer that sends single bytes costs no more than any other.

import { ProtocolViolation } from '../../protocol/errors.ts'
import { ChunkReader, Reader } from '../../protocol/reader.ts'

const lengthBytes = 4
/** API key, version and correlation id: no request is shorter. */
const frameBytesMin = 8
/** Smaller pieces of a frame are gathered: as a view each would take a hundred times its size. */
const pieceBytesMin = 1024
const gatheredBytesMax = 16 * 1024

export class Frames {
  readonly #bytesMax: number
  /** What came and is not cut yet. */
  readonly #arrived: Buffer[] = []
  /** Where to go on in the first of them. */
  #position = 0
  /** Digits of a length that came in parts. */
  readonly #length = Buffer.alloc(lengthBytes)
  #lengthHave = 0
  /** Bytes that the frame still lacks; -1 before its length is known. */
  #missing = -1
  #frameBytes = 0
  #pieces: Buffer[] = []
  /** Small pieces are gathered here; those in [from, to) are not among the pieces yet. */
  #gathered: Buffer = Buffer.alloc(0)
  #from = 0
  #to = 0

  /** `bytesMax`: `socket.request.max.bytes`. Nothing is made of an announced length: a frame grows as its bytes come. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  push(chunk: Buffer): void {
    if (chunk.length > 0) this.#arrived.push(chunk)
  }

  /** The next whole frame; undefined until more bytes come. Throws ProtocolViolation on a length out of range. */
  next(): Reader | undefined {
    for (;;) {
      const chunk = this.#arrived[0]
      if (chunk === undefined) return undefined
      if (this.#position === chunk.length) {
        this.#arrived.shift()
        this.#position = 0
        continue
      }
      if (this.#missing === -1) {
        this.#readLength(chunk)
        continue
      }
      const start = this.#position
      const size = Math.min(this.#missing, chunk.length - start)
      this.#position += size
      if (size === this.#missing && this.#isNew) {
        this.#missing = -1
        return new Reader(chunk, start, start + size)
      }
      this.#keep(chunk.subarray(start, start + size))
      if (this.#missing === 0) return this.#complete()
    }
  }

  /** The length of the frame of which a part is here; 0 where none is. */
  get comingBytes(): number {
    return this.#missing === -1 ? 0 : this.#frameBytes
  }

  /** Bytes at the end of what came, of which views are kept here. (Gathered ones are copies; they are counted all the same.) */
  get keptBytes(): number {
    let kept = this.#missing === -1 ? 0 : this.#frameBytes - this.#missing
    for (const chunk of this.#arrived) kept += chunk.length
    return kept - this.#position
  }

  /** Nothing of the frame is kept yet. */
  get #isNew(): boolean {
    return this.#pieces.length === 0 && this.#to === this.#from
  }

  #keep(piece: Buffer): void {
    if (piece.length >= pieceBytesMin) {
      this.#seal()
      this.#pieces.push(piece)
      this.#missing -= piece.length
      return
    }
    if (this.#gathered.length - this.#to < piece.length) {
      this.#seal()
      this.#gathered = Buffer.allocUnsafe(Math.min(gatheredBytesMax, this.#missing))
      this.#from = this.#to = 0
    }
    this.#to += piece.copy(this.#gathered, this.#to)
    this.#missing -= piece.length
  }

  /** What is gathered becomes a piece. */
  #seal(): void {
    if (this.#to === this.#from) return
    this.#pieces.push(this.#gathered.subarray(this.#from, this.#to))
    this.#from = this.#to
  }

  #complete(): Reader {
    this.#seal()
    const pieces = this.#pieces
    this.#pieces = []
    this.#missing = -1
    this.#gathered = Buffer.alloc(0)
    this.#from = this.#to = 0
    return pieces.length === 1 ? new Reader(pieces[0]!) : new ChunkReader(pieces)
  }

  #readLength(chunk: Buffer): void {
    while (this.#position < chunk.length && this.#lengthHave < lengthBytes) {
      this.#length[this.#lengthHave++] = chunk[this.#position++]!
    }
    if (this.#lengthHave < lengthBytes) return
    this.#lengthHave = 0
    const length = this.#length.readInt32BE(0)
    if (length < frameBytesMin || length > this.#bytesMax) {
      throw new ProtocolViolation(`a frame of ${length} bytes; ${frameBytesMin} to ${this.#bytesMax} are possible`)
    }
    this.#missing = this.#frameBytes = length
  }
}
