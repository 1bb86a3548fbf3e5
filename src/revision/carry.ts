// Counts the revisions of files that are about to go, so that numbers go on where they were.

import { Corruption, DamagedRecords } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { walkRecords } from '../../protocol/records/record.ts'
import type { Log } from '../log/log.ts'
import type { Segment } from '../log/segment.ts'
import { segmentIndexOf } from '../log/segment-search.ts'
import { atOnce, type Walk } from '../log/walk.ts'
import { walkBatches } from './batch-walk.ts'
import type { CarriedCounts } from './carried-counts.ts'
import type { KeyHash } from './key-hash.ts'
import { KeyTable } from './key-table.ts'
import type { KnownParts } from './known-parts.ts'
import { Pack } from './pack.ts'
import type { PackNumbers } from './pack-numbers.ts'
import { countBelow, entryFrom } from './pack-offsets.ts'
import { PackedPart } from './packed-part.ts'
import type { Revisions } from './revisions.ts'
import { TakenBack } from './taken-back.ts'
import { isUnreadable } from './unreadable.ts'

/** Bytes of records between two stops: a millisecond or so. */
const bytesAtOnce = 128 * 1024

/** Raises `counts` to what holds at `upTo`, at once. */
export const carryCounts = (log: Log, counts: CarriedCounts, upTo: number, hash: KeyHash): void =>
  atOnce(carryingCounts(log, counts, upTo, hash))

/** Raises `counts` to what holds at `upTo`. Packs tell numbers; what is not packed is counted. */
export function* carryingCounts(
  log: Log,
  counts: CarriedCounts,
  upTo: number,
  hash: KeyHash,
  sliceBytes = bytesAtOnce,
): Walk {
  for (const segment of [...log.segments]) {
    if (segment.baseOffset >= upTo) break
    if (segment.nextOffset <= counts.upTo) continue
    const to = Math.min(segment.nextOffset, upTo)
    try {
      const { packed } = segment
      if (packed instanceof Pack) yield* carryPack(packed, counts, to, hash)
      else yield* carryBatches(log, segment, counts, to, hash, sliceBytes)
    } catch (cause) {
      // Of what is damaged nobody is told anything any more; the numbers of the others go on.
      if (!(cause instanceof DamagedRecords || cause instanceof Corruption)) throw cause
      console.error(`Revisions in ${segment.path} cannot be counted: ${cause.message}`)
    }
  }
  counts.upTo = Math.max(counts.upTo, upTo)
}

function* carryPack(pack: Pack, counts: CarriedCounts, below: number, hash: KeyHash): Walk {
  const { newestRevs } = pack.keys()
  for (let ordinal = 0; ordinal < pack.keyCount; ordinal++) {
    const key = pack.key(ordinal)
    const hashed = hash(key, 0, key.length)
    // A fork may show only a part of the pack.
    const newest = below >= pack.nextOffset ? newestRevs[ordinal]! : countBelow(pack, ordinal, below)
    if (newest > 0) counts.note(hashed, key, 0, key.length, newest, below - 1, below)
    if (ordinal % recordsAtOnce === recordsAtOnce - 1) yield
  }
}

function* carryBatches(
  log: Log,
  segment: Segment,
  counts: CarriedCounts,
  to: number,
  hash: KeyHash,
  sliceBytes: number,
): Walk {
  const from = Math.max(segment.baseOffset, counts.upTo)
  const takenBack = new TakenBack(log, from, to)
  for (let next = from; next < to; ) {
    let byteCount = 0
    // The last may go on behind it: a fork cuts batches in two.
    const reached = walkBatches(segment, next, segment.nextOffset, (bytes, at) => {
      if (batch.baseOffset(bytes, at) >= to) return true
      byteCount += batch.sizeInBytes(bytes, at)
      if (!batch.isControl(bytes, at) && !takenBack.has(bytes, at))
        byteCount += countBatch(bytes, at, [from, to], counts, hash)
      return byteCount >= sliceBytes
    })
    if (byteCount < sliceBytes || reached <= next) return
    next = reached
    yield
  }
}

/** Answers the bytes that were unpacked for it. */
function countBatch(
  bytes: Buffer,
  at: number,
  [from, to]: readonly [number, number],
  counts: CarriedCounts,
  hash: KeyHash,
): number {
  try {
    const base = batch.baseOffset(bytes, at)
    const cursor = walkRecords(bytes, at)
    while (cursor.next()) {
      const { keyLength, keyStart, offsetDelta } = cursor
      const offset = base + offsetDelta
      if (keyLength < 0 || offset < from) continue
      if (offset >= to) break
      const end = keyStart + keyLength
      const hashed = hash(cursor.bytes, keyStart, end)
      const count = 1 + counts.of(hashed, cursor.bytes, keyStart, end, offset)
      counts.note(hashed, cursor.bytes, keyStart, end, count, offset, to)
    }
    return cursor.bytes === bytes ? 0 : cursor.bytes.length
  } catch (cause) {
    if (!isUnreadable(cause)) throw cause
    return 0
  }
}

