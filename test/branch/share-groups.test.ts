// Share groups on a branch and behind a name that changes hands: a queue goes on where it was. Its commits are not offsets but
// what of the records is done, so it would begin anew wherever that were left behind.

import { describe, expect, test } from 'vitest'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { describeShareGroupOffsets } from '../../protocol/messages/90-describe-share-group-offsets.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { configureGroup, Sharer } from '../share/member.ts'
import { WireClient } from '../wire-client.ts'
import { Rooms } from './merge-rooms.ts'
import { numbered, Stage } from './stage.ts'

/** A member of the group `workers`, who is somewhere by its client id. */
class Worker implements Disposable {
  readonly client: WireClient
  readonly #sharer: Sharer
  #epoch = 0

  private constructor(client: WireClient, name: string) {
    this.client = client
    this.#sharer = new Sharer(client, name)
  }

  static async open({ broker }: Stage, name: string, clientId?: string): Promise<Worker> {
    return new Worker(await WireClient.open(broker.bootstrapServers, clientId), name)
  }

  [Symbol.dispose](): void {
    this.client.close()
  }

  /** Reads these topics from now on. */
  async subscribe(...topics: string[]): Promise<void> {
    const { memberEpoch } = await this.#sharer.beat(this.#epoch, topics)
    this.#epoch = memberEpoch
  }

  async #place(topic: string) {
    const { topics } = await this.client.ask(metadata, 12, { topics: [{ name: topic }], allowAutoTopicCreation: false })
    return topics[0]!.topicId
  }

  /** `0-3x1 5-5x2`: all that it is handed out, and how often that was. */
  async take(topic: string): Promise<string> {
    const taken: string[] = []
    for (;;) {
      const got = await this.#sharer.take([[await this.#place(topic), 0]])
      if (got === '' || got === '0: -') return taken.join(' ')
      taken.push(got.replace(/^0: /, ''))
    }
  }

  async accept(topic: string, ...ranges: (readonly [first: number, last: number])[]): Promise<void> {
    const said = ranges.map(([first, last]) => [first, last, 1] as const)
    expect(await this.#sharer.say(await this.#place(topic), 0, ...said)).toBe('NONE')
  }

  /** What it had, others have. */
  close(): Promise<string> {
    return this.#sharer.close()
  }
}

/** Where the tools show the group, by topic: the start, which is one step behind as Kafka's is, and the lag. */
async function shown(client: WireClient): Promise<Record<string, [start: number, lag: number]>> {
  const { groups } = await client.ask(describeShareGroupOffsets, 1, { groups: [{ groupId: 'workers', topics: null }] })
  return Object.fromEntries(
    groups[0]!.topics.map(({ topicName, partitions: [of] }) => [topicName, [of!.startOffset, of!.lag]]),
  )
}

/** Ten records, all of which were handed out once: the first four are done and so is 6, and the rest is free again. */
async function staged(onDisk = false): Promise<Stage> {
  const stage = await Stage.open({ onDisk })
  await stage.create('orders')
  for (const value of numbered(10)) await stage.send('orders', [value])
  using worker = await Worker.open(stage, 'first')
  await configureGroup(worker.client, 'workers', { 'share.auto.offset.reset': 'earliest' })
  await worker.subscribe('orders')
  expect(await worker.take('orders')).toBe('0-9x1')
  await worker.accept('orders', [0, 3], [6, 6])
  // Whoever has not begun elsewhere begins at the end, and would notice nothing of a past.
  await configureGroup(worker.client, 'workers', { 'share.auto.offset.reset': 'latest' })
  return stage
}

