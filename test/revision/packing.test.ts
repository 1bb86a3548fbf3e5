// Revision topics under a broker that packs them: what readers are given does not change by it.

import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { errors } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { type CodecName, codecName } from '../../protocol/records/compression.ts'
import { readRecords } from '../../protocol/records/record.ts'
import { HoldingStore, OutlivingStore } from './counting-store.ts'
import { drawing, noise } from './delta-pairs.ts'
import { Packs, revisionOf, type Seen, seen } from './packs.ts'
import { recordAt } from './stage.ts'

const hour = 3_600_000
/** Nothing is packed until the topic is told otherwise, and then all of it together. */
const unpacked = { 'revision.pack.lag.ms': '3600000' }
const packedAtOnce = { 'revision.pack.lag.ms': '0', 'segment.ms': '1' }
const valuesOf = (records: readonly Seen[]) => records.map(({ value }) => value)

async function configure(packs: Packs, topic: string, configs: Record<string, string>): Promise<void> {
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
  await packs.stage.admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: topic, configEntries }] })
}

test('R1: a thousand revisions of a key are read as they were produced', async () => {
  await using packs = await Packs.open()
  await packs.create('docs')
  const sent = await packs.revise('docs', 'k', 1000)
  await packs.packed()
  expect(await packs.read('docs', 1000)).toEqual(sent)
})

describe('R2: before, while and after a topic is packed', () => {
  test('every full read is the same', async () => {
    await using packs = await Packs.open()
    await packs.create('docs', unpacked)
    const sent = await packs.revise('docs', 'a', 600, { atOnce: 20 })
    sent.push(...(await packs.revise('docs', 'b', 600, { atOnce: 20 })))
    expect(await packs.read('docs', 1200)).toEqual(sent)
    expect((await packs.files()).some((path) => path.endsWith('.pack'))).toBe(false)
    await configure(packs, 'docs', { 'revision.diff': 'true', ...packedAtOnce })
    expect(await packs.read('docs', 1200)).toEqual(sent)
    await packs.packed()
    expect(await packs.read('docs', 1200)).toEqual(sent)
  })

  test('and so it is while the packer waits at each of its steps on the disk', async () => {
    const store = new HoldingStore()
    await using packs = await Packs.open(store)
    await packs.create('docs', unpacked)
    const sent = await packs.revise('docs', 'a', 300, { atOnce: 20 })
    store.isHolding = true
    await configure(packs, 'docs', { 'revision.diff': 'true', ...packedAtOnce })
    for (const step of ['written', 'to be named', 'beside the old ones']) {
      await expect.poll(() => store.heldAt).toBe(step)
      expect(await packs.read('docs', 300), step).toEqual(sent)
      store.goOn()
    }
    store.isHolding = false
    await packs.packed()
    expect(await packs.read('docs', 300)).toEqual(sent)
  })

  test('a consumer in the midst of it reads on where it was', async () => {
    await using packs = await Packs.open()
    await packs.create('docs', unpacked)
    const sent = await packs.revise('docs', 'a', 500, { atOnce: 10 })
    const consumer = packs.stage.kafka.consumer({ groupId: 'g', maxBytesPerPartition: 20_000 })
    await consumer.connect()
    await consumer.subscribe({ topic: 'docs', fromBeginning: true })
    const found: (string | null)[] = []
    await new Promise<void>((resolve, reject) => {
      const eachMessage = async ({ message }: { message: { value: Buffer | null } }) => {
        found.push(message.value && String(message.value))
        if (found.length === 200) {
          await configure(packs, 'docs', { 'revision.diff': 'true', ...packedAtOnce })
          await packs.packed()
        }
        if (found.length === 500) resolve()
      }
      consumer.run({ eachMessage }).catch(reject)
    })
    await consumer.disconnect()
    expect(found).toEqual(valuesOf(sent))
  })
})

