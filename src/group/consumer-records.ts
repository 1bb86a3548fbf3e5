// What the offsets topic remembers of consumer groups (KIP-848), in Kafka's own formats.
//
//   key    int16 3, group             its epoch                           value  epoch, hash of the topics' metadata
//   key    int16 5, group, member     what a member has said of itself
//   key    int16 6, group             epoch and time of the target assignment
//   key    int16 7, group, member     a member's part of it
//   key    int16 8, group, member     what the member has, and must give back
//   key    int16 16, group, regex     the topics that a regular expression stood for
//
// A null value removes what the key names. Every value begins with int16 0, its version, and is flexible. Kind 4, the
// metadata itself, is Kafka's before 4.1; a hash has taken its place (KIP-1101).

import type { Reader } from '../../protocol/reader.ts'
import { array, bytes, int8, int32, int64, string, struct, table, uuid } from '../../protocol/schema.ts'
import type { OffsetsRecord } from './offsets-log.ts'
import { RecordFormat, type RecordOf, type ValueOf } from './record-format.ts'

const groupKey = { group: string() } as const
const memberKey = { group: string(), memberId: string() } as const
const topicPartitions = { topicId: uuid(), partitions: array(int32()) } as const
/** KIP-1251: since which member epoch the partitions are assigned. */
const assignedPartitions = {
  ...topicPartitions,
  assignmentEpochs: array(int32(), '0+', { nullable: '0+', tagged: '0+', tag: 0, default: null }),
} as const

const kinds = {
  group: {
    code: 3,
    key: table('ConsumerGroupMetadataKey', '0', 'none', groupKey),
    value: table('ConsumerGroupMetadataValue', '0', '0+', {
      epoch: int32(),
      metadataHash: int64('0+', { tagged: '0+', tag: 0, default: 0 }),
    }),
  },
  member: {
    code: 5,
    key: table('ConsumerGroupMemberMetadataKey', '0', 'none', memberKey),
    value: table('ConsumerGroupMemberMetadataValue', '0', '0+', {
      instanceId: string('0+', { nullable: '0+' }),
      rackId: string('0+', { nullable: '0+' }),
      clientId: string(),
      clientHost: string(),
      subscribedTopicNames: array(string()),
      subscribedTopicRegex: string('0+', { nullable: '0+' }),
      rebalanceTimeoutMs: int32('0+', { default: -1 }),
      serverAssignor: string('0+', { nullable: '0+' }),
      classicMemberMetadata: struct(
        { sessionTimeoutMs: int32(), supportedProtocols: array({ name: string(), metadata: bytes() }) },
        '0+',
        { nullable: '0+', tagged: '0+', tag: 0, default: null },
      ),
    }),
  },
  target: {
    code: 6,
    key: table('ConsumerGroupTargetAssignmentMetadataKey', '0', 'none', groupKey),
    value: table('ConsumerGroupTargetAssignmentMetadataValue', '0', '0+', {
      assignmentEpoch: int32(),
      assignmentTimestamp: int64('0+', { tagged: '0+', tag: 0, default: 0 }),
    }),
  },
  targetMember: {
    code: 7,
    key: table('ConsumerGroupTargetAssignmentMemberKey', '0', 'none', memberKey),
    value: table('ConsumerGroupTargetAssignmentMemberValue', '0', '0+', { topicPartitions: array(topicPartitions) }),
  },
  current: {
    code: 8,
    key: table('ConsumerGroupCurrentMemberAssignmentKey', '0', 'none', memberKey),
    value: table('ConsumerGroupCurrentMemberAssignmentValue', '0', '0+', {
      memberEpoch: int32(),
      previousMemberEpoch: int32(),
      state: int8(),
      assignedPartitions: array(assignedPartitions),
      partitionsPendingRevocation: array(assignedPartitions),
    }),
  },
  regex: {
    code: 16,
    key: table('ConsumerGroupRegularExpressionKey', '0', 'none', { group: string(), regularExpression: string() }),
    value: table('ConsumerGroupRegularExpressionValue', '0', '0+', {
      topics: array(string()),
      version: int64(),
      timestamp: int64(),
    }),
  },
} as const

/** One record, without the group it belongs to. */
export type ConsumerRecord = RecordOf<typeof kinds>

export type MemberValue = ValueOf<(typeof kinds)['member']>
export type CurrentValue = ValueOf<(typeof kinds)['current']>

const format = new RecordFormat(kinds)

export const consumerRecord = (group: string, record: ConsumerRecord): OffsetsRecord => format.write(group, record)

/** Reads a record whose key says `code`; undefined where it is no record of ours, or of a version that we do not know. */
export const readConsumerRecord = (code: number, key: Reader, value: Buffer | null) => format.read(code, key, value)
