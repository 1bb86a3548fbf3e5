// What the offsets topic remembers of share groups (KIP-932), in Kafka's own formats.
//
//   key    int16 10, group, member    what a member has said of itself
//   key    int16 11, group            its epoch                           value  epoch, hash of the topics' metadata
//   key    int16 12, group            epoch and time of the target assignment
//   key    int16 13, group, member    a member's part of it
//   key    int16 14, group, member    what the member has
//   key    int16 15, group            the partitions that `__share_group_state` knows of the group
//
// A null value removes what the key names. Every value begins with int16 0, its version, and is flexible.

import { codec } from '../../protocol/compile.ts'
import { Reader } from '../../protocol/reader.ts'
import type { Draft, Fields, Message, Table } from '../../protocol/schema.ts'
import { array, int8, int32, int64, string, table, uuid } from '../../protocol/schema.ts'
import { Writer } from '../../protocol/writer.ts'
import { readId, writtenId } from '../branch/set-names.ts'
import type { OffsetsRecord } from './offsets-log.ts'

const groupKey = { groupId: string() } as const
const memberKey = { groupId: string(), memberId: string() } as const
const topicPartitions = { topicId: uuid(), partitions: array(int32()) } as const
const topicInfo = { topicId: uuid(), topicName: string() } as const
const topicPartitionsInfo = { ...topicInfo, partitions: array(int32()) } as const

const kinds = {
  member: {
    code: 10,
    key: table('ShareGroupMemberMetadataKey', '0', 'none', memberKey),
    value: table('ShareGroupMemberMetadataValue', '0', '0+', {
      rackId: string('0+', { nullable: '0+' }),
      clientId: string(),
      clientHost: string(),
      subscribedTopicNames: array(string()),
    }),
  },
  group: {
    code: 11,
    key: table('ShareGroupMetadataKey', '0', 'none', groupKey),
    value: table('ShareGroupMetadataValue', '0', '0+', { epoch: int32(), metadataHash: int64() }),
  },
  target: {
    code: 12,
    key: table('ShareGroupTargetAssignmentMetadataKey', '0', 'none', groupKey),
    value: table('ShareGroupTargetAssignmentMetadataValue', '0', '0+', {
      assignmentEpoch: int32(),
      assignmentTimestamp: int64('0+', { tagged: '0+', tag: 0, default: 0 }),
    }),
  },
  targetMember: {
    code: 13,
    key: table('ShareGroupTargetAssignmentMemberKey', '0', 'none', memberKey),
    value: table('ShareGroupTargetAssignmentMemberValue', '0', '0+', { topicPartitions: array(topicPartitions) }),
  },
  current: {
    code: 14,
    key: table('ShareGroupCurrentMemberAssignmentKey', '0', 'none', memberKey),
    value: table('ShareGroupCurrentMemberAssignmentValue', '0', '0+', {
      memberEpoch: int32(),
      previousMemberEpoch: int32(),
      state: int8(),
      assignedPartitions: array(topicPartitions),
    }),
  },
  known: {
    code: 15,
    key: table('ShareGroupStatePartitionMetadataKey', '0', 'none', groupKey),
    value: table('ShareGroupStatePartitionMetadataValue', '0', '0+', {
      initializingTopics: array(topicPartitionsInfo),
      initializedTopics: array(topicPartitionsInfo),
      deletingTopics: array(topicInfo),
    }),
  },
} as const

type Kinds = typeof kinds
type KeyOf<K extends keyof Kinds> = Omit<Message<Kinds[K]['key']['fields']>, 'groupId' | 'unknownTags'>
type ValueOf<K extends keyof Kinds> = Message<Kinds[K]['value']['fields']>

/** One record, without the group it belongs to. */
export type ShareRecord = {
  [K in keyof Kinds]: { readonly kind: K; readonly key: KeyOf<K>; readonly value: ValueOf<K> | null }
}[keyof Kinds]

function encode<F extends Fields>(of: Table<F>, code: number, message: Draft<F>): Buffer {
  const writer = new Writer()
  writer.int16(code)
  codec(of, 0).write(writer, message)
  return writer.bytesWritten()
}

export function shareRecord(groupId: string, { kind, key, value }: ShareRecord): OffsetsRecord {
  const of = kinds[kind] as { code: number; key: Table<Fields>; value: Table<Fields> }
  return {
    key: encode(of.key, of.code, { groupId: writtenId(groupId), ...key } as Draft<Fields>),
    value: value === null ? null : encode(of.value, 0, value as unknown as Draft<Fields>),
  }
}

const byCode: ReadonlyMap<number, Kinds[keyof Kinds] & { kind: string }> = new Map(
  Object.entries(kinds).map(([kind, of]) => [of.code, { kind, ...of }] as const),
)

/** Reads one record, of whose key the kind is read; undefined where it is of no share group, or of a version that we do not know. */
export function readShareRecord(
  code: number,
  reader: Reader,
  value: Buffer | null,
): { group: string; record: ShareRecord } | undefined {
  const of = byCode.get(code)
  if (of === undefined) return undefined
  const { groupId, ...rest } = codec(of.key as Table<Fields>, 0).read(reader) as { groupId: string }
  const group = readId(groupId)
  if (value === null) return { group, record: { kind: of.kind, key: rest, value } as ShareRecord }
  const valueReader = new Reader(value)
  if (valueReader.int16() !== 0) return undefined
  const read = codec(of.value as Table<Fields>, 0).read(valueReader)
  return { group, record: { kind: of.kind, key: rest, value: read } as unknown as ShareRecord }
}
