// Forks as a program holds them that has the broker inside: for one test, for a try.

import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { Broker } from '../src/index.ts'
import { numbered, Stage } from './branch/stage.ts'

test('a fork of all topics is another life of them, until it is dropped', async () => {
  await using stage = await Stage.open()
  await stage.create('orders')
  await stage.create('stock', 2)
  await stage.send('orders', numbered(3))
  {
    await using fork = await stage.broker.fork({ from: '*', set: 't1' })
    expect(fork.set).toBe('t1')
    expect(fork.topics).toEqual({ orders: 'orders--t1', stock: 'stock--t1' })
    await stage.send('orders--t1', ['mine'])
    expect(await stage.values('orders--t1', 4)).toEqual([...numbered(3), 'mine'])
    expect(await stage.ends('orders')).toEqual([{ low: 0, high: 3 }])
    await fork.drop()
  }
  expect((await stage.topics()).filter((name) => !name.startsWith('__'))).toEqual(['orders', 'stock'])
})

test('an application that is given the address of a fork finds its topics there under their names, and no others', async () => {
  await using stage = await Stage.open()
  await stage.create('orders')
  await stage.create('stock')
  await stage.send('orders', numbered(2))
  const fork = await stage.broker.fork({ from: 'orders', set: 't1' })
  expect(fork.bootstrapServers).not.toBe(stage.broker.bootstrapServers)
  const kafka = new Kafka({ brokers: [fork.bootstrapServers], logLevel: logLevel.NOTHING, retry: { retries: 1 } })
  const [admin, producer] = [kafka.admin(), kafka.producer()]
  await Promise.all([admin.connect(), producer.connect()])
  expect(await admin.listTopics()).toEqual(['orders'])
  await producer.send({ topic: 'orders', messages: [{ value: 'mine' }] })
  expect(await stage.values('orders--t1', 3)).toEqual([...numbered(2), 'mine'])
  expect(await stage.ends('orders')).toEqual([{ low: 0, high: 2 }])
  await Promise.all([admin.disconnect(), producer.disconnect()])
  await fork.drop()
  await expect(kafka.admin().connect()).rejects.toThrow()
})

test('a fork of one topic or several is cut where it is asked to be', async () => {
  await using stage = await Stage.open()
  for (const topic of ['orders', 'stock', 'other']) await stage.create(topic)
  await stage.send('orders', numbered(5))
  const one = await stage.broker.fork({ from: 'orders', set: 'a', at: 'offset:2', config: { 'retention.ms': 1000 } })
  expect(one.topics).toEqual({ orders: 'orders--a' })
  expect(await stage.ends('orders--a')).toEqual([{ low: 0, high: 2 }])
  expect(await stage.configs('orders--a')).toMatchObject({ 'branch.set': 'a', 'retention.ms': '1000' })
  const two = await stage.broker.fork({ from: ['orders', 'stock'], set: 'b' })
  expect(two.topics).toEqual({ orders: 'orders--b', stock: 'stock--b' })
  const again = await stage.broker.fork({ from: 'set:a', set: 'c' })
  expect(again.topics).toEqual({ orders: 'orders--c' })
  expect(await stage.ends('orders--c')).toEqual([{ low: 0, high: 2 }])
})

test('what cannot be forked is refused with a code and what to change, and nothing is made', async () => {
  await using stage = await Stage.open()
  await stage.create('orders')
  await expect(stage.broker.fork({ from: ['orders', 'nothing'], set: 's' })).rejects.toMatchObject({
    name: 'BranchError',
    code: 'INVALID_CONFIG',
    message: 'nothing--s: branch.from=nothing: there is no such topic. Name one that is there.',
  })
  await expect(stage.broker.fork({ from: 'orders', set: '-s' })).rejects.toThrow('branch.set=-s is not allowed')
  await stage.broker.fork({ from: 'orders', set: 's' })
  await expect(stage.broker.fork({ from: 'orders', set: 's' })).rejects.toMatchObject({ code: 'TOPIC_ALREADY_EXISTS' })
})

test('forks that are asked for at once are all made, and a broker that stops leaves nobody waiting', async () => {
  const stage = await Stage.open()
  await stage.create('orders')
  const sets = numbered(20, 't')
  const forks = await Promise.all(sets.map((set) => stage.broker.fork({ from: '*', set })))
  expect(forks.map(({ topics }) => topics['orders'])).toEqual(sets.map((set) => `orders--${set}`))
  const dropped = forks.map((fork) => fork.drop().catch((cause: Error) => cause.message))
  await stage[Symbol.asyncDispose]()
  for (const said of await Promise.all(dropped))
    expect([undefined, expect.stringContaining('stopped')]).toContainEqual(said)
  await expect(stage.broker.fork({ from: '*', set: 'late' })).rejects.toThrow()
})

