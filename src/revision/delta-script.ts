// What a delta says, apart from how VCDIFF writes it down: which pieces are copied, and the bytes between them. Packs keep deltas so:
// numbers that mean the same lie together and deflate to two thirds, values are made of them without decoding, and VCDIFF is written
// again for whoever asks for it (encode-delta.ts), byte for byte as it was.

/** Copies in the order of the target: where to, where from and how much. Addresses count through the source, then the target. */
export type Copies = {
  readonly starts: Int32Array
  readonly addresses: Int32Array
  readonly lengths: Int32Array
  readonly count: number
}

/** `starts` count from the target's beginning. `added`: the bytes in no copy. */
export type DeltaScript = Copies & { readonly added: Buffer }
