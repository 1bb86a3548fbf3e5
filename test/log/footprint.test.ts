// What topics cost that nobody uses, and what a log promises to branches that will share its files.

import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { crc32c } from '../../protocol/crc32c.ts'
import { Broker as Core } from '../../src/broker/broker.ts'
import { BrokerConfig } from '../../src/broker/broker-config.ts'
import { Broker } from '../../src/embedded.ts'
import { Log } from '../../src/log/log.ts'
import { systemClock } from '../../src/storage/clock.ts'
import { borrow, type Store } from '../../src/storage/file.ts'
import { canMap, MappedStore } from '../../src/storage/mapped-file.ts'
import { PlainStore } from '../../src/storage/plain-file.ts'
import { numbersFrom } from '../crash/world.ts'
import { append, batchOf, readAll, smallConfig } from './log-environment.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'twiglog-footprint-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const idleBytesMax = 64 * 1024
const topicCount = 1000

/** Maps and descriptors of this process that lie in a folder. */
function held(folder: string): { maps: number; descriptors: number } {
  const maps = readFileSync('/proc/self/maps', 'utf8').split('\n')
  const descriptors = readdirSync('/proc/self/fd').map((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`)
    } catch {
      return '' // the descriptor of the listing itself
    }
  })
  const within = (line: string) => line.includes(`${folder}/`)
  return { maps: maps.filter(within).length, descriptors: descriptors.filter(within).length }
}

function diskBytes(folder: string): number {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return names.reduce((sum, name) => sum + statSync(join(folder, name)).blocks * 512, 0)
}

describe.skipIf(!existsSync('/proc/self/maps') || !canMap())('a thousand topics', () => {
  const open = (data: string) =>
    new Core({ store: new MappedStore(data), clock: systemClock, config: new BrokerConfig(new Map()) })
  const names = Array.from({ length: topicCount }, (_, i) => ({ name: `topic-${i}`, partitions: 1, configs: {} }))

  test('that were never written own no file, no map and no descriptor', async () => {
    const data = join(root, 'data')
    await using broker = await Broker.start({ data, storage: 'mapped' })
    const before = held(data)
    await broker.createTopics(names.map(({ name }) => name))
    const after = held(data)
    expect(after.descriptors).toBeLessThanOrEqual(before.descriptors + 1)
    expect(after.maps).toBeLessThanOrEqual(before.maps + 1)
    expect(existsSync(join(data, 'topics'))).toBe(false)
  })

  test('that were written once cost little disk each, and a start opens none of them, after a kill either', async () => {
    const data = join(root, 'data')
    const core = open(data)
    const topics = await core.createTopics(names)
    for (const { partitions } of topics) {
      expect(partitions[0]!.append(batchOf(['one']), 9)).toMatchObject({ baseOffset: 0 })
    }
    const costs = (of: string) => topics.map(({ folder }) => diskBytes(join(of, folder)))
    expect(Math.max(...costs(data))).toBeLessThanOrEqual(idleBytesMax)
    // What a kill would leave: the files as they are now, with the space allocated ahead.
    const killed = join(root, 'killed')
    cpSync(data, killed, { recursive: true })
    const again = open(killed)
    expect(held(killed).descriptors).toBeLessThanOrEqual(1)
    expect(again.topics().length).toBe(topicCount)
    const { partitions } = again.topics()[5]!
    expect(partitions[0]!.logEndOffset).toBe(1)
    expect(held(killed).descriptors).toBeLessThanOrEqual(2)
    for (const topic of again.topics()) expect(topic.partitions[0]!.logEndOffset).toBe(1)
    expect(Math.max(...costs(killed))).toBeLessThanOrEqual(idleBytesMax)
    await again.close()
    expect(Math.max(...costs(killed))).toBeLessThanOrEqual(idleBytesMax)
    const third = open(killed)
    expect(held(killed).descriptors).toBeLessThanOrEqual(1)
    await third.close()
    await core.close()
  })
})

const stores: [name: string, open: (root: string) => Store][] = [
  ['plain', (folder) => new PlainStore(folder)],
  ...(canMap() ? ([['mapped', (folder) => new MappedStore(folder)]] as [string, (folder: string) => Store][]) : []),
]

describe.each(stores)('%s: files that branches share', (_name, make) => {
  const folder = 'topics/p/0'
  const config = { ...smallConfig, segmentBytes: 20_000, retentionBytes: 60_000 }
  type Cut = { path: string; store: Store; bound: number; crc: number }

  /** What a fork does: a second name for a segment file, and the place up to which the branch reads. */
  function fork(log: Log, store: Store, cuts: Cut[]): void {
    const segment = log.segments.at(-1)!
    if (segment.isEmpty) return
    const path = `branches/${cuts.length}.log`
    store.share(segment.path, path)
    const bound = segment.length
    cuts.push({ path, store, bound, crc: crcOf(store, path, bound) })
  }

  function crcOf(store: Store, path: string, bound: number): number {
    const file = store.open(path, 0, { length: bound })
    const crc = borrow(file.read(0, bound), (bytes) => {
      expect(bytes.length).toBe(bound)
      return crc32c(bytes, 0, bound)
    })
    file.close()
    return crc
  }

  test('a byte below the log end never changes, whatever the log goes through afterwards', async () => {
    const chance = numbersFrom(4711)
    let store = make(root)
    let log = new Log(store, folder, config)
    const cuts: Cut[] = []
    for (let step = 0; step < 400; step++) {
      const dice = chance()
      if (dice < 0.7) append(log, ['x'.repeat(Math.floor(6000 * chance() ** 3)), `${step}`])
      else if (dice < 0.76) log.append(batchOf(['refused']).fill(1, 62), { leaderEpoch: 0, now: 1 })
      else if (dice < 0.82) fork(log, store, cuts)
      else if (dice < 0.86) log.retain(1000)
      else if (dice < 0.88) log.deleteBelow(Math.floor(log.logStartOffset + chance() * 3))
      else if (dice < 0.92) await log.flush()
      else if (dice < 0.95) {
        await log.close()
        store = make(root)
        log = new Log(store, folder, config)
      } else {
        // The process is gone without a word, and leaves half a batch above the end.
        const active = log.segments.at(-1)
        if (active !== undefined && !active.isEmpty) active.file.stage(batchOf(['torn']).subarray(0, 70))
        store = make(root)
        log = new Log(store, folder, config)
      }
      if (step % 20 === 0) for (const { path, bound, crc } of cuts) expect(crcOf(store, path, bound)).toBe(crc)
    }
    expect(cuts.length).toBeGreaterThan(15)
    for (const { path, bound, crc } of cuts) expect(crcOf(make(root), path, bound)).toBe(crc)
    log.release()
  })

  test('a branch reads up to its bound while the parent appends, rolls and deletes', () => {
    const store = make(root)
    const log = new Log(store, folder, config)
    for (let i = 0; i < 10; i++) append(log, [`v${i}`])
    const [segment] = log.segments
    mkdirSync(join(root, 'c'))
    linkSync(join(root, segment!.path), join(root, 'c', 'linked.log'))
    const bounded = store.open('c/linked.log', 0, { length: segment!.length })
    const before = borrow(bounded.read(0, bounded.length), (bytes) => Buffer.from(bytes))
    for (let i = 0; i < 200; i++) append(log, ['y'.repeat(500)])
    log.deleteBelow(150)
    expect(existsSync(join(root, segment!.path))).toBe(false)
    expect(bounded.length).toBe(before.length)
    borrow(bounded.read(0, 1_000_000), (bytes) => expect(bytes.equals(before)).toBe(true))
    expect(readAll(log)[0]![0]).toBe(150)
    bounded.close()
    log.release()
  })
})
