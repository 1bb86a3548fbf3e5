// The bytes of a real broker (4.3.1), read from its __consumer_offsets, and ours.

import { expect, test } from 'vitest'
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