test('R10: the same value again is a revision of a few bytes', async () => {
  await using packs = await Packs.open()
  await packs.create('docs')
  const value = revisionOf('k', 1, 4000)
  const packBytes = async () => {
    await packs.packed()
    const files = await packs.files()
    return files.filter((path) => path.endsWith('.pack')).reduce((sum, path) => sum + packs.store.sizeOf(path), 0)
  }
  for (let i = 0; i < 2; i++) await packs.send('docs', [{ key: 'k', value, timestamp: '1000' }])
  const one = await packBytes()
  for (let i = 0; i < 200; i++) await packs.send('docs', [{ key: 'k', value, timestamp: '1000' }])
  const many = await packBytes()
  expect((many - one) / 200).toBeLessThanOrEqual(32)
  expect(valuesOf(await packs.read('docs', 202))).toEqual(Array(202).fill(value))
})

test('R11: turned on for a topic that is there nothing is rewritten at once; turned off the records stay', async () => {
  await using packs = await Packs.open()
  await packs.stage.create('docs', 1, { 'segment.ms': 1 })
  const sent = await packs.revise('docs', 'k', 100, { atOnce: 10 })
  const before = await packs.files()
  await configure(packs, 'docs', { 'revision.diff': 'true', 'segment.ms': '1' })
  await packs.read('docs', 100)
  expect(await packs.files()).toEqual(before)
  await configure(packs, 'docs', { 'revision.diff': 'true', ...packedAtOnce })
  await packs.packed()
  await configure(packs, 'docs', { 'segment.ms': '1' })
  sent.push(...(await packs.revise('docs', 'k', 100, { from: 101, atOnce: 10 })))
  expect(await packs.read('docs', 200)).toEqual(sent)
})

describe('R14: revision.keep=last:10', () => {
  test('leaves the ten newest of each key, and holes that stall nobody', async () => {
    await using packs = await Packs.open()
    await packs.create('docs', { 'revision.keep': 'last:10' })
    const keys = ['a', 'b', 'c']
    const sent: Seen[] = []
    for (let round = 0; round < 10; round++) {
      for (const key of keys) sent.push(...(await packs.revise('docs', key, 10, { from: 1 + 10 * round, atOnce: 10 })))
    }
    // What is active is not packed, and no revision of theirs.
    sent.push(...(await packs.send('docs', [{ key: 'end', value: 'end', timestamp: '1' }])))
    const expected = keys.flatMap((key) => sent.filter((one) => one.key === key).slice(-10)).concat(sent.at(-1)!)
    const isLeft = async () =>
      (await packs.batches('docs')).reduce((sum, one) => sum + batch.recordCount(one, 0), 0) === 31
    while (!(await isLeft())) await packs.packed()
    const found = await packs.read('docs', 31)
    expect(found).toEqual(expected.sort((a, b) => a.offset - b.offset))
    const [end] = await packs.stage.ends('docs')
    expect(end!.high).toBe(301)
  })
})

test('R15: hourly and daily rules keep the newest of each, by UTC, and the newest of all', async () => {
  await using packs = await Packs.open()
  const rules = { 'revision.keep': 'hourly:24,daily:30' }
  await packs.create('docs', { ...rules, ...unpacked })
  const now = Date.now()
  // Every twenty minutes for three days, and one a day for the forty days before.
  const times = Array.from({ length: 40 }, (_, i) => now - (43 - i) * 24 * hour)
  for (let time = now - 72 * hour; time < now; time += hour / 3) times.push(time)
  for (const [i, timestamp] of times.entries()) {
    await packs.send('docs', [{ key: 'k', value: `${i}`, timestamp: String(timestamp) }])
  }
  await packs.send('docs', [{ key: 'end', value: 'end' }])
  const newestOf = (ms: number, count: number): number[] => {
    const oldest = Math.floor(now / ms) - count + 1
    const buckets = new Map(times.map((time, i) => [Math.floor(time / ms), i]))
    return [...buckets].filter(([bucket]) => bucket >= oldest).map(([, i]) => i)
  }
  const kept = [...new Set([...newestOf(hour, 24), ...newestOf(24 * hour, 30), times.length - 1])].sort((a, b) => a - b)
  // All at once: of packs that come one by one less than a tenth falls out now and then, and stays.
  await configure(packs, 'docs', { 'revision.diff': 'true', ...rules, ...packedAtOnce })
  await packs.packed()
  expect(valuesOf(await packs.read('docs', kept.length + 1))).toEqual([...kept.map(String), 'end'])
})

