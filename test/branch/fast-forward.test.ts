// A target whose log is the beginning of its branch's gets the rest of it as it stands (B23, B52).

import { expect, test } from 'vitest'
import * as batch from '../../protocol/records/batch.ts'
import { checkStore } from '../../src/cli/check.ts'
import { PlainStore } from '../../src/storage/plain-file.ts'
import { numbered, Stage } from './stage.ts'

const forward = { op: 'merge', from: 'C', into: 'P', strategy: 'fast-forward' }

test.each([false, true])(
  'B23: a parent that was not touched has the bytes of its branch (on disk: %s)',
  async (onDisk) => {
    await using stage = await Stage.open({ onDisk })
    await stage.create('P')
    await stage.send('P', numbered(10))
    await stage.fork('P', 'C')
    await stage.send('C', numbered(5, 'c'))
    await stage.send('C', numbered(5, 'd'))
    expect(await stage.run({ ...forward, op: 'plan', id: 'p1' })).toMatchObject({
      status: 'clean',
      counts: { written: 10 },
    })
    const event = await stage.run({ ...forward, id: 'm1' })
    expect(event).toMatchObject({
      type: 'merge',
      status: 'committed',
      counts: { written: 10 },
      topics: [{ partitions: [{ partition: 0, from: 10, to: 20, first: 10, last: 19 }] }],
    })
    const { bytes } = await stage.fetched('C', 10)
    expect(batch.baseOffset(bytes, 0)).toBe(10)
    expect((await stage.fetched('P', 10)).bytes).toEqual(bytes)
    const all = [...numbered(10), ...numbered(5, 'c'), ...numbered(5, 'd')]
    expect(await stage.values('P', 20)).toEqual(all)
    // Each goes on by itself, and what was brought is known.
    expect(await stage.send('P', ['p'])).toBe(20)
    expect(await stage.send('C', ['c'])).toBe(20)
    const back = { op: 'merge', strategy: 'append' }
    expect(await stage.run({ ...back, id: 'm2', from: 'P', into: 'C' })).toMatchObject({ counts: { written: 1 } })
    expect(await stage.run({ ...back, id: 'm3', from: 'C', into: 'P' })).toMatchObject({ counts: { written: 1 } })
    await stage.fork('P', 'D')
    if (onDisk) {
      await stage.stop()
      const { findings } = checkStore(new PlainStore(stage.folder!))
      expect(findings.filter(({ file }) => file !== 'lock')).toEqual([])
      await stage.start()
      await stage.admin.deleteTopics({ topics: ['C'] })
    }
    expect(await stage.values('P', 22)).toEqual([...all, 'p', 'c'])
    expect(await stage.values('D', 22)).toEqual([...all, 'p', 'c'])
    expect(await stage.run({ ...back, id: 'm4', from: 'D', into: 'P' })).toMatchObject({ counts: { written: 0 } })
  },
)

test('B23: a parent that was touched stays as it is', async () => {
  await using stage = await Stage.open()
  await stage.create('P', 2)
  await stage.fork('P', 'C')
  await stage.send('C', ['c'])
  await stage.send('C', ['c'], 1)
  await stage.send('P', ['p'], 1)
  const ends = await stage.ends('P')
  const event = await stage.run({ ...forward, id: 'm1' })
  expect(event).toMatchObject({ status: 'conflicts', counts: { written: 0, conflicts: 1 } })
  expect(event['keys']).toEqual([{ topic: 'P', partition: 1, kind: 'not-a-prefix' }])
  expect(await stage.ends('P')).toEqual(ends)
})

test('a branch catches up with its parent, consumers go on, and what was taken back stays so', async () => {
  await using stage = await Stage.open()
  await stage.create('P')
  await stage.send('P', ['0'])
  await stage.fork('P', 'C')
  const producer = stage.kafka.producer({ transactionalId: 't', idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  for (const [value, isCommitted] of [
    ['1', true],
    ['2', false],
    ['3', true],
  ] as const) {
    const transaction = await producer.transaction()
    await transaction.send({ topic: 'P', messages: [{ value }] })
    await (isCommitted ? transaction.commit() : transaction.abort())
  }
  await producer.disconnect()
  const consumer = stage.kafka.consumer({ groupId: 'g', maxWaitTimeInMs: 500 })
  await consumer.connect()
  await consumer.subscribe({ topic: 'C', fromBeginning: true })
  const seen: string[] = []
  const all = new Promise<void>((resolve) => {
    void consumer.run({
      eachMessage: async ({ message }) => {
        seen.push(String(message.value))
        if (seen.length === 4) resolve()
      },
    })
  })
  await stage.run({ ...forward, id: 'm1', from: 'P', into: 'C' })
  await stage.send('C', ['own'])
  await all
  expect(seen).toEqual(['0', '1', '3', 'own'])
  await consumer.disconnect()
})

test('B52: the producer that wrote to the branch writes to the parent after it, also after a restart', async () => {
  await using stage = await Stage.open({ onDisk: true })
  await stage.create('P')
  const producer = stage.kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const send = (topic: string, value: string) => producer.send({ topic, acks: -1, messages: [{ partition: 0, value }] })
  for (let i = 0; i < 3; i++) await send('P', `p${i}`)
  await stage.fork('P', 'C')
  for (let i = 0; i < 20; i++) await send('C', `c${i}`)
  await stage.run({ ...forward, id: 'm1' })
  for (let i = 3; i < 6; i++) await send('P', `p${i}`)
  const values = [...numbered(3, 'p'), ...numbered(20, 'c'), 'p3', 'p4', 'p5']
  expect(await stage.values('P', 26)).toEqual(values)
  await producer.disconnect()
  await stage.restart()
  expect(await stage.values('P', 26)).toEqual(values)
  await stage.send('P', ['later'])
  expect((await stage.ends('P'))[0]!.high).toBe(27)
})
