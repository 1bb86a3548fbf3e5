// Which files hold the segments of a log, where some of them are packed. A kill between the rename of a packed file and the end
// of what it took the place of leaves both: then the packed one counts, if it is whole.
//
//   A.pack [0, 300)   A.log [0, 100)   B.log [100, 200)   C.log [200, 300)   D.log [300, …
//   └─ whole: A.log, B.log and C.log are leftovers, and so is a B.pack that it was made of; not whole: it is one itself
//
// Of a fork, what it shares lies beside its folder, under either ending; what it has packed of that lies in the folder.

import { DamagedRecords } from '../../protocol/errors.ts'
import type { Store } from '../storage/file.ts'
import { ownPrefix, sharedPrefix } from './inherited.ts'
import type { OpenPacked } from './packed.ts'
import { Segment } from './segment.ts'
import { segmentName } from './segment-name.ts'

export type SegmentFile = { readonly base: number; readonly prefix: string; readonly isPacked: boolean }

export type SegmentFiles = {
  /** Ascending. */
  readonly files: ReadonlyMap<number, SegmentFile>
  /** Own packed ones, which were looked into, and the offsets that they end before. */
  readonly opened: ReadonlyMap<number, Segment>
  readonly ends: ReadonlyMap<number, number>
  /** What does not count. Of those beside a packed file with the same base neither's index is to be believed. */
  readonly leftovers: readonly SegmentFile[]
  readonly ambiguous: readonly number[]
}

export const pathOf = ({ base, prefix, isPacked }: SegmentFile): string =>
  `${prefix}${segmentName(base, isPacked ? 'pack' : 'log')}`

const basesOf = (names: readonly string[], ending: string): number[] =>
  names
    .filter((name) => /^\d{20}\.(log|pack)$/.test(name) && name.endsWith(ending))
    .map((name) => Number.parseInt(name, 10))

/** `sharedBases`: what a fork shares, or did. Changes nothing. */
export function segmentFiles(
  store: Store,
  folder: string,
  sharedBases: Iterable<number>,
  openPacked: OpenPacked | undefined,
): SegmentFiles {
  const files = new Map<number, SegmentFile>()
  const shared = sharedPrefix(folder)
  for (const base of sharedBases) {
    const both = [false, true].map((isPacked) => ({ base, prefix: shared, isPacked }))
    const found = both.find((file) => store.exists(pathOf(file)))
    if (found !== undefined) files.set(base, found)
  }
  const names = store.list(folder)
  const prefix = ownPrefix(folder)
  for (const base of basesOf(names, '.log')) files.set(base, { base, prefix, isPacked: false })
  const opened = new Map<number, Segment>()
  const ends = new Map<number, number>()
  const leftovers: SegmentFile[] = []
  const ambiguous: number[] = []
  let packedBefore = 0
  for (const base of basesOf(names, '.pack')) {
    const file = { base, prefix, isPacked: true }
    if (base < packedBefore) {
      leftovers.push(file) // was packed anew, together with what lies before it; so was what it took the place of
      continue
    }
    const segment = openPacked && new Segment(store, prefix, base, 0, true, -1, openPacked)
    const before = files.get(base)
    if (before !== undefined) {
      ambiguous.push(base)
      const counts = segment !== undefined && isWhole(segment)
      leftovers.push(counts ? before : file)
      if (!counts) continue
    }
    files.set(base, file)
    if (segment === undefined) continue
    opened.set(base, segment)
    const end = before === undefined && segment.loadIndex() ? segment.nextOffset : endOf(segment)
    ends.set(base, end)
    packedBefore = end
    for (const other of [...files.values()].filter((one) => one.base > base && one.base < end)) {
      leftovers.push(other)
      files.delete(other.base)
    }
  }
  return { files: new Map([...files].sort(([a], [b]) => a - b)), opened, ends, leftovers, ambiguous }
}

/**
 * What a start removes: files that do not count, and indexes that tell of another file than the one that does, or of none.
 */
export function leftOver(
  { files, leftovers, ambiguous }: SegmentFiles,
  folder: string,
  sharedBases: Iterable<number>,
): { files: string[]; indexes: string[] } {
  const indexAt = (prefix: string, base: number): string => `${prefix}${segmentName(base, 'index')}`
  const shared = sharedPrefix(folder)
  const isGone = (base: number): boolean => files.get(base)?.prefix !== shared
  return {
    files: leftovers.map(pathOf),
    indexes: [
      ...leftovers.map(({ base, prefix }) => indexAt(prefix, base)),
      ...ambiguous.map((base) => indexAt(ownPrefix(folder), base)),
      // Retention takes shared files one by one, and packing does.
      ...[...sharedBases].filter(isGone).map((base) => indexAt(shared, base)),
    ],
  }
}

const isWhole = (segment: Segment): boolean => endOf(segment) > segment.baseOffset

/** Its own word, where it can be read at all. */
function endOf(segment: Segment): number {
  try {
    return segment.packed!.nextOffset
  } catch (cause) {
    if (!(cause instanceof DamagedRecords)) throw cause
    return segment.baseOffset
  }
}

/**
 * Takes the files that lie below the log start out of `bases`, but never the last; that only the last stays has to be told to
 * stable storage first, for it may be empty.
 */
export function takeDeleted(bases: number[], logStartOffset: number, isTold: () => boolean): number[] {
  const stays = bases.findIndex((_, i) => !(bases[i + 1]! <= logStartOffset))
  const isWhole = stays > 0 && stays === bases.length - 1
  return bases.splice(0, isWhole && !isTold() ? 0 : stays)
}
