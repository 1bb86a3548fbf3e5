// The records of `__transaction_state` byte by byte: those that Kafka 4.4.0 wrote, read and written again.

import { expect, test } from 'vitest'
import { remembered, stateRecord, tombstone } from '../../src/transaction/records.ts'

/** Key and value, as they lay in the topic. */
const written = {
  'an id that was just initialised': [
    '0000000161',
    '0001000000000000000000000000ea600000000001a1fdb584cfffffffffffffffff0100080000000000000000',
  ],
  'partitions added by a client before KIP-890': [
    '0000000164',
    '0001000000000000000a00000000ea600102027403000000020000000100000001a1fdb7f1a1000001a1fdb7f163020008000000000000000a02020002',
  ],
  'a commit that is decided': [
    '0000000164',
    '0001000000000000000b00010000ea6002020274020000000000000001a1fdb7f236000001a1fdb7f232020008000000000000000b02020002',
  ],
  'an abort of offsets that is complete': [
    '0000000164',
    '0001000000000000000400010000ea600501000001a1fdb5858f000001a1fdb5858e020008000000000000000402020002',
  ],
} as const

test.each(Object.entries(written))('%s', (_, [key, value]) => {
  const found = remembered(Buffer.from(key, 'hex'), Buffer.from(value, 'hex'))
  const record = stateRecord(found!.state!, 2)
  expect([record.key.toString('hex'), record.value!.toString('hex')]).toEqual([key, value])
})

test('what the bytes say', () => {
  const [key, value] = written['partitions added by a client before KIP-890'].map((hex) => Buffer.from(hex, 'hex'))
  expect(remembered(key!, value!)).toEqual({
    id: 'd',
    state: {
      id: 'd',
      producerId: 10,
      previousProducerId: 10,
      nextProducerId: -1,
      producerEpoch: 0,
      lastProducerEpoch: -1,
      timeoutMs: 60_000,
      status: 'Ongoing',
      partitions: new Map([['t', new Set([2, 1])]]),
      startedAt: 1_795_258_052_963,
      updatedAt: 1_795_258_053_025,
      clientVersion: 2,
    },
  })
})

test('the older form, for brokers that know no tags, leaves out what is tagged', () => {
  const [key, value] = written['a commit that is decided'].map((hex) => Buffer.from(hex, 'hex'))
  const { state } = remembered(key!, value!)!
  const again = remembered(key!, stateRecord(state!, 0).value)
  expect(again!.state).toEqual({ ...state, previousProducerId: -1, clientVersion: 0 })
})

test('a tombstone removes the id; kinds and versions of the future are passed over', () => {
  expect(remembered(tombstone('tx').key, null)).toEqual({ id: 'tx', state: undefined })
  expect(remembered(Buffer.from('0001', 'hex'), Buffer.alloc(0))).toBeUndefined()
  expect(remembered(tombstone('tx').key, Buffer.from('0002', 'hex'))).toBeUndefined()
})
