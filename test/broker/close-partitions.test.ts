// A clean stop of many partitions: twenty seconds for ten thousand when each was flushed by itself, longer than who stops a container waits.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Broker } from '../../src/broker/broker.ts'
import { BrokerConfig } from '../../src/broker/broker-config.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { canMap, MappedStore } from '../../src/storage/mapped-file.ts'
import { FakeClock } from '../group/world.ts'
import { batchOf } from '../log/log-environment.ts'

const open = (store: FaultyStore | MappedStore): Broker =>
  new Broker({ store, clock: new FakeClock(), config: new BrokerConfig(new Map()) })

async function written(store: FaultyStore | MappedStore, partitions: number): Promise<Broker> {
  const broker = open(store)
  const [topic] = await broker.createTopics([{ name: 't', partitions, configs: {} }])
  for (const partition of topic!.partitions) partition.appendOwn(batchOf(['a']))
  return broker
}

const ends = (store: FaultyStore | MappedStore): number[] =>
  open(store)
    .topic('t')!
    .partitions.map(({ log }) => log.logEndOffset)

test.each([
  ['many partitions are flushed together', 64, 0, undefined],
  ['where that fails each is flushed by itself', 64, 64, 'EIO'],
  ['of a few each is flushed by itself', 63, 63, undefined],
] as const)('%s, and a power cut after the stop loses nothing', async (_, partitions, flushed, failure) => {
  const store = new FaultyStore()
  const broker = await written(store, partitions)
  let count = 0
  let together = 0
  store.fault = (operation, path) => {
    if (operation !== 'flush') return undefined
    if (path.startsWith('topics/')) count++
    if (path !== '') return undefined
    together++
    return failure
  }
  await broker.close()
  expect(count).toBe(flushed)
  expect(together).toBe(partitions < 64 ? 0 : 1)
  const left = store.after('power cut', 0, () => false)
  expect(ends(left)).toEqual(Array.from({ length: partitions }, () => 1))
})

test('a partition whose file has failed before is no reason to believe that all else is flushed', async () => {
  const store = new FaultyStore()
  const broker = await written(store, 65)
  const [failing] = broker.topic('t')!.partitions
  store.fault = (operation, path) => (operation === 'flush' && path.includes('/0/') ? 'EIO' : undefined)
  await expect(failing!.flush()).rejects.toThrow('EIO')
  store.fault = () => undefined
  await broker.close().catch(() => {})
  const left = store.after('power cut', 0, () => false)
  expect(ends(left).slice(1)).toEqual(Array.from({ length: 64 }, () => 1))
})

test.runIf(canMap())('the disk itself is asked, and what it says is found again', async () => {
  const root = mkdtempSync(join(tmpdir(), 'twiglog-'))
  try {
    await (await written(new MappedStore(root), 70)).close()
    const store = new MappedStore(root)
    expect(ends(store)).toEqual(Array.from({ length: 70 }, () => 1))
    expect([true, false]).toContain(await store.flushAll())
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})
