// One pack from its first byte to its last: what it takes as plain values, which a thread can be sent, and the work itself.

import { StorageError } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { OffsetIndex } from '../log/offset-index.ts'
import type { AbortedTransaction } from '../log/open-transactions.ts'
import type { RewrittenFile } from '../log/rewriting.ts'
import { Segment } from '../log/segment.ts'
import { segmentName } from '../log/segment-name.ts'
import { TimeIndex } from '../log/time-index.ts'
import type { File, Lease, Store } from '../storage/file.ts'
import { openPack } from './open-pack.ts'
import { Pack } from './pack.ts'
import { buildPack } from './pack-build.ts'
import type { Packed, PackSource } from './pack-job.ts'
import type { PackNumbers } from './pack-numbers.ts'
import { verifyPack } from './pack-verify.ts'
import { SourceWalk } from './pack-walk.ts'
import { TakenBack } from './taken-back.ts'

export type PackingJob = {
  /** Neighbours. */
  segments: readonly Pick<Segment, 'path' | 'baseOffset' | 'length' | 'isPacked'>[]
  nextOffset: number
  /** Where the pack is written: a file that is there and empty. */
  path: string
  numbers: PackNumbers
  /** Whose markers stand in the segments. */
  aborted: readonly AbortedTransaction[]
  /** All that have records there. */
  takenBack: readonly AbortedTransaction[]
  keyframeEvery: number
  diffMaxBytes: number
  pointers: readonly string[]
  indexIntervalBytes: number
  /** For tests. */
  lengthMax?: number | undefined
}

/** Records looked at in one slice. */
const sliceBytes = 256 * 1024
const growthMax = Number.MAX_SAFE_INTEGER

/**
 * Builds the pack, holds it against what it was made of, and flushes it. `rest`: between slices of about 5 ms others have their
 * turn. Rejects with StorageError, Corruption, DamagedRecords, PackTooLarge.
 */
export async function runPacking(store: Store, job: PackingJob, rest?: () => Promise<void>): Promise<Packed> {
  const segments = job.segments.map(({ path, baseOffset, length, isPacked }) => {
    const prefix = path.slice(0, -segmentName(baseOffset, isPacked ? 'pack' : 'log').length)
    return new Segment(store, prefix, baseOffset, 0, true, length, isPacked ? openPack : undefined)
  })
  const file = store.open(job.path, growthMax, { append: true })
  const source = new Segments(segments, job.nextOffset)
  try {
    const revs = await driven(revsOf(source, job), rest)
    const sink = { write: (bytes: Buffer) => write(file, bytes) }
    const packed = await driven(buildPack(source, sink, { ...job, revs }), rest)
    const pack = Pack.open(store.open(job.path, 0))
    try {
      await driven(verifyPack(source, pack, revs), rest)
    } finally {
      pack.close()
    }
    await file.flush()
    return packed
  } finally {
    file.close()
    source.release()
    for (const segment of segments) segment.close()
  }
}

async function driven<T>(work: Generator<void, T, void>, rest: (() => Promise<void>) | undefined): Promise<T> {
  for (;;) {
    const { done, value } = work.next()
    if (done === true) return value
    if (rest !== undefined) await rest()
  }
}

function write(file: File, bytes: Buffer): void {
  if (bytes.length === 0) return
  file.stage(bytes)
  file.commit(bytes.length)
}

/** The segments as one piece. */
class Segments implements PackSource {
  readonly baseOffset: number
  readonly nextOffset: number
  readonly length: number
  readonly #segments: readonly Segment[]
  readonly #starts: readonly number[]
  /** What was read last, and is not copied. */
  #lease: Lease | undefined

  constructor(segments: readonly Segment[], nextOffset: number) {
    this.#segments = segments
    this.baseOffset = segments[0]!.baseOffset
    this.nextOffset = nextOffset
    const starts: number[] = []
    let length = 0
    for (const segment of segments) {
      starts.push(length)
      length += segment.length
    }
    this.#starts = starts
    this.length = length
  }

  read(position: number, byteCount: number): Buffer {
    // The empty value at the end of a segment is nowhere.
    if (byteCount === 0) return Buffer.alloc(0)
    const first = this.#part(position, byteCount)
    if (first.length === byteCount) return first
    const whole = Buffer.allocUnsafe(byteCount)
    for (let done = first.copy(whole); done < byteCount; ) {
      done += this.#part(position + done, byteCount - done).copy(whole, done)
    }
    return whole
  }

  #part(position: number, byteCount: number): Buffer {
    const at = this.#starts.findLastIndex((start) => start <= position)
    const segment = this.#segments[at]!
    const from = position - this.#starts[at]!
    this.release()
    this.#lease = segment.read(from, byteCount)
    const { bytes } = this.#lease
    if (bytes.length === 0) throw new StorageError('EIO', `${segment.path} ends at byte ${from}`)
    return bytes
  }

  release(): void {
    this.#lease?.release()
    this.#lease = undefined
  }
}

/** A number for each record, as `buildPack` wants them. */
function* revsOf(source: PackSource, { numbers, takenBack }: PackingJob): Generator<void, Float64Array, void> {
  const gone = new TakenBack({ abortedTransactions: () => takenBack }, 0, 0)
  const { offsets, revs } = numbers
  const walk = new SourceWalk(source)
  const found: Float64Array[] = []
  let at = 0
  let slice = 0
  while (walk.next()) {
    if (batch.isControl(walk.bytes, walk.at)) continue
    const count = batch.recordCount(walk.bytes, walk.at)
    const ofBatch = new Float64Array(count)
    found.push(ofBatch)
    if (gone.has(walk.bytes, walk.at)) ofBatch.fill(Number.NaN)
    else if (count > 0) {
      const base = batch.baseOffset(walk.bytes, walk.at)
      const cursor = walk.records()
      while (cursor.next()) {
        const offset = base + cursor.offsetDelta
        while (at < offsets.length && offsets[at]! < offset) at++
        if (offsets[at] === offset) ofBatch[cursor.index] = revs[at]!
      }
      slice += cursor.bytes === walk.bytes ? walk.size : cursor.bytes.length
    }
    if (slice < sliceBytes) continue
    slice = 0
    yield
  }
  return joined(found)
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const whole = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** What a log needs to put a pack, which lies at `path`, in the place of its segments. */
export const rewrittenBy = (store: Store, path: string, packed: Packed): RewrittenFile => ({
  path,
  length: packed.virtualLength,
  nextOffset: packed.nextOffset,
  offsets: new OffsetIndex(packed.offsetEntries),
  times: new TimeIndex(packed.timeEntries),
  aborted: [...packed.aborted],
  maxTimestamp: packed.maxTimestamp,
  discard: () => store.remove(path),
})
