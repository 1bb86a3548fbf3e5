// Numbers of variable length, as records carry them: seven bits a byte, the lowest first, the top bit says "more follows".
//
//   unsigned   300        ac 02
//   zigzag     0 -1 1 -2  00 01 02 03     a small number stays short whatever its sign
//
// A 32-bit number takes at most 5 bytes, a 64-bit one at most 10; longer ones are refused. Bits that do not fit the last
// byte are dropped, as the Java client drops them. 64-bit values are numbers: exact up to 2^53, rounded beyond.

import { ProtocolViolation } from './errors.ts'

const tooLong = (bits: number): never => {
  throw new ProtocolViolation(`a varint is longer than ${bits} bits`)
}
const cut = (wanted: number, left: number): never => {
  throw new ProtocolViolation(`${wanted} bytes wanted, ${left} left`)
}

/** A place in some bytes that moves as numbers are read. One cursor serves any number of reads: nothing is allocated. */
export class Cursor {
  bytes: Uint8Array
  position: number
  end: number

  constructor(bytes: Uint8Array, position = 0, end = bytes.length) {
    this.bytes = bytes
    this.position = position
    this.end = end
    this.#checkRange()
  }

  /** Puts the cursor on other bytes. */
  reset(bytes: Uint8Array, position = 0, end = bytes.length): this {
    this.bytes = bytes
    this.position = position
    this.end = end
    this.#checkRange()
    return this
  }

  #checkRange(): void {
    if (this.position < 0 || this.end > this.bytes.length || this.position > this.end) {
      cut(this.end - this.position, this.bytes.length - this.position)
    }
  }

  get remaining(): number {
    return this.end - this.position
  }

  skip(byteCount: number): void {
    if (byteCount < 0 || byteCount > this.end - this.position) cut(byteCount, this.end - this.position)
    this.position += byteCount
  }

  int8(): number {
    if (this.position >= this.end) cut(1, 0)
    return (this.bytes[this.position++]! << 24) >> 24
  }

  /** 0 … 2^32-1. */
  unsignedVarint(): number {
    // Most lengths and deltas are below 128: that case alone is worth inlining.
    if (this.position < this.end) {
      const first = this.bytes[this.position]!
      if (first < 0x80) {
        this.position++
        return first
      }
    }
    return this.#bits32() >>> 0
  }

  /** Zigzag, -2^31 … 2^31-1. */
  varint(): number {
    if (this.position < this.end) {
      const first = this.bytes[this.position]!
      if (first < 0x80) {
        this.position++
        return (first >>> 1) ^ -(first & 1)
      }
    }
    const bits = this.#bits32()
    return (bits >>> 1) ^ -(bits & 1)
  }

  /** Zigzag, 64 bits wide. */
  varlong(): number {
    if (this.position < this.end) {
      const first = this.bytes[this.position]!
      if (first < 0x80) {
        this.position++
        return (first >>> 1) ^ -(first & 1)
      }
    }
    const low = this.#bits28()
    if (this.#more === 0) return (low >>> 1) ^ -(low & 1)
    const middle = this.#bits28()
    let high = 0
    if (this.#more !== 0) {
      // Bytes nine and ten: the last eight bits.
      high = this.#next()
      if (high >= 0x80) {
        const last = this.#next()
        if (last >= 0x80) tooLong(64)
        high = (high & 0x7f) | ((last & 1) << 7)
      }
    }
    // The sign is the lowest bit, taken off before the parts are added so that nothing is rounded below 2^53.
    const half = (low >>> 1) + middle * 0x800_0000 + high * 0x80_0000_0000_0000
    return (low & 1) === 0 ? half : -half - 1
  }

  #more = 0

  #next(): number {
    if (this.position >= this.end) cut(1, 0)
    return this.bytes[this.position++]!
  }

  #bits32(): number {
    const { bytes, end } = this
    let position = this.position
    let bits = 0
    for (let shift = 0; shift < 35; shift += 7) {
      if (position >= end) cut(1, 0)
      const byte = bytes[position++]!
      bits |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.position = position
        return bits
      }
    }
    return tooLong(32)
  }

  /** Up to four bytes; `#more` says whether the last of them announced another. */
  #bits28(): number {
    let bits = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#next()
      bits |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.#more = 0
        return bits
      }
    }
    this.#more = 1
    return bits
  }
}

export function sizeOfUnsignedVarint(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5
}

export function sizeOfVarint(value: number): number {
  return sizeOfUnsignedVarint(((value << 1) ^ (value >> 31)) >>> 0)
}

export function sizeOfVarlong(value: number): number {
  if ((value | 0) === value) return sizeOfVarint(value)
  // The first byte holds the sign and six bits of the magnitude.
  let rest = value < 0 ? -value - 1 : value
  let size = 1
  for (rest = Math.floor(rest / 64); rest > 0; rest = Math.floor(rest / 128)) size++
  return size
}

/** Writes and returns the position behind. */
export function writeUnsignedVarint(bytes: Uint8Array, position: number, value: number): number {
  let rest = value >>> 0
  while (rest >= 0x80) {
    bytes[position++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[position++] = rest
  return position
}

/** Writes and returns the position behind. */
export function writeVarint(bytes: Uint8Array, position: number, value: number): number {
  return writeUnsignedVarint(bytes, position, (value << 1) ^ (value >> 31))
}

/** Writes and returns the position behind. `value` is a safe integer. */
export function writeVarlong(bytes: Uint8Array, position: number, value: number): number {
  // Most are: the bytes are the same.
  if ((value | 0) === value) return writeVarint(bytes, position, value)
  const sign = value < 0 ? 1 : 0
  let rest = value < 0 ? -value - 1 : value
  // Not a shift: the magnitude may be wider than 32 bits.
  let byte = (rest % 64) * 2 + sign
  rest = Math.floor(rest / 64)
  while (rest > 0) {
    bytes[position++] = byte | 0x80
    byte = rest % 128
    rest = Math.floor(rest / 128)
  }
  bytes[position++] = byte
  return position
}
