// A process that dies while a fork or a deletion is under way, at every single thing that it asks of the disk: what a new
// one finds is all of it or nothing, and the client's retry gets a plain answer.

import { describe, expect, test } from 'vitest'
import { checkStore } from '../../src/cli/check.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { eventually } from '../eventually.ts'
import { momentsOf } from './moments.ts'
import { numbered, Stage } from './stage.ts'

const damagesOf = (store: FaultyStore) => checkStore(store).findings.filter(({ kind }) => kind === 'damage')

/** Folders of branches that are not true, or whose topics are gone. */
const strays = (store: FaultyStore, topics: number) => {
  const folders = store.list('topics')
  return folders.filter((name) => name.endsWith('.tmp')).length + Math.max(0, folders.length - topics)
}

async function prepared(): Promise<{ stage: Stage; store: FaultyStore }> {
  const store = new FaultyStore()
  const stage = await Stage.open({ storage: store })
  for (const topic of ['orders', 'stock']) {
    await stage.create(topic, 2, { 'flush.messages': 1 })
    for (let i = 0; i < 4; i++) await stage.send(topic, numbered(6, `${topic}-${i}-`.padEnd(60, '.')))
    await stage.send(topic, numbered(3, 'one'), 1)
  }
  // The topics that the broker makes at the first fork are there, so that only the fork itself is looked at.
  await stage.fork('orders', 'orders--before')
  return { stage, store }
}

async function expectWhole(stage: Stage, topic: string, parent: string): Promise<void> {
  const ends = [
    { low: 0, high: 24 },
    { low: 0, high: 3 },
  ]
  // What outlived a kill is flushed before it is shown.
  await eventually(async () => expect(await stage.ends(topic)).toEqual(ends))
  expect(await stage.values(topic, 27)).toEqual(await stage.values(parent, 27))
}

describe('B35: a fork whose process dies', () => {
  test('B35: at every moment of a fork of a set, a new process finds all of it or nothing, and a retry is answered', async () => {
    const { stage, store } = await prepared()
    const branches = ['orders', 'stock'].map((from) => ({
      from,
      topic: `${from}--try`,
      configs: { 'branch.set': 'try', 'branch.at': from === 'orders' ? 'offsets:0=15' : 'latest' },
    }))
    const fork = (on: Stage) => on.forkAll(branches)
    const moments = await momentsOf(store, () => fork(stage))
    await stage[Symbol.asyncDispose]()
    const found = { none: 0, all: 0 }
    for (const { name, store: left } of moments) {
      expect(damagesOf(left), name).toEqual([])
      await using again = await Stage.open({ storage: left })
      const names = Object.keys(await again.refusals(branches, true))
      expect([0, 2], name).toContain(names.length)
      if (name.endsWith('the answer')) expect(names, name).toHaveLength(2)
      found[names.length === 2 ? 'all' : 'none']++
      const refusals = await again.refusals(branches)
      const isThere = names.length === 2
      const exists = expect.stringContaining('TOPIC_ALREADY_EXISTS')
      expect(refusals, name).toEqual(isThere ? { 'orders--try': exists, 'stock--try': exists } : {})
      await eventually(async () => expect((await again.ends('orders--try'))[0], name).toEqual({ low: 0, high: 15 }))
      await expectWhole(again, 'stock--try', 'stock')
      await expectWhole(again, 'orders--before', 'orders')
      expect(strays(left, again.broker === undefined ? 0 : left.list('topics').length), name).toBe(0)
      expect(damagesOf(left), name).toEqual([])
      // Forks that nobody waits for are told a moment later.
      await eventually(async () => {
        const history = await again.values('__branches', (await again.ends('__branches'))[0]!.high)
        expect(
          history.filter((value) => JSON.parse(value).set === 'try'),
          name,
        ).toHaveLength(1)
      })
    }
    expect(found.none).toBeGreaterThan(4)
    expect(found.all).toBeGreaterThan(4)
  })

  test('B35: a disk that refuses anything of a fork leaves nothing of it behind, or all of it to the next start', async () => {
    const { stage: first, store: base } = await prepared()
    await using _first = first
    const branch = { from: 'orders', topic: 'orders--try', configs: { 'branch.at': 'offsets:0=15' } }
    const outcomes = { nothing: 0, all: 0 }
    for (let failAt = 1, isOver = false; !isOver; failAt++) {
      const store = base.after('kill')
      let asked = 0
      let refused = ''
      let left: FaultyStore
      {
        const stage = await Stage.open({ storage: store })
        const before = store.list('topics')
        store.fault = (operation, path) => {
          const isAsked = ['create', 'stage', 'share', 'save', 'flush', 'sync', 'rename'].includes(operation)
          const isOfFork = operation === 'share' || path.includes('.tmp') || path.startsWith('metadata')
          if (!isAsked || !isOfFork || ++asked !== failAt) return undefined
          refused = `${operation} of ${path}`
          return 'ENOSPC'
        }
        const refusals = await stage.refusals([branch])
        store.fault = () => undefined
        left = store.after('kill')
        isOver = asked < failAt
        if (Object.keys(refusals).length > 0) {
          expect(refusals['orders--try'], refused).toContain('KAFKA_STORAGE_ERROR')
          expect(await stage.topics(), refused).not.toContain('orders--try')
          const isLeft = store.list('topics').length > before.length
          outcomes[isLeft ? 'all' : 'nothing']++
          // Nothing is left, and it can be asked for again; or nobody knows, and the name stays taken.
          const again = await stage.refusals([branch], true)
          expect(again, refused).toEqual(isLeft ? { 'orders--try': expect.stringContaining('ALREADY_EXISTS') } : {})
        }
        expect(damagesOf(store), refused).toEqual([])
        // Where the metadata log has failed, the end of the broker says so once more.
        await stage[Symbol.asyncDispose]().catch(() => {})
      }
      expect(damagesOf(left), refused).toEqual([])
      await using again = await Stage.open({ storage: left })
      await again.refusals([branch])
      await eventually(async () => expect((await again.ends('orders--try'))[0], refused).toEqual({ low: 0, high: 15 }))
      expect(
        left.list('topics').filter((name) => name.endsWith('.tmp')),
        refused,
      ).toEqual([])
    }
    expect(outcomes.nothing).toBeGreaterThan(4)
    expect(outcomes.all).toBeGreaterThan(0)
  })
})
