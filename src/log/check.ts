// Holds a log's files against each other, without changing any: what `twiglog check` says of one partition.

import { Corruption, DamagedRecords } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { borrow, type Store } from '../storage/file.ts'
import { checkIndex, type WalkedBatch } from './check-index.ts'
import { checkpointFindings, snapshotFindings } from './check-notes.ts'
import { recordProblem } from './check-records.ts'
import { type CheckedBatches, type CheckedFiles, keptOf } from './checked-files.ts'
import { type Checkpoint, checkpointNames, checkpointOf, loadCheckpoint } from './checkpoint.ts'
import { endOfShared, type Inherited, type Lost, lostUpTo, ownPrefix, sharedPrefix } from './inherited.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import type { OpenPacked } from './packed.ts'
import { snapshotOffsets } from './producer-snapshot.ts'
import { markerOf, ProducerState } from './producer-state.ts'
import { follows, nextBatch, tailOf } from './scan.ts'
import { Segment } from './segment.ts'
import { pathOf, type SegmentFile, type SegmentFiles, segmentFiles } from './segment-files.ts'

export type Finding = {
  /** A note is what a kill or a power cut leaves and the next start puts right; damage is anything else. */
  kind: 'damage' | 'note'
  file: string
  byte?: number
  message: string
}

export type LogReport = {
  findings: Finding[]
  logStartOffset: number
  logEndOffset: number
  batches: number
  records: number
  bytes: number
}

/** Every batch that is whole, with its place; its bytes are borrowed. */
export type BatchVisitor = (bytes: Buffer, at: number) => void

/**
 * `inherited`: for a log that is a fork, what it knows of what it shares. `checked`: of files that have not changed the batches
 * are not read again, so they cannot be visited either.
 */
export function checkLog(
  store: Store,
  folder: string,
  visit: BatchVisitor | undefined = undefined,
  inherited?: Inherited,
  openPacked?: OpenPacked,
  checked?: CheckedFiles,
): LogReport {
  return new LogCheck(store, folder, visit, inherited, openPacked, checked).run()
}

class LogCheck {
  readonly #store: Store
  readonly #folder: string
  readonly #visit: BatchVisitor | undefined
  readonly #checked: CheckedFiles | undefined
  /** Of the segment that is looked at. */
  #seen: CheckedBatches | undefined
  readonly #findings: Finding[] = []
  readonly #checkpoint: Checkpoint | undefined
  readonly #epochs: LeaderEpochs
  readonly #compactedOffset: number
  readonly #inherited: Inherited | undefined
  readonly #openPacked: OpenPacked | undefined
  readonly #files: SegmentFiles
  /** Bytes that count of the shared files, by base offset. */
  readonly #bounds: ReadonlyMap<number, number>
  /** What the batches so far tell of producers; what was deleted before them it does not know. */
  readonly #producers = new ProducerState()
  #latestEpoch = -1
  #batches = 0
  #records = 0
  #bytes = 0

