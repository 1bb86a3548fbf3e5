// What branches take of the disk and leave of their parents' files, with files that are really there.

import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { produce } from '../../protocol/messages/00-produce.ts'
import { eventually } from '../eventually.ts'
import { batchOf, WireClient } from '../wire-client.ts'
import { numbered, Stage } from './stage.ts'

const MiB = 1024 * 1024

/** Files below a folder: path, inode, bytes that the disk gives for them. */
type Kept = { path: string; inode: number; bytes: number }

function filesIn(folder: string): Kept[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).flatMap((path) => {
    const stat = lstatSync(join(folder, path), { throwIfNoEntry: false })
    return stat === undefined ? [] : [{ path, inode: stat.ino, bytes: 512 * stat.blocks }]
  })
}

/** As `du` counts: a file with several names once. */
const bytesIn = (folder: string): number =>
  [...new Map(filesIn(folder).map(({ inode, bytes }) => [inode, bytes])).values()].reduce(
    (sum, bytes) => sum + bytes,
    0,
  )

async function idOf(stage: Stage, topic: string): Promise<string> {
  const path = (await stage.branchConfigs(topic))['branch.from.id']
  return path!
}

const logsOf = (stage: Stage, id: string): Kept[] =>
  filesIn(join(stage.folder!, 'topics', id)).filter(({ path }) => path.endsWith('.log'))

const sizeOf = (stage: Stage, path: string): number => lstatSync(join(stage.folder!, 'topics', path)).size

const alter = (stage: Stage, topic: string, configs: Record<string, string>) =>
  stage.admin.alterConfigs({
    validateOnly: false,
    resources: [
      { type: 2, name: topic, configEntries: Object.entries(configs).map(([name, value]) => ({ name, value })) },
    ],
  })

/** About `count` MiB in segments of one. */
async function fill(stage: Stage, topic: string, count: number, keys = 1e9): Promise<void> {
  for (let i = 0; i < count * 4; i++) {
    const key = `k${i % keys}`
    await stage.send(topic, [{ key, value: `${i}`.padEnd(MiB / 4 - 1000, '.') }])
  }
}

/** So many MiB, one batch of them said again and again: quicker than a client that makes each of its own. */
async function fillOnce(stage: Stage, topic: string, count: number): Promise<void> {
  const wire = await WireClient.open(stage.broker.bootstrapServers)
  const records = batchOf([{ timestamp: Date.now(), key: Buffer.from('k'), value: Buffer.alloc(MiB - 200, '.') }])
  const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
  const body = { transactionalId: null, acks: -1, timeoutMs: 30_000, topicData }
  for (let i = 0; i < count + 1; i++) {
    const answer = await wire.ask(produce, 9, body)
    expect(answer.responses[0]!.partitionResponses[0]!.errorCode).toBe(0)
  }
  wire.close()
}

const segments = { 'segment.bytes': MiB }

