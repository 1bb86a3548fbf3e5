// The records of `__transaction_state`, in Kafka's own formats, so that its tools can read them.
//
//   key    int16 0, transactional id
//   value  int16 version 0-1, TransactionLogValue; null removes the id
//
// Seen in 4.4.0: version 1, the previous producer id always there, no list of partitions while the state is Empty.

import { codec } from '../../protocol/compile.ts'
import { Reader } from '../../protocol/reader.ts'
import { array, has, int8, int16, int32, int64, string, table } from '../../protocol/schema.ts'
import { Writer } from '../../protocol/writer.ts'
import { readId, writtenId } from '../branch/set-names.ts'
import { none, type Partitions, statuses, type TransactionState } from './state.ts'

export const transactionLogKey = table('TransactionLogKey', '0', 'none', {
  transactionalId: string(),
})

export const transactionLogValue = table('TransactionLogValue', '0-1', '1+', {
  producerId: int64(),
  previousProducerId: int64('1+', { default: -1, tagged: '1+', tag: 0 }),
  nextProducerId: int64('1+', { default: -1, tagged: '1+', tag: 1 }),
  producerEpoch: int16(),
  nextProducerEpoch: int16('1+', { default: -1, tagged: '1+', tag: 3 }),
  transactionTimeoutMs: int32(),
  transactionStatus: int8(),
  transactionPartitions: array({ topic: string(), partitionIds: array(int32()) }, '0+', { nullable: '0+' }),
  transactionLastUpdateTimestampMs: int64(),
  transactionStartTimestampMs: int64(),
  clientTransactionVersion: int16('1+', { default: 0, tagged: '1+', tag: 2 }),
})

export type TransactionRecord = { readonly key: Buffer; readonly value: Buffer | null }

function keyOf(id: string): Buffer {
  const writer = new Writer()
  writer.int16(0)
  codec(transactionLogKey, 0).write(writer, { transactionalId: writtenId(id) })
  return writer.bytesWritten()
}

/** `transaction.version` 0 wrote values that every older broker reads. */
export function stateRecord(state: TransactionState, transactionVersion: number): TransactionRecord {
  const writer = new Writer()
  const version = transactionVersion > 0 ? 1 : 0
  writer.int16(version)
  codec(transactionLogValue, version).write(writer, {
    producerId: state.producerId,
    previousProducerId: state.previousProducerId,
    nextProducerId: state.nextProducerId,
    producerEpoch: state.producerEpoch,
    transactionTimeoutMs: state.timeoutMs,
    transactionStatus: statuses.indexOf(state.status),
    transactionPartitions:
      state.status === 'Empty'
        ? null
        : [...state.partitions].map(([topic, indexes]) => ({ topic, partitionIds: [...indexes] })),
    transactionLastUpdateTimestampMs: state.updatedAt,
    transactionStartTimestampMs: state.startedAt,
    clientTransactionVersion: state.clientVersion,
  })
  return { key: keyOf(state.id), value: writer.bytesWritten() }
}

export const tombstone = (id: string): TransactionRecord => ({ key: keyOf(id), value: null })

/** Reads one record; undefined where it is of a kind or version that we do not know. */
export function remembered(
  key: Buffer,
  value: Buffer | null,
): { id: string; state: TransactionState | undefined } | undefined {
  const reader = new Reader(key)
  if (reader.int16() !== 0) return undefined
  const id = readId(codec(transactionLogKey, 0).read(reader).transactionalId)
  if (value === null) return { id, state: undefined }
  const from = new Reader(value)
  const version = from.int16()
  if (!has(transactionLogValue.versions, version)) return undefined
  const found = codec(transactionLogValue, version).read(from)
  const status = statuses[found.transactionStatus]
  if (status === undefined) return undefined
  const partitions: Partitions = new Map(
    (found.transactionPartitions ?? []).map(({ topic, partitionIds }) => [topic, new Set(partitionIds)]),
  )
  const state: TransactionState = {
    id,
    producerId: found.producerId,
    previousProducerId: found.previousProducerId,
    nextProducerId: found.nextProducerId,
    producerEpoch: found.producerEpoch,
    lastProducerEpoch: none,
    timeoutMs: found.transactionTimeoutMs,
    status,
    partitions,
    startedAt: found.transactionStartTimestampMs,
    updatedAt: found.transactionLastUpdateTimestampMs,
    clientVersion: found.clientTransactionVersion,
  }
  return { id, state }
}
