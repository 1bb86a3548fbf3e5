// Makes a second log of the first part of one, without copying it: its files get second names, the last one with a bound.
//
//   parent   ████████████│████████████│██████▓▓▓▓▓▓▓▓ goes on here
//   child    ████████████│████████████│██████┃
//              the same files                ┗━ █████ own file, made by the first append
//
// All of it in one turn, so that nobody appends, retains or compacts in between. Nothing is durable yet when it returns.

import * as batch from '../../protocol/records/batch.ts'
import { codecName } from '../../protocol/records/compression.ts'
import { encodeMarker } from '../../protocol/records/control.ts'
import { readRecords } from '../../protocol/records/record.ts'
import { borrow, type Store } from '../storage/file.ts'
import { encodedLike } from './encoded-like.ts'
import { type CutTransaction, type Inherited, lostUpTo, needsNoIndex, ownPrefix, sharedPrefix } from './inherited.ts'
import type { Log } from './log.ts'
import { loadSnapshot } from './producer-snapshot.ts'
import { markerOf } from './producer-state.ts'
import { scan } from './scan.ts'
import { Segment } from './segment.ts'
import { segmentName } from './segment-name.ts'
import { mustBeSound } from './soundness.ts'

type Outcome = 'COMMIT' | 'ABORT'

export type ForkOptions = {
  /** The first offset that will not be shared: within the parent's bounds. */
  offset: number
  /** Of the child: above every one of the parent's. */
  leaderEpoch: number
  /** Broker time, ms. */
  now: number
  /** What is known of a transaction that has no marker in the parent yet. */
  outcomeOf: (transaction: CutTransaction) => Outcome
}

export type Fork = {
  inherited: Inherited
  /** Something lies beside the child's folder, or in it. */
  hasShared: boolean
  hasOwn: boolean
  /** Bytes of batches that both logs show, and bytes that had to be copied where files cannot be shared. */
  sharedBytes: number
  copiedBytes: number
  /** Resolves when the child's own first batches, if it has any, are on stable storage. */
  flush(): Promise<void>
}

/** The child's folder will be `folder`. Throws StorageError; a part of it may then be there, and beside it. */
export function forkLog(store: Store, parent: Log, folder: string, options: ForkOptions): Fork {
  return new Forking(store, parent, folder, options).run()
}

class Forking {
  readonly #store: Store
  readonly #parent: Log
  readonly #folder: string
  readonly #options: ForkOptions
  readonly #files: (readonly [segment: number, byteCount: number])[] = []
  #sharedBytes = 0
  #copiedBytes = 0

  constructor(store: Store, parent: Log, folder: string, options: ForkOptions) {
    this.#store = store
    this.#parent = parent
    this.#folder = folder
    this.#options = options
  }

