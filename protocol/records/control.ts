// Control records: what the broker writes into a log for consumers rather than applications.
//
//   key    version int16 = 0 | type int16
//   value  of a transaction marker: version int16 = 0 | coordinator epoch int32
//
// A marker stands alone in a batch with the attributes transactional and control, under the producer's id and epoch.

import { encodeBatch } from './builder.ts'

/** By number. 0 and 1 end a transaction (KIP-98), the rest belongs to Kafka's own quorum. */
export const controlTypes = [
  'ABORT',
  'COMMIT',
  'LEADER_CHANGE',
  'SNAPSHOT_HEADER',
  'SNAPSHOT_FOOTER',
  'KRAFT_VERSION',
  'KRAFT_VOTERS',
] as const
/** UNKNOWN: a type of the future. Readers pass over it. */
export type ControlType = (typeof controlTypes)[number] | 'UNKNOWN'

export type Marker = {
  type: 'ABORT' | 'COMMIT'
  producerId: number
  producerEpoch: number
  coordinatorEpoch: number
  timestamp: number
  baseOffset?: number
  partitionLeaderEpoch?: number
}

/** A batch with one transaction marker. */
export function encodeMarker(marker: Marker): Buffer {
  const { type, coordinatorEpoch, timestamp, ...fields } = marker
  const key = Buffer.alloc(4)
  key.writeInt16BE(controlTypes.indexOf(type), 2)
  const value = Buffer.alloc(6)
  value.writeInt32BE(coordinatorEpoch, 2)
  return encodeBatch({ ...fields, isTransactional: true, isControl: true, records: [{ timestamp, key, value }] })
}

export function controlType(key: Buffer | null): ControlType {
  // A later version may append to the key; the type stays where it is.
  if (!key || key.length < 4 || key.readInt16BE(0) < 0) return 'UNKNOWN'
  return controlTypes[key.readInt16BE(2)] ?? 'UNKNOWN'
}

/** The marker in a control record, or undefined where it is of another kind. */
export function parseMarker(
  key: Buffer | null,
  value: Buffer | null,
): { type: 'ABORT' | 'COMMIT'; coordinatorEpoch: number } | undefined {
  const type = controlType(key)
  if (type !== 'ABORT' && type !== 'COMMIT') return undefined
  return { type, coordinatorEpoch: value && value.length >= 6 ? value.readInt32BE(2) : -1 }
}
