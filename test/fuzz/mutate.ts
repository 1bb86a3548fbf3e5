// Bytes that are nearly right: what was good is turned, cut, joined and lied about. A seed decides everything.

import { type Draw, drawing } from '../revision/delta-pairs.ts'

export { type Draw, drawing }

/** Numbers at which lengths, counts and offsets go wrong. */
const borders = [0, 1, 2, 7, 8, 15, 16, 63, 64, 127, 128, 255, 256, 0x3fff, 0x4000, 0x7fff, 0x8000, 0xffff]
const large = [0x10000, 0x10_0000, 0x3fff_ffff, 0x7fff_fffe, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff]

const interesting = (draw: Draw): number => {
  const all = draw(2) === 0 ? borders : large
  const number = all[draw(all.length)]!
  return draw(4) === 0 ? (number + draw(3) - 1) >>> 0 : number
}

/** An unsigned varint, at times longer than it need be, at times longer than it may be. */
function varint(draw: Draw): Buffer {
  if (draw(6) === 0) return Buffer.concat([Buffer.alloc(1 + draw(11), 0xff), Buffer.of(draw(256))])
  const bytes: number[] = []
  let left = interesting(draw)
  for (; left >= 0x80; left = Math.floor(left / 128)) bytes.push((left & 0x7f) | 0x80)
  bytes.push(left)
  return Buffer.from(bytes)
}

type Change = (bytes: Buffer, draw: Draw, other: Buffer) => Buffer

function put(bytes: Buffer, at: number, piece: Buffer, replaced: number): Buffer {
  return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + replaced)])
}

function overwrite(byteCount: 1 | 2 | 4 | 8): Change {
  return (bytes, draw) => {
    if (bytes.length < byteCount) return bytes
    const changed = Buffer.from(bytes)
    const at = draw(bytes.length - byteCount + 1)
    const value = BigInt(interesting(draw)) * (byteCount === 8 && draw(2) === 0 ? 0x1_0000_0001n : 1n)
    const isLittle = draw(3) === 0
    for (let i = 0; i < byteCount; i++) {
      const place = isLittle ? at + i : at + byteCount - 1 - i
      changed[place] = Number((value >> BigInt(8 * i)) & 0xffn)
    }
    return changed
  }
}

const changes: readonly Change[] = [
  (bytes, draw) => {
    if (bytes.length === 0) return bytes
    const changed = Buffer.from(bytes)
    for (let i = 1 + draw(3); i > 0; i--) changed[draw(bytes.length)]! ^= 1 << draw(8)
    return changed
  },
  (bytes, draw) => {
    if (bytes.length === 0) return bytes
    const changed = Buffer.from(bytes)
    changed[draw(bytes.length)] = draw(256)
    return changed
  },
  overwrite(1),
  overwrite(2),
  overwrite(4),
  overwrite(8),
  (bytes, draw) => put(bytes, draw(bytes.length + 1), varint(draw), draw(3)),
  (bytes, draw) => bytes.subarray(0, draw(bytes.length + 1)),
  (bytes, draw) => bytes.subarray(draw(bytes.length + 1)),
  (bytes, draw) => put(bytes, draw(bytes.length + 1), Buffer.alloc(0), 1 + draw(8)),
  (bytes, draw) => put(bytes, draw(bytes.length + 1), Buffer.alloc(1 + draw(16), draw(2) === 0 ? 0 : draw(256)), 0),
  (bytes, draw) => {
    const from = draw(bytes.length + 1)
    return put(bytes, draw(bytes.length + 1), bytes.subarray(from, from + 1 + draw(32)), draw(2) === 0 ? 0 : draw(32))
  },
  (bytes, draw, other) =>
    Buffer.concat([bytes.subarray(0, draw(bytes.length + 1)), other.subarray(draw(other.length + 1))]),
  (bytes, draw, other) => {
    const from = draw(other.length + 1)
    return put(bytes, draw(bytes.length + 1), other.subarray(from, from + 1 + draw(24)), draw(24))
  },
]

/** A few changes, one on top of the other. */
export function mutate(bytes: Buffer, other: Buffer, draw: Draw, bytesMax: number): Buffer {
  let changed = bytes
  for (let i = draw(3) === 0 ? 2 + draw(5) : 1; i > 0; i--)
    changed = changes[draw(changes.length)]!(changed, draw, other)
  return changed.length > bytesMax ? changed.subarray(0, bytesMax) : changed
}
