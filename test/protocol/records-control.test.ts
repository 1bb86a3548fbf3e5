// Transaction markers: written as Kafka writes them, read with room for what comes later.

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import * as batch from '../../protocol/records/batch.ts'
import { controlType, encodeMarker, parseMarker } from '../../protocol/records/control.ts'
import { readRecords } from '../../protocol/records/record.ts'

const file = gunzipSync(readFileSync(new URL('../golden/record-batches.jsonl.gz', import.meta.url)))
const golden = file
  .toString()
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as { name: string; hex: string })

test('a marker is, to the byte, what the Java client writes', () => {
  let compared = 0
  for (const { name, hex } of golden) {
    if (name !== 'v2-control-commit' && name !== 'v2-control-abort') continue
    const bytes = Buffer.from(hex, 'hex')
    const [record] = readRecords(bytes, 0)
    const marker = parseMarker(record!.key, record!.value)!
    expect(marker.type).toBe(name === 'v2-control-commit' ? 'COMMIT' : 'ABORT')
    const written = encodeMarker({
      ...marker,
      producerId: batch.producerId(bytes, 0),
      producerEpoch: batch.producerEpoch(bytes, 0),
      timestamp: record!.timestamp,
      baseOffset: batch.baseOffset(bytes, 0),
      partitionLeaderEpoch: batch.partitionLeaderEpoch(bytes, 0),
    })
    expect(written.toString('hex')).toBe(hex)
    compared++
  }
  expect(compared).toBe(8)
})

test('a marker comes back, in a batch of one that is transactional and control', () => {
  const marker = { type: 'COMMIT', producerId: 77, producerEpoch: 3, coordinatorEpoch: 12, timestamp: 1 } as const
  const bytes = encodeMarker(marker)
  expect(batch.isControl(bytes, 0) && batch.isTransactional(bytes, 0)).toBe(true)
  expect(batch.crcMatches(bytes, 0)).toBe(true)
  expect(batch.recordCount(bytes, 0)).toBe(1)
  const [record] = readRecords(bytes, 0)
  expect(parseMarker(record!.key, record!.value)).toEqual({ type: 'COMMIT', coordinatorEpoch: 12 })
})

test('control records of other kinds and broken ones are no markers', () => {
  expect(controlType(Buffer.from('00000002', 'hex'))).toBe('LEADER_CHANGE')
  expect(controlType(Buffer.from('00000063', 'hex'))).toBe('UNKNOWN')
  expect(controlType(Buffer.from('0000ffff', 'hex'))).toBe('UNKNOWN')
  expect(controlType(Buffer.from('000000', 'hex'))).toBe('UNKNOWN')
  expect(controlType(null)).toBe('UNKNOWN')
  expect(parseMarker(Buffer.from('00000002', 'hex'), Buffer.alloc(6))).toBeUndefined()
  expect(parseMarker(Buffer.from('00000001', 'hex'), null)).toEqual({ type: 'COMMIT', coordinatorEpoch: -1 })
})