test('R16: large values follow their own rule, small ones all stay', async () => {
  await using packs = await Packs.open()
  const rules = { 'max.message.bytes': '4000000', 'revision.large.keep': 'last:8' }
  await packs.create('docs', { ...rules, ...unpacked })
  const large = (i: number) => `${i}:`.padEnd(2 * 1024 * 1024, `${i % 10}`)
  for (let i = 0; i < 50; i++) {
    await packs.send('docs', [{ key: 'large', value: large(i) }])
    await packs.send('docs', [{ key: 'small', value: `${i}` }])
  }
  await packs.send('docs', [{ key: 'end', value: 'end' }])
  await configure(packs, 'docs', { 'revision.diff': 'true', ...rules, ...packedAtOnce })
  await packs.packed()
  const found = await packs.read('docs', 59)
  expect(found.filter(({ key }) => key === 'large').map(({ value }) => value!.slice(0, 2))).toEqual(
    Array.from({ length: 8 }, (_, i) => `${42 + i}`),
  )
  expect(found.filter(({ key }) => key === 'small').map(({ value }) => value)).toEqual(
    Array.from({ length: 50 }, (_, i) => `${i}`),
  )
})

test('R17: values above revision.diff.max.bytes are stored full and read back equal', async () => {
  await using packs = await Packs.open()
  await packs.create('docs', { 'revision.diff.max.bytes': 1000 })
  const sent = await packs.revise('docs', 'k', 40, { atOnce: 10, bytes: 4000 })
  sent.push(...(await packs.send('docs', [{ key: 'end', value: 'end', timestamp: '1' }])))
  await packs.packed()
  expect(await packs.read('docs', 41)).toEqual(sent)
})

describe('R18: what producers have compressed', () => {
  test.each<CodecName>(['gzip', 'snappy', 'lz4', 'zstd'])('by %s is the same records', async (codec) => {
    await using packs = await Packs.open()
    await packs.create('docs')
    const records = (round: number) =>
      Array.from({ length: 50 }, (_, i) => ({
        key: `k${i % 5}`,
        value: revisionOf('x', 50 * round + i),
        headers: [{ key: 'h', value: Buffer.from(`${i}`) }],
        timestamp: 1000 + i,
      }))
    for (let round = 0; round < 6; round++) {
      const { errorCode } = await packs.produce('docs', encodeBatch({ records: records(round), codec }))
      expect(errorCode).toBe(0)
    }
    const first = (await packs.batches('docs')).flatMap((one) => [...readRecords(one, 0)])
    await packs.packed()
    const after = (await packs.batches('docs')).flatMap((one) => [...readRecords(one, 0)])
    expect(after).toEqual(first)
    expect(after).toHaveLength(300)
  })

  test.each<CodecName>(['gzip', 'zstd'])('comes in %s where the topic names it', async (codec) => {
    await using packs = await Packs.open()
    await packs.create('docs', { 'compression.type': codec })
    const sent = await packs.revise('docs', 'k', 200, { atOnce: 20 })
    await packs.packed()
    for (const bytes of await packs.batches('docs')) expect(codecName(batch.codec(bytes, 0))).toBe(codec)
    expect(codec === 'gzip' ? await packs.read('docs', 200) : sent).toEqual(sent)
    const found = (await packs.batches('docs')).flatMap((one) => [...readRecords(one, 0)])
    expect(found.map(({ value }) => String(value))).toEqual(valuesOf(sent))
  })

  test('not at all is the same bytes', async () => {
    await using packs = await Packs.open()
    await packs.create('docs', unpacked)
    await packs.revise('docs', 'a', 100, { atOnce: 7 })
    await packs.send('docs', [{ key: 'a', value: null }])
    await packs.send('docs', [{ key: 'b', value: '' }])
    const first = await packs.batches('docs')
    await configure(packs, 'docs', { 'revision.diff': 'true', ...packedAtOnce })
    await packs.packed()
    const after = await packs.batches('docs')
    expect(after.map((bytes) => bytes.toString('hex'))).toEqual(first.map((bytes) => bytes.toString('hex')))
    for (const bytes of after) expect(batch.crcMatches(bytes, 0)).toBe(true)
  })
})

