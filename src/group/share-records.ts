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

import type { Reader } from '../../protocol/reader.ts'
import { array, int8, int32, int64, string, table, uuid } from '../../protocol/schema.ts'
import type { OffsetsRecord } from './offsets-log.ts'
import { RecordFormat, type RecordOf } from './record-format.ts'

const groupKey = { group: string() } as const
const memberKey = { group: string(), memberId: string() } as const
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

/** One record, without the group it belongs to. */
export type ShareRecord = RecordOf<typeof kinds>

const format = new RecordFormat(kinds)

export const shareRecord = (group: string, record: ShareRecord): OffsetsRecord => format.write(group, record)

/** Reads a record whose key says `code`; undefined where it is no record of ours, or of a version that we do not know. */
export const readShareRecord = (code: number, key: Reader, value: Buffer | null) => format.read(code, key, value)
