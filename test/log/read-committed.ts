// A reader of committed data as the clients are (KIP-98), and ten lines that say what it must see.

import * as batch from '../../protocol/records/batch.ts'
import { controlType } from '../../protocol/records/control.ts'
import { readRecords } from '../../protocol/records/record.ts'
import type { Log } from '../../src/log/log.ts'
import { borrow } from '../../src/storage/file.ts'

/** Where readers of committed data stop, if all that is appended may be read. */
export function stableOffset(log: Log): number {
  const { logStartOffset, logEndOffset, producers } = log
  return Math.max(logStartOffset, Math.min(logEndOffset, producers.transactions.firstUnstable(logEndOffset)))
}

export type Committed = { offset: number; key: string; value: string | null }

export const readCommitted = (log: Log, bytesMax = 1000): [offset: number, value: string][] =>
  recordsCommitted(log, bytesMax).map(({ offset, value }) => [offset, String(value)])

/** Every record that a client with isolation.level=read_committed gives to its application. */
export function recordsCommitted(log: Log, bytesMax = 1000): Committed[] {
  const found: Committed[] = []
  const bound = stableOffset(log)
  for (let offset = log.logStartOffset; offset < bound; ) {
    const start = offset
    const aborted = log.abortedTransactions(offset, bound).sort((a, b) => a.firstOffset - b.firstOffset)
    const taken = new Set<number>()
    borrow(log.read(offset, bytesMax, bound, true), (bytes) => {
      for (const at of batch.iterateBatches(bytes)) {
        const producerId = batch.producerId(bytes, at)
        while (aborted.length > 0 && aborted[0]!.firstOffset <= batch.lastOffset(bytes, at)) {
          taken.add(aborted.shift()!.producerId)
        }
        if (batch.isControl(bytes, at)) {
          for (const { key } of readRecords(bytes, at)) if (controlType(key) === 'ABORT') taken.delete(producerId)
        } else if (!batch.isTransactional(bytes, at) || !taken.has(producerId)) {
          for (const record of readRecords(bytes, at)) {
            if (record.offset < start) continue
            const value = record.value === null ? null : String(record.value)
            found.push({ offset: record.offset, key: String(record.key), value })
          }
        }
        offset = Math.max(offset, batch.nextOffset(bytes, at))
      }
    })
    // A hole behind the last record.
    if (offset === start) return found
  }
  return found
}

export type Sent = {
  base: number
  values: readonly string[]
  producer: number
  isTransactional: boolean
  marker?: 'COMMIT' | 'ABORT'
}

const fate = (sent: Sent, batches: readonly Sent[]): Sent['marker'] =>
  batches.find(({ base, producer, marker }) => marker !== undefined && producer === sent.producer && base > sent.base)
    ?.marker

/** First offset of a transaction that nobody has decided. */
export const openFrom = (batches: readonly Sent[]): number | undefined =>
  batches.find((sent) => sent.isTransactional && sent.marker === undefined && fate(sent, batches) === undefined)?.base

/** What readers of committed data see of these batches below an offset. */
export const committedOf = (batches: readonly Sent[], bound: number): [offset: number, value: string][] =>
  batches
    .filter((sent) => sent.marker === undefined && sent.base < bound)
    .filter((sent) => !sent.isTransactional || fate(sent, batches) === 'COMMIT')
    .flatMap(({ base, values }) => values.map((value, i): [number, string] => [base + i, value]))
