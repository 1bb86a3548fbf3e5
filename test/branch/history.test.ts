// `__branches` is enough to draw the graph of all branches, and a start writes what a kill has kept from it.

import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeLogDirs } from '../../protocol/messages/35-describe-log-dirs.ts'
import type { BranchEvent, EventTopic } from '../../src/branch/events.ts'
import type { Vector } from '../../src/branch/lineage.ts'
import { Broker } from '../../src/broker/broker.ts'
import { BrokerConfig } from '../../src/broker/broker-config.ts'
import { History } from '../../src/command/history.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import { FakeClock } from '../group/world.ts'
import { WireClient } from '../wire-client.ts'
import { BrokerProcess } from './process.ts'
import { numbered, Stage } from './stage.ts'

type Drawn = {
  readonly fromId: string
  readonly set?: string | undefined
  readonly known: Map<number, Vector>
  readonly configs: Readonly<Record<string, string>>
}

/** Of each branch what DescribeConfigs tells, from nothing but events. */
function graph(events: readonly BranchEvent[]): Map<string, Record<string, string>> {
  const branches = new Map<string, Drawn>()
  /** By topic id; of topics that are no branches too. */
  const names = new Map<string, string>()
  const learn = ({ intoId, partitions = [] }: EventTopic) => {
    const { known } = branches.get(intoId!) ?? {}
    for (const { partition, known: vector } of partitions) if (vector !== undefined) known?.set(partition, vector)
  }
  for (const { type, at, set, topics = [], replayed } of events) {
    if (replayed === true) continue
    for (const topic of topics) {
      const { from, fromId, into, intoId, groups, partitions = [], kept, keptId } = topic
      if (type === 'delete') branches.delete(intoId!)
      if (type === 'merge' || type === 'resolve' || type === 'revert') learn(topic)
      if (type === 'promote') {
        names.set(fromId!, into!)
        if (keptId !== undefined) names.set(keptId, kept!)
        const { set: _, ...alone } = branches.get(fromId!) ?? {}
        if (branches.has(fromId!)) branches.set(fromId!, alone as Drawn)
      }
      if (type !== 'fork' && type !== 'reset') continue
      names.set(fromId!, from!)
      // One that is made anew is another topic under the same name.
      for (const [id] of [...branches]) if (names.get(id) === into) branches.delete(id)
      names.set(intoId!, into!)
      const configs = {
        'branch.from.id': fromId!,
        'branch.offsets': partitions.map(({ partition, to }) => `${partition}=${to}`).join(','),
        'branch.created.ms': String(at),
        'branch.groups': groups!,
      }
      branches.set(intoId!, { fromId: fromId!, set, known: new Map(), configs })
      learn(topic)
    }
  }
  return new Map(
    [...branches].map(([id, { fromId, set, known, configs }]) => {
      const told = [...known].map(([partition, vector]) => {
        const entries = Object.entries(vector).map(([of, offset]) => `${of}:${offset}`)
        return `${partition}=${entries.join(';')}`
      })
      const more = { 'branch.from': names.get(fromId)!, 'branch.known': told.join(',') }
      return [names.get(id)!, { ...configs, ...more, ...(set === undefined ? {} : { 'branch.set': set }) }]
    }),
  )
}

const ownWord = ['branch.bytes.own', 'branch.bytes.shared', 'branch.ttl.ms', 'branch.protect']

/** Every topic there is: members of sets are in no other listing. */
async function stored(stage: Stage): Promise<string[]> {
  const client = await WireClient.open(stage.broker.bootstrapServers)
  const { results } = await client.ask(describeLogDirs, 4, { topics: null })
  client.close()
  return results.flatMap(({ topics }) => topics.map(({ name }) => name))
}

async function described(stage: Stage): Promise<Map<string, Record<string, string>>> {
  const branches = new Map<string, Record<string, string>>()
  for (const topic of await stored(stage)) {
    const configs = Object.entries(await stage.branchConfigs(topic)).filter(([name]) => !ownWord.includes(name))
    if (configs.length > 0) branches.set(topic, Object.fromEntries(configs))
  }
  return branches
}

async function grow(stage: Stage): Promise<number> {
  await stage.create('orders', 2)
  await stage.create('stock')
  await stage.send('orders', numbered(7))
  await stage.fork('orders', 'orders--a', { 'branch.at': 'offset:0' })
  await stage.fork('orders--a', 'orders--b')
  await stage.send('orders--b', numbered(3), 1)
  await stage.command(
    { op: 'fork', set: 'S', from: '*' },
    { op: 'fork', set: 'T', from: 'set:S', at: 'earliest', groups: 'fork' },
    { op: 'fork', from: 'orders--b', to: 'orders--c' },
    { op: 'fork', from: 'orders--c', to: 'orders--d' },
    { op: 'abandon', set: 'S' },
    { op: 'abandon', branch: 'orders--c' },
  )
  const count = 8
  await stage.events(count)
  return count
}

test('B39: the graph drawn from the history alone is the one that the configurations tell', async () => {
  await using stage = await Stage.open()
  const count = await grow(stage)
  const drawn = graph(await stage.events(count))
  expect([...drawn.keys()].sort()).toEqual(['orders--T', 'orders--a', 'orders--b', 'orders--d', 'stock--T'])
  expect(drawn).toEqual(await described(stage))
})

