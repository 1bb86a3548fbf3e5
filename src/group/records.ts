// The records of `__consumer_offsets`, in Kafka's own formats, so that its tools and exporters can read them.
//
//   key    int16 1, group, topic, partition      a committed offset     value  int16 version, OffsetCommitValue
//   key    int16 2, group                        a group                value  int16 version, GroupMetadataValue
//   key    int16 0, group, topic, partition      as 1, from before Kafka 0.9
//   key    int16 3, 5-8, 16                      consumer groups: consumer-records.ts
//   key    any other int16                       not ours, passed over
//
// A null value removes what the key names. Seen in 4.3.1: offsets are written in value version 4 with the topic id,
// groups in version 3. An expiry of its own, asked for by OffsetCommit v2-v4, has a field in version 1 only.
// Version 4 of both is where fields are flexible (KIP-915): from there on readers pass over tags they do not know.

import type { Codec } from '../../protocol/compile.ts'
import { codec } from '../../protocol/compile.ts'
import { Reader } from '../../protocol/reader.ts'
import type { Draft, Fields, Message, Table } from '../../protocol/schema.ts'
import { array, bytes, has, int32, int64, string, table, uuid, zeroUuid } from '../../protocol/schema.ts'
import { Writer } from '../../protocol/writer.ts'
import { readId, writtenId } from '../branch/set-names.ts'
import type { ConsumerRecord } from './consumer-records.ts'
import { readConsumerRecord } from './consumer-records.ts'
import type { Committed } from './offsets.ts'
import type { OffsetsRecord } from './offsets-log.ts'
import { readShareRecord, type ShareRecord } from './share-records.ts'

export const offsetCommitKey = table('OffsetCommitKey', '0-1', 'none', {
  group: string(),
  topic: string(),
  partition: int32(),
})

export const offsetCommitValue = table('OffsetCommitValue', '0-4', '4+', {
  offset: int64(),
  leaderEpoch: int32('3+', { default: -1 }),
  metadata: string(),
  commitTimestamp: int64(),
  expireTimestamp: int64('1', { default: -1 }),
  topicId: uuid('4+', { tagged: '4+', tag: 0 }),
})

export const groupMetadataKey = table('GroupMetadataKey', '2', 'none', {
  group: string(),
})

export const groupMetadataValue = table('GroupMetadataValue', '0-4', '4+', {
  protocolType: string(),
  generation: int32(),
  protocol: string('0+', { nullable: '0+' }),
  leader: string('0+', { nullable: '0+' }),
  currentStateTimestamp: int64('2+', { default: -1 }),
  members: array({
    memberId: string(),
    groupInstanceId: string('3+', { nullable: '3+', default: null }),
    clientId: string(),
    clientHost: string(),
    rebalanceTimeout: int32('1+', { default: -1 }),
    sessionTimeout: int32(),
    subscription: bytes(),
    assignment: bytes(),
  }),
})

export type GroupMetadata = Message<typeof groupMetadataValue.fields>
export type GroupMetadataDraft = Draft<typeof groupMetadataValue.fields>

function encode<F extends Fields>(of: Table<F>, version: number, message: Draft<F>): Buffer {
  const writer = new Writer()
  writer.int16(version)
  codec(of, version).write(writer, message)
  return writer.bytesWritten()
}

const keyOf = (group: string, topic: string, partition: number): Buffer =>
  encode(offsetCommitKey, 1, { group: writtenId(group), topic, partition })

export function offsetRecord(group: string, topic: string, partition: number, committed: Committed): OffsetsRecord {
  const { offset, leaderEpoch, metadata, commitAt, expireAt, topicId } = committed
  const version = expireAt === null ? 4 : 1
  const value = encode(offsetCommitValue, version, {
    offset,
    leaderEpoch,
    metadata,
    commitTimestamp: commitAt,
    expireTimestamp: expireAt ?? -1,
    topicId: topicId ?? zeroUuid,
  })
  return { key: keyOf(group, topic, partition), value }
}

export const offsetTombstone = (group: string, topic: string, partition: number): OffsetsRecord => ({
  key: keyOf(group, topic, partition),
  value: null,
})

export const groupRecord = (group: string, metadata: GroupMetadataDraft): OffsetsRecord => ({
  key: encode(groupMetadataKey, 2, { group: writtenId(group) }),
  value: encode(groupMetadataValue, 3, metadata),
})

export const groupTombstone = (group: string): OffsetsRecord => ({
  key: encode(groupMetadataKey, 2, { group: writtenId(group) }),
  value: null,
})

/** What one record says. */
export type Remembered =
  | { kind: 'offset'; group: string; topic: string; partition: number; committed: Committed | null }
  | { kind: 'group'; group: string; metadata: GroupMetadata | null }
  | { kind: 'consumer'; group: string; record: ConsumerRecord }
  | { kind: 'share'; group: string; record: ShareRecord }

function decodeValue<F extends Fields>(of: Table<F>, value: Buffer): Message<F> | undefined {
  const reader = new Reader(value)
  const version = reader.int16()
  return has(of.versions, version) ? (codec(of, version) as Codec<F>).read(reader) : undefined
}

function rememberedOffset(reader: Reader, version: number, value: Buffer | null): Remembered | undefined {
  const { group: text, topic, partition } = codec(offsetCommitKey, version).read(reader)
  const group = readId(text)
  if (value === null) return { kind: 'offset', group, topic, partition, committed: null }
  const found = decodeValue(offsetCommitValue, value)
  if (found === undefined) return undefined
  const { offset, leaderEpoch, metadata, commitTimestamp: commitAt, expireTimestamp, topicId } = found
  const expireAt = expireTimestamp === -1 ? null : expireTimestamp
  const committed = {
    offset,
    leaderEpoch,
    metadata,
    commitAt,
    expireAt,
    topicId: topicId === zeroUuid ? null : topicId,
  }
  return { kind: 'offset', group, topic, partition, committed }
}

function rememberedGroup(reader: Reader, value: Buffer | null): Remembered | undefined {
  const group = readId(codec(groupMetadataKey, 2).read(reader).group)
  if (value === null) return { kind: 'group', group, metadata: null }
  const metadata = decodeValue(groupMetadataValue, value)
  return metadata && { kind: 'group', group, metadata }
}

/** Reads one record; undefined where it is of a kind or version that we do not know. */
export function remembered(key: Buffer, value: Buffer | null): Remembered | undefined {
  const reader = new Reader(key)
  const version = reader.int16()
  if (version === 0 || version === 1) return rememberedOffset(reader, version, value)
  if (version === 2) return rememberedGroup(reader, value)
  const found = readConsumerRecord(version, reader, value)
  if (found !== undefined) return { kind: 'consumer', ...found }
  const shared = readShareRecord(version, reader, value)
  return shared && { kind: 'share', ...shared }
}
