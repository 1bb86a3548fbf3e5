// A disk that is full or broken: writes are refused with KAFKA_STORAGE_ERROR, reads go on, and writes work again once there
// is room. First with a disk that fails on demand, then, where a small file system may be mounted, with a real one.

import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type KafkaMessage, Partitioners } from 'kafkajs'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { produce } from '../../protocol/messages/00-produce.ts'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { offsetCommit } from '../../protocol/messages/08-offset-commit.ts'
import { createTopics } from '../../protocol/messages/19-create-topics.ts'
import { deleteRecords } from '../../protocol/messages/21-delete-records.ts'
import { initProducerId } from '../../protocol/messages/22-init-producer-id.ts'
import { iterateBatches } from '../../protocol/records/batch.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { readRecords } from '../../protocol/records/record.ts'
import { Broker as Core } from '../../src/broker/broker.ts'
import { BrokerConfig } from '../../src/broker/broker-config.ts'
import type { Partition } from '../../src/broker/partition.ts'
import { Broker } from '../../src/embedded.ts'
import { systemClock } from '../../src/storage/clock.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { borrow } from '../../src/storage/file.ts'
import { canMount, smallDisk } from '../small-disk.ts'
import { Wire } from './wire.ts'
import { kafkaOf } from './witness.ts'

const said: string[] = []
beforeEach(() => {
  said.length = 0
  vi.spyOn(console, 'error').mockImplementation((...words: unknown[]) => {
    said.push(words.map(String).join(' '))
  })
})
afterEach(() => {
  vi.restoreAllMocks()
  expect(said.filter((words) => words.includes('mistake of ours'))).toEqual([])
})

const batchOf = (value: string) => encodeBatch({ records: [{ value: Buffer.from(value), timestamp: Date.now() }] })