/** What a pack of these segments no longer tells. */
type Packing = { readonly segments: readonly Segment[]; readonly numbers: Pick<PackNumbers, 'offsets' | 'revs'> }

/** Whether there is anything to note: a keep rule lets something go, or a pack is shared of which a fork shows the first. */
export const takesNumbers = ({ known }: Revisions, segments: readonly Segment[], leftOut: number): boolean =>
  leftOut > 0 || cutParts(known, segments).length > 0

/**
 * Notes the numbers that a new pack takes: of keys whose last revision in these segments a keep rule leaves out (`revs` has -n
 * for it), and of those that only what lies behind a fork's cut could tell. All of it is known to the index. Yields after every slice.
 */
export function* carryDropped(
  { log, known }: Revisions,
  counts: CarriedCounts,
  { segments, numbers: { offsets, revs } }: Packing,
): Generator<void, void> {
  // Nobody knows yet whether the pack takes its place.
  const settled = log.segments.find(({ isPacked }) => !isPacked)?.baseOffset ?? Infinity
  for (const part of cutParts(known, segments)) yield* carryCut(part, counts)
  const seen = new KeyTable()
  for (let i = offsets.length - 1; i >= 0; i--) {
    const place = known.at(offsets[i]!)
    if (place === undefined) continue
    const hash = place.part.hashOf(place.entry)
    const key = place.part.keyOf(place.entry)
    const isLast = seen.count === seen.put(hash, key)
    if (isLast && revs[i]! < 0) counts.note(hash, key, 0, key.length, -revs[i]!, offsets[i]!, settled)
    if (i % recordsAtOnce === 0) yield
  }
}

const cutParts = ({ all }: KnownParts, segments: readonly Segment[]): PackedPart[] => {
  const [from, to] = [segments[0]!.baseOffset, segments.at(-1)!.nextOffset]
  return all.filter(
    (part): part is PackedPart =>
      part instanceof PackedPart && part.isCut && part.baseOffset >= from && part.baseOffset < to,
  )
}

function* carryCut({ pack, nextOffset, hashes }: PackedPart, counts: CarriedCounts): Generator<void, void> {
  const { ordinals } = pack.keys()
  for (let i = 0; i < hashes.length; i++) {
    const key = pack.key(ordinals[i]!)
    const count = countBelow(pack, ordinals[i]!, nextOffset)
    if (count > 0) counts.note(hashes[i]!, key, 0, key.length, count, nextOffset - 1, 0)
    if (i % recordsAtOnce === 0) yield
  }
}

const recordsAtOnce = 1024

/** A batch of a pack that a fork cuts in two. */
type Half = { readonly pack: Pack; readonly from: number; readonly to: number }

/** The first part of a batch that a fork copies, from `from` on, where keep rules took some of its pack: else counting tells the same. */
export function thinnedHalf(log: Log, from: number, to: number): Half | undefined {
  if (from >= to || log.compactedOffset <= from) return undefined
  const pack = log.segments[segmentIndexOf(log.segments, from)]?.packed
  return pack instanceof Pack ? { pack, from, to } : undefined
}

/** What is copied comes without its numbers, and what is gone in front of the cut is seen only by what stands behind it: notes both. */
export function carryHalf({ pack, from, to }: Half, counts: CarriedCounts, hash: KeyHash): void {
  const { firstEntries } = pack.keys()
  const note = (ordinal: number, count: number, at: number): void => {
    const key = pack.key(ordinal)
    if (count > 0) counts.note(hash(key, 0, key.length), key, 0, key.length, count, at, 0)
  }
  for (let entry = entryFrom(pack, from); entry >= 0 && pack.offsetOf(entry) < to; ) {
    const at = pack.offsetOf(entry)
    const ordinal = pack.ordinalOf(entry)
    const follows = firstEntries[ordinal]! < entry && pack.revOf(entry - 1) === pack.revOf(entry) - 1
    if (ordinal >= 0 && !follows) note(ordinal, pack.revOf(entry) - 1, at - 1)
    entry = entryFrom(pack, at + 1)
  }
  for (let ordinal = 0; ordinal < pack.keyCount; ordinal++) {
    const entry = pack.newestOf(ordinal, to)
    const count = countBelow(pack, ordinal, to)
    if (count > (entry < 0 ? 0 : pack.revOf(entry))) note(ordinal, count, to - 1)
  }
}
