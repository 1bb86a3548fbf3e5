// Counts the revisions of files that are about to go, so that numbers go on where they were.

import * as batch from '../../protocol/records/batch.ts'
import { walkRecords } from '../../protocol/records/record.ts'
import type { Log } from '../log/log.ts'
import type { Segment } from '../log/segment.ts'
import { walkBatches } from './batch-walk.ts'
import type { CarriedCounts } from './carried-counts.ts'
import type { KeyHash } from './key-hash.ts'
import { KeyTable } from './key-table.ts'
import { Pack } from './pack.ts'
import type { PackNumbers } from './pack-numbers.ts'
import type { Revisions } from './revisions.ts'
import { TakenBack } from './taken-back.ts'
import { isUnreadable } from './unreadable.ts'

/** Raises `counts` to what holds at `upTo`, where a file begins. Packs tell numbers; what is not packed is counted. */
export function carryCounts(log: Log, counts: CarriedCounts, upTo: number, hash: KeyHash): void {
  for (const segment of log.segments) {
    if (segment.baseOffset >= upTo) break
    if (segment.nextOffset <= counts.upTo) continue
    const { packed } = segment
    if (packed instanceof Pack) carryPack(packed, counts, segment.nextOffset, hash)
    else carryBatches(log, segment, counts, hash)
  }
  counts.upTo = Math.max(counts.upTo, upTo)
}

function carryPack(pack: Pack, counts: CarriedCounts, below: number, hash: KeyHash): void {
  const { newestRevs } = pack.keys()
  for (let ordinal = 0; ordinal < pack.keyCount; ordinal++) {
    const key = pack.key(ordinal)
    const hashed = hash(key, 0, key.length)
    // A fork may show only a part of the pack.
    const newest = below >= pack.nextOffset ? newestRevs[ordinal]! : revBelow(pack, hashed, key, below)
    if (newest > 0) counts.note(hashed, key, 0, key.length, newest, below - 1, below)
  }
}

function revBelow(pack: Pack, hash: number, key: Uint8Array, below: number): number {
  const entry = pack.newest(hash, key, below)
  return entry < 0 ? 0 : pack.entry(entry).rev
}

function carryBatches(log: Log, segment: Segment, counts: CarriedCounts, hash: KeyHash): void {
  const from = Math.max(segment.baseOffset, counts.upTo)
  const takenBack = new TakenBack(log, from, segment.nextOffset)
  walkBatches(segment, from, segment.nextOffset, (bytes, at) => {
    if (!batch.isControl(bytes, at) && !takenBack.has(bytes, at)) countBatch(bytes, at, from, counts, hash)
    return false
  })
}

function countBatch(bytes: Buffer, at: number, from: number, counts: CarriedCounts, hash: KeyHash): void {
  try {
    const base = batch.baseOffset(bytes, at)
    const cursor = walkRecords(bytes, at)
    while (cursor.next()) {
      const { keyLength, keyStart, offsetDelta } = cursor
      if (keyLength < 0 || base + offsetDelta < from) continue
      const end = keyStart + keyLength
      const hashed = hash(cursor.bytes, keyStart, end)
      const offset = base + offsetDelta
      const count = 1 + counts.of(hashed, cursor.bytes, keyStart, end, offset)
      counts.note(hashed, cursor.bytes, keyStart, end, count, offset, Infinity)
    }
  } catch (cause) {
    if (!isUnreadable(cause)) throw cause
  }
}

/**
 * Notes the numbers that a keep rule takes: of keys whose last revision in these segments is left out (`revs` has -n for it). All
 * of it is known to the index. Yields after every slice.
 */
export function* carryDropped(
  { log, known }: Revisions,
  counts: CarriedCounts,
  { offsets, revs }: Pick<PackNumbers, 'offsets' | 'revs'>,
): Generator<void, void> {
  // Nobody knows yet whether the pack takes its place.
  const settled = log.segments.find(({ isPacked }) => !isPacked)?.baseOffset ?? Infinity
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

const recordsAtOnce = 1024
