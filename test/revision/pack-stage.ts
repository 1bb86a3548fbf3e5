// What tests of packs share: logs in memory, from a seed where they are to be any, and packs made of them.

import * as batch from '../../protocol/records/batch.ts'
import { type BatchOptions, type BatchRecord, encodeBatch } from '../../protocol/records/builder.ts'
import { type CodecName, codecs } from '../../protocol/records/compression.ts'
import { encodeMarker } from '../../protocol/records/control.ts'
import { readRecords, type StoredRecord } from '../../protocol/records/record.ts'
import { Pack } from '../../src/revision/pack.ts'
import { buildPack } from '../../src/revision/pack-build.ts'
import { PackCache } from '../../src/revision/pack-cache.ts'
import type { Packed, PackOptions, PackSource } from '../../src/revision/pack-job.ts'
import { verifyPack } from '../../src/revision/pack-verify.ts'
import { borrow, type File } from '../../src/storage/file.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import { type Draw, document, drawing, edited, noise } from './delta-pairs.ts'

/** Plays a number of seeds, or as many as the time allows; a failure names its own. */
export function eachSeed(seed: number, count: number, soakSeconds: number, play: (seed: number) => void): void {
  console.log(`seed ${seed}`)
  const until = Date.now() + soakSeconds * 1000
  for (let i = seed; i < seed + count || Date.now() < until; i++) {
    try {
      play(i)
    } catch (cause) {
      throw new Error(`TWIGLOG_SEED=${i}`, { cause })
    }
  }
}

export function sourceOf(batches: readonly Buffer[], nextOffset?: number): PackSource {
  const bytes = Buffer.concat(batches)
  const last = batches.at(-1)
  return {
    baseOffset: batch.baseOffset(bytes, 0),
    nextOffset: nextOffset ?? batch.nextOffset(last!, 0),
    length: bytes.length,
    // Lent: what the last read gave is written over.
    read: (position, byteCount) => Buffer.from(bytes.subarray(position, position + byteCount)),
  }
}

/** Numbers as an index would give them: revisions of each key counted, null keys none. */
export function countedRevs(batches: readonly Buffer[], isAborted = (_: Buffer): boolean => false): Float64Array {
  const counts = new Map<string, number>()
  const revs: number[] = []
  for (const bytes of batches) {
    if (batch.isControl(bytes, 0)) continue
    const aborted = isAborted(bytes)
    for (const { key } of readRecords(bytes, 0)) {
      if (aborted) revs.push(Number.NaN)
      else if (key === null) revs.push(0)
      else {
        const name = key.toString('latin1')
        counts.set(name, (counts.get(name) ?? 0) + 1)
        revs.push(counts.get(name)!)
      }
    }
  }
  return Float64Array.from(revs)
}

export const defaults = {
  keyframeEvery: 256,
  diffMaxBytes: 16 * 1024 * 1024,
  pointers: [] as readonly string[],
  aborted: [],
} as const

export type Made = { pack: Pack; packed: Packed; file: () => File; bytes: Buffer; source: PackSource; slices: number }

/** A pack of these batches, verified. */
export function packOf(
  batches: readonly Buffer[],
  options: Partial<PackOptions> = {},
  cache = new PackCache(),
  verified = true,
): Made {
  const source = sourceOf(batches)
  const whole: PackOptions = { ...defaults, revs: countedRevs(batches), ...options }
  const pieces: Buffer[] = []
  const build = buildPack(source, { write: (bytes) => void pieces.push(bytes) }, whole)
  let slices = 0
  for (;;) {
    const { done, value } = build.next()
    slices++
    if (!done) continue
    const bytes = Buffer.concat(pieces)
    const pack = Pack.open(fileOf(bytes), cache)
    if (verified) for (const _ of verifyPack(source, pack, whole.revs));
    return { pack, packed: value, file: () => fileOf(bytes), bytes, source, slices }
  }
}

export function fileOf(bytes: Buffer, path = 'topic-0/00000000000000000000.pack'): File {
  const file = new MemoryStore().create(path, 0)
  file.stage(Buffer.from(bytes))
  file.commit(bytes.length)
  return file
}

/** All rebuilt batches, read in pieces of `readBytes`. */
export function batchesOf(file: File, readBytes = 100_000): Buffer[] {
  const found: Buffer[] = []
  for (let position = 0; position < file.length; ) {
    const size = borrow(file.read(position, batch.headerBytes), (bytes) => batch.sizeInBytes(bytes, 0))
    borrow(file.read(position, Math.max(size, readBytes)), (bytes) => {
      for (const at of batch.iterateBatches(bytes)) {
        found.push(Buffer.from(bytes.subarray(at, at + batch.sizeInBytes(bytes, at))))
        position += found.at(-1)!.length
      }
    })
  }
  return found
}

export type Seen = { offset: number; timestamp: number; key: string | null; value: string | null; headers: string }