test('what was written in a fork is looked at and merged into the parents', async () => {
  await using stage = await Stage.open()
  await stage.create('orders', 1, { 'cleanup.policy': 'compact' })
  await stage.create('log')
  await stage.send('orders', [
    { key: 'k1', value: 'a' },
    { key: 'k2', value: 'b' },
  ])
  const fork = await stage.broker.fork({ from: '*', set: 's' })
  expect(await fork.diff()).toMatchObject({ status: 'clean', counts: { written: 0, conflicts: 0 }, keys: [] })
  await stage.send(fork.topics['orders']!, [{ key: 'k1', value: 'mine' }])
  await stage.send(fork.topics['log']!, ['line'])
  const diff = await fork.diff()
  expect(diff).toMatchObject({ status: 'clean', counts: { written: 2, conflicts: 0 } })
  expect(diff.keys).toMatchObject([{ topic: 'orders', partition: 0, key: 'k1', kind: 'write' }])
  expect(await stage.ends('orders')).toEqual([{ low: 0, high: 2 }])
  const merge = await fork.merge()
  expect(merge).toMatchObject({ status: 'committed', counts: { written: 2 }, id: expect.any(String) })
  expect((await stage.values('orders', 3)).at(-1)).toBe('mine')
  expect(await stage.values('log', 1)).toEqual(['line'])
})

test('keys that both sides have changed are told, and nothing is merged unless one says how', async () => {
  await using stage = await Stage.open()
  await stage.create('orders', 1, { 'cleanup.policy': 'compact' })
  await stage.send('orders', [{ key: 'k', value: '{"a":1,"b":1}' }])
  const fork = await stage.broker.fork({ from: 'orders', set: 's' })
  await stage.send('orders--s', [{ key: 'k', value: '{"a":2,"b":1}' }])
  await stage.send('orders', [{ key: 'k', value: '{"a":1,"b":2}' }])
  expect(await fork.diff()).toMatchObject({ status: 'conflicts', keys: [{ key: 'k', kind: 'edit/edit' }] })
  expect(await fork.merge()).toMatchObject({ status: 'conflicts', counts: { written: 0, conflicts: 1 } })
  expect(await stage.ends('orders')).toEqual([{ low: 0, high: 2 }])
  expect(await fork.merge({ fields: 'json' })).toMatchObject({ status: 'committed', counts: { written: 1 } })
  expect((await stage.values('orders', 3)).at(-1)).toBe('{"a":2,"b":2}')
  await expect(fork.merge({ strategy: 'append', keys: ['k'] })).rejects.toMatchObject({ name: 'BranchError' })
})

test('in a cluster a fork has an address at every node', async () => {
  await using broker = await Broker.start({ brokers: 3, topics: [{ name: 'orders', partitions: 3 }] })
  await using fork = await broker.fork({ from: '*', set: 't1' })
  expect(new Set([...fork.brokers, ...broker.brokers]).size).toBe(6)
  expect(fork.bootstrapServers).toBe(fork.brokers[0])
  const admin = new Kafka({ brokers: [fork.bootstrapServers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  const { brokers } = await admin.describeCluster()
  expect(brokers.map(({ host, port }) => `${host}:${port}`).sort()).toEqual([...fork.brokers].sort())
  await admin.disconnect()
})

test('reset takes forks along, with the addresses that they had', async () => {
  await using broker = await Broker.start({ topics: ['orders'] })
  const fork = await broker.fork({ from: '*', set: 't1' })
  const underWay = broker.fork({ from: '*', set: 't2' })
  await broker.reset()
  await Promise.allSettled([underWay]) // nobody is left waiting
  const kafka = (server: string) => new Kafka({ brokers: [server], logLevel: logLevel.NOTHING, retry: { retries: 0 } })
  await expect(kafka(fork.bootstrapServers).admin().connect()).rejects.toThrow()
  await fork.drop()
  const again = await broker.fork({ from: '*', set: 't1' })
  const admin = kafka(again.bootstrapServers).admin()
  await admin.connect()
  expect(await admin.listTopics()).toEqual(['orders'])
  await admin.disconnect()
})
