// The least that a packed file can be: a head, and behind it the batches as they were. What a log does with packed files shows
// with these too.

import { crc32c } from '../../protocol/crc32c.ts'
import { Corruption, DamagedRecords } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import type { Log } from '../../src/log/log.ts'
import { OffsetIndex } from '../../src/log/offset-index.ts'
import type { PackedFile } from '../../src/log/packed.ts'
import type { RewrittenFile } from '../../src/log/rewriting.ts'
import type { Segment } from '../../src/log/segment.ts'
import { TimeIndex } from '../../src/log/time-index.ts'
import { borrow, type File, type Lease, type Store } from '../../src/storage/file.ts'

export const headBytes = 32

class FakeFile implements File {
  readonly #file: File
  readonly path: string

  constructor(file: File) {
    this.#file = file
    this.path = file.path
  }

  get length(): number {
    return this.#file.length - headBytes
  }

  get allocatedBytes(): number {
    return this.length
  }

  /** One batch at a time, or what is asked of its beginning; a batch is looked at when more than its header is. */
  read(position: number, byteCount: number): Lease {
    const head = borrow(this.#file.read(headBytes + position, batch.headerBytes), (bytes) => Buffer.from(bytes))
    if (byteCount <= batch.headerBytes) return { bytes: head.subarray(0, byteCount), release: () => {} }
    const size = batch.sizeInBytes(head, 0)
    const lease = this.#file.read(headBytes + position, size)
    if (batch.crcMatches(lease.bytes, 0))
      return { bytes: lease.bytes.subarray(0, byteCount), release: () => lease.release() }
    lease.release()
    throw new DamagedRecords(`${this.path}: the batch at offset ${batch.baseOffset(head, 0)} is damaged`)
  }

  stage(): never {
    throw new Error('a packed file is only read')
  }
  commit(): never {
    throw new Error('a packed file is only read')
  }
  drop(): void {}
  async flush(): Promise<void> {}
  cutAt(): never {
    throw new Error('a packed file is only read')
  }
  seal(): void {}
  close(): void {}
}

export class FakePack implements PackedFile {
  readonly baseOffset: number
  readonly nextOffset: number
  readonly #file: File
  readonly #content: FakeFile

  constructor(file: File) {
    const head = borrow(file.read(0, headBytes), (bytes) => Buffer.from(bytes))
    const isWhole = head.length === headBytes && head.toString('latin1', 0, 4) === 'FAKE'
    if (!isWhole || head.readUInt32LE(4) !== crc32c(head, 8, headBytes)) throw new Corruption('no packed file')
    this.baseOffset = head.readDoubleLE(8)
    this.nextOffset = head.readDoubleLE(16)
    if (file.length !== head.readDoubleLE(24)) throw new Corruption('not the length that it announces')
    this.#file = file
    this.#content = new FakeFile(file)
  }

  asFile(): File {
    return this.#content
  }

  close(): void {
    this.#file.close()
  }
}

export const openFake = (file: File): PackedFile => new FakePack(file)

/** Batches of the segments, but for those that `leavesOut` names by their base offsets. */
function batchesOf(segments: readonly Segment[], leavesOut: readonly number[]): Buffer[] {
  return segments.flatMap((segment) => {
    const found: Buffer[] = []
    for (let position = 0; position < segment.length; position += found.at(-1)!.length) {
      const { byteCount } = segment.batchAt(position)
      found.push(borrow(segment.read(position, byteCount), (bytes) => Buffer.from(bytes)))
    }
    return found.filter((bytes) => !leavesOut.includes(batch.baseOffset(bytes, 0)))
  })
}

/** Writes what packs segments, as somebody would who knows how. */
export async function writeFake(
  store: Store,
  folder: string,
  segments: readonly Segment[],
  leavesOut: readonly number[] = [],
): Promise<RewrittenFile> {
  const { baseOffset } = segments[0]!
  const batches = batchesOf(segments, leavesOut)
  const path = `${folder}/${String(baseOffset).padStart(20, '0')}.pack.tmp`
  store.remove(path)
  const { nextOffset } = segments.at(-1)!
  const head = Buffer.alloc(headBytes, 'FAKE')
  head.writeDoubleLE(baseOffset, 8)
  head.writeDoubleLE(nextOffset, 16)
  head.writeDoubleLE(headBytes + Buffer.concat(batches).length, 24)
  head.writeUInt32LE(crc32c(head, 8, headBytes), 4)
  const file = store.create(path, 1 << 20)
  const offsets = new OffsetIndex()
  const times = new TimeIndex()
  let maxTimestamp = -1
  file.stage(head)
  file.commit(head.length)
  for (const bytes of batches) {
    offsets.add(batch.baseOffset(bytes, 0) - baseOffset, file.length - headBytes)
    if (maxTimestamp >= 0) times.add(maxTimestamp, batch.baseOffset(bytes, 0) - 1 - baseOffset)
    maxTimestamp = Math.max(maxTimestamp, batch.maxTimestamp(bytes, 0))
    file.stage(bytes)
    file.commit(bytes.length)
  }
  await file.flush()
  const length = file.length - headBytes
  file.close()
  const aborted = segments.flatMap((segment) => [...segment.aborted])
  return { path, length, nextOffset, offsets, times, aborted, maxTimestamp, discard: () => store.remove(path) }
}

/** Packs what may be packed, or some of it. */
export async function packFake(
  store: Store,
  log: Log,
  segments: readonly Segment[] = log.packable,
  leavesOut: readonly number[] = [],
): Promise<boolean> {
  return await log.pack(segments, await writeFake(store, log.folder, segments, leavesOut), leavesOut.length > 0)
}
