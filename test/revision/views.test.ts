// What views show, read by a stock client (extensions §2.2).

import type { KafkaMessage } from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { crc32c } from '../../protocol/crc32c.ts'
import { decodeDelta } from '../../src/revision/decode-delta.ts'
import { type Read, Stage, view } from './stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await Stage.open()
})
afterAll(() => stage[Symbol.asyncDispose]())

const text = (of: Buffer | string | null | undefined) => (of === null || of === undefined ? of : String(of))
const header = ({ headers }: Pick<KafkaMessage, 'headers'>, name: string) => text(headers?.[name] as Buffer | undefined)
const shown = (records: readonly Read[]) =>
  records.map(({ offset, key, value }) => [Number(offset), text(key), text(value)])

/** `count` revisions of a document with a part that changes. */
const documents = (count: number) =>
  Array.from({ length: count }, (_, i) =>
    JSON.stringify({ id: 7, note: 'n'.repeat(400), version: i, tail: 't'.repeat(200) }),
  )

test('R3: a list of one key tells every revision in order, and leads to its record in the source', async () => {
  await stage.create('r3')
  const values = documents(1000)
  for (let i = 0; i < 1000; i += 100) {
    await stage.send(
      'r3',
      values.slice(i, i + 100).flatMap((value, j) => [
        { key: 'k', value },
        { key: `other${j}`, value: 'x' },
      ]),
    )
  }
  await view(stage, 'r3', 'list', 'r3-list', { 'view.key': 'k' })
  const listed = (await stage.read('r3-list', 1000)).map(({ value, offset }) => ({
    ...JSON.parse(String(value)),
    at: Number(offset),
  }))
  expect(listed.map(({ rev }) => rev)).toEqual(values.map((_, i) => i + 1))
  expect(
    listed.every(({ at, offset, key, tombstone, size }) => at === offset && key === 'k' && !tombstone && size > 600),
  ).toBe(true)
  const consumer = stage.kafka.consumer({ groupId: 'r3', maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topic: 'r3', fromBeginning: true })
  const found = await new Promise<KafkaMessage>((resolve) => {
    consumer.run({
      autoCommit: false,
      eachMessage: async ({ message }) => void (Number(message.offset) === listed[499]!.offset && resolve(message)),
    })
    consumer.seek({ topic: 'r3', partition: 0, offset: String(listed[499]!.offset) })
  })
  expect(text(found.value)).toBe(values[499])
  await consumer.disconnect()
})

test('R4: deltas applied in turn give every revision', async () => {
  await stage.create('r4')
  const values = documents(300)
  await stage.send(
    'r4',
    values.map((value) => ({ key: 'k', value })),
  )
  await view(stage, 'r4', 'diff', 'r4-diff')
  const records = await stage.read('r4-diff', 300)
  expect(header(records[0]!, 'rev.format')).toBe('full')
  let before = Buffer.alloc(0)
  for (const [i, record] of records.entries()) {
    const value = header(record, 'rev.format') === 'full' ? record.value! : decodeDelta(before, record.value!, 10_000)
    expect(String(value)).toBe(values[i])
    expect(header(record, 'rev')).toBe(String(i + 1))
    expect(header(record, 'rev.crc32c')).toBe(crc32c(value).toString(16).padStart(8, '0'))
    expect(header(record, 'rev.size')).toBe(String(value.length))
    if (i > 0) {
      expect([header(record, 'rev.base'), header(record, 'rev.base.offset')]).toEqual([String(i), String(i - 1)])
      expect(record.value!.length).toBeLessThan(60)
    }
    before = Buffer.from(value)
  }
})

test('R7: the state of now moves with its source, at the offsets of the source, and is followed by a group', async () => {
  await stage.create('r7')
  await stage.send('r7', [
    { key: 'a', value: '1' },
    { key: 'k', value: '1' },
    { key: 'a', value: '2' },
  ])
  await view(stage, 'r7', 'state', 'r7-state')
  expect(shown(await stage.read('r7-state', 2))).toEqual([
    [1, 'k', '1'],
    [2, 'a', '2'],
  ])
  const consumer = stage.kafka.consumer({ groupId: 'r7-group', maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topic: 'r7-state', fromBeginning: true })
  const seen: unknown[] = []
  let next: (() => void) | undefined
  const until = (count: number) =>
    new Promise<void>((resolve) => {
      next = () => void (seen.length >= count && resolve())
      next()
    })
  await consumer.run({
    eachMessage: async ({ message }) => {
      seen.push([Number(message.offset), text(message.value)])
      next?.()
    },
  })
  await until(2)
  await stage.send('r7', [{ key: 'k', value: '2' }])
  await until(3)
  expect(seen).toEqual([
    [1, '1'],
    [2, '2'],
    [3, '2'],
  ])
  await consumer.disconnect()
  expect(shown(await stage.read('r7-state', 2))).toEqual([
    [2, 'a', '2'],
    [3, 'k', '2'],
  ])
  expect(await stage.ends('r7-state')).toEqual([{ low: 0, high: 4 }])
})

test('R8: a deletion is a revision, shown as null, and the value after it is whole', async () => {
  await stage.create('r8')
  const [first, second] = documents(2)
  await stage.send('r8', [
    { key: 'k', value: first! },
    { key: 'k', value: null },
  ])
  for (const kind of ['state', 'history', 'diff', 'list']) await view(stage, 'r8', kind, `r8-${kind}`)
  expect(shown(await stage.read('r8-state', 1))).toEqual([[1, 'k', null]])
  await stage.send('r8', [{ key: 'k', value: second! }])
  for (const kind of ['history', 'diff']) {
    const records = await stage.read(`r8-${kind}`, 3)
    expect(records.map((record) => [header(record, 'rev'), header(record, 'rev.format')])).toEqual([
      ['1', 'full'],
      ['2', 'tombstone'],
      ['3', 'full'],
    ])
    expect(records.map(({ value }) => text(value))).toEqual([first, null, second])
  }
  const listed = (await stage.read('r8-list', 3)).map(({ value }) => JSON.parse(String(value)))
  expect(listed.map(({ rev, tombstone, format }) => [rev, tombstone, format])).toEqual([
    [1, false, 'full'],
    [2, true, 'tombstone'],
    [3, false, 'full'],
  ])
})
