// Holds the index of a segment against the batches that are there.

import { Corruption } from '../../protocol/errors.ts'
import type { Store } from '../storage/file.ts'
import { decodeIndex, type IndexContent } from './index-file.ts'

export type WalkedBatch = {
  position: number
  byteCount: number
  baseOffset: number
  nextOffset: number
  maxTimestamp: number
}

type IndexFinding = { kind: 'damage' | 'note'; message: string; byte?: number }

/** `end`: behind the last batch. `isBelieved`: a start would use it unseen; `isExpected`: it should be there. */
export function checkIndex(
  store: Store,
  path: string,
  base: number,
  batches: readonly WalkedBatch[],
  end: number,
  { isBelieved, isExpected }: { isBelieved: boolean; isExpected: boolean },
): IndexFinding[] {
  const bytes = store.load(path)
  if (bytes === undefined) {
    return isExpected ? [{ kind: 'note', message: 'is missing; the next start makes it again' }] : []
  }
  let content: IndexContent
  try {
    content = decodeIndex(bytes)
  } catch (cause) {
    if (!(cause instanceof Corruption)) throw cause
    const isForgiven = bytes.length === 0 || store.mayHaveLost(path)
    return [{ kind: isForgiven ? 'note' : 'damage', message: cause.message }]
  }
  if (content.segmentBytes !== end) {
    // That of an active segment is from the last clean stop; appends leave it behind.
    if (!isExpected) return []
    const message = `describes ${content.segmentBytes} bytes, the segment has ${end}; the next start makes it again`
    return [{ kind: 'note', message }]
  }
  if (!isBelieved && !isExpected) return []
  return [...offsetFindings(content, base, batches), ...timeFindings(content, base, batches)]
}

function* offsetFindings(
  { offsets, nextOffset }: IndexContent,
  base: number,
  batches: readonly WalkedBatch[],
): Generator<IndexFinding> {
  const basesAt = new Map(batches.map(({ position, baseOffset }) => [position, baseOffset]))
  const { entries } = offsets
  for (let i = 0; i < entries.length; i += 2) {
    const offset = base + entries[i]!
    const position = entries[i + 1]!
    if (basesAt.get(position) !== offset) {
      yield { kind: 'damage', message: `no batch with offset ${offset} lies at byte ${position} of the segment` }
    }
    if (i > 0 && (entries[i]! <= entries[i - 2]! || position <= entries[i - 1]!)) {
      yield { kind: 'damage', message: `the entry for offset ${offset} does not ascend` }
    }
  }
  // Behind a compacted segment offsets may be missing, and the index alone knows of them.
  const end = batches.at(-1)?.nextOffset ?? base
  if (base + nextOffset < end) yield { kind: 'damage', message: `ends at offset ${base + nextOffset}, not ${end}` }
}

function* timeFindings(
  { times, maxTimestamp }: IndexContent,
  base: number,
  batches: readonly WalkedBatch[],
): Generator<IndexFinding> {
  const { entries } = times
  let at = 0
  let largest = -1
  for (let i = 0; i < entries.length; i += 2) {
    const timestamp = entries[i]!
    const offset = base + entries[i + 1]!
    for (; at < batches.length && batches[at]!.nextOffset - 1 <= offset; at++) {
      largest = Math.max(largest, batches[at]!.maxTimestamp)
    }
    if (largest > timestamp) {
      yield { kind: 'damage', message: `up to offset ${offset} there are times up to ${largest}, not ${timestamp}` }
    }
    if (i > 0 && (timestamp <= entries[i - 2]! || entries[i + 1]! < entries[i - 1]!)) {
      yield { kind: 'damage', message: `the entry for time ${timestamp} does not ascend` }
    }
  }
  const newest = batches.reduce((max, batch) => Math.max(max, batch.maxTimestamp), -1)
  if (maxTimestamp !== newest) {
    yield { kind: 'damage', message: `the largest timestamp is ${newest}, not ${maxTimestamp}` }
  }
}