test('B39: the same after merges in all directions, a resolution, a revert, a reset and promotions', async () => {
  await using stage = await Stage.open()
  const keyed = { 'cleanup.policy': 'compact' }
  await stage.create('P', 2, keyed)
  await stage.create('log')
  const put = (topic: string, key: string, value: string) => stage.send(topic, [{ key, value }])
  await put('P', 'k', '0')
  for (const name of ['A', 'B', 'C']) await stage.fork('P', name)
  for (const [topic, value] of Object.entries({ P: 'p', A: 'a', B: 'b' })) await put(topic, 'k', value)
  const run = async (command: { op: string; [more: string]: unknown }) => {
    const event = await stage.run({ id: `x${count++}`, ...command })
    expect(['committed', 'parked', 'done'], JSON.stringify(event)).toContain(event.status)
    return event
  }
  let count = 0
  await run({ op: 'merge', id: 'm1', from: 'P', into: 'A', onConflict: 'park' })
  await run({ op: 'resolve', merge: 'm1', topic: 'A', partition: 0, key: 'k', take: 'theirs' })
  await run({ op: 'merge', id: 'm2', from: 'A', into: 'B', onConflict: 'theirs' })
  await run({ op: 'merge', from: 'B', into: 'P' })
  await run({ op: 'revert', merge: 'm2' })
  await stage.fork('B', 'D')
  await stage.send('log', numbered(3))
  await run({ op: 'fork', set: 'S', topics: [{ from: 'log' }, { from: 'C' }] })
  await stage.send('log', numbered(3))
  await run({ op: 'merge', from: 'log', into: 'log--S', strategy: 'fast-forward' })
  await run({ op: 'reset', branch: 'C', at: 'latest' })
  await run({ op: 'promote', branch: 'D', keep: 'B-before' })
  await run({ op: 'fork', set: 'T', from: '*' })
  await run({ op: 'promote', set: 'T', keep: 'old' })
  const drawn = graph(await stage.events((await stage.ends('__branches'))[0]!.high))
  expect(drawn.size).toBeGreaterThan(6)
  expect(drawn).toEqual(await described(stage))
})

test('what a kill kept from being told is told at the next start, by id and once', async () => {
  await using stage = await Stage.open({ onDisk: true })
  const count = await grow(stage)
  const before = await stage.events(count)
  await stage.stop()
  // As if the process had ended after each change had become true and before any was told.
  const kept = readdirSync(join(stage.folder!, 'topics')).find((id) =>
    holds(join(stage.folder!, 'topics', id), 'fork-'),
  )
  rmSync(join(stage.folder!, 'topics', kept!), { recursive: true })
  await stage.start()
  // Of branches that are gone their end is told, and nothing else.
  const gone = (event: BranchEvent) => event.set === 'S' || event.topics![0]!.into === 'orders--c'
  const wanted = before.filter((event) => event.type === 'delete' || !gone(event))
  const told = await stage.events(wanted.length)
  const byId = (a: BranchEvent, b: BranchEvent) => (a.id < b.id ? -1 : 1)
  expect([...told].sort(byId)).toEqual([...wanted].sort(byId))
  expect(await stage.ends('__branches')).toEqual([{ low: 0, high: wanted.length }])
  // The commands are done: none runs again, and the next one is run.
  await stage.command({ op: 'fork', id: 'next', from: 'orders', to: 'orders--next' })
  expect((await stage.events(wanted.length + 1)).at(-1)).toMatchObject({ id: 'next', type: 'fork' })
  await stage.restart()
  expect(await stage.ends('__branches')).toEqual([{ low: 0, high: wanted.length + 1 }])
})

/** Whether records of a topic begin with some text: topics are named by ids on the disk. */
function holds(folder: string, text: string): boolean {
  const path = join(folder, '0', '00000000000000000000.log')
  try {
    return readFileSync(path).includes(text) && readFileSync(path).includes('"type":"fork"')
  } catch {
    return false
  }
}

test('events of forks that share a flush are on stable storage when the broker has stopped', async () => {
  const process = await BrokerProcess.on(new MemoryStore())
  const { broker, branches } = process
  await broker.createTopics([{ name: 'P', partitions: 1, configs: {} }])
  for (let i = 0; i < 20; i++) {
    const made = await branches.fork({ by: 'me', topics: [{ from: 'P', to: `P--${i}` }] })
    expect(made).toHaveProperty('topics')
  }
  await process.stop()
  const { log } = broker.topic('__branches')!.partitions[0]!
  expect([log.logEndOffset, log.flushedOffset]).toEqual([20, 20])
  await broker.close()
})

test('whoever follows the history reads of forks at once, and one flush serves those of half a second', async () => {
  const clock = new FakeClock()
  const broker = new Broker({ store: new MemoryStore(), clock, config: new BrokerConfig(new Map()) })
  const history = new History(broker)
  const forked = (id: string): BranchEvent => ({ v: 1, type: 'fork', id, at: clock.now(), by: 'me', status: 'done' })
  await history.write(forked('first'))
  const partition = broker.topic('__branches')!.partitions[0]!
  for (let i = 0; i < 4; i++) {
    await history.tell(forked(`more-${i}`), true)
    await clock.pass(100)
    expect([partition.highWatermark, partition.log.flushedOffset]).toEqual([i + 2, 1])
  }
  await clock.pass(200)
  expect(partition.log.flushedOffset).toBe(5)
  expect(history.hasResult('more-3')).toBe(true)
  // What is awaited takes the others along.
  await history.tell(forked('late'), true)
  await history.write(forked('awaited'))
  expect(partition.log.flushedOffset).toBe(7)
  await broker.close()
})
