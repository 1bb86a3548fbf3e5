// Holds the index of a segment against the batches that are there.

import { Corruption } from '../../protocol/errors.ts'
import type { Store } from '../storage/file.ts'
import { decodeIndex, type IndexContent } from './index-file.ts'
import type { AbortedTransaction } from './open-transactions.ts'

export type WalkedBatch = {
  position: number
  byteCount: number
  baseOffset: number
  nextOffset: number
  maxTimestamp: number
  /** Whose transaction a marker in this batch takes back. */
  aborts?: number
  /** That transaction, where records of it were met. */
  aborted?: AbortedTransaction
}

type IndexFinding = { kind: 'damage' | 'note'; message: string; byte?: number }

/**
 * `end`: behind the last batch. `isBelieved`: a start would use it unseen; `isExpected`: it should be there; `mayLag`: one
 * that describes less is used for that much.
 */
export function checkIndex(
  store: Store,
  path: string,
  base: number,
  batches: readonly WalkedBatch[],
  end: number,
  { isBelieved, isExpected, mayLag }: { isBelieved: boolean; isExpected: boolean; mayLag: boolean },
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
  if (mayLag && isBelieved && content.segmentBytes < end) {
    const described = batches.filter(({ position }) => position < content.segmentBytes)
    return findings(content, base, described)
  }
  if (content.segmentBytes !== end) {
    // That of an active segment is from the last clean stop; appends leave it behind.
    if (!isExpected) return []
    const message = `describes ${content.segmentBytes} bytes, the segment has ${end}; the next start makes it again`
    return [{ kind: 'note', message }]
  }
  return isBelieved || isExpected ? findings(content, base, batches) : []
}

const findings = (content: IndexContent, base: number, batches: readonly WalkedBatch[]): IndexFinding[] => [
  ...offsetFindings(content, base, batches),
  ...timeFindings(content, base, batches),
  ...abortedFindings(content, batches),
]

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

/** Records of a transaction may be deleted or compacted away: then the index knows of an earlier beginning. */
function* abortedFindings({ aborted }: IndexContent, batches: readonly WalkedBatch[]): Generator<IndexFinding> {
  const markers = new Map(batches.filter(({ aborts }) => aborts !== undefined).map((of) => [of.baseOffset, of]))
  let lastOffset = -1
  let lastStableOffset = -1
  for (const entry of aborted) {
    const { producerId, firstOffset } = entry
    const marker = markers.get(entry.lastOffset)
    markers.delete(entry.lastOffset)
    const said = `a transaction of producer ${producerId} is said to be taken back at offset ${entry.lastOffset}`
    if (marker?.aborts !== producerId) yield { kind: 'damage', message: `${said}; no such marker is there` }
    else if (firstOffset >= entry.lastOffset || firstOffset > (marker.aborted?.firstOffset ?? Infinity)) {
      yield { kind: 'damage', message: `${said} from offset ${firstOffset} on; it began before` }
    }
    const isOrdered = entry.lastOffset > lastOffset && entry.lastStableOffset >= lastStableOffset
    if (!isOrdered || entry.lastStableOffset > entry.lastOffset + 1) {
      yield { kind: 'damage', message: `${said}, which does not ascend` }
    }
    ;({ lastOffset, lastStableOffset } = entry)
  }
  for (const { aborts, aborted: missing, baseOffset } of markers.values()) {
    if (missing === undefined) continue
    const message = `a transaction of producer ${aborts} was taken back at offset ${baseOffset}; the index does not say so`
    yield { kind: 'damage', message }
  }
}
