// A pack, open for reading: the revisions of each key and what is stored of them, and the batches that they came in.

import type { RecordHeader } from '../../protocol/records/record.ts'
import type { File } from '../storage/file.ts'

/** One entry: a revision of a key, or (rev 0) a record that is none. Entries of a key stand one behind the other, oldest first. */
export type PackedRevision = {
  entry: number
  /** Ordinal of its key in this pack; -1: it has none. */
  key: number
  rev: number
  offset: number
  timestamp: number
  /** Bytes of the value. */
  size: number
  /** Bytes stored for it, before blocks are deflated. */
  stored: number
  format: 'full' | 'vcdiff' | 'tombstone'
  /** The entry that a delta is stored against; -1 where it is full or a tombstone. */
  base: number
}

/** All keys of a pack at once, as they lie in its footer: views, good until `close`. */
export type PackedKeys = {
  /** Ascending; equal ones are different keys. */
  hashes: Float64Array
  /** The key of each hash, by its ordinal. */
  ordinals: Uint32Array
  /** By ordinal: the first entry; one more at the end. */
  firstEntries: Uint32Array
  /** By ordinal: number of the newest revision. */
  newestRevs: Float64Array
}

export type PackedRecord = {
  entry: number
  offset: number
  timestamp: number
  key: Buffer | null
  value: Buffer | null
  headers: RecordHeader[]
}

const unbuilt = (): never => {
  throw new Error('packs are not read yet')
}

export class Pack {
  readonly path: string = ''
  readonly baseOffset: number = 0
  readonly nextOffset: number = 0
  /** Bytes of the rebuilt batches. */
  readonly length: number = 0
  /** Bytes of the pack's file. */
  readonly storedBytes: number = 0
  readonly keyCount: number = 0
  readonly entryCount: number = 0
  readonly batchCount: number = 0
  /** What the JSON index knows. */
  readonly pointers: readonly string[] = []
  /** Values that the JSON index was to know and that are no JSON. */
  readonly unparsed: number = 0

  /** Verifies the footer by its checksum: throws Corruption where the file is no whole pack. The pack closes the file. */
  static open(_file: File): Pack {
    return unbuilt()
  }

  /** The rebuilt batches one behind the other; reads throw DamagedRecords where a block is not what was written. */
  asFile(): File {
    return unbuilt()
  }

  keys(): PackedKeys {
    return unbuilt()
  }

  /** Bytes of a key by its ordinal. */
  key(_ordinal: number): Buffer {
    return unbuilt()
  }

  /** Ordinal of the key; -1 where the pack does not have it. */
  find(_hash: number, _key: Uint8Array): number {
    return unbuilt()
  }

  /** Entry of the key's newest revision, of those below an offset; -1 where there is none. */
  newest(_hash: number, _key: Uint8Array, _below = Number.POSITIVE_INFINITY): number {
    return unbuilt()
  }

  /** The key's revision before; -1 where it is the first here. */
  previous(_entry: number): number {
    return unbuilt()
  }

  /** The entry at an offset; -1 where there is none (a marker, a hole). */
  entryAt(_offset: number): number {
    return unbuilt()
  }

  entry(_entry: number): PackedRevision {
    return unbuilt()
  }

  /** The full value; null: a tombstone. */
  value(_entry: number): Buffer | null {
    return unbuilt()
  }

  /** The delta as stored, against `entry(…).base`; undefined where it is none. */
  delta(_entry: number): Buffer | undefined {
    return unbuilt()
  }

  /** The record at an offset; undefined where there is none. */
  record(_offset: number): PackedRecord | undefined {
    return unbuilt()
  }

  /** Entries whose value has this scalar (hash of json-scalars) at the pointer, ascending. Equal hashes are not told apart. */
  withScalar(_pointer: string, _hash: number): Uint32Array {
    return unbuilt()
  }

  close(): void {}
}