export const seen = ({ offset, timestamp, key, value, headers }: StoredRecord): Seen => ({
  offset,
  timestamp,
  key: key?.toString('latin1') ?? null,
  value: value?.toString('latin1') ?? null,
  headers: headers.map(({ key, value }) => `${key}=${value?.toString('latin1') ?? null}`).join('&'),
})

export const recordsOf = (batches: readonly Buffer[]): Seen[] =>
  batches.filter((bytes) => !batch.isControl(bytes, 0)).flatMap((bytes) => [...readRecords(bytes, 0)].map(seen))

export type RandomLog = { batches: Buffer[]; revs: Float64Array; dropped: number }

/** A log as odd as logs get: transactions, codecs, headers, nulls, holes, large and empty values. */
export function randomLog(seed: number): RandomLog {
  const draw = drawing(seed)
  const keyCount = 1 + draw(draw(3) === 0 ? 300 : 12)
  const values = new Map<number, Buffer>()
  const batches: Buffer[] = []
  const aborted = new Set<Buffer>()
  let offset = draw(4) === 0 ? draw(1e6) * 1e6 : draw(100)
  let time = draw(5) === 0 ? -1 : 1_700_000_000_000
  const open = new Map<number, Buffer[]>()
  const count = 1 + draw(draw(12) === 0 ? 200 : 25)
  for (let i = 0; i < count; i++) {
    const producerId = draw(3) === 0 ? 1000 + draw(3) : -1
    if (draw(8) === 0 && open.size > 0) {
      const [id, written] = [...open][draw(open.size)]!
      open.delete(id)
      const type = draw(3) === 0 ? 'ABORT' : 'COMMIT'
      if (type === 'ABORT') for (const bytes of written) aborted.add(bytes)
      const marker = { producerId: id, producerEpoch: 2, coordinatorEpoch: 1, timestamp: time, baseOffset: offset++ }
      batches.push(encodeMarker({ type, partitionLeaderEpoch: 3, ...marker }))
      continue
    }
    const isTransactional = producerId >= 0 && draw(2) === 0
    const records = Array.from({ length: 1 + draw(draw(6) === 0 ? 60 : 5) }, () => {
      if (time > 0) time += draw(3) === 0 ? draw(1e6) - 1000 : draw(10)
      return randomRecord(draw, values, draw(keyCount), time)
    })
    let last = -1
    const gaps = draw(12) === 0
    const options: BatchOptions & { records: BatchRecord[] } = {
      baseOffset: offset,
      codec: codecs[draw(3) === 0 ? draw(codecs.length) : 0] as CodecName,
      partitionLeaderEpoch: draw(10) === 0 ? draw(9) : 3,
      producerId,
      producerEpoch: producerId < 0 ? -1 : 2,
      baseSequence: producerId < 0 ? -1 : draw(30) === 0 ? 0x7fff_fffe : draw(1000),
      isTransactional,
      ...(draw(10) === 0 ? { logAppendTime: Math.max(0, time) + 5 } : {}),
      records: records.map((record) => {
        last += 1 + (gaps ? draw(4) : 0)
        return { ...record, offset: offset + last }
      }),
    }
    const bytes = encodeBatch(gaps ? { ...options, lastOffset: offset + last + draw(3) } : options)
    if (isTransactional) open.set(producerId, [...(open.get(producerId) ?? []), bytes])
    batches.push(bytes)
    offset = batch.nextOffset(bytes, 0) + (draw(20) === 0 ? draw(50) : 0)
  }
  const revs = countedRevs(batches, (bytes) => aborted.has(bytes))
  const droppedShare = draw(4) === 0 ? 1 + draw(4) : 0
  let dropped = 0
  for (let i = 0; i < revs.length && droppedShare > 0; i++) {
    if (revs[i]! > 0 && draw(5) < droppedShare) revs[i] = -revs[i]!
  }
  for (const rev of revs) if (!(rev >= 0)) dropped++
  return { batches, revs, dropped }
}

function randomRecord(draw: Draw, values: Map<number, Buffer>, key: number, timestamp: number): BatchRecord {
  const kind = draw(20)
  const before = values.get(key)
  const fresh = () => (draw(5) === 0 ? noise(draw, draw(1000)) : document(draw, draw(draw(40) === 0 ? 90_000 : 1500)))
  const value =
    kind === 0
      ? null
      : before === undefined || kind === 1
        ? fresh()
        : kind === 2
          ? before
          : edited(draw, before, 1 + draw(3))
  if (value === null) values.delete(key)
  else values.set(key, value)
  return {
    key: draw(25) === 0 ? null : key === 0 ? '' : `key-${key}`,
    value,
    timestamp,
    ...(draw(4) === 0 ? { headers: [{ key: 'trace', value: draw(3) === 0 ? null : `t${draw(1e6)}` }] } : {}),
  }
}
