// The number of the last revision of keys that is not there any more, so that numbers go on where they were: a small file of
// the partition, written before retention, DeleteRecords or a keep rule takes records.
//
//   { "v": 1, "upTo": offset, "keys": count }\n
//   key length varint | key | notes varint | { number varint | offset of that revision varint }, newest first      for each key
//   CRC-32C of all that, uint32
//
// A key has one note, or some where what lies between them is not packed: what is packed knows its numbers by itself.

import { crc32c } from '../../protocol/crc32c.ts'
import { Corruption } from '../../protocol/errors.ts'
import { Cursor, sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from '../../protocol/varint.ts'
import type { Walk } from '../log/walk.ts'
import type { KeyHash } from './key-hash.ts'
import { KeyTable } from './key-table.ts'

export const countsName = 'revisions'
const checksumBytes = 4

const keysAtOnce = 4096

type Note = { count: number; offset: number; older: Note | undefined }

export class CarriedCounts {
  /** Records below were counted, whether or not their files are still there. */
  upTo = 0
  /** Of all that was noted. */
  lastOffset = -1
  readonly #hash: KeyHash
  #table = new KeyTable()
  #notes: Note[] = []
  #changes = 0

  constructor(hash: KeyHash) {
    this.#hash = hash
  }

  /** Grows with every note. */
  get changes(): number {
    return this.#changes
  }

  /** Another that says the same; a slice of the keys at a time. Worth nothing if there were changes meanwhile. */
  *copying(): Walk<CarriedCounts> {
    const copy = new CarriedCounts(this.#hash)
    copy.upTo = this.upTo
    copy.lastOffset = this.lastOffset
    for (const [key, note] of this.#notes.entries()) {
      copy.#table.put(this.#table.hashOf(key), this.#table.bytesOf(key))
      copy.#notes.push(copyOf(note))
      if (key % keysAtOnce === keysAtOnce - 1) yield
    }
    return copy
  }

  /** Says what another says, which is not used any more. */
  adopt(other: CarriedCounts): void {
    this.upTo = other.upTo
    this.lastOffset = other.lastOffset
    this.#table = other.#table
    this.#notes = other.#notes
    this.#changes++
  }

  get keyCount(): number {
    return this.#table.count
  }

  /** How many revisions the key had below an offset, as far as it was noted. */
  of(hash: number, bytes: Uint8Array, start: number, end: number, below: number): number {
    if (this.#notes.length === 0) return 0
    const key = this.#table.find(hash, bytes, start, end)
    let note = key < 0 ? undefined : this.#notes[key]
    while (note !== undefined && note.offset >= below) note = note.older
    return note?.count ?? 0
  }

  /**
   * Notes that revision `count` of the key stood at `offset`. `settledBelow`: nothing below has to be counted any more, it is packed
   * or gone.
   */
  note(
    hash: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    count: number,
    offset: number,
    settledBelow: number,
  ): void {
    this.#changes++
    this.lastOffset = Math.max(this.lastOffset, offset)
    const key = this.#table.put(hash, bytes, start, end)
    const newest = this.#notes[key]
    const isSettled = offset < settledBelow
    if (isSettled && (newest === undefined || count > newest.count))
      this.#notes[key] = { count, offset, older: undefined }
    else {
      let settled = newest
      while (settled !== undefined && settled.offset >= settledBelow) settled = settled.older
      if (settled !== undefined) settled.older = undefined
      this.#notes[key] = withNote(newest, count, offset)
    }
  }

  get isEmpty(): boolean {
    return this.keyCount === 0 && this.upTo === 0
  }

  /** `below`: for a log that goes another way there. It gives no number again, though it may leave some out. */
  encode(below = Infinity): Buffer {
    const head = Buffer.from(`${JSON.stringify({ v: 1, upTo: this.upTo, keys: this.keyCount })}\n`)
    let size = head.length + checksumBytes
    for (const [key, newest] of this.#notes.entries()) {
      const { length } = this.#table.bytesOf(key)
      const notes = notesOf(newest, below)
      size += sizeOfVarint(length) + length + sizeOfVarint(notes.length)
      for (const { count, offset } of notes) size += sizeOfVarlong(count) + sizeOfVarlong(offset)
    }
    const bytes = Buffer.allocUnsafe(size)
    let at = head.copy(bytes)
    for (const [key, newest] of this.#notes.entries()) {
      const own = this.#table.bytesOf(key)
      const notes = notesOf(newest, below)
      at = writeVarint(bytes, at, own.length)
      at += own.copy(bytes, at)
      at = writeVarint(bytes, at, notes.length)
      for (const { count, offset } of notes) at = writeVarlong(bytes, writeVarlong(bytes, at, count), offset)
    }
    bytes.writeUInt32BE(crc32c(bytes, 0, at), at)
    return bytes
  }

  /** Throws Corruption. `path`: for what it says. */
  static decode(bytes: Buffer, hash: KeyHash, path: string): CarriedCounts {
    const counts = new CarriedCounts(hash)
    const end = bytes.length - checksumBytes
    const headEnd = bytes.indexOf('\n')
    if (headEnd < 0 || end < headEnd || crc32c(bytes, 0, end) !== bytes.readUInt32BE(end)) {
      throw new Corruption(`${path}: the counts of revisions are not what was written`)
    }
    const { v, upTo, keys } = headIn(bytes.toString('utf8', 0, headEnd), path)
    if (v !== 1) throw new Corruption(`${path}: version ${v} of the counts of revisions`)
    counts.upTo = upTo
    const cursor = new Cursor(bytes, headEnd + 1, end)
    for (let key = 0; key < keys; key++) counts.#decodeKey(bytes, cursor)
    return counts
  }

  #decodeKey(bytes: Buffer, cursor: Cursor): void {
    const length = cursor.varint()
    const start = cursor.position
    cursor.skip(length)
    const key = this.#table.put(this.#hash(bytes, start, start + length), bytes, start, start + length)
    const read = Array.from({ length: cursor.varint() }, () => ({ count: cursor.varlong(), offset: cursor.varlong() }))
    const newest = read.reduceRight<Note | undefined>((older, note) => ({ ...note, older }), undefined)
    this.lastOffset = Math.max(this.lastOffset, newest?.offset ?? -1)
    this.#notes[key] = newest ?? { count: 0, offset: -1, older: undefined }
  }
}

type Head = { v: number; upTo: number; keys: number }

function headIn(text: string, path: string): Head {
  try {
    const head = JSON.parse(text) as Head | null
    if (head !== null && Number.isSafeInteger(head.upTo) && Number.isSafeInteger(head.keys)) return head
  } catch {}
  throw new Corruption(`${path}: the counts of revisions have no head`)
}

function copyOf({ older, ...note }: Note): Note {
  return { ...note, older: older && copyOf(older) }
}

/** Numbers fall with offsets: a note that says less than one in front of it says nothing. */
function withNote(newest: Note | undefined, count: number, offset: number): Note {
  if (newest === undefined) return { count, offset, older: undefined }
  if (newest.offset > offset && newest.count > count) {
    newest.older = withNote(newest.older, count, offset)
    return newest
  }
  if (newest.count >= count) return newest
  let older: Note | undefined = newest
  while (older !== undefined && older.offset >= offset) older = older.older
  return { count, offset, older }
}

/** Where notes are left out, the oldest of them tells how many there may have been in front of them: what it builds on may be gone. */
function notesOf(newest: Note, below: number): Note[] {
  const found: Note[] = []
  let behind: Note | undefined
  for (let note: Note | undefined = newest; note !== undefined; note = note.older) {
    if (note.offset < below) found.push(note)
    else behind = note
  }
  if (behind !== undefined) found.unshift({ count: behind.count, offset: below - 1, older: undefined })
  return found
}