describe('what a branch shares', () => {
  test('B13: a parent whose retention takes its first segments leaves them to the branch, and the disk has them back with it', async () => {
    const config = { 'log.retention.check.interval.ms': 50 }
    await using stage = await Stage.open({ onDisk: true, config })
    await stage.create('orders', 1, segments)
    await fill(stage, 'orders', 5)
    const values = await stage.values('orders', 20)
    await stage.fork('orders', 'orders--try')
    await alter(stage, 'orders', { 'segment.bytes': String(MiB), 'retention.bytes': '1' })
    await eventually(async () => expect((await stage.ends('orders'))[0]!.low).toBeGreaterThan(10))
    expect(await stage.ends('orders--try')).toEqual([{ low: 0, high: 20 }])
    expect(await stage.values('orders--try', 20)).toEqual(values)
    // The other way round too: what is deleted of the branch is still the parent's.
    const before = bytesIn(stage.folder!)
    const { low, high } = (await stage.ends('orders'))[0]!
    await stage.admin.deleteTopicRecords({ topic: 'orders--try', partitions: [{ partition: 0, offset: '19' }] })
    expect(await stage.ends('orders')).toEqual([{ low, high }])
    await stage.admin.deleteTopics({ topics: ['orders--try'] })
    await eventually(() => expect(bytesIn(stage.folder!)).toBeLessThan(before - 3 * MiB))
    expect(await stage.values('orders', high - low)).toEqual(values.slice(low))
  })

  test('B14: a parent that is compacted after the fork leaves the branch what it had, and a merge finds its base there', async () => {
    const config = { 'log.cleaner.backoff.ms': 50 }
    await using stage = await Stage.open({ onDisk: true, config })
    const compacted = { ...segments, 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.01' }
    // Not before it is forked, and then of the parent alone.
    await stage.create('orders', 1, { ...compacted, 'min.compaction.lag.ms': 1e9 })
    const value = (fields: object) => ({ key: 'j', value: JSON.stringify(fields) })
    await stage.send('orders', [value({ x: 1, y: 1, z: 12345678901234567890n.toString() })])
    const whole = (text: string) => ({ key: 'whole', value: text })
    await stage.send('orders', [whole('base')])
    await fill(stage, 'orders', 2, 3)
    await stage.fork('orders', 'orders--try')
    const read = async () => (await stage.read('orders--try', 10)).map((one) => ({ ...one, value: String(one.value) }))
    const inherited = await read()
    await stage.send('orders--try', [value({ x: 2, y: 1 }), whole('theirs')])
    await stage.send('orders', [value({ x: 1, y: 2 }), whole('ours')])
    await alter(stage, 'orders', Object.fromEntries(Object.entries(compacted).map(([name, to]) => [name, String(to)])))
    await fill(stage, 'orders', 3, 3)
    const left = async () => Number((await stage.read('orders', 1))[0]!.offset)
    await eventually(async () => expect(await left()).toBeGreaterThan(1))
    expect(await read()).toEqual(inherited)
    const merge = { op: 'merge', from: 'orders--try', into: 'orders', strategy: 'three-way' }
    const alone = await stage.run({ ...merge, id: 'm0', keys: ['whole'], onConflict: 'park' })
    expect(alone).toMatchObject({ status: 'parked', counts: { written: 0, conflicts: 1 } })
    const [conflict] = await stage.values('__branch_conflicts', 1)
    expect(JSON.parse(conflict!)).toMatchObject({
      base: { offset: 1, value: 'base' },
      ours: { value: 'ours' },
      theirs: { value: 'theirs' },
    })
    const merged = await stage.run({ ...merge, id: 'm1', keys: ['j'], fields: 'json' })
    expect(merged).toMatchObject({ status: 'committed', counts: { written: 1, conflicts: 0 } })
    const end = (await stage.ends('orders'))[0]!.high
    const consumer = stage.kafka.consumer({ groupId: 'last', maxWaitTimeInMs: 100 })
    await consumer.connect()
    await consumer.subscribe({ topic: 'orders', fromBeginning: true })
    const last = await new Promise<string>((resolve, reject) => {
      consumer
        .run({
          autoCommit: false,
          eachMessage: async ({ message }) => {
            if (String(message.key) === 'j' && Number(message.offset) >= end - 3) resolve(String(message.value))
          },
        })
        .catch(reject)
    })
    await consumer.disconnect()
    expect(JSON.parse(last)).toEqual({ x: 2, y: 2 })
  })

  test('B15: the deepest of twenty forks of forks reads the very files of the first', async () => {
    await using stage = await Stage.open({ onDisk: true })
    await stage.create('orders', 1, segments)
    await fill(stage, 'orders', 3)
    let deepest = 'orders'
    for (let depth = 1; depth <= 20; depth++) {
      await stage.fork(deepest, `orders--${depth}`)
      deepest = `orders--${depth}`
    }
    await stage.fork(deepest, 'last')
    const first = logsOf(stage, await idOf(stage, 'orders--1'))
    const last = logsOf(stage, await idOf(stage, 'last'))
    expect(last.map(({ inode }) => inode).sort()).toEqual(first.map(({ inode }) => inode).sort())
    expect(await stage.values(deepest, 12)).toEqual(await stage.values('orders', 12))
    const [from, other] = [await stage.fetched('orders', 0), await stage.fetched('last', 0)]
    // Byte by byte vitest would take many seconds.
    expect(from.bytes.equals(other.bytes)).toBe(true)
  })

  test('B16: a fork of 1 GiB takes no room and less than a second, the files stay as they are; own writes grow the branch alone', async () => {
    await using stage = await Stage.open({ onDisk: true })
    await stage.create('orders', 1, { 'segment.bytes': 256 * MiB })
    await fillOnce(stage, 'orders', 1024)
    const ids = readdirSync(join(stage.folder!, 'topics'))
    // What the disk gives for them follows when it likes.
    const filesOf = () =>
      ids.flatMap((id) =>
        logsOf(stage, id).map(({ path, inode }) => [path, inode, sizeOf(stage, join(id, path))] as const),
      )
    // What was made room for and is not needed is given back behind a flush, fork or not.
    const isTrimmed = ([, , size]: ReturnType<typeof filesOf>[number]) => size < 256 * MiB
    await eventually(() => expect(filesOf().every(isTrimmed)).toBe(true))
    const files = filesOf()
    expect(files.length).toBeGreaterThan(3)
    const before = bytesIn(stage.folder!)
    expect(before).toBeGreaterThan(1024 * MiB)
    const times: number[] = []
    for (const branch of ['orders--try', 'orders--second', 'orders--third']) {
      const asked = performance.now()
      await stage.fork('orders', branch)
      times.push(performance.now() - asked)
    }
    // A tenth of it, most of which KafkaJS waits by itself. The least of three, for a machine may have something else to do.
    expect(Math.min(...times)).toBeLessThan(1000)
    expect(bytesIn(stage.folder!) - before).toBeLessThan(MiB)
    const { 'branch.bytes.own': none, 'branch.bytes.shared': shared } = await stage.branchConfigs('orders--try')
    expect(none).toBe('0')
    expect(Number(shared)).toBeGreaterThan(1024 * MiB)
    await stage.send('orders--try', ['x'.repeat(300_000)])
    expect(filesOf()).toEqual(files)
    expect(bytesIn(stage.folder!) - before).toBeLessThan(2 * MiB)
    const { 'branch.bytes.own': own } = await stage.branchConfigs('orders--try')
    expect(Number(own)).toBeGreaterThan(300_000)
  })

  test('B40: a parent that is forked again and again has the files that it would have had without', async () => {
    await using stage = await Stage.open({ onDisk: true })
    await stage.create('orders', 1)
    for (let i = 0; i < 40; i++) {
      await stage.send('orders', numbered(5, `${i}`))
      await stage.fork('orders', `orders--${i}`)
    }
    await stage.send('orders', numbered(5, 'last'))
    expect(logsOf(stage, await idOf(stage, 'orders--0'))).toHaveLength(1)
    expect(await stage.ends('orders')).toEqual([{ low: 0, high: 205 }])
    expect(await stage.values('orders--20', 105)).toEqual((await stage.values('orders', 205)).slice(0, 105))
  })
})

/** Undefined where it was closed meanwhile. */
function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

describe('branches that nobody uses', () => {
  /** Files that are mapped: of one there may be several pieces. */
  const mapsOf = ({ folder }: Stage) =>
    new Set(readFileSync('/proc/self/maps', 'utf8').match(new RegExp(`${folder}/.*`, 'g'))).size
  const openOf = ({ folder }: Stage) =>
    readdirSync('/proc/self/fd').filter((each) => linkOf(`/proc/self/fd/${each}`)?.startsWith(folder!)).length
  const count = 1000

  test.runIf(process.platform === 'linux')(
    `B53: ${count} branches of 3 partitions take less than 20 MiB, no descriptor and no map; the first write to one makes one file`,
    { timeout: 180_000 },
    async () => {
      await using stage = await Stage.open({ onDisk: true, config: { 'log.retention.check.interval.ms': 1500 } })
      await stage.create('orders', 3)
      for (let partition = 0; partition < 3; partition++) await stage.send('orders', numbered(20), partition)
      await stage.fork('orders', 'before')
      const before = { bytes: bytesIn(stage.folder!), maps: mapsOf(stage), open: openOf(stage) }
      for (let from = 1; from < count; from += 111) {
        const branches = Array.from({ length: Math.min(111, count - from) }, (_, i) => ({
          from: 'orders',
          topic: `orders--${from + i}`,
        }))
        await stage.forkAll(branches)
      }
      expect((await stage.made()).length).toBe(count + 1)
      expect(bytesIn(stage.folder!) - before.bytes).toBeLessThan(20 * MiB)
      expect(before.open).toBeGreaterThan(0)
      expect(mapsOf(stage)).toBeLessThanOrEqual(before.maps)
      expect(openOf(stage)).toBeLessThanOrEqual(before.open)
      // Folders that are made ahead for the next forks come when they can.
      const isFile = (path: string) => path.includes('.') && !path.endsWith('.tmp')
      const filesOf = () => filesIn(join(stage.folder!, 'topics')).flatMap(({ path }) => (isFile(path) ? path : []))
      const files = new Set(filesOf())
      await stage.send('orders--500', ['own'])
      const added = filesOf().filter((path) => !files.has(path))
      expect(added).toEqual([expect.stringMatching(/\.log$/)])
      expect(await stage.ends('orders--500')).toContainEqual({ low: 0, high: 21 })
    },
  )
})
