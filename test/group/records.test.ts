// The bytes of a real broker (4.3.1), read from its __consumer_offsets, and ours.

import { expect, test } from 'vitest'
import { consumerRecord } from '../../src/group/consumer-records.ts'
import { offsetsPartition } from '../../src/group/offsets-log.ts'
import { groupRecord, groupTombstone, offsetRecord, offsetTombstone, remembered } from '../../src/group/records.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

const commitAt = 0x1a1fd0d5d47
const offset = {
  key: hex('0001 0006 67666768696a 0006 74666768696a 00000001'),
  value: hex('0004 fffffffffffffffb 00000000 05 6d657461 000001a1fd0d5d47 01 00 10 f072f86e8c1b4f69a0fa07cfd23307c5'),
}
const committed = {
  offset: -5,
  leaderEpoch: 0,
  metadata: 'meta',
  commitAt,
  expireAt: null,
  topicId: hex('f072f86e8c1b4f69a0fa07cfd23307c5').toString('base64url'),
}

const group = {
  key: hex('0002 0006 67666768696a'),
  value: hex(
    `0003 0008 636f6e73756d6572 00000001 0005 72616e6765 0003 4c5f31 000001a1fd0d5d32 00000001
    0003 4c5f31 ffff 0005 70726f6265 000a 2f3132372e302e302e31 00001388 00002710
    00000012 000000000001000674666768696affffffff 00000006 61737369676e`.replaceAll('\n', ''),
  ),
}
const metadata = {
  protocolType: 'consumer',
  generation: 1,
  protocol: 'range',
  leader: 'L_1',
  currentStateTimestamp: 0x1a1fd0d5d32,
  members: [
    {
      memberId: 'L_1',
      groupInstanceId: null,
      clientId: 'probe',
      clientHost: '/127.0.0.1',
      rebalanceTimeout: 5_000,
      sessionTimeout: 10_000,
      subscription: hex('000000000001000674666768696affffffff'),
      assignment: Buffer.from('assign'),
    },
  ],
}

test('a committed offset is written as a real broker writes it', () => {
  expect(offsetRecord('gfghij', 'tfghij', 1, committed)).toEqual(offset)
})

test('a committed offset of a real broker is read', () => {
  const found = { kind: 'offset', group: 'gfghij', topic: 'tfghij', partition: 1, committed }
  expect(remembered(offset.key, offset.value)).toEqual(found)
})

test('a group is written as a real broker writes it', () => {
  expect(groupRecord('gfghij', metadata)).toEqual(group)
})

test('a group of a real broker is read', () => {
  expect(remembered(group.key, group.value)).toEqual({ kind: 'group', group: 'gfghij', metadata })
})

test('a group that lost its last member is written as a real broker writes it', () => {
  const empty = {
    ...metadata,
    generation: 2,
    protocol: null,
    leader: null,
    currentStateTimestamp: 0x1a1fd0d5d79,
    members: [],
  }
  const value = hex('0003 0008 636f6e73756d6572 00000002 ffff ffff 000001a1fd0d5d79 00000000')
  expect(groupRecord('gfghij', empty).value).toEqual(value)
})

test('tombstones name what they remove', () => {
  expect(offsetTombstone('gfghij', 'tfghij', 1)).toEqual({ key: offset.key, value: null })
  expect(groupTombstone('gfghij')).toEqual({ key: group.key, value: null })
  expect(remembered(offset.key, null)).toMatchObject({ kind: 'offset', committed: null })
  expect(remembered(group.key, null)).toMatchObject({ kind: 'group', metadata: null })
})

test('an expiry of its own survives the log, in the only version that has a field for it', () => {
  const { key, value } = offsetRecord('g', 't', 0, { ...committed, expireAt: 77 })
  expect(value!.readInt16BE(0)).toBe(1)
  expect(remembered(key, value)).toMatchObject({
    committed: { offset: -5, expireAt: 77, topicId: null, leaderEpoch: -1 },
  })
})

test('records of other kinds and of later versions are passed over', () => {
  expect(remembered(hex('0011 0001 67'), hex('0000 00000001 00'))).toBeUndefined()
  expect(remembered(hex('0003 0001 67'), hex('0001 00000001 00'))).toBeUndefined()
  expect(remembered(group.key, hex('0009 00'))).toBeUndefined()
})