test('R19: what transactions left reads the same for both isolation levels, and markers keep their offsets', async () => {
  await using packs = await Packs.open()
  await packs.create('docs', unpacked)
  const producer = packs.stage.kafka.producer({ transactionalId: 't', idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  for (let i = 0; i < 12; i++) {
    const transaction = await producer.transaction()
    const messages = [1, 2, 3].map((n) => ({ key: 'k', value: revisionOf('k', 10 * i + n), partition: 0 }))
    await transaction.send({ topic: 'docs', messages })
    await packs.send('docs', [{ key: 'plain', value: `${i}` }])
    await (i % 3 === 1 ? transaction.abort() : transaction.commit())
  }
  await producer.disconnect()
  await packs.send('docs', [{ key: 'end', value: 'end' }])
  const look = async () => {
    const committed = await packs.stage.read('docs', 12 + 24 + 1)
    const all = await packs.batches('docs')
    const { lastStableOffset, highWatermark } = await packs.fetch('docs', 0, { committed: true })
    const markers = all.filter((bytes) => batch.isControl(bytes, 0)).map((bytes) => batch.baseOffset(bytes, 0))
    return {
      committed: committed.map(({ offset, value }) => [offset, String(value)]),
      markers,
      lastStableOffset,
      highWatermark,
    }
  }
  const first = await look()
  expect(first.markers).toHaveLength(12)
  const everything = async (count: number) =>
    (await packs.stage.read('docs', count, true)).map(({ offset, value }) => [offset, String(value)])
  const before = await everything(12 + 36 + 1)
  await configure(packs, 'docs', { 'revision.diff': 'true', ...packedAtOnce })
  await packs.packed()
  expect(await look()).toEqual(first)
  // To readers of everything records that were taken back are holes.
  const isCommitted = ([offset]: string[]) => first.committed.some(([of]) => of === offset)
  expect(await everything(12 + 24 + 1)).toEqual(before.filter(isCommitted))
  const uncommitted = (await packs.batches('docs')).flatMap((one) =>
    batch.isControl(one, 0) ? [] : [...readRecords(one, 0)],
  )
  const offsets = new Set(first.committed.map(([offset]) => Number(offset)))
  expect(uncommitted.filter(({ offset }) => offsets.has(offset)).map(({ value }) => String(value))).toEqual(
    first.committed.map(([, value]) => value),
  )
})

test('R26: a fetch of what a flipped bit has damaged answers CORRUPT_MESSAGE, and consumers are given all else of the pack, and other packs', async () => {
  await using packs = await Packs.open(new OutlivingStore())
  await packs.create('docs', unpacked)
  const draw = drawing(26)
  const write = async (from: number, count: number) => {
    const messages = Array.from({ length: count }, (_, i) => {
      return { key: `k${from + i}`, value: noise(draw, 3000).toString('latin1'), timestamp: '1000' }
    })
    const sent: Seen[] = []
    for (let at = 0; at < count; at += 20) sent.push(...(await packs.send('docs', messages.slice(at, at + 20))))
    return sent
  }
  const sent = await write(0, 200)
  await packs.send('docs', [{ key: 'between', value: '' }])
  await configure(packs, 'docs', { 'revision.diff': 'true', ...packedAtOnce })
  await packs.packed()
  // Less than half of the first: it stays a pack of its own.
  sent.push(...(await write(201, 40)))
  await packs.send('docs', [{ key: 'end', value: '' }])
  await packs.packed()
  const paths = (await packs.files()).filter((path) => path.endsWith('.pack')).sort()
  expect(paths.length).toBeGreaterThan(1)
  const bytes = Buffer.from(packs.store.load(paths[0]!)!)
  bytes[Math.floor(bytes.length / 2)]! ^= 1
  await packs.stage.stop()
  packs.store.save(paths[0]!, bytes, true)
  await packs.stage.start()
  const damaged: number[] = []
  for (const { offset, value } of sent) {
    const { errorCode, bytes: found } = await packs.fetch('docs', offset, { partitionMaxBytes: 1 })
    if (errorCode !== 0) {
      expect(errorCode).toBe(errors.CORRUPT_MESSAGE.code)
      damaged.push(offset)
      continue
    }
    const record = [...readRecords(found, 0)].find((one) => one.offset === offset)
    expect(String(record!.value)).toBe(value)
  }
  // One block of some 64 KiB, and the batches that it has a part of.
  expect(damaged.length).toBeGreaterThan(0)
  expect(damaged.length).toBeLessThan(80)
  expect(damaged).toEqual(damaged.map((_, i) => damaged[0]! + i))
  for (const offset of [damaged[0]! - 1, damaged.at(-1)! + 1, sent.at(-1)!.offset]) {
    const expected = sent.find((one) => one.offset === offset)!
    expect(seen(await recordAt(packs.stage, 'docs', offset))).toEqual(expected)
  }
})

test('R34: a batch that unpacks to thirty times its size is read in pieces of a megabyte, by who had read half of it too', async () => {
  await using packs = await Packs.open()
  await packs.create('docs', unpacked)
  const value = (i: number) => JSON.stringify({ i, text: 'lorem ipsum '.repeat(250) })
  const records = Array.from({ length: 10_000 }, (_, i) => ({
    key: `k${i % 100}`,
    value: value(i),
    timestamp: 1000 + i,
  }))
  const bytes = encodeBatch({ records, codec: 'gzip' })
  expect(bytes.length).toBeLessThan(1_000_000)
  expect(await packs.produce('docs', bytes)).toMatchObject({ errorCode: 0, baseOffset: 0 })
  await packs.send('docs', [{ key: 'end', value: 'end' }])
  await configure(packs, 'docs', { 'revision.diff': 'true', ...packedAtOnce })
  await packs.packed()
  const batches = await packs.batches('docs')
  expect(batches.length).toBeGreaterThan(25)
  for (const piece of batches) expect(piece.length).toBeLessThanOrEqual(1 << 20)
  const found = batches.flatMap((piece) => [...readRecords(piece, 0)])
  expect(found.map(({ offset }) => offset)).toEqual(Array.from({ length: 10_001 }, (_, i) => i))
  for (const i of [0, 4999, 9999]) expect(String(found[i]!.value)).toBe(value(i))
  const { bytes: half } = await packs.fetch('docs', 5000)
  expect(batch.baseOffset(half, 0)).toBeLessThanOrEqual(5000)
  expect(batch.nextOffset(half, 0)).toBeGreaterThan(5000)
  expect((await packs.read('docs', 10_001)).length).toBe(10_001)
})

test('R35: a retry of the last batch is a duplicate with its first offset, packed or not', async () => {
  await using packs = await Packs.open()
  await packs.create('docs')
  const sent = (sequence: number, codec: CodecName = 'none') =>
    encodeBatch({
      records: Array.from({ length: 20 }, (_, i) => ({ key: 'k', value: revisionOf('k', sequence + i), timestamp: 1 })),
      codec,
      producerId: 4711,
      producerEpoch: 0,
      baseSequence: sequence,
    })
  for (const sequence of [0, 20, 40]) await packs.produce('docs', sent(sequence, 'gzip'))
  await packs.send('docs', [{ key: 'end', value: 'end' }])
  await packs.packed()
  expect(await packs.produce('docs', sent(40, 'gzip'))).toMatchObject({ errorCode: 0, baseOffset: 40 })
  expect(await packs.produce('docs', sent(60, 'gzip'))).toMatchObject({ errorCode: 0, baseOffset: 61 })
})

test('packs of which the keep rules leave nothing become one: a soak met a file and a map for each', async () => {
  await using packs = await Packs.open()
  await packs.create('docs', { 'revision.keep': 'last:1' })
  const draw = drawing(7)
  const send = async (key: string, bytes: number) => {
    await packs.send('docs', [{ key, value: noise(draw, bytes).toString('latin1') }])
    if ((await packs.files()).length > 1) await packs.packed()
  }
  // Each is less than half of the one before, and is not packed with it.
  for (const [key, bytes] of Object.entries({ a: 200_000, b: 80_000, c: 30_000, d: 12_000, once: 4000 })) {
    await send(key, bytes)
  }
  await packs.send(
    'docs',
    ['a', 'b', 'c', 'd'].map((key) => ({ key, value: 'small' })),
  )
  await send('end', 0)
  const packFiles = async () => (await packs.files()).filter((name) => name.endsWith('.pack'))
  // What is empty now, what stays, and what came last.
  while ((await packFiles()).length > 3) await pause(10)
  expect((await packs.read('docs', 6)).map(({ key }) => key)).toEqual(['once', 'a', 'b', 'c', 'd', 'end'])
})
