// Batches that are not as all others, in a pack and out of it.

import { describe, expect, test } from 'vitest'
import * as batch from '../../protocol/records/batch.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { codecs } from '../../protocol/records/compression.ts'
import { encodeMarker } from '../../protocol/records/control.ts'
import { readRecords } from '../../protocol/records/record.ts'
import { type Scalar, scalarHash } from '../../src/revision/json-scalars.ts'
import { hashKey } from '../../src/revision/key-hash.ts'
import { buildPack } from '../../src/revision/pack-build.ts'
import { document, drawing, noise } from './delta-pairs.ts'
import { batchesOf, countedRevs, defaults, packOf, recordsOf, sourceOf } from './pack-stage.ts'

const pieceMax = 1024 * 1024

describe('batches of a pack', () => {
  test.each(codecs.slice(1))('R18: what %s packed comes back record by record, uncompressed', (codec) => {
    const value = document(drawing(1), 700)
    const records = Array.from({ length: 50 }, (_, i) => ({
      key: `k${i % 7}`,
      value: i % 9 === 0 ? null : Buffer.concat([value, Buffer.from(String(i))]),
      timestamp: 1_000_000 + i,
      headers: [{ key: 'n', value: String(i) }],
    }))
    const producer = { producerId: 77, producerEpoch: 3, baseSequence: 1200, isTransactional: true }
    const batches = [encodeBatch({ baseOffset: 500, partitionLeaderEpoch: 9, codec, ...producer, records })]
    const [rebuilt, ...others] = batchesOf(packOf(batches).pack.asFile())
    expect(others).toEqual([])
    expect(recordsOf([rebuilt!])).toEqual(recordsOf(batches))
    expect(rebuilt!.equals(encodeBatch({ baseOffset: 500, partitionLeaderEpoch: 9, ...producer, records }))).toBe(true)
  })

  test('R34: 30 MB out of 900 KB come in batches of at most 1 MiB, with offsets, times and sequences as produced', () => {
    const draw = drawing(2)
    const texts = Array.from({ length: 40 }, () => document(draw, 3000).toString('latin1'))
    const records = Array.from({ length: 10_000 }, (_, i) => ({
      key: `k${i % 100}`,
      value: Buffer.from(`{"n":${i},"text":"${texts[i % 40]}"}`, 'latin1'),
      timestamp: 1_000_000 + i * 3,
    }))
    const producer = { producerId: 5, producerEpoch: 1, baseSequence: 0x7fff_ffff - 4000 }
    const packed = encodeBatch({ baseOffset: 1e9, codec: 'zstd', ...producer, records })
    const { pack } = packOf([packed])
    const rebuilt = batchesOf(pack.asFile())
    expect(pack.length).toBeGreaterThan(30_000_000)
    expect(rebuilt.length).toBeGreaterThan(28)
    expect(Math.max(...rebuilt.map(({ length }) => length))).toBeLessThanOrEqual(pieceMax)
    let offset = 1e9
    for (const bytes of rebuilt) {
      expect(batch.baseOffset(bytes, 0)).toBe(offset)
      expect(batch.baseSequence(bytes, 0)).toBe((producer.baseSequence + offset - 1e9) & 0x7fff_ffff)
      expect(batch.maxTimestamp(bytes, 0)).toBe([...readRecords(bytes, 0)].at(-1)!.timestamp)
      offset = batch.nextOffset(bytes, 0)
    }
    expect(offset).toBe(1e9 + 10_000)
    expect(JSON.stringify(recordsOf(rebuilt))).toBe(JSON.stringify(recordsOf([packed])))
  })

  test('with numbers that are longer than they must be are kept byte for byte', () => {
    const plain = encodeBatch({ baseOffset: 10, records: [{ key: 'k', value: 'value', timestamp: 5 }] })
    // The record's length, 13 bytes, as 0x9a 0x00 instead of 0x1a: one byte more.
    const at = batch.headerBytes
    const length = plain[at]!
    const odd = Buffer.concat([plain.subarray(0, at), Buffer.from([length | 0x80, 0]), plain.subarray(at + 1)])
    odd.writeInt32BE(odd.length - batch.overheadBytes, 8)
    batch.writeCrc(odd, 0)
    expect([...readRecords(odd, 0)]).toEqual([...readRecords(plain, 0)])
    const { pack } = packOf([odd])
    expect(batchesOf(pack.asFile())).toEqual([odd])
    expect(pack.value(pack.entryAt(10))!.toString()).toBe('value')
    expect(pack.record(10)).toMatchObject({ offset: 10, timestamp: 5, key: Buffer.from('k') })
  })

  test('with records that have a key and are no revision are kept, but in no history', () => {
    const records = ['a', 'b', 'c'].map((value) => ({ key: 'k', value }))
    const batches = [encodeBatch({ baseOffset: 0, records }), encodeBatch({ baseOffset: 3, codec: 'gzip', records })]
    const { pack } = packOf(batches, { revs: Float64Array.from([0, 1, 2, 3, 0, 4]) })
    expect(recordsOf(batchesOf(pack.asFile()))).toEqual(recordsOf(batches))
    const key = Buffer.from('k')
    const revs: number[] = []
    for (let entry = pack.newest(hashKey(key, 0, 1), key); entry >= 0; entry = pack.previous(entry)) {
      revs.push(pack.entry(entry).rev)
    }
    expect(revs).toEqual([4, 3, 2, 1])
  })

  test('R19: markers keep their bytes, records that were taken back leave holes', () => {
    const data = (baseOffset: number, producerId: number) =>
      encodeBatch({
        baseOffset,
        producerId,
        producerEpoch: 0,
        baseSequence: 0,
        isTransactional: true,
        records: [{ key: 'k', value: 'v' }],
      })
    const marker = (type: 'ABORT' | 'COMMIT', baseOffset: number, producerId: number) =>
      encodeMarker({ type, baseOffset, producerId, producerEpoch: 0, coordinatorEpoch: 4, timestamp: 9 })
    const batches = [data(0, 1), data(1, 2), marker('ABORT', 2, 1), marker('COMMIT', 3, 2), data(4, 3)]
    const { pack, packed } = packOf(batches, { revs: Float64Array.from([Number.NaN, 1, 2]) })
    expect(batchesOf(pack.asFile())).toEqual(batches.slice(1))
    expect(packed).toMatchObject({ baseOffset: 0, nextOffset: 5, batchCount: 4, entryCount: 2 })
    expect(pack.entryAt(0)).toBe(-1)
    expect(pack.entryAt(2)).toBe(-1)
    expect(pack.entry(pack.entryAt(1)).rev).toBe(1)
  })

  test('R14: that lost records to a keep rule keep their offsets; those that lost all are holes', () => {
    const records = (from: number) =>
      Array.from({ length: 4 }, (_, i) => ({ key: 'k', value: `v${from + i}`, timestamp: from + i }))
    const batches = [0, 4, 8].map((from) =>
      encodeBatch({ baseOffset: from, partitionLeaderEpoch: 2, records: records(from) }),
    )
    const revs = Float64Array.from([-1, -2, -3, -4, -5, 6, -7, -8, 9, 10, 11, 12])
    const { pack } = packOf(batches, { revs })
    const rebuilt = batchesOf(pack.asFile())
    expect(rebuilt.map((bytes) => [batch.baseOffset(bytes, 0), batch.nextOffset(bytes, 0)])).toEqual([
      [4, 8],
      [8, 12],
    ])
    expect(batch.maxTimestamp(rebuilt[0]!, 0)).toBe(5)
    expect(recordsOf(rebuilt).map(({ offset, value }) => [offset, value])).toEqual(
      [5, 8, 9, 10, 11].map((n) => [n, `v${n}`]),
    )
    expect(pack.entry(pack.entryAt(5)).rev).toBe(6)
    const key = Buffer.from('k')
    expect(pack.entry(pack.newest(hashKey(key, 0, 1), key)).rev).toBe(12)
  })

  test('are found by their headers without a value being read', () => {
    const batches = Array.from({ length: 300 }, (_, i) =>
      encodeBatch({ baseOffset: i, records: [{ key: `k${i}`, value: noise(drawing(i), 3000) }] }),
    )
    const { pack, bytes } = packOf(batches)
    const file = pack.asFile()
    let position = 0
    for (const each of batches) {
      expect(file.read(position, batch.headerBytes).bytes.equals(each.subarray(0, batch.headerBytes))).toBe(true)
      position += each.length
    }
    expect(position).toBe(file.length)
    expect(file.allocatedBytes).toBeGreaterThanOrEqual(bytes.length)
    expect(() => file.stage(1)).toThrow(/nothing is written/)
  })

  test('are read from any byte on, and never more than a bound shows', () => {
    const batches = Array.from({ length: 400 }, (_, i) =>
      encodeBatch({ baseOffset: i, records: [{ key: 'k', value: noise(drawing(i), 2000) }] }),
    )
    const whole = Buffer.concat(batches)
    const file = packOf(batches).pack.asFile(batches[0]!.length * 7)
    expect(file.length).toBe(batches[0]!.length * 7)
    expect(Buffer.concat(batchesOf(file))).toEqual(whole.subarray(0, file.length))
    const all = packOf(batches).pack.asFile()
    const draw = drawing(6)
    for (let i = 0; i < 200; i++) {
      const from = draw(whole.length)
      const { bytes } = all.read(from, 1 + draw(600_000))
      expect(bytes.length).toBeGreaterThan(0)
      expect(bytes.equals(whole.subarray(from, from + bytes.length))).toBe(true)
    }
    expect(all.read(whole.length, 10).bytes.length).toBe(0)
  })
})

