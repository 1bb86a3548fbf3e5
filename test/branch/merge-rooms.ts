// A broker in which a branch is about to be merged, on a disk that a test keeps.

import { afterEach, beforeEach, vi } from 'vitest'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { commandsTopic, jsonTopics } from '../../src/branch/json-topics.ts'
import { eachBatchAtOnce, Fates, noWalk, recordOf, walkBatch } from '../../src/branch/reading.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { BrokerProcess } from './process.ts'

export class Rooms extends BrokerProcess {
  static async open(store: FaultyStore): Promise<Rooms> {
    const { rooms, begun } = await Rooms.opening(store)
    await begun
    return rooms
  }

  /** Clients are there before what a kill has left is finished (`begun`). */
  static async opening(store: FaultyStore): Promise<{ rooms: Rooms; begun: Promise<void> }> {
    const rooms = new Rooms(store)
    await rooms.load()
    return { rooms, begun: rooms.branches.begin() }
  }

  write(topic: string, partition: number, records: readonly (readonly [string, string | null])[]): void {
    const timestamp = 1000
    const bytes = encodeBatch({ records: records.map(([key, value]) => ({ key, value, timestamp })) })
    this.broker.topic(topic)!.partitions[partition]!.appendOwn(bytes)
  }

  async command(command: object): Promise<void> {
    const made = jsonTopics.find(({ name }) => name === commandsTopic)!
    const topic = this.broker.topic(commandsTopic) ?? (await this.broker.createTopics([made]))[0]!
    topic.partitions[0]!.appendOwn(encodeBatch({ records: [{ timestamp: 1, value: JSON.stringify(command) }] }))
    await topic.partitions[0]!.flush()
  }

  /** Resolves when the history has told so many results of an id. */
  async told(id: string, count: number): Promise<void> {
    while (this.results(id).length < count) await new Promise((resolve) => setImmediate(resolve))
  }

  results(id: string) {
    const isResult = (event: { id: string; type: string }) => event.id === id && !event.type.startsWith('merge-')
    return [...this.branches.history.events()].filter(isResult)
  }

  /** Values that a reader of committed data sees, by key and in order. */
  seen(topic: string): string[] {
    return this.broker.topic(topic)!.partitions.flatMap(({ log, index }) => {
      const found: string[] = []
      const fates = new Fates(log, 0, log.logEndOffset)
      eachBatchAtOnce(log, 0, log.logEndOffset, (bytes, position) => {
        if (fates.of(bytes, position) !== 'committed') return noWalk
        return walkBatch(bytes, position, 0, Number.POSITIVE_INFINITY, (cursor) => {
          const { key, value } = recordOf(bytes, position, cursor)
          found.push(`${index} ${key}=${value}`)
        })
      })
      return found
    })
  }
}

export const before = ['0 k=0', '0 both=0', '0 both=p', '1 k=0']
export const after = ['0 k=0', '0 both=0', '0 both=p', '0 k=1', '0 json=1', '1 k=0', '1 k=1']
export const merge = { op: 'merge', id: 'm1', from: 'C', into: 'P', onConflict: 'park' }

export async function staged(): Promise<[FaultyStore, Rooms]> {
  const store = new FaultyStore()
  const rooms = await Rooms.open(store)
  await rooms.broker.createTopics([{ name: 'P', partitions: 2, configs: { 'cleanup.policy': 'compact' } }])
  rooms.write('P', 0, [
    ['k', '0'],
    ['both', '0'],
  ])
  rooms.write('P', 1, [['k', '0']])
  await rooms.command({ op: 'fork', id: 'f1', from: 'P', to: 'C' })
  await rooms.told('f1', 1)
  rooms.write('C', 0, [
    ['k', '1'],
    ['both', 'c'],
    ['json', '1'],
  ])
  rooms.write('C', 1, [['k', '1']])
  rooms.write('P', 0, [['both', 'p']])
  return [store, rooms]
}

/** How often commands were said to wait for a disk, in each test of the file; nothing else that is said is shown. */
export function countWaits(): { count: number } {
  const waits = { count: 0 }
  beforeEach(() => {
    waits.count = 0
    vi.spyOn(console, 'error').mockImplementation((text: unknown) => {
      if (String(text).startsWith('Commands of branches wait')) waits.count++
    })
  })
  afterEach(() => vi.restoreAllMocks())
  return waits
}
