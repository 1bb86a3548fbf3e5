// What revisions may cost, over the wire: bytes on the disk, deltas to be applied, bytes read for one answer. Times are in bench/revision.

import { describe, expect, test } from 'vitest'
import { describeLogDirs } from '../../protocol/messages/35-describe-log-dirs.ts'
import { Pack } from '../../src/revision/pack.ts'
import { typedRev } from '../cli/typed.ts'
import { WireClient } from '../wire-client.ts'
import { CountingStore } from './counting-store.ts'
import { drawing, noise } from './delta-pairs.ts'
import { bytesOf, changeOrder, order, revisions } from './documents.ts'
import { Packs, revisionOf } from './packs.ts'
import { recordAt, revisionConfigs, view } from './stage.ts'

type Revision = readonly [key: string, value: Buffer]

/** Bytes that the topic's only partition takes, as a client is told. */
async function bytesTaken({ stage }: Packs, topic: string): Promise<number> {
  const wire = await WireClient.open(stage.broker.bootstrapServers)
  try {
    const { results } = await wire.ask(describeLogDirs, 4, { topics: [{ topic, partitions: [0] }] })
    return Number(results[0]!.topics[0]!.partitions[0]!.partitionSize)
  } finally {
    wire.close()
  }
}

const configure = async ({ stage }: Packs, topic: string, configs: Record<string, string>) => {
  const configEntries = Object.entries({ 'revision.diff': 'true', ...configs }).map(([name, value]) => ({
    name,
    value,
  }))
  await stage.admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: topic, configEntries }] })
}

/** Writes revisions, `atOnce` in a batch, then has all of them packed; answers the bytes that they take before and after. */
async function written(
  packs: Packs,
  topic: string,
  all: readonly Revision[],
  { atOnce = 20, configs = {} as Record<string, string> } = {},
): Promise<[before: number, after: number]> {
  const large = { 'segment.bytes': '8388608', ...configs }
  await packs.create(topic, { 'revision.pack.lag.ms': 3_600_000, 'segment.ms': 3_600_000, ...large })
  for (let i = 0; i < all.length; i += atOnce) {
    const messages = all.slice(i, i + atOnce).map(([key, value], n) => {
      return { key, value, timestamp: String(1_700_000_000_000 + 1000 * (i + n)) }
    })
    await packs.send(topic, messages)
  }
  const before = await bytesTaken(packs, topic)
  await configure(packs, topic, { 'revision.pack.lag.ms': '0', 'segment.ms': '1', ...large })
  await packs.send(topic, [{ key: 'end', value: '{}' }])
  await packs.packed()
  return [before, await bytesTaken(packs, topic)]
}

/** The packs of all topics, as they lie on the disk. */
async function opened(packs: Packs): Promise<Pack[]> {
  const paths = (await packs.files()).filter((path) => path.endsWith('.pack'))
  return paths.map((path) => Pack.open(packs.store.open(path, 0)))
}

/** The most deltas that any revision needs. */
function deepest(pack: Pack): number {
  let most = 0
  for (let entry = 0; entry < pack.entryCount; entry++) {
    let count = 0
    for (let { base } = pack.entry(entry); base >= 0; base = pack.entry(base).base) count++
    most = Math.max(most, count)
  }
  return most
}

const one = (count: number, length: number): Revision[] => {
  const draw = drawing(12)
  const document = order(draw, length)
  return Array.from({ length: count }, () => {
    const value = bytesOf(document)
    changeOrder(draw, document)
    return ['document', value]
  })
}

describe('R12: what is packed takes', { timeout: 300_000 }, () => {
  test('at most 3 % where 200 keys have 40 revisions of 4 KB JSON each, in an order by chance', async () => {
    await using packs = await Packs.open()
    const [before, after] = await written(packs, 'docs', revisions(drawing(11), 200, 40, 4096), { atOnce: 50 })
    expect(before).toBeGreaterThan(200 * 40 * 4000)
    expect(after / before).toBeLessThanOrEqual(0.03)
  })

  test('at most 2 % where one document of 4 KB has 1,000', async () => {
    await using packs = await Packs.open()
    const [before, after] = await written(packs, 'docs', one(1000, 4096))
    expect(after / before).toBeLessThanOrEqual(0.02)
  })

  test('at most 102 % where nothing makes values smaller', async () => {
    await using packs = await Packs.open()
    const all = Array.from({ length: 600 }, (_, i): Revision => [`k${i % 60}`, noise(drawing(i), 4096)])
    const [before, after] = await written(packs, 'docs', all)
    expect(after / before).toBeLessThanOrEqual(1.02)
  })
})

