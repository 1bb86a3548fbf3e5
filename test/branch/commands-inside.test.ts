// Commands of somebody who has entered a branch set: they name topics as they see them, and cannot name what they do not see.

import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { Stage } from './stage.ts'

async function sendInside(stage: Stage, set: string, ...commands: readonly object[]): Promise<void> {
  const kafka = new Kafka({
    clientId: `app--branch--${set}--`,
    brokers: [stage.broker.bootstrapServers],
    logLevel: logLevel.NOTHING,
  })
  const producer = kafka.producer()
  await producer.connect()
  const messages = commands.map((command) => ({ value: JSON.stringify(command) }))
  await producer.send({ topic: '__branch_commands', messages })
  await producer.disconnect()
}

test('a fork inside is of the member, and its branch is a member too', async () => {
  await using stage = await Stage.open()
  await stage.create('orders')
  await stage.send('orders', ['root'])
  await stage.command({ op: 'fork', set: 'S', from: '*' })
  await stage.events(1)
  await stage.send('orders--S', ['inside'])
  await sendInside(
    stage,
    'S',
    { op: 'fork', id: 'f', from: 'orders', to: 'orders--try' },
    { op: 'fork', id: 'all', set: 'T', from: '*' },
    { op: 'abandon', id: 'a', branch: 'orders--try' },
  )
  const [, forked, all, gone] = await stage.events(4)
  expect(forked).toMatchObject({
    id: 'f',
    set: 'S',
    topics: [{ from: 'orders--S', into: 'orders--try--S', inside: 'orders--try', partitions: [{ to: 2 }] }],
  })
  expect(all).toMatchObject({ id: 'all', set: 'T' })
  expect(all!.topics!.map(({ from, into, inside }) => [from, into, inside])).toEqual([
    ['orders--S', 'orders--T', 'orders'],
    ['orders--try--S', 'orders--try--T', 'orders--try'],
  ])
  expect(gone).toMatchObject({ type: 'delete', id: 'a', topics: [{ into: 'orders--try--S' }] })
})

test('what lies outside cannot be named: neither topics nor sets', async () => {
  await using stage = await Stage.open()
  await stage.create('orders')
  await stage.create('secret')
  await stage.command(
    { op: 'fork', set: 'S', topics: [{ from: 'orders' }] },
    { op: 'fork', set: 'other', topics: [{ from: 'secret' }] },
    { op: 'fork', from: 'secret', to: 'secret--b' },
  )
  await stage.events(3)
  await sendInside(
    stage,
    'S',
    { op: 'fork', from: 'secret', to: 'mine' },
    { op: 'abandon', branch: 'secret--b' },
    { op: 'abandon', set: 'other' },
    { op: 'fork', set: 'T', from: 'set:other' },
    { op: 'abandon', set: 'S' },
  )
  const told = (await stage.events(8)).slice(3)
  expect(told.map(({ type, error }) => error?.code ?? type)).toEqual([
    'INVALID_CONFIG',
    'UNKNOWN_TOPIC_OR_PARTITION',
    'UNKNOWN_SET',
    'UNKNOWN_SET',
    'delete',
  ])
  const topics = (await stage.topics()).filter((name) => !name.startsWith('__'))
  // Members of the other set are not listed, but there.
  expect(topics).toEqual(['orders', 'secret', 'secret--b'])
  expect(await stage.ends('secret--other')).toEqual([{ low: 0, high: 0 }])
})

test('a command given inside is run with the names of the set after a restart too, and not once the set is gone', async () => {
  await using stage = await Stage.open({ onDisk: true })
  await stage.create('orders')
  await stage.command({ op: 'fork', set: 'S', from: '*' })
  await stage.events(1)
  await sendInside(
    stage,
    'S',
    { op: 'fork', id: 'f', from: 'orders', to: 'b' },
    { op: 'abandon', set: 'S' },
    { op: 'abandon', branch: 'orders' },
  )
  const told = await stage.events(4)
  expect(told.map(({ type, error }) => error?.code ?? type)).toEqual(['fork', 'fork', 'delete', 'UNKNOWN_SET'])
  await stage.restart()
  expect(await stage.ends('__branches')).toEqual([{ low: 0, high: 4 }])
})
