// What a log needs around it in tests: a configuration with small pieces, and batches that count.

import { iterateBatches, nextOffset } from '../../protocol/records/batch.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import type { CodecName } from '../../protocol/records/compression.ts'
import { readRecords } from '../../protocol/records/record.ts'
import type { Appended, Log } from '../../src/log/log.ts'
import type { LogConfig } from '../../src/log/log-config.ts'
import { borrow } from '../../src/storage/file.ts'

export const smallConfig: LogConfig = {
  segmentBytes: 2048,
  segmentMs: Infinity,
  retentionMs: -1,
  retentionBytes: -1,
  indexIntervalBytes: 256,
  maxMessageBytes: 1024 * 1024,
  logAppendTime: false,
  timestampBeforeMaxMs: Infinity,
  timestampAfterMaxMs: Infinity,
  deletes: true,
  compacts: false,
  codec: undefined,
  minCleanableDirtyRatio: 0.5,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Infinity,
  deleteRetentionMs: 86_400_000,
  dedupeBufferBytes: 1024 * 1024,
}

export type Producer = { id: number; epoch: number; sequence: number }

export function batchOf(
  values: readonly string[],
  options: { time?: number; producer?: Producer; codec?: CodecName; isTransactional?: boolean } = {},
) {
  const { time = 1000, producer, codec = 'none', isTransactional = false } = options
  return encodeBatch({
    records: values.map((value, i) => ({
      key: Buffer.from(`k${value}`),
      value: Buffer.from(value),
      timestamp: time + i,
    })),
    codec,
    isTransactional,
    ...(producer === undefined
      ? {}
      : { producerId: producer.id, producerEpoch: producer.epoch, baseSequence: producer.sequence }),
  })
}

export function append(
  log: Log,
  values: readonly string[],
  options: Parameters<typeof batchOf>[1] & { now?: number } = {},
) {
  return log.append(batchOf(values, options), { leaderEpoch: 0, now: options.now ?? 1000 })
}

export function appended(log: Log, values: readonly string[], options: Parameters<typeof append>[2] = {}): Appended {
  const result = append(log, values, options)
  if (!('baseOffset' in result)) throw new Error(`${result.error}: ${result.message}`)
  return result
}

export type Seen = { offset: number; key: string; value: string | null }

/** All records from an offset on, as a consumer would see them; `whole` gives keys too. */
export function readAll(log: Log, from?: number, bytesMax?: number): [offset: number, value: string][]
export function readAll(log: Log, from: number, bytesMax: number, whole: true): Seen[]
export function readAll(log: Log, from = log.logStartOffset, bytesMax = 1000, whole = false) {
  const found: Seen[] = []
  for (let offset = from; offset < log.logEndOffset; ) {
    const start = offset
    borrow(log.read(offset, bytesMax, log.logEndOffset, true), (bytes) => {
      for (const position of iterateBatches(bytes)) {
        for (const record of readRecords(bytes, position)) {
          if (record.offset < offset) continue
          const value = record.value === null ? null : record.value.toString()
          found.push({ offset: record.offset, key: String(record.key), value })
          offset = record.offset + 1
        }
        offset = Math.max(offset, nextOffset(bytes, position))
      }
    })
    if (offset === start) throw new Error(`no progress at offset ${offset}`)
  }
  return whole ? found : found.map(({ offset, value }): [number, string] => [offset, String(value)])
}

export const counted = (from: number, to: number): [number, string][] =>
  Array.from({ length: to - from }, (_, i) => [from + i, `v${from + i}`])