describe('R13: any one revision', { timeout: 300_000 }, () => {
  test.each([
    [1000, 4096],
    [300, 65_536],
  ])('of %i, of %i bytes, needs at most 31 deltas, and little of the pack is read for it', async (count, length) => {
    const store = new CountingStore()
    await using packs = await Packs.open(store)
    const all = one(count, length)
    await written(packs, 'docs', all, { atOnce: 5 })
    const found = await opened(packs)
    expect(found.reduce((sum, { entryCount }) => sum + entryCount, 0)).toBe(count)
    for (const pack of found) {
      expect(deepest(pack)).toBeLessThanOrEqual(31)
      pack.close()
    }
    const read: number[] = []
    for (const offset of [0, 17, 255, 256, count - 2]) {
      // Cold: nothing of it is in memory.
      await packs.stage.restart()
      await recordAt(packs.stage, 'docs', count)
      read.push(
        await store.readBy(async () => {
          const { value } = await recordAt(packs.stage, 'docs', offset)
          expect(value).toEqual(all[offset]![1])
        }),
      )
    }
    // Blocks are cut at 64 KiB of what is stored: one, and what stands around the value.
    expect(Math.max(...read)).toBeLessThanOrEqual(2 * 65_536)
    expect(Math.min(...read)).toBeGreaterThan(0)
  })
})

const keyCount = 10_000

async function manyKeys(packs: Packs): Promise<void> {
  const all = Array.from(
    { length: keyCount },
    (_, i): Revision => [`key-${i}`, Buffer.from(revisionOf(`${i}`, i, 200))],
  )
  await written(packs, 'docs', all, { atOnce: 500 })
}

test('R21: a view of one key among many reads the blocks of that key, and of no other', async () => {
  const store = new CountingStore()
  await using packs = await Packs.open(store)
  await manyKeys(packs)
  const ask = async (i: number) => {
    await view(packs.stage, 'docs', 'history', `only-${i}`, { 'view.key': `key-${i}` })
    const [record] = await packs.read(`only-${i}`, 1)
    expect(record).toMatchObject({ key: `key-${i}`, offset: i, value: revisionOf(`${i}`, i, 200) })
  }
  // The first question makes the index, of what is told at the end of each pack.
  const [all] = await opened(packs)
  const { storedBytes } = all!
  all!.close()
  const first = await store.readBy(() => ask(1))
  const next = await store.readBy(() => ask(keyCount / 2))
  expect(next).toBeGreaterThan(0)
  expect(next).toBeLessThan(65_536)
  expect(first).toBeLessThan(storedBytes)
  expect(storedBytes).toBeGreaterThan(10 * next)
})

test('R28: after a start the newest records are read without a look at packs, and the first question reads what is told of keys alone', async () => {
  const store = new CountingStore()
  await using packs = await Packs.open(store)
  await manyKeys(packs)
  const footers = await store.readBy(async () => {
    for (const pack of await opened(packs)) pack.close()
  })
  await packs.stage.stop()
  const hot = await store.readBy(async () => {
    await packs.stage.start()
    expect((await recordAt(packs.stage, 'docs', keyCount)).key).toEqual(Buffer.from('end'))
  })
  expect(hot).toBe(0)
  const asked = await store.readBy(async () => {
    await view(packs.stage, 'docs', 'list', 'only', { 'view.key': 'key-777' })
    expect(await packs.read('only', 1)).toMatchObject([{ offset: 777 }])
  })
  expect(asked).toBeLessThan(footers + 65_536)
})

