// The records of share groups byte for byte as Kafka 4.4.0 wrote them, in `__share_group_state` and `__consumer_offsets`.

import { expect, test } from 'vitest'
import { codec } from '../../protocol/compile.ts'
import { Reader } from '../../protocol/reader.ts'
import { readShareRecord, shareRecord } from '../../src/group/share-records.ts'
import {
  learn,
  type Replayed,
  shareSnapshotValue,
  shareUpdateValue,
  snapshotRecord,
  tombstones,
  updateRecord,
} from '../../src/share/records.ts'

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex')
const keyOf = (kind: string): Buffer =>
  bytes(`${kind}000e67313739353236333438303336318129c9f45ecc44fd8c357b5d0c2ab68a00000000`)
const [snapshotKey, updateKey] = [keyOf('0000'), keyOf('0001')]
const of = { groupId: 'g1795263480361', topicId: 'gSnJ9F7MRP2MNXtdDCq2ig', partition: 0 }

const snapshot = bytes('0000000000000000000200000000ffffffffffffffff000001a1fe0af8fe000001a1fe0af8fe0100')
/** Offset 0 accepted and 1 released; 1 accepted; 2 accepted. */
const updates = [
  '000000000000000000000000000000000000030000000000000000000000000000000002000100000000000000000100000000000000010000010001000400000001',
  '00000000000000000000000000000000000102000000000000000100000000000000010200020001000400000001',
  '00000000000000000000000000000000000202000000000000000200000000000000020200010001000400000001',
].map(bytes)

const readerOf = (value: Buffer): Reader => {
  const reader = new Reader(value)
  reader.int16()
  return reader
}

test('snapshots and updates of a share partition are written as Kafka writes them', () => {
  const value = codec(shareSnapshotValue, 0).read(readerOf(snapshot))
  expect(snapshotRecord(of, value)).toEqual({ key: snapshotKey, value: snapshot })
  for (const update of updates) {
    expect(updateRecord(of, codec(shareUpdateValue, 0).read(readerOf(update)))).toEqual({
      key: updateKey,
      value: update,
    })
  }
  expect(tombstones(of)).toEqual([{ key: snapshotKey, value: null }])
})

test('what Kafka wrote of a share partition is understood: what is done, what went round, and where it begins', () => {
  const known = new Map<string, Replayed>()
  learn(known, snapshotKey, snapshot)
  const [share] = known.values()
  expect([share!.of, share!.stateEpoch, share!.startOffset, share!.inFlight]).toEqual([of, 2, -1, undefined])
  learn(known, updateKey, updates[0]!)
  expect(share!.inFlight!.ranges.map(({ state, first, deliveryCount }) => [state, first, deliveryCount])).toEqual([
    ['acknowledged', 0, 1],
    ['available', 1, 1],
  ])
  for (const update of updates.slice(1)) learn(known, updateKey, update)
  expect([share!.startOffset, share!.doneCount]).toEqual([2, 1])
  expect(share!.inFlight!.ranges.map(({ state, first, deliveryCount }) => [state, first, deliveryCount])).toEqual([
    ['acknowledged', 2, 1],
  ])
  learn(known, snapshotKey, null)
  expect(known.size).toBe(0)
})

const [group, member] = ['000e6731373935323633343830333631', '001641414141414141414141414141414141414141414151']
const groupRecords = [
  [`000a${group}${member}`, '0000000c776972652d636c69656e740b2f3132372e302e302e31020f743137393532363334383033363100'],
  [`000d${group}${member}`, '00000100'],
  [`000c${group}`, '000000000002010008000001a1fe0ae9a6'],
  [`000e${group}${member}`, '00000000000200000000000100'],
  [`000f${group}`, '0000028129c9f45ecc44fd8c357b5d0c2ab68a0f743137393532363334383033363103000000000000000100010100'],
  [`000f${group}`, '000001028129c9f45ecc44fd8c357b5d0c2ab68a0f7431373935323633343830333631030000000000000001000100'],
  [`000e${group}${member}`, null],
  [`000d${group}${member}`, null],
  [`000a${group}${member}`, null],
  [`000b${group}`, '000000000003000000000000000000'],
  [`000c${group}`, '00000000000300'],
  [`000f${group}`, null],
  [`000b${group}`, null],
] as const

test('every record of a share group is read and written as Kafka does', () => {
  for (const [keyHex, valueHex] of groupRecords) {
    const [key, value] = [bytes(keyHex), valueHex === null ? null : bytes(valueHex)]
    const reader = new Reader(key)
    const found = readShareRecord(reader.int16(), reader, value)!
    expect(found.group).toBe('g1795263480361')
    expect(shareRecord(found.group, found.record)).toEqual({ key, value })
  }
})
