// The records of `__share_group_state`, in Kafka's own formats, and what replay makes of them.
//
//   key    int16 0, group, topic id, partition    all that is known of a share partition    value  ShareSnapshotValue
//   key    int16 1, group, topic id, partition    what changed since the last snapshot      value  ShareUpdateValue
//
// A snapshot without value removes the share partition. Updates build on each other, so the topic is not compacted: what
// lies below the oldest snapshot that counts is deleted (states.ts).
//
// An update without batches and without a delivery count is ours: it says where the reset policy began, before anything
// was acknowledged. Kafka writes none, and a group of the policy `latest` would begin anew after a restart.

import type { Codec } from '../../protocol/compile.ts'
import { codec } from '../../protocol/compile.ts'
import { Reader } from '../../protocol/reader.ts'
import type { Draft, Fields, Message, Table } from '../../protocol/schema.ts'
import { array, has, int8, int16, int32, int64, string, table, uuid } from '../../protocol/schema.ts'
import { Writer } from '../../protocol/writer.ts'
import { readId, writtenId } from '../branch/set-names.ts'
import type { KeyedRecord } from '../broker/internal-topic.ts'
import { InFlight, type RecordState } from './in-flight.ts'

const key = { groupId: string(), topicId: uuid(), partition: int32() } as const
const stateBatches = array({
  firstOffset: int64(),
  lastOffset: int64(),
  deliveryState: int8(),
  deliveryCount: int16(),
})

export const shareSnapshotKey = table('ShareSnapshotKey', '0', 'none', key)
export const shareUpdateKey = table('ShareUpdateKey', '1', 'none', key)

export const shareSnapshotValue = table('ShareSnapshotValue', '0', '0+', {
  snapshotEpoch: int32(),
  stateEpoch: int32(),
  leaderEpoch: int32(),
  startOffset: int64(),
  deliveryCompleteCount: int32('0+', { tagged: '0+', tag: 0, default: -1 }),
  createTimestamp: int64(),
  writeTimestamp: int64(),
  stateBatches,
})

export const shareUpdateValue = table('ShareUpdateValue', '0', '0+', {
  snapshotEpoch: int32(),
  leaderEpoch: int32(),
  startOffset: int64(),
  deliveryCompleteCount: int32('0+', { tagged: '0+', tag: 0, default: -1 }),
  stateBatches,
})

export type Snapshot = Draft<typeof shareSnapshotValue.fields>
export type Update = Draft<typeof shareUpdateValue.fields>
export type StateBatch = Message<typeof shareUpdateValue.fields>['stateBatches'][number]

/** Which share partition: a partition as one group sees it. */
export type ShareKey = { readonly groupId: string; readonly topicId: string; readonly partition: number }

/** As FindCoordinator is asked, and as records are spread over the state topic. */
export const textOf = ({ groupId, topicId, partition }: ShareKey): string => `${groupId}:${topicId}:${partition}`

/** Codes of delivery states; a record that somebody has acquired is available to the next start. */
const stateCodes = { available: 0, acquired: 0, acknowledged: 2, archived: 4 } as const
export const stateCode = (state: RecordState): number => stateCodes[state]
const stateOf = (code: number): RecordState =>
  code === stateCodes.acknowledged ? 'acknowledged' : code === stateCodes.archived ? 'archived' : 'available'

function encode<F extends Fields>(of: Table<F>, prefix: number, version: number, message: Draft<F>): Buffer {
  const writer = new Writer()
  writer.int16(prefix)
  codec(of, version).write(writer, message)
  return writer.bytesWritten()
}

/** As it is written. */
const keyOf = (of: ShareKey): ShareKey => ({ ...of, groupId: writtenId(of.groupId) })

export const snapshotRecord = (of: ShareKey, snapshot: Snapshot): KeyedRecord => ({
  key: encode(shareSnapshotKey, 0, 0, keyOf(of)),
  value: encode(shareSnapshotValue, 0, 0, snapshot),
})

export const updateRecord = (of: ShareKey, update: Update): KeyedRecord => ({
  key: encode(shareUpdateKey, 1, 1, keyOf(of)),
  value: encode(shareUpdateValue, 0, 0, update),
})

/** Removes all that is known of a share partition. */
export const tombstones = (of: ShareKey): KeyedRecord[] => [
  { key: encode(shareSnapshotKey, 0, 0, keyOf(of)), value: null },
]

/** A share partition as the log has it. */
export type Replayed = {
  readonly of: ShareKey
  snapshotEpoch: number
  stateEpoch: number
  /** As last written; -1: never. */
  startOffset: number
  /** As last written; -1: nothing was acknowledged yet. */
  doneCount: number
  createdAt: number
  updateCount: number
  inFlight: InFlight | undefined
}

function decode<F extends Fields>(of: Table<F>, value: Buffer): Message<F> | undefined {
  const reader = new Reader(value)
  const version = reader.int16()
  return has(of.versions, version) ? (codec(of, version) as Codec<F>).read(reader) : undefined
}

/** Learns one record; those of kinds and versions that we do not know change nothing. */
export function learn(known: Map<string, Replayed>, keyBytes: Buffer, value: Buffer | null): void {
  const reader = new Reader(keyBytes)
  const kind = reader.int16()
  if (kind !== 0 && kind !== 1) return
  const at = codec(kind === 0 ? shareSnapshotKey : shareUpdateKey, kind).read(reader)
  const of = { ...at, groupId: readId(at.groupId) }
  const text = textOf(of)
  if (kind === 0) {
    if (value === null) known.delete(text)
    const snapshot = value && decode(shareSnapshotValue, value)
    if (snapshot) known.set(text, fromSnapshot(of, snapshot))
    return
  }
  const before = known.get(text)
  const update = value && decode(shareUpdateValue, value)
  if (before !== undefined && update) applyUpdate(before, update)
}

function fromSnapshot(of: ShareKey, snapshot: Message<typeof shareSnapshotValue.fields>): Replayed {
  const { snapshotEpoch, stateEpoch, startOffset, deliveryCompleteCount: doneCount, createTimestamp } = snapshot
  const inFlight = startOffset === -1 ? undefined : new InFlight(startOffset)
  if (inFlight !== undefined) putAll(inFlight, snapshot.stateBatches)
  return {
    of,
    snapshotEpoch,
    stateEpoch,
    startOffset,
    doneCount,
    createdAt: createTimestamp,
    updateCount: 0,
    inFlight,
  }
}

function applyUpdate(known: Replayed, update: Message<typeof shareUpdateValue.fields>): void {
  const { startOffset, deliveryCompleteCount, stateBatches: batches } = update
  known.updateCount++
  if (startOffset !== -1) {
    known.startOffset = startOffset
    known.inFlight ??= new InFlight(startOffset)
    known.inFlight.raiseStart(startOffset)
  }
  if (deliveryCompleteCount !== -1) known.doneCount = deliveryCompleteCount
  if (known.inFlight !== undefined) putAll(known.inFlight, batches)
}

/** Says of each batch what became of it; what lies below the start is done. */
export function putAll(inFlight: InFlight, batches: readonly StateBatch[]): void {
  for (const { firstOffset, lastOffset, deliveryState, deliveryCount } of batches) {
    if (lastOffset >= inFlight.start) {
      inFlight.put(Math.max(firstOffset, inFlight.start), lastOffset, stateOf(deliveryState), deliveryCount)
    }
  }
}