  run(): Fork {
    const parent = this.#parent
    const { offset, leaderEpoch } = this.#options
    const shared = parent.segments.filter((segment) => segment.baseOffset < offset && !segment.isEmpty)
    const last = shared.at(-1)
    const cut = last === undefined ? undefined : cutOf(last, offset)
    for (const segment of shared.slice(0, -1)) this.#share(segment)
    if (last !== undefined && cut!.byteCount > 0) this.#share(last, cut)
    const open = transactionsOpenAt(this.#store, parent, offset)
    const ownFrom = cut?.half === undefined ? offset : cut.baseOffset
    const own = this.#writeOwn(ownFrom, cut?.half, open)
    const inherited: Inherited = {
      offset,
      logStartOffset: Math.min(parent.logStartOffset, offset),
      epochs: [...parent.epochs.entries.filter(([, start]) => start < offset), [leaderEpoch, offset]],
      // What a power cut took looks like what compaction took.
      compactedOffset: Math.min(Math.max(parent.compactedOffset, lostUpTo(parent.lost)), offset),
      flushedOffset: Math.min(parent.securedOffset, offset),
      files: this.#files,
      seams: parent.seams.filter((seam) => seam < ownFrom),
      ownFrom,
      open: open.map(({ transaction }) => transaction),
      hasTransactions: parent.producers.hasSeenTransactions,
      boot: this.#store.boot,
    }
    return {
      inherited,
      hasShared: this.#files.length > 0,
      hasOwn: own !== undefined,
      sharedBytes: this.#sharedBytes,
      copiedBytes: this.#copiedBytes,
      flush: () => own?.flush().finally(() => own.close()) ?? Promise.resolve(),
    }
  }

  #share(segment: Segment, cut?: Cut): void {
    const prefix = sharedPrefix(this.#folder)
    const index = `${prefix}${segmentName(segment.baseOffset, 'index')}`
    const name = segmentName(segment.baseOffset, segment.isPacked ? 'pack' : 'log')
    this.#copiedBytes += this.#store.share(segment.path, `${prefix}${name}`)
    const byteCount = cut?.byteCount ?? segment.length
    this.#sharedBytes += byteCount
    this.#files.push([segment.baseOffset, byteCount])
    const { hasSeenTransactions } = this.#parent.producers
    const isThere = cut === undefined && this.#store.exists(segment.indexPath)
    if (!isThere && needsNoIndex(byteCount, hasSeenTransactions)) return
    if (isThere || (!hasSeenTransactions && segment.saveIndexFor(byteCount))) {
      this.#copiedBytes += this.#store.share(segment.indexPath, index)
      return
    }
    this.#store.save(index, segment.indexBelow(byteCount, (cut ?? segment).nextOffset), false)
  }

  /** The half of a batch that is left, and the markers of what was open; undefined where there is neither. */
  #writeOwn(ownFrom: number, half: Buffer | undefined, open: readonly Cutted[]): Segment | undefined {
    if (half === undefined && open.length === 0) return undefined
    const { offset, leaderEpoch, now, outcomeOf } = this.#options
    const segment = new Segment(this.#store, ownPrefix(this.#folder), ownFrom, Number.MAX_SAFE_INTEGER, false)
    const write = (bytes: Buffer) => segment.commit(segment.file.stage(bytes), 0, now)
    if (half !== undefined) write(half)
    let at = offset
    for (const { transaction, outcome } of open) {
      const { producerId, producerEpoch, coordinatorEpoch } = transaction
      const type = outcome ?? outcomeOf(transaction)
      const marker = {
        type,
        producerId,
        producerEpoch,
        coordinatorEpoch: Math.max(0, coordinatorEpoch),
        timestamp: now,
      }
      write(encodeMarker({ ...marker, baseOffset: at, partitionLeaderEpoch: leaderEpoch }))
      at++
    }
    return segment
  }
}

type Cut = {
  /** Bytes of the segment that are shared. */
  byteCount: number
  /** Offset behind the last shared batch. */
  nextOffset: number
  /** First offset of the batch that the cut goes through, and what is left of it. */
  baseOffset: number
  half?: Buffer
}

/** Where an offset cuts a segment. */
function cutOf(segment: Segment, offset: number): Cut {
  const { length, nextOffset } = segment
  const found = segment.find(offset)
  if (found === undefined) return { byteCount: length, nextOffset: Math.min(nextOffset, offset), baseOffset: offset }
  const { position: byteCount, baseOffset } = found
  if (baseOffset >= offset) return { byteCount, nextOffset: offset, baseOffset: offset }
  const half = borrow(segment.read(byteCount, found.byteCount), (bytes) => {
    mustBeSound(bytes, 0, segment.path)
    return halfOf(bytes, offset)
  })
  return { byteCount, nextOffset: baseOffset, baseOffset, ...(half === undefined ? {} : { half }) }
}

/** The records of a batch below an offset, as a batch of its own; undefined where compaction has left none. */
function halfOf(bytes: Buffer, offset: number): Buffer | undefined {
  const records = [...readRecords(bytes, 0)].filter((record) => record.offset < offset)
  if (records.length === 0) return undefined
  return encodedLike(bytes, records, codecName(batch.codec(bytes, 0)), offset - 1)
}

/** A transaction that the cut goes through; `outcome` where its marker stands behind the cut. */
type Cutted = { transaction: CutTransaction; outcome?: Outcome }

/** In the order of producer ids, as their markers will stand. */
function transactionsOpenAt(store: Store, log: Log, offset: number): Cutted[] {
  // Most logs never see one, and then nothing is read.
  if (!log.producers.hasSeenTransactions) return []
  const open = new Map<number, Cutted>()
  const { producers, offset: from } =
    offset === log.logEndOffset
      ? { producers: log.producers, offset }
      : loadSnapshot(store, log.folder, Math.max(offset, log.logStartOffset))
  const note = () => {
    for (const [producerId, { epoch, coordinatorEpoch, transactionStart }] of producers.entries()) {
      if (transactionStart === undefined || transactionStart >= offset) continue
      const transaction = { producerId, producerEpoch: epoch, coordinatorEpoch, firstOffset: transactionStart }
      open.set(producerId, { transaction })
    }
  }
  let isNoted = false
  for (const segment of offset === log.logEndOffset ? [] : log.segments) {
    if (segment.nextOffset <= from) continue
    scan(segment, segment.baseOffset, log.compactedOffset, false, (bytes, at) => {
      const base = batch.baseOffset(bytes, at)
      if (base >= offset && !isNoted) {
        note()
        isNoted = true
      }
      if (!isNoted && batch.nextOffset(bytes, at) > from) producers.note(bytes, at)
      const known = isNoted ? open.get(batch.producerId(bytes, at)) : undefined
      if (known?.outcome !== undefined || known === undefined || !batch.isControl(bytes, at)) return
      const type = markerOf(bytes, at)?.type
      if (type !== undefined) known.outcome = type
    })
  }
  if (!isNoted) note()
  return [...open.values()].sort((a, b) => a.transaction.producerId - b.transaction.producerId)
}
