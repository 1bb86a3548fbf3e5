// Where packed records are unpacked. Decoders copy pieces of a few bytes: four at a time, and up to three more than the piece has,
// which is twice as fast as byte by byte. So there is always a little more room than was asked for.

/** Gives room for so many bytes and `slackBytes` more; what lies in it is anything. */
export type Room = (byteCount: number) => Buffer

export const slackBytes = 4

/** Room that is the caller's for good. */
export const ownRoom: Room = (byteCount) => Buffer.allocUnsafe(byteCount + slackBytes)

const reusedBytesMin = 64 * 1024
const reusedBytesMax = 4 * 1024 * 1024
let reused = Buffer.alloc(0)

/** The same room again and again, for what is only looked at before anything else is unpacked: fresh memory costs as much as unpacking. */
export const reusedRoom: Room = (byteCount) => {
  const needed = byteCount + slackBytes
  if (needed > reusedBytesMax) return ownRoom(byteCount)
  if (needed > reused.length) {
    let size = reusedBytesMin
    while (size < needed) size *= 2
    reused = Buffer.allocUnsafeSlow(size)
  }
  return reused
}

/** Bytes as a decoder sees them: one by one, and four at a time. */
export class Pieces {
  readonly bytes: Buffer
  readonly #view: DataView

  constructor(bytes: Buffer) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  /** Copies `from[at … at + size)` to `to`, which has the slack behind it. */
  take(to: number, from: Pieces, at: number, size: number): void {
    if (size > longPiece || at + size + slackBytes > from.bytes.length) {
      if (size > shortPiece) from.bytes.copy(this.bytes, to, at, at + size)
      else for (let i = 0; i < size; i++) this.bytes[to + i] = from.bytes[at + i]!
      return
    }
    const [source, target] = [from.#view, this.#view]
    for (let i = 0; i < size; i += 4) target.setUint32(to + i, source.getUint32(at + i, true), true)
  }

  /** Copies `size` bytes from `back` before `to` to it: those that are only being written are copied again. `1 <= back <= to`. */
  repeat(to: number, back: number, size: number): void {
    const from = to - back
    if (size > longPiece && back >= size) this.bytes.copyWithin(to, from, from + size)
    else if (back >= 4) {
      const view = this.#view
      for (let i = 0; i < size; i += 4) view.setUint32(to + i, view.getUint32(from + i, true), true)
    } else if (back === 1 && size > shortPiece) this.bytes.fill(this.bytes[from]!, to, to + size)
    else for (let i = 0; i < size; i++) this.bytes[to + i] = this.bytes[from + i]!
  }
}

/** Longer ones are worth a call. */
const longPiece = 256
const shortPiece = 24
