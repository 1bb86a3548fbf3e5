// Keys by number: 53 bits, so that a hash is a safe integer and sorts, compares and lies in a Float64Array without ado. Stored in
// packs, so it never changes. Who finds an equal hash compares the bytes.

export type KeyHash = (bytes: Uint8Array, start: number, end: number) => number

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by))

function avalanche(h: number): number {
  let x = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return x ^ (x >>> 16)
}

/** Two lanes of multiply and rotate over words of four bytes, each stirred into the other at the end. */
export const hashKey: KeyHash = (bytes, start, end) => {
  let a = 0x9747b28c ^ (end - start)
  let b = 0x1b873593
  let at = start
  for (; at + 4 <= end; at += 4) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    a = Math.imul(rotate(a ^ Math.imul(word, 0xcc9e2d51), 13), 5) + 0xe6546b64
    b = Math.imul(rotate(b, 11) ^ Math.imul(word, 0x9e3779b1), 0x85ebca77)
  }
  for (; at < end; at++) {
    a = Math.imul(a ^ bytes[at]!, 0x01000193)
    b = Math.imul(rotate(b, 7) + bytes[at]!, 0xc2b2ae3d)
  }
  const low = avalanche(a ^ rotate(b, 17))
  const high = avalanche(b + Math.imul(low, 0x27d4eb2f))
  return (high >>> 11) * 0x1_0000_0000 + (low >>> 0)
}
