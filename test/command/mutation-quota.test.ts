// `controller_mutation_rate` counts partitions that commands make and delete as it counts those of CreateTopics and DeleteTopics.

import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { alterClientQuotas } from '../../protocol/messages/49-alter-client-quotas.ts'
import { Stage } from '../branch/stage.ts'
import { WireClient } from '../wire-client.ts'

/** A rate of KafkaJS's clients so low that the first change is the last. */
async function limited(stage: Stage): Promise<void> {
  const wire = await WireClient.open(stage.broker.bootstrapServers)
  const entity = [{ entityType: 'client-id', entityName: 'kafkajs' }]
  const ops = [{ key: 'controller_mutation_rate', value: 0.001, remove: false }]
  await wire.ask(alterClientQuotas, 1, { entries: [{ entity, ops }], validateOnly: false })
  wire.close()
}

const refused = {
  type: 'rejected',
  error: { code: 'THROTTLING_QUOTA_EXCEEDED', message: expect.stringMatching(/^.* in \d+ ms, under another id\.$/) },
}

test('who has used up the quota makes and deletes no branches by commands either, and is told how long to wait', async () => {
  await using stage = await Stage.open()
  await stage.create('orders', 3)
  await stage.fork('orders', 'orders--before')
  // What it may wait for is there.
  await stage.run({ op: 'plan', id: 'p0', from: 'orders--before', into: 'orders' })
  await limited(stage)
  expect(await stage.run({ op: 'fork', id: 'f1', from: 'orders', to: 'orders--try' })).toMatchObject({ status: 'done' })
  const commands = [
    { op: 'fork', id: 'f2', from: 'orders', to: 'orders--late' },
    { op: 'fork', id: 'f3', from: 'orders', to: 'orders--late', dryRun: true },
    { op: 'fork', id: 'f4', set: 'S', from: '*' },
    { op: 'reset', id: 's1', branch: 'orders--before' },
    { op: 'abandon', id: 'a1', branch: 'orders--before' },
  ]
  for (const command of commands) expect(await stage.run(command), command.id).toMatchObject(refused)
  // The same id is the same answer.
  expect(await stage.run(commands[0]!)).toMatchObject(refused)
  expect(await stage.made()).toEqual(['orders', 'orders--before', 'orders--try'])
  // What makes and deletes no partition is not counted.
  expect(await stage.run({ op: 'plan', id: 'p1', from: 'orders--try', into: 'orders' })).toMatchObject({
    status: 'clean',
  })
  expect(await stage.run({ op: 'promote', id: 'u1', branch: 'orders--try' })).toMatchObject({ status: 'done' })
})

test('the client id counts that produced the command, and the program that has the broker inside is no client', async () => {
  await using stage = await Stage.open()
  await stage.create('orders', 3)
  await limited(stage)
  await stage.run({ op: 'fork', id: 'f1', from: 'orders', to: 'orders--1' })
  expect(await stage.run({ op: 'fork', id: 'f2', from: 'orders', to: 'orders--2' })).toMatchObject(refused)
  const other = new Kafka({ clientId: 'other', brokers: [stage.broker.bootstrapServers], logLevel: logLevel.NOTHING })
  const producer = other.producer()
  await producer.connect()
  for (const id of ['f3', 'f4']) {
    const value = JSON.stringify({ op: 'fork', id, from: 'orders', to: `orders--${id}` })
    // Headers of ours are the broker's word.
    await producer.send({ topic: '__branch_commands', messages: [{ value, headers: { 'branch.client': 'kafkajs' } }] })
    expect(await stage.event(id)).toMatchObject({ status: 'done' })
  }
  await producer.disconnect()
  for (const set of ['S', 'T']) await expect(stage.broker.fork({ from: '*', set })).resolves.toBeDefined()
})