test('R20: what is asked for by a value is the same when it is packed, and what is no JSON is counted wherever topics are told of', async () => {
  await using packs = await Packs.open(new CountingStore(), { http: true })
  const { stage } = packs
  const values = Array.from({ length: 200 }, (_, i) => {
    if (i % 10 === 3) return `no json ${i}`
    return i % 10 === 7 ? null : `{"status":"${i % 3 === 0 ? 'paid' : 'open'}","n":${i}}`
  })
  const all = values.map((value, i) => ({ key: `k${i % 7}`, value }))
  await packs.create('docs', { 'revision.index.json': '/status', 'revision.pack.lag.ms': 3_600_000 })
  for (let i = 0; i < all.length; i += 50) await packs.send('docs', all.slice(i, i + 50))
  await packs.send('docs', [{ key: 'end', value: '{}' }])
  await view(stage, 'docs', 'history', 'paid', { 'view.where': '/status=paid' })
  const expected = values.flatMap((value, offset) => (value?.includes('"paid"') ? [[offset, value]] : []))
  const shown = async () => (await packs.read('paid', expected.length)).map(({ offset, value }) => [offset, value])
  expect(await shown()).toEqual(expected)
  await configure(packs, 'docs', {
    'revision.index.json': '/status',
    'revision.pack.lag.ms': '0',
    'segment.ms': '1',
  })
  await packs.packed()
  expect(await shown()).toEqual(expected)
  // With a view that looks at packs from the first on.
  await view(stage, 'docs', 'history', 'later', { 'view.where': '/status=paid' })
  expect((await stage.ends('later'))[0]!.high).toBe(Number(expected.at(-1)![0]) + 1)

  expect(await revisionConfigs(stage, 'docs')).toMatchObject({ 'revision.index.unparsed': '20' })
  const http = async (path: string) => (await fetch(`${stage.broker.httpUrl}${path}`)).text()
  expect(JSON.parse(await http('/topics/docs')).partitions).toMatchObject([{ partition: 0, unparsed: 20 }])
  expect(await http('/metrics')).toContain('twiglog_revision_index_unparsed{topic="docs",partition="0"} 20\n')
  const stats = await typedRev(stage.broker.bootstrapServers, 'stats docs')
  expect(stats.out).toContain('No JSON        20 of the packed values: view.where does not show them')
  // Of partitions at rest, too, which nobody has asked for since the start.
  await stage.restart()
  for (let i = 0; i < 2; i++) {
    expect(await http('/metrics')).toContain('twiglog_revision_index_unparsed{topic="docs",partition="0"} 20\n')
  }
  // Nobody gives it, and who does not index is told nothing of it.
  await expect(configure(packs, 'docs', { 'revision.index.unparsed': '0' })).rejects.toThrow()
  await packs.create('plain')
  expect(await revisionConfigs(stage, 'plain')).not.toHaveProperty('revision.index.unparsed')
})

test('R32: a consumer with its own settings rests at the end of a view while its topic is written: no fetch is answered in vain', async () => {
  await using packs = await Packs.open(new CountingStore(), { http: true })
  const { stage } = packs
  await packs.create('docs', { 'revision.index.json': '/status' })
  const send = (status: string) => packs.send('docs', [{ key: 'k', value: JSON.stringify({ status }) }])
  for (const status of ['paid', 'open', 'paid', 'open', 'open']) await send(status)
  await view(stage, 'docs', 'history', 'paid', { 'view.where': '/status=paid' })
  const fetchCount = async () => {
    const metrics = await (await fetch(`${stage.broker.httpUrl}/metrics`)).text()
    return Number(/^kafka_network_requestmetrics_totaltimems_count\{request="Fetch"\} (\d+)$/m.exec(metrics)![1])
  }
  const consumer = stage.kafka.consumer({ groupId: 'paid' })
  await consumer.connect()
  try {
    await consumer.subscribe({ topic: 'paid', fromBeginning: true })
    const came: number[] = []
    await consumer.run({ eachMessage: async ({ message }) => void came.push(Number(message.offset)) })
    await expect.poll(() => came).toEqual([0, 2])
    const [before, since] = [await fetchCount(), Date.now()]
    for (let i = 0; i < 100; i++) await send('open')
    // It waits for five seconds at a time, so this holds on a machine that is slow, too.
    expect((await fetchCount()) - before).toBeLessThanOrEqual(5 + (Date.now() - since) / 1000)
    await send('paid')
    await expect.poll(() => came).toEqual([0, 2, 105])
    expect((await stage.ends('paid'))[0]!.high).toBe(106)
  } finally {
    await consumer.disconnect()
  }
})
