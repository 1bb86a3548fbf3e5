// Branches of what is in a branch set: promoted, they take names in there; what is done to the set does not touch them.

import { Kafka, logLevel } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { produce } from '../../protocol/messages/00-produce.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { WireClient } from '../wire-client.ts'
import { numbered, Stage } from './stage.ts'

const kafkaIn = (stage: Stage, set: string) =>
  new Kafka({
    clientId: `app--branch--${set}--`,
    brokers: [stage.broker.bootstrapServers],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, retries: 5 },
  })

/** All topics that a set shows, without the broker's own. */
async function shownIn(stage: Stage, set: string): Promise<string[]> {
  const admin = kafkaIn(stage, set).admin()
  await admin.connect()
  const names = await admin.listTopics()
  await admin.disconnect()
  return names.filter((name) => !name.startsWith('__')).sort()
}

async function sendIn(stage: Stage, set: string, topic: string, values: readonly string[]): Promise<void> {
  const producer = kafkaIn(stage, set).producer()
  await producer.connect()
  await producer.send({ topic, messages: values.map((value) => ({ value, partition: 0 })) })
  await producer.disconnect()
}

async function valuesIn(stage: Stage, set: string, topic: string, count: number): Promise<string[]> {
  const consumer = kafkaIn(stage, set).consumer({ groupId: `g-${Math.random()}`, maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const values: string[] = []
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({ message }: { message: { value: Buffer | null } }) => {
      if (values.push(String(message.value)) === count) resolve()
    }
    consumer.run({ autoCommit: false, eachMessage }).catch(reject)
  })
  await consumer.disconnect()
  return values
}

test('an environment that is promoted over the one that it was forked from takes its place in there', async () => {
  await using stage = await Stage.open({ onDisk: true })
  await stage.create('a')
  await stage.send('a', numbered(2))
  await stage.run({ op: 'fork', id: 'f1', set: 'T', from: '*' })
  await stage.run({ op: 'fork', id: 'f2', set: 'S', from: 'set:T' })
  await sendIn(stage, 'S', 'a', ['in S'])
  await sendIn(stage, 'S', 'made', ['made in S'])
  await sendIn(stage, 'T', 'a', ['in T'])
  expect(await stage.run({ op: 'promote', id: 'u1', set: 'S', keep: 'old' })).toMatchObject({ status: 'done' })
  const check = async () => {
    expect(await stage.made()).toEqual(['a'])
    expect(await shownIn(stage, 'T')).toEqual(['a', 'a--old', 'made'])
    expect(await valuesIn(stage, 'T', 'a', 3)).toEqual([...numbered(2), 'in S'])
    expect(await valuesIn(stage, 'T', 'a--old', 3)).toEqual([...numbered(2), 'in T'])
    expect(await valuesIn(stage, 'T', 'made', 1)).toEqual(['made in S'])
    expect(await stage.values('a', 2)).toEqual(numbered(2))
  }
  await check()
  await stage.restart()
  await check()
  // Once more: this time from a metadata log that was written anew.
  await stage.restart()
  await check()
  await stage.run({ op: 'abandon', id: 'x1', set: 'T' })
  expect(await stage.made()).toEqual(['a'])
}, 60_000)

test('a branch that was made inside takes its name inside, and gives it back', async () => {
  await using stage = await Stage.open({ topics: ['a'] })
  await stage.run({ op: 'fork', id: 'f1', set: 'T', from: '*' })
  const ask = async (command: Record<string, unknown> & { id: string }) => {
    await sendIn(stage, 'T', '__branch_commands', [JSON.stringify(command)])
    return stage.event(command.id)
  }
  await ask({ op: 'fork', id: 'f2', from: 'a', to: 'a--try' })
  await sendIn(stage, 'T', 'a--try', ['tried'])
  await sendIn(stage, 'T', 'a', ['not tried'])
  expect(await ask({ op: 'promote', id: 'u1', branch: 'a--try', keep: 'a--kept' })).toMatchObject({ status: 'done' })
  expect(await shownIn(stage, 'T')).toEqual(['a', 'a--kept'])
  expect(await valuesIn(stage, 'T', 'a', 1)).toEqual(['tried'])
  expect(await valuesIn(stage, 'T', 'a--kept', 1)).toEqual(['not tried'])
  expect(await ask({ op: 'promote', id: 'u2', branch: 'a--kept' })).toMatchObject({ status: 'done' })
  expect(await shownIn(stage, 'T')).toEqual(['a', 'a--before-u2'])
  expect(await valuesIn(stage, 'T', 'a', 1)).toEqual(['not tried'])
  expect(await stage.made()).toEqual(['a'])
}, 60_000)

test('what was forked inside from a member is promoted with the set under the name that it has in there', async () => {
  await using stage = await Stage.open({ topics: ['a'] })
  await stage.run({ op: 'fork', id: 'f1', set: 'S', from: '*' })
  await sendIn(stage, 'S', 'a', ['in S'])
  await sendIn(stage, 'S', '__branch_commands', [JSON.stringify({ op: 'fork', id: 'f2', from: 'a', to: 'a--try' })])
  await stage.event('f2')
  expect(await stage.run({ op: 'promote', id: 'u1', set: 'S', keep: 'old' })).toMatchObject({ status: 'done' })
  expect(await stage.made()).toEqual(['a', 'a--old', 'a--try'])
  expect(await stage.values('a', 1)).toEqual(['in S'])
  expect(await stage.values('a--try', 1)).toEqual(['in S'])
}, 60_000)

