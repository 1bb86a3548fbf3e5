// The bytes of a delta: of RFC 3284 what every decoder tried can read. What encoder and decoder both must know.
//
//   D6 C3 C4 00   magic and version            Header
//   00            no secondary compressor, no code table of its own, no application header
//   01 | 00       VCD_SOURCE | neither         Window: the only one. Neither: when there is no source
//   size, 0       of the source segment, which is the whole source; only with VCD_SOURCE
//   size          of all that follows
//   size          of the target
//   00            no section is compressed
//   size × 3      of the sections
//   …             bytes to add, and to repeat
//   …             instructions: one byte each, or two instructions in one byte, and sizes that do not fit in it
//   …             addresses of copies
//
// A size is an integer of RFC 3284 §2: seven bits in each byte, the highest first, the eighth bit set in all but the last.
// An address counts in what the RFC calls U: the source, then the target as far as it is known.

export const magic = [0xd6, 0xc3, 0xc4, 0x00] as const
/** Win_Indicator, §4.2: the segment is of the source. */
export const fromSource = 0x01

/** What an instruction is (§5.1). */
export const noop = 0
export const add = 1
export const run = 2
export const copy = 3

/** Modes of addresses (§5.3): itself, backwards from here, 4 near ones, 3 of "the same" hash. */
export const selfMode = 0
export const hereMode = 1
export const nearMode = 2
export const nearCount = 4
export const sameMode = nearMode + nearCount
export const sameCount = 3
export const modeCount = sameMode + sameCount

/** Bytes that the largest size has: more than 2³¹ - 1 is nobody's. */
export const sizeBytesMax = 5

/** Where the parts of the default code table begin (§5.6). The encoder computes its codes from them. */
export const code = {
  run: 0,
  /** Size in the next bytes; the codes after it are ADDs of 1 to 17. */
  add: 1,
  addMax: 17,
  /** Size in the next bytes; the codes after it are COPYs of 4 to 18. One such row for each mode. */
  copy: 19,
  copyRow: 16,
  copyMin: 4,
  copyMax: 18,
  /**
   * An ADD of 1 to 4, then a COPY of 4 to 6: rows of 12 for the modes below the same ones. These and the next are only read: the decoder
   * from crates.io has them in another order, and they would save a byte in a thousand.
   */
  addThenCopy: 163,
  addThenCopyRow: 12,
  /** An ADD of 1 to 4, then a COPY of 4 by one of the same modes. */
  addThenCopySame: 235,
  /** A COPY of 4, then an ADD of 1: one for each mode. */
  copyThenAdd: 247,
} as const

/** One column of the code table: of the first or of the second instruction of each code. */
export type Half = { readonly types: Uint8Array; readonly sizes: Uint8Array; readonly modes: Uint8Array }

function half(): Half {
  return { types: new Uint8Array(256), sizes: new Uint8Array(256), modes: new Uint8Array(256) }
}

export const first = half()
export const second = half()

function put(half: Half, at: number, type: number, size: number, mode = 0): void {
  half.types[at] = type
  half.sizes[at] = size
  half.modes[at] = mode
}

put(first, code.run, run, 0)
for (let size = 0; size <= code.addMax; size++) put(first, code.add + size, add, size)
for (let mode = 0; mode < modeCount; mode++) {
  const row = code.copy + mode * code.copyRow
  put(first, row, copy, 0, mode)
  for (let size: number = code.copyMin; size <= code.copyMax; size++) put(first, row + size - 3, copy, size, mode)
  for (let added = 1; added <= 4; added++) {
    for (let size = 4; size <= (mode < sameMode ? 6 : 4); size++) {
      const at = pairCode(added, size, mode)
      put(first, at, add, added)
      put(second, at, copy, size, mode)
    }
  }
  put(first, code.copyThenAdd + mode, copy, 4, mode)
  put(second, code.copyThenAdd + mode, add, 1)
}

/** The code of an ADD of 1 to 4 and the COPY after it. */
function pairCode(added: number, copied: number, mode: number): number {
  if (mode >= sameMode) return code.addThenCopySame + 4 * (mode - sameMode) + added - 1
  return code.addThenCopy + code.addThenCopyRow * mode + 3 * (added - 1) + copied - 4
}

/** Addresses lately copied from (§5.1): both sides keep the same ones, and name them in fewer bytes. */
export class AddressCache {
  readonly near = new Int32Array(nearCount)
  readonly same = new Int32Array(sameCount * 256)
  #next = 0

  clear(): void {
    this.near.fill(0)
    this.same.fill(0)
    this.#next = 0
  }

  add(address: number): void {
    this.near[this.#next] = address
    this.#next = (this.#next + 1) % nearCount
    this.same[address % (sameCount * 256)] = address
  }
}

/** How many bytes the size takes. */
export function sizeBytes(size: number): number {
  if (size < 0x80) return 1
  if (size < 0x4000) return 2
  if (size < 0x20_0000) return 3
  return size < 0x1000_0000 ? 4 : 5
}

/** Writes the size at `at`, and says where it ends. */
export function writeSize(bytes: Uint8Array, at: number, size: number): number {
  const end = at + sizeBytes(size)
  let rest = size
  bytes[end - 1] = rest & 0x7f
  for (let i = end - 2; i >= at; i--) {
    rest = Math.floor(rest / 0x80)
    bytes[i] = (rest & 0x7f) | 0x80
  }
  return end
}