describe('a share group', () => {
  test('goes on on a branch where it stood as far as that goes, or at the fork point, or begins as it does anywhere', async () => {
    await using stage = await staged()
    for (const groups of ['none', 'copy', 'fork']) {
      await stage.fork('orders', groups, { 'branch.groups': groups, 'branch.at': 'offset:9' })
    }
    using worker = await Worker.open(stage, 'second')
    expect(await shown(worker.client)).toEqual({ orders: [4, 5], copy: [4, 4], fork: [9, 0] })
    await worker.subscribe('none', 'copy', 'fork')
    for (const topic of ['none', 'copy', 'fork']) await stage.send(topic, ['own'])
    expect(await worker.take('copy')).toBe('4-5x2 7-8x2 9-9x1')
    expect(await worker.take('fork')).toBe('9-9x1')
    // It has begun at the end of the branch, which was told with its first fetch.
    expect(await worker.take('none')).toBe('')
  })

  test('of a name stands where it stood as far as the topic that takes the name is the same, and goes along with the other', async () => {
    await using stage = await staged(true)
    await stage.fork('orders', 'try', { 'branch.at': 'offset:8' })
    await stage.send('try', ['own'])
    await stage.run({ op: 'promote', id: 'u1', branch: 'try', keep: 'before' })
    const check = async (name: string, orders: string, before: string) => {
      using worker = await Worker.open(stage, name)
      expect(await shown(worker.client)).toEqual({ orders: [4, 4], before: [4, 5] })
      await worker.subscribe('orders', 'before')
      expect(await worker.take('orders')).toBe(orders)
      expect(await worker.take('before')).toBe(before)
      await worker.close()
    }
    await check('second', '4-5x2 7-7x2 8-8x1', '4-5x2 7-9x2')
    await stage.restart()
    await check('third', '4-5x3 7-7x3 8-8x2', '4-5x3 7-9x3')
    using worker = await Worker.open(stage, 'fourth')
    await worker.subscribe('orders')
    await worker.take('orders')
    await worker.accept('orders', [4, 5], [7, 8])
    // Promoting the one that was kept brings the old picture back.
    await stage.run({ op: 'promote', id: 'u2', branch: 'before', keep: 'try' })
    expect(await shown(worker.client)).toEqual({ orders: [4, 5], try: [4, 0] })
  }, 60_000)

  test('whose members are at work goes on under the name that they know', async () => {
    await using stage = await staged()
    await stage.fork('orders', 'try')
    using worker = await Worker.open(stage, 'second')
    await worker.subscribe('orders')
    expect(await worker.take('orders')).toBe('4-5x2 7-9x2')
    await stage.run({ op: 'promote', id: 'u1', branch: 'try', keep: 'before' })
    await stage.send('orders', ['own'])
    await worker.subscribe('orders')
    expect(await worker.take('orders')).toBe('4-5x2 7-9x2 10-10x1')
    await worker.accept('orders', [4, 5], [7, 10])
    expect(await shown(worker.client)).toEqual({ orders: [4, 0], before: [4, 5] })
  })

  test('has a life of its own in a set, and what it did there counts when the set is promoted', async () => {
    await using stage = await staged()
    await stage.run({ op: 'fork', id: 'f1', set: 's', from: '*' })
    using inside = await Worker.open(stage, 'second', 'app--branch--s--')
    expect(await shown(inside.client)).toEqual({ orders: [4, 5] })
    await inside.subscribe('orders')
    expect(await inside.take('orders')).toBe('4-5x2 7-9x2')
    await inside.accept('orders', [4, 5])
    using outside = await Worker.open(stage, 'third')
    expect(await shown(outside.client)).toMatchObject({ orders: [4, 5] })
    await inside.close()
    await stage.run({ op: 'promote', id: 'u1', set: 's', keep: 'before' })
    expect(await shown(outside.client)).toEqual({ orders: [7, 3], 'orders--before': [4, 5] })
    await outside.subscribe('orders')
    expect(await outside.take('orders')).toBe('7-9x3')
  })

  test('stands where its parent stands after a reset, where groups were copied', async () => {
    await using stage = await staged()
    await stage.fork('orders', 'try', { 'branch.groups': 'copy' })
    using worker = await Worker.open(stage, 'second')
    await worker.subscribe('orders', 'try')
    await worker.take('try')
    await worker.accept('try', [4, 5], [7, 9])
    await worker.take('orders')
    await worker.accept('orders', [4, 4])
    expect(await shown(worker.client)).toEqual({ orders: [4, 4], try: [4, 0] })
    await stage.run({ op: 'reset', id: 's1', branch: 'try' })
    expect(await shown(worker.client)).toEqual({ orders: [4, 4], try: [5, 4] })
  })
})

/** A share group that has done the first of three records, and a branch that its topic may lose its name to. */
async function rooms(): Promise<[FaultyStore, Rooms]> {
  const store = new FaultyStore()
  const process = await Rooms.open(store)
  await process.broker.createTopics([{ name: 'P', partitions: 1, configs: {} }])
  for (const key of ['a', 'b', 'c']) process.write('P', 0, [[key, '1']])
  const topicId = process.broker.topic('P')!.id
  await process.groups.share.plant({ group: 'workers', topicId, partition: 0, startOffset: 1, ranges: [] })
  return [store, process]
}

const startsOf = ({ broker, shares }: Rooms) =>
  shares.states.all.map(({ of, startOffset }) => `${broker.topicById(of.topicId)?.name} ${startOffset}`).sort()

describe('a kill at any operation', () => {
  test('of a fork: the group is on the branch if that is there, and nothing is remembered of one that is not', async () => {
    const seen = new Set<string>()
    for (let n = 0; ; n++) {
      const [store, process] = await rooms()
      let count = 0
      let left: FaultyStore | undefined
      store.fault = (operation) => {
        if (operation !== 'read' && count++ === n) left = store.after('kill')
        return undefined
      }
      await process.branches.fork({ by: 'User:test', topics: [{ from: 'P', to: 'C', groups: 'copy' }] })
      store.fault = () => undefined
      await process.stop()
      if (left === undefined) break
      const found = await Rooms.open(left)
      const starts = startsOf(found)
      expect(starts, `operation ${n}`).toEqual(found.broker.topic('C') === undefined ? ['P 1'] : ['C 1', 'P 1'])
      seen.add(starts.join())
      await found.stop()
    }
    expect(seen.size).toBe(2)
  })

  test('of a promotion: the next start puts the group where the promotion wants it', async () => {
    for (let n = 0; ; n++) {
      const [store, process] = await rooms()
      await process.branches.fork({ by: 'User:test', topics: [{ from: 'P', to: 'C' }] })
      await process.command({ op: 'promote', id: 'u1', branch: 'C', keep: 'old' })
      let count = 0
      let left: FaultyStore | undefined
      store.fault = (operation) => {
        if (operation !== 'read' && count++ === n) left = store.after('kill')
        return undefined
      }
      await process.told('u1', 1)
      store.fault = () => undefined
      await process.stop()
      if (left === undefined) {
        expect(n).toBeGreaterThan(5)
        return
      }
      const found = await Rooms.open(left)
      await found.told('u1', 1)
      expect(startsOf(found), `operation ${n}`).toEqual(['P 1', 'old 1'])
      await found.stop()
    }
  })
})