describe('a pack is built', () => {
  test('with as many numbers as there are records, or not at all', () => {
    const batches = [encodeBatch({ baseOffset: 0, records: [{ key: 'k', value: 'v' }] })]
    for (const count of [0, 2]) {
      const build = buildPack(sourceOf(batches), { write: () => {} }, { ...defaults, revs: new Float64Array(count) })
      expect(() => [...build]).toThrow(RangeError)
    }
  })

  test('in slices', () => {
    const draw = drawing(3)
    const batches = Array.from({ length: 300 }, (_, i) =>
      encodeBatch({ baseOffset: i, records: [{ key: `k${i % 9}`, value: document(draw, 5000) }] }),
    )
    expect(packOf(batches).slices).toBeGreaterThan(20)
  })

  test('R29: with keys of one hash, and none is taken for another', () => {
    const hash = (_: Uint8Array, start: number, end: number) => (end - start) % 3
    const draw = drawing(4)
    const batches = Array.from({ length: 60 }, (_, i) =>
      encodeBatch({ baseOffset: i, records: [{ key: `key-${draw(12)}`, value: `value ${i}` }] }),
    )
    const revs = countedRevs(batches)
    const { pack } = packOf(batches, { revs, hash })
    const histories = new Map<string, ReturnType<typeof recordsOf>>()
    for (const record of recordsOf(batches)) histories.set(record.key!, [...(histories.get(record.key!) ?? []), record])
    expect(pack.keyCount).toBe(histories.size)
    for (const [name, history] of histories) {
      const key = Buffer.from(name)
      const found: string[] = []
      for (let entry = pack.newest(hash(key, 0, key.length), key); entry >= 0; entry = pack.previous(entry)) {
        found.unshift(pack.value(entry)!.toString())
      }
      expect(found).toEqual(history.map(({ value }) => value))
    }
    expect(pack.newest(hash(Buffer.from('key-99'), 0, 6), Buffer.from('key-99'))).toBe(-1)
  })

  test('with an index of JSON scalars: exactly the values that have them, and a count of what is no JSON', () => {
    const values = [
      '{"status":"paid","n":1}',
      '{"status":"open"}',
      'not json',
      '{"status":"paid","a":{"b":[5,null]}}',
      '{"n":1.0}',
      '[]',
      null,
    ]
    const batches = values.map((value, baseOffset) =>
      encodeBatch({ baseOffset, records: [{ key: `k${baseOffset % 2}`, value }] }),
    )
    const pointers = ['/status', '/n', '/a/b/0', '/a/b/1', '']
    const { pack, packed } = packOf(batches, { pointers })
    const offsets = (pointer: string, scalar: Scalar) =>
      [...pack.withScalar(pointer, scalarHash(scalar))].map((entry) => pack.entry(entry).offset).sort()
    expect(packed.unparsed).toBe(1)
    expect(pack.unparsed).toBe(1)
    expect(pack.pointers).toEqual(pointers)
    expect(offsets('/status', 'paid')).toEqual([0, 3])
    expect(offsets('/status', 'open')).toEqual([1])
    expect(offsets('/status', 'closed')).toEqual([])
    expect(offsets('/n', 1)).toEqual([0, 4])
    expect(offsets('/a/b/0', 5)).toEqual([3])
    expect(offsets('/a/b/1', null)).toEqual([3])
    expect(offsets('', 'paid')).toEqual([])
    expect(offsets('/unknown', 1)).toEqual([])
  })
})
