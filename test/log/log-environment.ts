// What a log needs around it in tests: a configuration with small pieces, and batches that count.

import { encodeBatch } from '../../protocol/records/builder.ts'
import type { CodecName } from '../../protocol/records/compression.ts'
import { iterateBatches } from '../../protocol/records/batch.ts'
import { readRecords } from '../../protocol/records/record.ts'
import type { LogConfig } from '../../src/log/log-config.ts'
import type { Appended, Log } from '../../src/log/log.ts'
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
}

export type Producer = { id: number; epoch: number; sequence: number }

export function batchOf(values: readonly string[], options: { time?: number; producer?: Producer; codec?: CodecName } = {}) {
  const { time = 1000, producer, codec = 'none' } = options
  return encodeBatch({
    records: values.map((value, i) => ({ key: Buffer.from(`k${value}`), value: Buffer.from(value), timestamp: time + i })),
    codec,
    ...(producer === undefined
      ? {}
      : { producerId: producer.id, producerEpoch: producer.epoch, baseSequence: producer.sequence }),
  })
}

export function append(log: Log, values: readonly string[], options: Parameters<typeof batchOf>[1] & { now?: number } = {}) {
  return log.append(batchOf(values, options), { leaderEpoch: 0, now: options.now ?? 1000 })
}

export function appended(log: Log, values: readonly string[], options: Parameters<typeof append>[2] = {}): Appended {
  const result = append(log, values, options)
  if (!('baseOffset' in result)) throw new Error(`${result.error}: ${result.message}`)
  return result
}

/** All records from an offset on, as a consumer would see them. */
export function readAll(log: Log, from = log.logStartOffset, bytesMax = 1000): [offset: number, value: string][] {
  const found: [number, string][] = []
  for (let offset = from; offset < log.logEndOffset; ) {
    const start = offset
    borrow(log.read(offset, bytesMax, log.logEndOffset, true), (bytes) => {
      for (const position of iterateBatches(bytes)) {
        for (const record of readRecords(bytes, position)) {
          if (record.offset < offset) continue
          found.push([record.offset, record.value!.toString()])
          offset = record.offset + 1
        }
      }
    })
    if (offset === start) throw new Error(`no progress at offset ${offset}`)
  }
  return found
}

export const counted = (from: number, to: number): [number, string][] =>
  Array.from({ length: to - from }, (_, i) => [from + i, `v${from + i}`])
