// InitProducerId: a number of one's own.

import { expect, test } from 'vitest'
import { initProducerId } from '../../protocol/messages/22-init-producer-id.ts'
import { errorOf, Line } from './line.ts'

const plain = { transactionalId: null, transactionTimeoutMs: 60_000 }

test.each([0, 1, 2, 3, 4, 5])('v%i: every producer gets another id, with epoch 0', async (version) => {
  await using line = await Line.open()
  const answers = await Promise.all(Array.from({ length: 5 }, () => line.ask(initProducerId, version, plain)))
  expect(new Set(answers.map(({ producerId }) => producerId)).size).toBe(5)
  expect(answers.every(({ errorCode, producerEpoch }) => errorCode === 0 && producerEpoch === 0)).toBe(true)
})

test('an id to go on with needs its epoch, and the other way round', async () => {
  await using line = await Line.open()
  const ask = async (producerId: number, producerEpoch: number) =>
    errorOf(await line.ask(initProducerId, 3, { ...plain, producerId, producerEpoch }))
  expect([await ask(5, -1), await ask(-1, 3), await ask(-2, -1), await ask(-1, -2)]).toEqual(
    Array(4).fill('INVALID_REQUEST'),
  )
  expect([await ask(-1, -1), await ask(5, 3)]).toEqual(['NONE', 'NONE'])
})

test('whatever a producer had, without a transactional id it gets a new one', async () => {
  await using line = await Line.open()
  const first = await line.ask(initProducerId, 3, plain)
  const second = await line.ask(initProducerId, 3, { ...plain, producerId: first.producerId, producerEpoch: 0 })
  expect(second).toMatchObject({ errorCode: 0, producerEpoch: 0 })
  expect(second.producerId).not.toBe(first.producerId)
})

test('a transactional producer keeps its id and gets a later epoch each time; nobody has an empty name', async () => {
  await using line = await Line.open()
  const ask = (transactionalId: string) => line.ask(initProducerId, 4, { ...plain, transactionalId })
  expect(await ask('')).toMatchObject({ errorCode: 42, producerId: -1, producerEpoch: -1 })
  const first = await ask('tx')
  expect(first).toMatchObject({ errorCode: 0, producerEpoch: 0 })
  expect(await ask('tx')).toMatchObject({ errorCode: 0, producerId: first.producerId, producerEpoch: 1 })
  expect((await ask('another')).producerId).not.toBe(first.producerId)
})
