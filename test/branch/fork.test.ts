// Forks, as anybody makes them with a client that knows nothing of branches: the scenarios of making and keeping one.

import { CompressionCodecs, CompressionTypes } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import * as batch from '../../protocol/records/batch.ts'
import { codecName, compress, decompress } from '../../protocol/records/compression.ts'
import { numbered, type Read, Stage } from './stage.ts'

describe('a fork of one topic', () => {
  test('B1: the branch shows the records of its parent, and the parent is what it was', async () => {
    await using stage = await Stage.open()
    await stage.create('orders')
    const records = numbered(100).map((value, i) => {
      return { key: `k${i}`, value, headers: { n: `${i}` }, timestamp: `${1000 + i}` }
    })
    await stage.send('orders', records)
    const before = await stage.read('orders', 100)
    await stage.fork('orders', 'orders--try')
    expect(await stage.ends('orders--try')).toEqual([{ low: 0, high: 100 }])
    expect(await stage.read('orders--try', 100)).toEqual(before)
    expect(await stage.read('orders', 100)).toEqual(before)
    expect(await stage.ends('orders')).toEqual([{ low: 0, high: 100 }])
  })

  test('B2: both sides go on at the same offset, and neither sees the other', async () => {
    await using stage = await Stage.open()
    await stage.create('orders')
    await stage.send('orders', numbered(100))
    await stage.fork('orders', 'orders--try')
    expect(await stage.send('orders', ['parent'])).toBe(100)
    expect(await stage.send('orders--try', ['child'])).toBe(100)
    expect((await stage.values('orders', 101)).at(-1)).toBe('parent')
    expect((await stage.values('orders--try', 101)).at(-1)).toBe('child')
    expect(await stage.ends('orders')).toEqual([{ low: 0, high: 101 }])
    expect(await stage.ends('orders--try')).toEqual([{ low: 0, high: 101 }])
  })

  test('B7: an idempotent producer goes on into the branch as into any topic', async () => {
    await using stage = await Stage.open()
    await stage.create('orders')
    const producer = stage.kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    const send = async (topic: string, count: number) => {
      const bases: number[] = []
      for (const value of numbered(count)) {
        const [sent] = await producer.send({ topic, messages: [{ value, partition: 0 }] })
        bases.push(Number(sent!.baseOffset))
      }
      return bases
    }
    await send('orders', 50)
    await stage.fork('orders', 'orders--try')
    expect(await send('orders--try', 5)).toEqual([50, 51, 52, 53, 54])
    expect(await stage.values('orders--try', 55)).toEqual([...numbered(50), ...numbered(5)])
    expect(await send('orders', 2)).toEqual([50, 51])
    await producer.disconnect()
  })
})

