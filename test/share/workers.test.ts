// A pool of workers on a topic of jobs; workers die and the broker is killed at moments that nobody chose. Every job is
// done, none is handed out after it was done, and none goes round more often than it may.

import { rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { produce } from '../../protocol/messages/00-produce.ts'
import { createTopics } from '../../protocol/messages/19-create-topics.ts'
import { incrementalAlterConfigs } from '../../protocol/messages/44-incremental-alter-configs.ts'
import { describeShareGroupOffsets } from '../../protocol/messages/90-describe-share-group-offsets.ts'
import { built } from '../built.ts'
import { ChildBroker } from '../child-broker.ts'
import { numbersFrom } from '../crash/world.ts'
import { batchOf, WireClient } from '../wire-client.ts'
import { Sharer } from './member.ts'

const [topic, groupId] = ['jobs', 'workers']
const partitionCount = 4
/** TWIGLOG_JOBS=100000 for a long day of work. */
const jobs = Number(process.env['TWIGLOG_JOBS'] ?? 6_000)
const kills = Math.max(3, Math.round(jobs / 10_000))
const workerCount = 10
const deliveriesMax = 5

let broker: ChildBroker
beforeAll(async () => {
  broker = new ChildBroker(await built('bundle/main.js'))
  await broker.start()
})
afterAll(async () => {
  await broker.end('SIGKILL')
  rmSync(broker.root, { recursive: true, force: true })
})

/** What workers know of the jobs, whoever they are: `partition-offset`. */
class Book {
  /** Said to be done, and the broker has agreed. */
  readonly done = new Set<string>()
  /** Handed out so often. */
  readonly deliveries = new Map<string, number>()
  readonly wrong: string[] = []

  delivered(job: string, deliveryCount: number): void {
    this.deliveries.set(job, Math.max(deliveryCount, this.deliveries.get(job) ?? 0))
    if (this.done.has(job)) this.wrong.push(`${job} was done, and is handed out again`)
    if (deliveryCount > deliveriesMax) this.wrong.push(`${job} is handed out for the ${deliveryCount}th time`)
  }
}

let finished = false

/** One life of a worker: until the broker dies, or until it does. */
async function live(name: string, book: Book, chance: () => number): Promise<void> {
  const client = await WireClient.open(`127.0.0.1:${broker.port}`)
  try {
    const sharer = new Sharer(client, name, groupId)
    const { assignment } = await sharer.beat(0, [topic])
    const [topicId] = assignment!.topicPartitions.map((of) => of.topicId)
    const all = Array.from({ length: partitionCount }, (_, partition) => [topicId!, partition] as const)
    let places: Parameters<Sharer['fetch']>[0] = all
    while (!finished) {
      const maxRecords = 1 + Math.floor(20 * chance())
      const { responses } = await sharer.fetch(places, { maxRecords, shareAcquireMode: 1, maxWaitMs: 50 })
      places = []
      for (const { partitionIndex, acquiredRecords } of responses.flatMap(({ partitions }) => partitions))
        for (const { firstOffset, lastOffset, deliveryCount } of acquiredRecords) {
          for (let offset = firstOffset; offset <= lastOffset; offset++)
            book.delivered(`${partitionIndex}-${offset}`, deliveryCount)
          if (chance() < 0.02) return
          // One job in a hundred does not work out at first.
          const types = Array.from({ length: lastOffset - firstOffset + 1 }, () => (chance() < 0.01 ? 2 : 1))
          if (await sharer.say(topicId!, partitionIndex, [firstOffset, lastOffset, ...types]).then(isNone))
            for (const [i, type] of types.entries())
              if (type === 1) book.done.add(`${partitionIndex}-${firstOffset + i}`)
        }
    }
  } finally {
    // No word of farewell: the connection breaks.
    client.close()
  }
}

const isNone = (answer: string): boolean => answer === 'NONE'

async function work(name: string, book: Book, chance: () => number): Promise<void> {
  for (let life = 0; !finished; life++) await live(`${name}.${life}`, book, chance).catch(() => pause(20))
}

async function left(client: WireClient): Promise<number> {
  const { groups } = await client.ask(describeShareGroupOffsets, 1, { groups: [{ groupId, topics: null }] })
  const lags = groups[0]!.topics.flatMap(({ partitions }) => partitions.map(({ lag }) => lag))
  return lags.length < partitionCount || lags.includes(-1) ? jobs : lags.reduce((sum, lag) => sum + lag, 0)
}

test(
  `ten workers do ${jobs} jobs, each once, whoever is killed meanwhile`,
  async () => {
    const seed = Number(process.env['TWIGLOG_SEED'] ?? Date.now() % 1_000_000)
    console.log(`seed of the workers: ${seed}`)
    const chance = numbersFrom(seed)
    const client = await WireClient.open(`127.0.0.1:${broker.port}`)
    const topics = [{ name: topic, numPartitions: partitionCount, replicationFactor: 1, assignments: [], configs: [] }]
    await client.ask(createTopics, 7, { topics, timeoutMs: 1000, validateOnly: false })
    const configs = [{ name: 'share.auto.offset.reset', configOperation: 0, value: 'earliest' }]
    await client.ask(incrementalAlterConfigs, 1, {
      resources: [{ resourceType: 32, resourceName: groupId, configs }],
      validateOnly: false,
    })
    for (let sent = 0; sent < jobs; sent += 50) {
      const records = batchOf(Array.from({ length: 50 }, (_, i) => `job ${sent + i}`))
      const partitionData = [{ index: (sent / 50) % partitionCount, records }]
      await client.ask(produce, 9, { acks: -1, timeoutMs: 1000, topicData: [{ name: topic, partitionData }] })
    }
    client.close()

    const book = new Book()
    const workers = Array.from({ length: workerCount }, (_, i) => work(`w${i}`, book, chance))
    for (let kill = 1; kill <= kills; kill++) {
      while (book.done.size < (kill / (kills + 1)) * jobs) await pause(2)
      await broker.end('SIGKILL')
      await broker.start()
    }
    const observer = await WireClient.open(`127.0.0.1:${broker.port}`)
    while ((await left(observer)) > 0) await pause(20)
    finished = true
    await Promise.all(workers)
    observer.close()

    expect(book.wrong).toEqual([])
    expect(book.deliveries.size).toBe(jobs)
    // Of what nobody was told to be done, the answer was lost, or it went round as often as it may.
    const unsure = [...book.deliveries.keys()].filter((job) => !book.done.has(job))
    expect(unsure.length).toBeLessThan(jobs / 10)
    expect(await broker.end('SIGTERM')).toBe(0)
    broker.expectSound()
    const again = [...book.deliveries.values()].filter((deliveryCount) => deliveryCount > 1).length
    console.log(`${book.done.size} jobs done, ${again} handed out again, ${kills} kills of the broker`)
  },
  120_000 + 20 * jobs,
)