test.each([
  // Where a real broker of 50 partitions keeps them.
  ['gfghij', 23],
  ['no1fghij', 18],
  ['no2fghij', 17],
  ['sfghij', 11],
  ['', 0],
  // Its hash is Integer.MIN_VALUE, which has no absolute value.
  ['polygenelubricants', 0],
] as const)('the group %j lies in partition %i', (groupId, partition) => {
  expect(offsetsPartition(groupId, 50)).toBe(partition)
})

// What Kafka 4.4.0 remembered of a consumer group: a static member a, a member b with an expression, a classic member.
const topicId = hex('1a2d9b8120fb4de18c28ee9a860de2a3').toString('base64url')
const consumerRecords: [string, string, object][] = [
  [
    '0007 0003673436 000161',
    '0000 02 1a2d9b8120fb4de18c28ee9a860de2a3 03 00000000 00000001 00 00',
    { kind: 'targetMember', key: { memberId: 'a' }, value: { topicPartitions: [{ topicId, partitions: [0, 1] }] } },
  ],
  [
    '0006 0003673436',
    '0000 00000003 01 00 08 000001a1fdfb2c60',
    { kind: 'target', value: { assignmentEpoch: 3, assignmentTimestamp: 0x1a1fdfb2c60 } },
  ],
  [
    '0008 0003673436 000161',
    `0000 00000002 00000002 01 02 1a2d9b8120fb4de18c28ee9a860de2a3 03 00000000 00000001 01 00 09 03 00000002 00000002
    02 1a2d9b8120fb4de18c28ee9a860de2a3 02 00000002 01 00 05 02 00000002 00`,
    {
      kind: 'current',
      key: { memberId: 'a' },
      value: {
        memberEpoch: 2,
        previousMemberEpoch: 2,
        state: 1,
        assignedPartitions: [{ topicId, partitions: [0, 1], assignmentEpochs: [2, 2] }],
        partitionsPendingRevocation: [{ topicId, partitions: [2], assignmentEpochs: [2] }],
      },
    },
  ],
  [
    '0010 0003673436 0003743436',
    '0000 02 04743436 0000000000000ba2 000001a1fdfb2b21 00',
    {
      kind: 'regex',
      key: { regularExpression: 't46' },
      value: { topics: ['t46'], version: 0xba2, timestamp: 0x1a1fdfb2b21 },
    },
  ],
  [
    '0005 0003673436 000178',
    `0000 00 00 0670726f6265 0b2f3132372e302e302e31 02 04743436 00 0000ea60 00 01 00 28 01 0000afc8 02 06 72616e6765
    1a 0003000000010003743436ffffffff00000000ffffffffffff 00 00`,
    {
      kind: 'member',
      key: { memberId: 'x' },
      value: {
        clientId: 'probe',
        subscribedTopicNames: ['t46'],
        rebalanceTimeoutMs: 60_000,
        classicMemberMetadata: { sessionTimeoutMs: 45_000, supportedProtocols: [{ name: 'range' }] },
      },
    },
  ],
]

test.each(consumerRecords)(
  'a record of a consumer group, %s, is read and written as a real broker does',
  (key, value, record) => {
    const bytes = { key: hex(key), value: hex(value.replace(/\s/g, '')) }
    const found = remembered(bytes.key, bytes.value)
    expect(found).toMatchObject({ kind: 'consumer', group: 'g46', record })
    expect(consumerRecord('g46', (found as Extract<typeof found, { kind: 'consumer' }>).record)).toEqual(bytes)
    expect(remembered(bytes.key, null)).toMatchObject({ kind: 'consumer', record: { value: null } })
  },
)

test('a member without a classic part is read, though a real broker says so with a tag', () => {
  const value = '0000026902720670726f62650b2f3132372e302e302e310204743436010000ea600672616e676501000100'
  expect(remembered(hex('00050003673436000161'), hex(value))).toMatchObject({
    record: { value: { instanceId: 'i', rackId: 'r', serverAssignor: 'range', classicMemberMetadata: null } },
  })
})