describe('a disk that fails on demand', () => {
  async function coreOn(store: FaultyStore, settings: Record<string, string> = {}): Promise<[Core, Partition]> {
    const core = new Core({ store, clock: systemClock, config: new BrokerConfig(Object.entries(settings)) })
    if (core.topic('t') === undefined) await core.createTopics([{ name: 't', partitions: 1, configs: {} }])
    return [core, core.topic('t')!.partitions[0]!]
  }

  /** What a producer is told: the offset, or the name of an error. */
  async function send(partition: Partition, value: string): Promise<number | string> {
    const outcome = partition.append(batchOf(value), 9)
    if ('error' in outcome) return outcome.error
    try {
      await partition.flushed()
      return outcome.baseOffset
    } catch (cause) {
      return (cause as Error).constructor.name
    }
  }

  function valuesOf(partition: Partition): string[] {
    const values: string[] = []
    for (let offset = partition.logStartOffset; offset < partition.highWatermark; ) {
      const read = partition.read(offset, 1_000_000, false, true)
      if ('error' in read) throw new Error(read.error)
      const from = offset
      borrow(read.lease, (bytes) => {
        for (const position of iterateBatches(bytes)) {
          for (const record of readRecords(bytes, position)) {
            if (record.offset < offset) continue
            values.push(record.value!.toString())
            offset = record.offset + 1
          }
        }
      })
      if (offset === from) throw new Error(`no progress at ${offset}`)
    }
    return values
  }

  const small = { 'log.segment.bytes': '1048576' }
  const operations = ['create', 'stage', 'commit'] as const
  for (const operation of operations) {
    test(`no room to ${operation}: refused, nothing has changed, and it works again when there is room`, async () => {
      const store = new FaultyStore()
      const [core, partition] = await coreOn(store)
      const before = operation === 'create' ? [] : ['before']
      for (const value of before) expect(await send(partition, value)).toBe(0)
      store.fault = (done) => (done === operation ? 'ENOSPC' : undefined)
      for (let i = 0; i < 3; i++) expect(await send(partition, 'refused')).toBe('KAFKA_STORAGE_ERROR')
      expect(valuesOf(partition)).toEqual(before)
      store.fault = () => undefined
      expect(await send(partition, 'after')).toBe(before.length)
      expect(valuesOf(partition)).toEqual([...before, 'after'])

      const [, again] = await coreOn(store.after('kill'))
      expect(valuesOf(again)).toEqual([...before, 'after'])
      await core.close()
    })
  }

  test('whoever runs the broker is told why producers are refused: once, and again when it has gone on for a minute', async () => {
    const store = new FaultyStore()
    let now = 1_800_000_000_000
    const core = new Core({ store, clock: { ...systemClock, now: () => now }, config: new BrokerConfig([]) })
    const [topic] = await core.createTopics([{ name: 't', partitions: 1, configs: {} }])
    const partition = topic!.partitions[0]!
    expect(await send(partition, 'before')).toBe(0)
    const told = () => said.filter((words) => words.includes('refuses what it cannot write'))
    store.fault = (done) => (done === 'stage' ? 'ENOSPC' : undefined)
    for (let i = 0; i < 3; i++) expect(await send(partition, 'refused')).toBe('KAFKA_STORAGE_ERROR')
    expect(told()).toHaveLength(1)
    expect(told()[0]).toContain('ENOSPC')
    expect(told()[0]).toContain(partition.log.folder)
    expect(told()[0]).toMatch(/Make room on the disk, or delete topics or records/)
    now += 60_000
    expect(await send(partition, 'refused')).toBe('KAFKA_STORAGE_ERROR')
    expect(told()).toHaveLength(2)
    // A client that still sends to a topic that is deleted is no matter of the disk.
    partition.remove()
    now += 60_000
    expect(await send(partition, 'too late')).toBe('KAFKA_STORAGE_ERROR')
    expect(told()).toHaveLength(2)
    await core.close()
  })

  test('no room for the files of a new segment: no batch is lost or told twice, and the next start finds all', async () => {
    const store = new FaultyStore()
    const [core, partition] = await coreOn(store, small)
    const value = 'x'.repeat(300_000)
    let isFull = false
    store.fault = (operation) => (isFull && (operation === 'save' || operation === 'create') ? 'ENOSPC' : undefined)
    const told: (number | string)[] = []
    for (let i = 0; i < 12; i++) {
      isFull = i >= 4 && i < 8
      told.push(await send(partition, `${i} ${value}`))
    }
    const offsets = told.filter((outcome) => typeof outcome === 'number')
    expect(told.filter((outcome) => typeof outcome === 'string')).toContain('KAFKA_STORAGE_ERROR')
    expect(offsets).toEqual(offsets.map((_, i) => i))
    const kept = told.flatMap((outcome, i) => (typeof outcome === 'number' ? [i] : []))
    const seen = (of: Partition) => valuesOf(of).map((text) => Number.parseInt(text, 10))
    expect(seen(partition)).toEqual(kept)
    const [, afterKill] = await coreOn(store.after('kill'), small)
    expect(seen(afterKill)).toEqual(kept)
    await core.close()
    const [, afterStop] = await coreOn(store.after('kill'), small)
    expect(seen(afterStop)).toEqual(kept)
  })

  test('a full disk refuses a topic, and the topic can be made when there is room', async () => {
    const store = new FaultyStore()
    const [core] = await coreOn(store)
    store.fault = (operation) => (operation === 'commit' || operation === 'stage' ? 'ENOSPC' : undefined)
    const topics = [{ name: 'new', partitions: 1, configs: {} }]
    await expect(core.createTopics(topics)).rejects.toThrow('ENOSPC')
    expect(core.topic('new')).toBeUndefined()
    store.fault = () => undefined
    expect(await core.createTopics(topics)).toHaveLength(1)
    const [again] = await coreOn(store.after('power cut'))
    expect(again.topic('new')).toBeDefined()
  })

  const safe = { 'flush.policy': 'batch' }
  test('a flush that fails once: refused, never believed again though the next would work, and reads go on', async () => {
    const store = new FaultyStore()
    const [core, partition] = await coreOn(store, safe)
    expect(await send(partition, 'safe')).toBe(0)
    let failures = 1
    store.fault = (operation) => (operation === 'flush' && failures-- > 0 ? 'EIO' : undefined)
    for (const value of ['lost', 'lost too']) expect(partition.append(batchOf(value), 9)).not.toHaveProperty('error')
    // The second waits for the flush after the one that fails.
    const outcomes = await Promise.allSettled([partition.flushed(), partition.flushed()])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(failures).toBeLessThanOrEqual(0)
    for (let i = 0; i < 3; i++) expect(await send(partition, 'later')).toBe('KAFKA_STORAGE_ERROR')
    expect(valuesOf(partition)).toEqual(['safe'])
    expect(partition.highWatermark).toBe(1)

    // A stop does not vouch for it either, and the next start shows what stable storage has.
    await core.close()
    const [, again] = await coreOn(store.after('power cut'), safe)
    await again.flush() // what outlived is shown once it is known to be safe
    expect(valuesOf(again)).toEqual(['safe'])
    expect(await send(again, 'new')).toBe(1)
  })

  test('a flush that fails does not open the way to a new segment', async () => {
    const store = new FaultyStore()
    const [core, partition] = await coreOn(store, { ...safe, ...small })
    expect(await send(partition, 'x'.repeat(700_000))).toBe(0)
    let failures = 1
    store.fault = (operation) => (operation === 'flush' && failures-- > 0 ? 'EIO' : undefined)
    expect(await send(partition, 'lost')).toBe('StorageError')
    expect(await send(partition, 'y'.repeat(700_000))).toBe('KAFKA_STORAGE_ERROR')
    expect(partition.logEndOffset).toBe(2)
    await core.close()
  })

  test('one partition that cannot be flushed does not keep the others from a clean stop', async () => {
    const store = new FaultyStore()
    const [core, partition] = await coreOn(store)
    const [other] = (await core.createTopics([{ name: 'u', partitions: 1, configs: {} }]))[0]!.partitions
    expect(await send(partition, 'one')).toBe(0)
    expect(await send(other!, 'two')).toBe(0)
    const broken = core.topic('t')!.folder
    store.fault = (operation, path) => (operation === 'flush' && path.startsWith(broken) ? 'EIO' : undefined)
    await expect(core.close()).rejects.toThrow('EIO')
    const again = new Core({ store: store.after('power cut'), clock: systemClock, config: new BrokerConfig() })
    expect(valuesOf(again.topic('u')!.partitions[0]!)).toEqual(['two'])
  })
})

