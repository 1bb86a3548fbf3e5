// A whole broker forked at one instant: how an environment is normally made.

import { expect, test } from 'vitest'
import { numbered, Stage } from './stage.ts'

test('B43: 200 topics are one cut and one record of the history, while a transaction writes to two of them', async () => {
  const names = numbered(200, 't')
  await using stage = await Stage.open({ onDisk: true, topics: names.map((name) => ({ name, partitions: 3 })) })
  const producer = stage.kafka.producer({ transactionalId: 'counter', idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  let count = 0
  let isOver = false
  const writing = (async () => {
    while (!isOver) {
      const transaction = await producer.transaction()
      const value = `${++count}`
      for (const topic of ['t0', 't199']) await transaction.send({ topic, messages: [{ value, partition: 0 }] })
      await transaction.commit()
    }
  })()
  const event = await stage.run({ op: 'fork', id: 'f1', set: 's', from: '*' })
  isOver = true
  await writing
  await producer.disconnect()
  expect(event).toMatchObject({ type: 'fork', status: 'done', set: 's', copied: 0 })
  expect(event.topics!.map(({ from, into }) => [from, into]).sort()).toEqual(
    names.map((name) => [name, `${name}--s`]).sort(),
  )
  expect(event.topics!.every(({ partitions }) => partitions!.length === 3)).toBe(true)
  // Everything that is committed, up to a record that is written last.
  const last = async (topic: string) => {
    await stage.send(topic, ['end'])
    const seen: string[] = []
    const consumer = stage.kafka.consumer({ groupId: `last-${topic}`, maxWaitTimeInMs: 100 })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await new Promise<void>((resolve, reject) => {
      const eachMessage = async ({ message, partition }: { message: { value: Buffer | null }; partition: number }) => {
        if (partition !== 0) return
        if (String(message.value) === 'end') resolve()
        else seen.push(String(message.value))
      }
      consumer.run({ autoCommit: false, eachMessage }).catch(reject)
    })
    await consumer.disconnect()
    return seen.at(-1)
  }
  expect(await last('t0--s')).toBe(await last('t199--s'))
  // All of it is one record, and nothing else is told.
  expect(await stage.ends('__branches')).toEqual([{ low: 0, high: 1 }])
  // Forked again: branches are no part of `*`.
  const again = await stage.run({ op: 'fork', id: 'f2', set: 'u', from: '*' })
  expect(again.topics).toHaveLength(200)
}, 120_000)