  constructor(
    store: Store,
    folder: string,
    visit: BatchVisitor | undefined,
    inherited: Inherited | undefined,
    openPacked: OpenPacked | undefined,
    checked: CheckedFiles | undefined,
  ) {
    this.#checked = visit === undefined ? checked : undefined
    this.#openPacked = openPacked
    this.#store = store
    this.#folder = folder
    this.#visit = visit
    this.#inherited = inherited
    this.#bounds = new Map(inherited?.files)
    this.#files = segmentFiles(store, folder, this.#bounds.keys(), openPacked)
    for (const segment of this.#files.opened.values()) segment.close()
    this.#checkpoint = loadCheckpoint(store, folder) ?? (inherited && checkpointOf(inherited))
    this.#epochs = new LeaderEpochs(this.#checkpoint?.epochs)
    this.#compactedOffset = this.#checkpoint?.compactedOffset ?? 0
  }

  run(): LogReport {
    this.#checkShared()
    const bases = [...this.#files.files.keys()]
    const own = bases.filter((base) => !this.#isShared(base))
    this.#checkNames(own)
    for (const leftover of this.#files.leftovers) {
      this.#find('note', pathOf(leftover), 'was packed, or not wholly; the next start removes it')
    }
    while (bases.length > 1 && bases[1]! <= (this.#checkpoint?.logStartOffset ?? 0)) {
      this.#find('note', this.#segmentPath(bases.shift()!), 'lies below the log start; the next start removes it')
    }
    let expected = bases[0] ?? 0
    for (const [i, base] of bases.entries()) {
      if (base < expected && expected <= this.#compactedOffset) {
        this.#find('note', this.#segmentPath(base), 'was compacted into the one before; the next start removes it')
        continue
      }
      this.#checkSeam(base, expected, bases[i - 1])
      expected = this.#checkSegment(base, i === bases.length - 1)
    }
    if (own.length === 0 && bases.length > 0) expected = this.#checkSharedEnd(bases.at(-1)!, expected)
    const logEndOffset = bases.length > 0 ? expected : this.#endWithoutSegments()
    const isLost = bases.some((base) => this.#store.mayHaveLost(this.#segmentPath(base)))
    this.#findings.push(
      ...checkpointFindings(this.#store, this.#folder, this.#checkpoint, logEndOffset, isLost),
      ...snapshotFindings(this.#store, this.#folder, logEndOffset),
    )
    return {
      findings: this.#findings,
      logStartOffset: Math.max(this.#checkpoint?.logStartOffset ?? 0, bases[0] ?? 0),
      logEndOffset,
      batches: this.#batches,
      records: this.#records,
      bytes: this.#bytes,
    }
  }

  #endWithoutSegments(): number {
    const { logStartOffset = 0, recovered } = this.#checkpoint ?? {}
    return Math.max(logStartOffset, recovered?.offset ?? 0, ...snapshotOffsets(this.#store, this.#folder))
  }

  #find(kind: Finding['kind'], file: string, said: string, byte?: number): void {
    // What was thrown names its file, as a line of a log must; a finding has the name in front.
    const message = said.startsWith(file) ? said.slice(file.length).replace(/^:? /, '') : said
    this.#findings.push(byte === undefined ? { kind, file, message } : { kind, file, byte, message })
  }

  /** What the next start puts right because a power cut explains it, is only noted. */
  #kindFor(path: string, offset: number): Finding['kind'] {
    if (offset < (this.#inherited?.ownFrom ?? 0))
      return this.#isDoubted && this.#isUnflushed(offset) ? 'note' : 'damage'
    const isVouched = offset < (this.#checkpoint?.recovered.offset ?? -1)
    return !isVouched && this.#store.mayHaveLost(path) ? 'note' : 'damage'
  }

  /** A power cut may have taken what of the shared files nobody had flushed. */
  get #isDoubted(): boolean {
    return this.#checkpoint?.settled !== true && this.#inherited!.boot !== this.#store.boot
  }

  /** What a power cut has taken, and an earlier start has found missing. */
  get #lost(): readonly Lost[] {
    return this.#checkpoint?.lost ?? []
  }

  #isUnflushed(offset: number): boolean {
    return offset >= this.#inherited!.flushedOffset
  }

  /** Retention takes shared files from the front, and the log start tells so; packing takes them, and its file holds them. */
  #checkShared(): void {
    const start = this.#checkpoint?.logStartOffset ?? 0
    const bases = [...this.#bounds.keys()]
    for (const [i, base] of bases.entries()) {
      const file = this.#files.files.get(base)
      const next = bases[i + 1] ?? this.#inherited!.ownFrom
      const isLost = this.#lost.some(({ from, to }) => next > from && base < to)
      const path = this.#segmentPath(base)
      // A start that finds the end of one file gone removes those behind it, before it has said so.
      const kind = this.#isDoubted && this.#isUnflushed(next - 1) ? 'note' : 'damage'
      if (file === undefined) {
        const isPacked = [...this.#files.ends].some(([from, to]) => from < base && to > base)
        if (next > start && !isLost && !isPacked) this.#find(kind, path, 'is missing; the branch shares it')
        continue
      }
      const bound = this.#bounds.get(base)!
      const size = file.isPacked ? bound : this.#store.sizeOf(path)
      if (size < bound && !isLost) this.#find(kind, path, `has ${size} bytes where the branch shows ${bound}`)
    }
  }

  /** Without a file of its own a branch ends where it was cut. */
  #checkSharedEnd(base: number, end: number): number {
    const { ownFrom } = this.#inherited!
    if (end < ownFrom && ownFrom > Math.max(this.#compactedOffset, lostUpTo(this.#lost))) {
      const path = this.#segmentPath(base)
      this.#find(this.#kindFor(path, end), path, `the branch was cut at offset ${ownFrom}; records end at ${end}`)
    }
    return ownFrom
  }

  #isShared(base: number): boolean {
    return this.#fileAt(base).prefix === sharedPrefix(this.#folder)
  }

  /** The file that begins there, or should. */
  #fileAt(base: number): SegmentFile {
    const isInherited = this.#inherited !== undefined && base < this.#inherited.ownFrom
    const prefix = isInherited ? sharedPrefix(this.#folder) : ownPrefix(this.#folder)
    return this.#files.files.get(base) ?? { base, prefix, isPacked: false }
  }

  #segmentPath(base: number): string {
    return pathOf(this.#fileAt(base))
  }

  #checkNames(bases: readonly number[]): void {
    for (const name of this.#store.list(this.#folder)) {
      if (name.endsWith('.tmp') || name.endsWith('.compacted')) {
        this.#find('note', this.#pathOf(name), 'was left by a kill in the middle of writing; the next start removes it')
      } else if (/^\d{20}\.index$/.test(name)) {
        const isLonely = !bases.includes(Number.parseInt(name, 10))
        if (isLonely) this.#find('note', this.#pathOf(name), 'is an index without a segment')
      } else if (!/^\d{20}\.(log|pack|snapshot)$/.test(name) && !checkpointNames.some((known) => known === name)) {
        this.#find('note', this.#pathOf(name), 'belongs to nothing here')
      }
    }
  }

  #checkSeam(base: number, expected: number, before: number | undefined): void {
    if (base === expected || (base > expected && base <= this.#compactedOffset)) return
    if (this.#lost.some(({ to }) => to === base)) return
    const path = this.#segmentPath(base)
    const message =
      base < expected
        ? `begins at offset ${base}, but ${this.#segmentPath(before!)} ends at ${expected}`
        : `begins at offset ${base}; offsets from ${expected} on are missing`
    this.#find(this.#kindFor(path, expected), path, message)
  }

  /** Answers the offset behind the last batch. */
  #checkSegment(base: number, last: boolean): number {
    const segment = this.#segmentAt(base)
    const walked: WalkedBatch[] = []
    try {
      this.#seen = this.#checked?.of(segment.path)
      segment.reset()
      const end = segment.isPacked
        ? this.#walkPacked(segment, walked)
        : this.#walk(segment, last && !this.#isShared(base), walked)
      const { recovered } = this.#checkpoint ?? {}
      const isVouched = recovered !== undefined && (base < recovered.segment || recovered.position === segment.length)
      const found = checkIndex(this.#store, segment.indexPath, base, walked, end, {
        isBelieved: isVouched,
        // A fork leaves out what is quickly made.
        isExpected: !last && !this.#isShared(base),
        mayLag: this.#isShared(base),
      })
      for (const { kind, message, byte } of found) this.#find(kind, segment.indexPath, message, byte)
      return segment.nextOffset
    } catch (cause) {
      if (!(cause instanceof DamagedRecords)) throw cause
      this.#find('damage', segment.path, cause.message)
      return [...this.#files.files.keys()].find((other) => other > base) ?? base
    } finally {
      segment.close()
    }
  }

  #segmentAt(base: number): Segment {
    const { prefix, isPacked } = this.#fileAt(base)
    const bound = this.#isShared(base) ? this.#bounds.get(base)! : Infinity
    const make = (length: number, open?: OpenPacked) => new Segment(this.#store, prefix, base, 0, true, length, open)
    if (!isPacked) return make(Math.min(bound, this.#store.sizeOf(this.#segmentPath(base))))
    if (this.#openPacked === undefined)
      throw new Corruption(`${this.#segmentPath(base)}: there can be no packed file here`)
    return make(Number.isFinite(bound) ? bound : -1, this.#openPacked)
  }

  /** Has every record of a packed file unpacked; what is damaged costs only itself. */
  #walkPacked(segment: Segment, walked: WalkedBatch[]): number {
    const nextOffset = segment.packed!.asFile().length === segment.length ? this.#endOfPacked(segment) : 0
    const { damage } = segment.packed!
    if (damage !== undefined) this.#find('damage', segment.path, `${damage}; all that it holds can be read`)
    let position = 0
    while (position < segment.length) {
      const found = segment.batchAt(position)
      const problem = this.#unpacked(segment, position, walked)
      if (problem !== undefined) {
        this.#find('damage', segment.path, problem)
        walked.push(found)
        segment.nextOffset = found.nextOffset
      }
      position += found.byteCount
    }
    segment.nextOffset = Math.max(segment.nextOffset, nextOffset)
    return position
  }

  /** Behind its last batch offsets may be missing; what a fork shows of it may end before them. */
  #endOfPacked({ baseOffset, packed }: Segment): number {
    const { nextOffset } = packed!
    if (!this.#isShared(baseOffset)) return nextOffset
    const next = [...this.#files.files.keys()].find((base) => base > baseOffset)
    return Math.min(nextOffset, next ?? endOfShared(this.#inherited!, baseOffset))
  }

  #unpacked(segment: Segment, position: number, walked: WalkedBatch[]): string | undefined {
    try {
      return this.#batchAt(segment, position, walked)
    } catch (cause) {
      if (cause instanceof DamagedRecords) return cause.message
      throw cause
    }
  }

  #pathOf(name: string): string {
    return `${this.#folder}/${name}`
  }

  /** Walks all batches, over damaged ones too; answers the position behind the last. */
  #walk(segment: Segment, last: boolean, walked: WalkedBatch[]): number {
    const { path } = segment
    const isLost = () => this.#lost.some(({ from }) => from === segment.nextOffset)
    let position = 0
    for (;;) {
      const problem = this.#batchAt(segment, position, walked)
      if (problem === undefined) {
        position = walked.at(-1)!.position + walked.at(-1)!.byteCount
        continue
      }
      const tail = tailOf(segment, position)
      if (tail.byteCount === 0 || isLost()) return position
      const isCut = last && !tail.isDamage
      if (isCut || this.#kindFor(path, segment.nextOffset) === 'note') {
        this.#find('note', path, `${tail.byteCount} bytes of a torn write will be cut at the next start`, position)
        return position
      }
      this.#find('damage', path, problem, position)
      const next = nextBatch(segment, position + 1, tail.byteCount - 1, segment.nextOffset)
      if (next === undefined) return position
      position = next
      segment.nextOffset = borrow(segment.read(next, 8), (bytes) => batch.baseOffset(bytes, 0))
    }
  }

  /** Takes the batch at a position in; answers what is wrong where there is none. */
  #batchAt(segment: Segment, position: number, walked: WalkedBatch[]): string | undefined {
    const left = segment.length - position
    const seen = this.#seen?.get(position)
    if (seen !== undefined && batch.sizeInBytes(seen, 0) <= left) return this.#entered(segment, position, walked, seen)
    if (left < batch.headerBytes) return 'no room for the header of a batch'
    const size = borrow(segment.read(position, batch.headerBytes), (bytes) => batch.sizeInBytes(bytes, 0))
    if (size < batch.headerBytes || size > left) return `the batch declares ${size} bytes where ${left} are left`
    return borrow(segment.read(position, size), (bytes) => {
      if (batch.magic(bytes, 0) !== 2) return `the batch is of format ${batch.magic(bytes, 0)}, not 2`
      if (!batch.crcMatches(bytes, 0)) return 'the batch fails its checksum'
      const inRecords = recordProblem(bytes)
      if (inRecords === undefined) this.#seen?.set(position, keptOf(bytes))
      const problem = this.#entered(segment, position, walked, bytes)
      if (problem === undefined && inRecords !== undefined) this.#find('damage', segment.path, inRecords, position)
      return problem
    })
  }

  /** Takes in a batch that is whole in itself; of one that was seen before there may be no more than `keptOf` leaves. */
  #entered(segment: Segment, position: number, walked: WalkedBatch[], bytes: Buffer): string | undefined {
    const base = batch.baseOffset(bytes, 0)
    if (!follows(base, segment.nextOffset, this.#compactedOffset)) {
      return `the batch has offset ${base} where ${segment.nextOffset} is next`
    }
    for (const message of this.#problemsOf(bytes, base)) this.#find('damage', segment.path, message, position)
    const maxTimestamp = batch.maxTimestamp(bytes, 0)
    const nextOffset = batch.nextOffset(bytes, 0)
    const byteCount = batch.sizeInBytes(bytes, 0)
    walked.push({ position, byteCount, baseOffset: base, nextOffset, maxTimestamp, ...this.#endedBy(bytes) })
    segment.nextOffset = nextOffset
    this.#batches++
    this.#records += batch.recordCount(bytes, 0)
    this.#bytes += byteCount
    this.#visit?.(bytes, 0)
    return undefined
  }

  /** What a batch takes back, if it is the marker that does so. */
  #endedBy(bytes: Buffer): Pick<WalkedBatch, 'aborts' | 'aborted'> {
    const aborted = this.#producers.note(bytes, 0)
    if (!batch.isControl(bytes, 0) || markerOf(bytes, 0)?.type !== 'ABORT') return {}
    const aborts = batch.producerId(bytes, 0)
    return aborted === undefined ? { aborts } : { aborts, aborted }
  }

  /** What a batch that is whole says wrongly. */
  #problemsOf(bytes: Buffer, base: number): string[] {
    const problems: string[] = []
    const epoch = batch.partitionLeaderEpoch(bytes, 0)
    if (epoch < this.#latestEpoch) problems.push(`leader epoch ${epoch} comes after ${this.#latestEpoch}`)
    this.#latestEpoch = Math.max(this.#latestEpoch, epoch)
    const known = this.#epochs.epochAt(base)
    if (base < (this.#checkpoint?.recovered.offset ?? 0) && known >= 0 && known !== epoch) {
      problems.push(`leader epoch ${epoch} where the checkpoint knows ${known}`)
    }
    if (batch.lastOffsetDelta(bytes, 0) < 0) problems.push('the last offset comes before the first')
    return problems
  }
}