const isPossible = canMount()
if (!isPossible) console.log('full-disk: no small file system may be mounted here, so the real ones are skipped')

describe.skipIf(!isPossible)('a real disk that is full', () => {
  const value = Buffer.alloc(50_000, 'v')
  const brokers: Broker[] = []
  const disks: Place['disk'][] = []
  type Place = {
    disk: { path: string; remove: () => void }
    data: string
    broker: Broker
    kafka: ReturnType<typeof kafkaOf>
  }

  afterEach(async () => {
    // Room, so that a stop leaves a clean end.
    for (const { path } of disks) for (const name of ['rest', 'ballast']) rmSync(join(path, name), { force: true })
    for (const broker of brokers.splice(0)) await broker.stop()
    for (const disk of disks.splice(0)) disk.remove()
  })

  async function open(storage: 'mapped' | 'plain', megabytes: number): Promise<Place> {
    const disk = smallDisk(megabytes)!
    disks.push(disk)
    mkdirSync(join(disk.path, 'data'))
    // Room that will be made.
    writeFileSync(join(disk.path, 'ballast'), Buffer.alloc(1024 * 1024))
    return start(storage, disk)
  }
  async function start(storage: 'mapped' | 'plain', disk: Place['disk']): Promise<Place> {
    const data = join(disk.path, 'data')
    const config = { 'log.segment.bytes': 1024 * 1024, 'offsets.topic.num.partitions': 2 }
    const broker = await Broker.start({ storage, data, topics: ['t', 'u'], config })
    brokers.push(broker)
    return { disk, data, broker, kafka: kafkaOf(broker.bootstrapServers) }
  }

  /** Sends until the disk refuses; the keys of what was acknowledged. */
  async function fill(kafka: Place['kafka'], acknowledged: string[]): Promise<string> {
    const producer = kafka.producer({ retry: { retries: 0 }, createPartitioner: Partitioners.DefaultPartitioner })
    await producer.connect()
    try {
      for (let i = 0; i < 1000; i++) {
        const key = `key ${acknowledged.length}`
        await producer.send({ topic: 't', acks: -1, messages: [{ key, value }] })
        acknowledged.push(key)
      }
      return 'never full'
    } catch (cause) {
      const error = cause as Error & { type?: string; cause?: Error & { type?: string } }
      return error.type ?? error.cause?.type ?? String(cause)
    } finally {
      await producer.disconnect()
    }
  }

  async function keysOf(kafka: Place['kafka'], count: number): Promise<string[]> {
    const keys: string[] = []
    const consumer = kafka.consumer({ groupId: `reader ${Math.random()}`, maxWaitTimeInMs: 100 })
    await consumer.connect()
    await consumer.subscribe({ topic: 't', fromBeginning: true })
    await new Promise<void>((resolve, reject) => {
      const eachMessage = async ({ message }: { message: KafkaMessage }) => {
        keys.push(message.key!.toString())
        if (keys.length === count) resolve()
      }
      consumer.run({ eachMessage, autoCommit: false }).catch(reject)
    })
    await consumer.disconnect()
    return keys
  }

  for (const storage of ['mapped', 'plain'] as const) {
    test(`${storage}: KafkaJS is told so, reads all that was acknowledged, and writes again when there is room`, async () => {
      let { disk, broker, kafka } = await open(storage, 6)
      // The group's topic needs room too: a reader that comes before the disk is full.
      const acknowledged: string[] = []
      const early = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
      await early.connect()
      await early.send({ topic: 't', messages: [{ key: 'key 0', value: 'first' }] })
      acknowledged.push('key 0')
      expect(await keysOf(kafka, 1)).toEqual(['key 0'])

      expect(await fill(kafka, acknowledged)).toBe('KAFKA_STORAGE_ERROR')
      expect(acknowledged.length).toBeGreaterThan(20)
      expect(statfsSync(disk.path).bavail * statfsSync(disk.path).bsize).toBeLessThan(128 * 1024)
      expect(await keysOf(kafka, acknowledged.length)).toEqual(acknowledged)

      rmSync(join(disk.path, 'ballast'))
      await early.send({ topic: 't', acks: -1, messages: [{ key: 'again', value: 'x' }] })
      await early.disconnect()
      expect(await keysOf(kafka, acknowledged.length + 1)).toEqual([...acknowledged, 'again'])

      await broker.stop()
      ;({ broker, kafka } = await start(storage, disk))
      expect(await keysOf(kafka, acknowledged.length + 1)).toEqual([...acknowledged, 'again'])
    })

    test(`${storage}: whatever else would be written is refused by its own error, and nobody's connection is cut`, async () => {
      const { disk, broker, kafka } = await open(storage, 4)
      const wire = await Wire.open(broker.bootstrapServers)
      expect(await fill(kafka, [])).toBe('KAFKA_STORAGE_ERROR')
      // A segment that is sealed late gives room back; a topic that finds it is made, and the next one does not.
      for (let turn = 0, errorCode = 0; errorCode !== 56; turn++) {
        const { bavail, bsize } = statfsSync(disk.path)
        writeFileSync(join(disk.path, `rest${turn}`), Buffer.alloc(bavail * bsize))
        const topicData = [{ name: `u${turn}`, partitionData: [{ index: 0, records: batchOf('v') }] }]
        const { responses } = await wire.ask(produce, 9, { acks: -1, timeoutMs: 1000, topicData })
        errorCode = responses[0]!.partitionResponses[0]!.errorCode
        expect([0, 56]).toContain(errorCode)
      }
      // What still fits into a page that is there may be done; what may not is an answer all the same.
      for (let i = 0; i < 40; i++) {
        const name = `${i}`.padEnd(200, 'x')
        const wanted = { numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
        const made = await wire.ask(createTopics, 5, { topics: [{ name, ...wanted }], timeoutMs: 1000 })
        expect([0, 56]).toContain(made.topics[0]!.errorCode)
        const asked = { topics: [{ name: `m${name}` }], allowAutoTopicCreation: true }
        expect([0, 56]).toContain((await wire.ask(metadata, 9, asked)).topics[0]!.errorCode)
      }
      expect([0, 15]).toContain((await wire.ask(initProducerId, 3, { transactionalId: null })).errorCode)
      const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: 'm'.repeat(4000) }]
      const commit = {
        groupId: 'g',
        memberId: '',
        generationIdOrMemberEpoch: -1,
        topics: [{ name: 't', partitions }],
      }
      const committed = await wire.ask(offsetCommit, 8, commit)
      expect(committed.topics[0]!.partitions[0]!.errorCode).toBe(15)
    })

    test(`${storage}: records that are deleted make the room in which writes go on`, async () => {
      const { disk, broker, kafka } = await open(storage, 6)
      const wire = await Wire.open(broker.bootstrapServers)
      const acknowledged: string[] = []
      expect(await fill(kafka, acknowledged)).toBe('KAFKA_STORAGE_ERROR')
      writeFileSync(join(disk.path, 'rest'), Buffer.alloc(statfsSync(disk.path).bavail * statfsSync(disk.path).bsize))
      const asked = { topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset: 60 }] }], timeoutMs: 1000 }
      const deleted = await wire.ask(deleteRecords, 2, asked)
      expect(deleted.topics[0]!.partitions[0]).toMatchObject({ errorCode: 0, lowWatermark: 60 })
      const before = acknowledged.length
      expect(await fill(kafka, acknowledged)).toBe('KAFKA_STORAGE_ERROR')
      expect(acknowledged.length).toBeGreaterThan(before + 10)
      // The group that reads wants to be remembered too.
      rmSync(join(disk.path, 'rest'))
      expect(await keysOf(kafka, acknowledged.length - 60)).toEqual(acknowledged.slice(60))
    })
  }
})
