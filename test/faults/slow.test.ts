// A disk that takes as long as it likes: who waits for it waits, and nobody else does.

import { expect, test } from 'vitest'
import { Broker } from '../../src/embedded.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { Client, safe, small } from './deeds.ts'
import { config } from './furnished.ts'

/** Whether a promise is still open, once everything else that is under way was. */
function watched<T>(promise: Promise<T>): { readonly isOpen: boolean; readonly promise: Promise<T> } {
  let isOpen = true
  const over = promise.finally(() => {
    isOpen = false
  })
  return {
    get isOpen() {
      return isOpen
    },
    promise: over,
  }
}

test.each(['flush', 'sync'] as const)(
  'a disk that is slow to %s delays acknowledgements of that topic, and nothing else',
  async (slow) => {
    const store = new FaultyStore()
    await using broker = await Broker.start({ storage: store, config })
    const clients = await Promise.all(Array.from({ length: 3 }, () => Client.open(broker.bootstrapServers)))
    const [slowed, first, second] = clients as [Client, Client, Client]
    for (const name of ['slow', 'other']) await first.create(name, { ...safe, ...small })
    for (const name of ['unsafe', 'trimmed']) await first.create(name, small)
    const folder = await first.folder('slow')
    if (slow === 'flush') await slowed.roll('slow')
    for (let i = 0; i < 3; i++) await first.roll('trimmed')
    await first.commit('group', 'other', 1)
    let release: () => void = () => {}
    const pace = new Promise<void>((resolve) => {
      release = resolve
    })
    let waits = 0
    store.slowness = (operation, path) => {
      if (operation !== slow || !path.startsWith(folder)) return undefined
      waits++
      return pace
    }
    const acknowledgement = watched(slowed.produce('slow'))
    for (let i = 0; i < 5; i++) {
      expect(await first.roll('other')).toBe('NONE')
      expect(await second.roll('unsafe')).toBe('NONE')
    }
    expect(await first.commit('group', 'other', 2)).toBe('NONE')
    expect(await first.create('meanwhile')).toBe('NONE')
    expect(await first.trim('trimmed', 2)).toBe('NONE')
    expect(await first.values('other')).toHaveLength(5)
    // What is not safe yet is not shown; what is, is.
    expect(await first.values('slow')).toHaveLength(slow === 'flush' ? 1 : 0)
    expect(waits).toBe(1)
    expect(acknowledgement.isOpen).toBe(true)
    release()
    expect(await acknowledgement.promise).toBe('NONE')
    expect(await first.values('slow')).toHaveLength(slow === 'flush' ? 2 : 1)
    for (const client of clients) client.close()
  },
)

test('producers that do not wait for the disk are not slowed down by one that closed segments are flushed to', async () => {
  const store = new FaultyStore()
  await using broker = await Broker.start({ storage: store, config })
  const client = await Client.open(broker.bootstrapServers)
  await client.create('t', small)
  let release: () => void = () => {}
  const pace = new Promise<void>((resolve) => {
    release = resolve
  })
  store.slowness = () => pace
  for (let i = 0; i < 5; i++) expect(await client.roll('t')).toBe('NONE')
  expect(await client.values('t')).toEqual(client.acknowledged.get('t'))
  release()
  client.close()
})

test('nothing that a client asks for waits for the disk on the event loop', async () => {
  const held: string[] = []
  class Watched extends FaultyStore {
    override save(path: string, bytes: Buffer, durable: boolean): void {
      if (durable) held.push(path)
      super.save(path, bytes, durable)
    }
  }
  await using broker = await Broker.start({
    storage: new Watched(),
    config: { ...config, 'log.retention.check.interval.ms': 20 },
  })
  const client = await Client.open(broker.bootstrapServers)
  for (const name of ['t', 'old']) await client.create(name, small)
  for (let i = 0; i < 5; i++) for (const name of ['t', 'old']) await client.roll(name)
  expect(await client.trim('t', 3)).toBe('NONE')
  expect(await client.trim('t', 5)).toBe('NONE')
  expect(await client.roll('t')).toBe('NONE')
  expect(await client.fork('t', 't--branch')).toBe('NONE')
  await client.configure('old', 'retention.ms', '1')
  while (
    (await client.values('old', 5)) !== 'OFFSET_OUT_OF_RANGE' &&
    (await client.values('old', 0)) !== 'OFFSET_OUT_OF_RANGE'
  );
  expect(held).toEqual([])
  client.close()
})
