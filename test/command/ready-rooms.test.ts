// Folders that wait for forks: made for those who fork again and again, and gone when nobody needs them.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Broker } from '../../src/broker/broker.ts'
import { ReadyRooms } from '../../src/command/ready-rooms.ts'
import { PlainStore } from '../../src/storage/plain-file.ts'
import { numbered, Stage } from '../branch/stage.ts'
import { eventually } from '../eventually.ts'
import { FakeClock } from '../group/world.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'twiglog-rooms-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const unfinished = (folder: string) => readdirSync(join(folder, 'topics')).filter((name) => name.endsWith('.tmp'))

function rooms(): { clock: FakeClock; store: PlainStore; ready: ReadyRooms } {
  const store = new PlainStore(root)
  const clock = new FakeClock()
  store.save('topics/one/0/checkpoint', Buffer.from('{}'), false)
  return { clock, store, ready: new ReadyRooms({ store, clock } as unknown as Broker) }
}

test('who forks again and again finds folders made, each once, and a stop leaves none', async () => {
  const { clock, ready } = rooms()
  for (let i = 0; i < 16; i++) ready.asked()
  await eventually(async () => {
    await clock.pass(2)
    expect(unfinished(root).length).toBe(16)
  })
  const first = await eventually(async () => {
    await clock.pass(2)
    const room = ready.take()
    expect(room).toBeDefined()
    return room!
  })
  const second = ready.take()!
  expect([first.isReady, second.isReady]).toEqual([true, true])
  expect(second.id).not.toBe(first.id)
  await ready.stop()
  // What was taken is another's.
  expect(unfinished(root).sort()).toEqual([`${first.id}.tmp`, `${second.id}.tmp`].sort())
  expect(ready.take()).toBeUndefined()
})

test('who has forked as often a second ago need not begin anew', async () => {
  const { clock, ready } = rooms()
  for (let i = 0; i < 16; i++) ready.asked()
  const taken = new Set<string>()
  const takeAll = async () => {
    await clock.pass(2)
    for (let room = ready.take(); room !== undefined; room = ready.take()) taken.add(room.id)
    return taken.size
  }
  await eventually(async () => expect(await takeAll()).toBe(16))
  clock.jump(1500)
  ready.asked()
  await eventually(async () => expect(await takeAll()).toBe(32))
  await ready.stop()
})

test('a stop waits for no clock', async () => {
  const { ready } = rooms()
  for (let i = 0; i < 16; i++) ready.asked()
  await ready.stop()
  expect(unfinished(root)).toEqual([])
})

test('for who forks now and then none is made', async () => {
  const { clock, ready } = rooms()
  for (let i = 0; i < 100; i++) {
    ready.asked()
    clock.jump(100)
  }
  expect(ready.take()).toBeUndefined()
  await ready.stop()
  expect(unfinished(root)).toEqual([])
})

test('forks one after the other are whole, told in their order, and whole again after a start', async () => {
  await using stage = await Stage.open({ onDisk: true })
  await stage.create('orders')
  await stage.send('orders', numbered(5, 'order'))
  const names = Array.from({ length: 40 }, (_, i) => `orders--${i}`)
  for (const name of names) await stage.fork('orders', name)
  await stage.admin.deleteTopics({ topics: ['orders--7'] })
  const events = await stage.events(41)
  expect(events.at(-1)!.type).toBe('delete')
  expect(events.slice(0, -1).flatMap(({ topics = [] }) => topics.map(({ into }) => into))).toEqual(names)
  await stage.stop()
  expect(unfinished(stage.folder!)).toEqual([])
  await stage.start()
  for (const name of ['orders--0', 'orders--20', 'orders--39']) {
    expect(await stage.values(name, 5)).toEqual(await stage.values('orders', 5))
  }
})