describe('where a branch begins', () => {
  const three = async (stage: Stage) => {
    await stage.create('orders', 3)
    await stage.send('orders', numbered(10, 'a'), 0)
    await stage.send('orders', numbered(4, 'b'), 1)
    await stage.send('orders', numbered(8, 'c'), 2)
  }

  test('B3: offsets of each partition; those left out are cut at the end', async () => {
    await using stage = await Stage.open()
    await three(stage)
    await stage.fork('orders', 'orders--try', { 'branch.at': 'offsets:0=5,1=0,2=7' })
    expect((await stage.ends('orders--try')).map(({ high }) => high)).toEqual([5, 0, 7])
    expect((await stage.configs('orders--try'))['branch.offsets']).toBe('0=5,1=0,2=7')
    expect(await stage.values('orders--try', 12)).toEqual([...numbered(5, 'a'), ...numbered(7, 'c')])
    await stage.fork('orders', 'orders--half', { 'branch.at': 'offsets:1=2' })
    expect((await stage.ends('orders--half')).map(({ high }) => high)).toEqual([10, 2, 8])
    await stage.fork('orders', 'orders--none', { 'branch.at': 'earliest' })
    expect((await stage.ends('orders--none')).map(({ high }) => high)).toEqual([0, 0, 0])
    await stage.fork('orders', 'orders--four', { 'branch.at': 'offset:4' })
    expect((await stage.ends('orders--four')).map(({ high }) => high)).toEqual([4, 4, 4])
  })

  test('B4: a time, as ListOffsets answers it in each partition; beyond the newest record it is the end', async () => {
    await using stage = await Stage.open()
    await stage.create('orders', 4)
    // In their order, in another, all of them old, none.
    const times = [[1000, 2000, 3000, 4000], [3000, 1000, 2000], [500], []]
    for (const [partition, all] of times.entries()) {
      for (const time of all) await stage.send('orders', [{ value: `${time}`, timestamp: `${time}` }], partition)
    }
    for (const [at, ends, ms] of [
      ['2000', [1, 0, 1, 0], 2000],
      ['2001', [2, 0, 1, 0], 2001],
      ['1970-01-01T00:00:03Z', [2, 0, 1, 0], 3000],
      ['1970-01-01 00:00:03.500', [3, 3, 1, 0], 3500],
      ['1', [0, 0, 0, 0], 1],
      ['9999', [4, 3, 1, 0], 9999],
    ] as const) {
      // KafkaJS itself puts the end where nothing was found.
      const found = await stage.admin.fetchTopicOffsetsByTimestamp('orders', ms)
      const answered = found.sort((a, b) => a.partition - b.partition).map(({ offset }) => Number(offset))
      expect([at, answered]).toEqual([at, ends])
      const branch = `orders--${at.replace(/[^\w.]/g, '_')}`
      await stage.fork('orders', branch, { 'branch.at': `timestamp:${at}` })
      expect([at, (await stage.ends(branch)).map(({ high }) => high)]).toEqual([at, ends])
    }
  })

  test('B5: the position of a group; where it has none, the log start', async () => {
    await using stage = await Stage.open()
    await stage.create('orders', 2)
    await stage.send('orders', numbered(100), 0)
    await stage.send('orders', numbered(10), 1)
    await stage.commit('g', 'orders', 40)
    await stage.fork('orders', 'orders--try', { 'branch.at': 'group:g' })
    expect((await stage.ends('orders--try')).map(({ high }) => high)).toEqual([40, 0])
  })

  const types = [CompressionTypes.GZIP, CompressionTypes.Snappy, CompressionTypes.LZ4, CompressionTypes.ZSTD]
  for (const type of types) {
    test(`B6: through the middle of a batch packed with ${codecName(type)}`, async () => {
      // KafkaJS brings gzip only; the others are given to it.
      CompressionCodecs[type as 1] = () => ({
        compress: async ({ buffer }: { buffer: Buffer }) => compress(type, buffer),
        decompress: async (bytes: Buffer) => decompress(type, bytes, 1_000_000),
      })
      await using stage = await Stage.open()
      await stage.create('orders')
      await stage.send('orders', numbered(10))
      await stage.producer.send({
        topic: 'orders',
        compression: type,
        messages: numbered(10, 'packed').map((value) => ({ value, key: value, partition: 0, headers: { of: value } })),
      })
      const { bytes: packed } = await stage.fetched('orders', 10)
      expect([batch.baseOffset(packed, 0), batch.lastOffset(packed, 0), batch.codec(packed, 0)]).toEqual([10, 19, type])
      const parent = await stage.read('orders', 20)
      await stage.fork('orders', 'orders--try', { 'branch.at': 'offset:15' })
      expect(await stage.ends('orders--try')).toEqual([{ low: 0, high: 15 }])
      expect(await stage.send('orders--try', ['own'])).toBe(15)
      const child = await stage.read('orders--try', 16)
      const shown = ({ key, value, timestamp, offset, headers }: Read) => ({ key, value, timestamp, offset, headers })
      expect(child.slice(0, 15).map(shown)).toEqual(parent.slice(0, 15).map(shown))
      // KafkaJS looks at no checksum.
      const { bytes } = await stage.fetched('orders--try', 0)
      const batches = [...batch.iterateBatches(bytes)]
      expect(batches.map((at) => [batch.baseOffset(bytes, at), batch.lastOffset(bytes, at)])).toEqual([
        [0, 9],
        [10, 14],
        [15, 15],
      ])
      expect(batches.map((at) => batch.crcMatches(bytes, at))).toEqual([true, true, true])
      expect(await stage.values('orders', 20)).toEqual(parent.map(({ value }) => String(value)))
      expect((await stage.fetched('orders', 10)).bytes).toEqual(packed)
    })
  }
})