describe('a branch that has taken its name inside', () => {
  /** `a` of the set has been put aside for a trial, which goes on under its name. */
  async function settled() {
    const stage = await Stage.open({ topics: ['a'] })
    await stage.send('a', ['before'])
    await stage.run({ op: 'fork', id: 'f1', set: 'S', from: '*' })
    await sendIn(stage, 'S', 'a', ['put aside'])
    await stage.run({ op: 'fork', id: 'f2', from: 'a--S', to: 'try', at: 'offsets:0=1' })
    await stage.send('try', ['tried'])
    await stage.run({ op: 'promote', id: 'u1', branch: 'try', keep: 'a--old--S' })
    expect(await valuesIn(stage, 'S', 'a', 2)).toEqual(['before', 'tried'])
    expect(await valuesIn(stage, 'S', 'a--old', 2)).toEqual(['before', 'put aside'])
    return stage
  }

  test('is what a merge of the set brings', async () => {
    await using stage = await settled()
    expect(await stage.run({ op: 'merge', id: 'm1', set: 'S' })).toMatchObject({
      status: 'committed',
      topics: [{ from: 'a--S', into: 'a' }],
    })
    expect(await stage.values('a', 2)).toEqual(['before', 'tried'])
  })

  test('is what takes the place of the topic around, and what it put aside goes along', async () => {
    await using stage = await settled()
    expect(await stage.run({ op: 'promote', id: 'u2', set: 'S' })).toMatchObject({ status: 'done' })
    expect(await stage.made()).toEqual(['a', 'a--before-u2', 'a--old'])
    expect(await stage.values('a', 2)).toEqual(['before', 'tried'])
    expect(await stage.values('a--old', 2)).toEqual(['before', 'put aside'])
    expect(await stage.run({ op: 'promote', id: 'u3', branch: 'a--before-u2', keep: 'tried' })).toMatchObject({
      status: 'done',
    })
    expect(await stage.values('a', 1)).toEqual(['before'])
  })

  test('is made anew of the topic around; what it put aside stays, and takes the name again if that is wanted', async () => {
    await using stage = await settled()
    expect(await stage.run({ op: 'reset', id: 's1', set: 'S' })).toMatchObject({
      status: 'done',
      topics: [{ from: 'a', into: 'a--S' }],
    })
    expect(await valuesIn(stage, 'S', 'a--old', 2)).toEqual(['before', 'put aside'])
    await sendIn(stage, 'S', 'a', ['anew'])
    expect(await valuesIn(stage, 'S', 'a', 2)).toEqual(['before', 'anew'])
    expect(await stage.run({ op: 'merge', id: 'm1', set: 'S' })).toMatchObject({
      topics: [{ from: 'a--S', into: 'a' }],
      counts: { written: 1 },
    })
    await stage.run({ op: 'promote', id: 'u2', branch: 'a--old--S', keep: 'a--anew--S' })
    expect(await valuesIn(stage, 'S', 'a', 2)).toEqual(['before', 'put aside'])
    expect(await stage.values('a', 2)).toEqual(['before', 'anew'])
  })
})

test.each(['append', 'fast-forward'])(
  'a set is merged into what lies around it, and made anew from there: what was forked inside stays (%s)',
  async (strategy) => {
    await using stage = await Stage.open({ topics: ['a'] })
    await stage.run({ op: 'fork', id: 'f1', set: 'S', from: '*' })
    for (const to of ['a--1', 'a--2']) {
      const command = { op: 'fork', id: `f ${to}`, from: 'a', to }
      await sendIn(stage, 'S', '__branch_commands', [JSON.stringify(command)])
      await stage.event(command.id)
      await sendIn(stage, 'S', to, [to])
    }
    await sendIn(stage, 'S', 'a', ['in S'])
    expect(await stage.run({ op: 'merge', id: 'm1', set: 'S', strategy })).toMatchObject({
      status: 'committed',
      counts: { written: 1 },
      topics: [{ from: 'a--S', into: 'a' }],
    })
    expect(await stage.values('a', 1)).toEqual(['in S'])
    expect(await stage.run({ op: 'reset', id: 's1', set: 'S' })).toMatchObject({
      status: 'done',
      topics: [{ from: 'a', into: 'a--S' }],
    })
    for (const each of ['a--1', 'a--2']) expect(await valuesIn(stage, 'S', each, 1)).toEqual([each])
    expect(await stage.send('a', ['others write on'])).toBe(strategy === 'append' ? 2 : 1)
  },
)

test('who produces by topic id inside is told in names from inside why that is refused', async () => {
  await using stage = await Stage.open()
  await stage.create('a')
  const forked = await stage.run({ op: 'fork', id: 'f1', set: 'S', from: 'a', configs: { 'branch.protect': 'merge' } })
  const wire = await WireClient.open(stage.broker.bootstrapServers, 'app--branch--S--')
  const records = encodeBatch({ records: [{ value: 'v', timestamp: 1 }] })
  const topicData = [{ topicId: forked.topics![0]!.intoId!, partitionData: [{ index: 0, records }] }]
  const answer = await wire.ask(produce, 13, { transactionalId: null, acks: -1, timeoutMs: 5000, topicData })
  wire.close()
  expect(answer.responses[0]!.partitionResponses[0]!.errorMessage).toMatch(/^'a' has branch.protect=merge/)
})
