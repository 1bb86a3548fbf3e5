// What all connections together may hold of requests, and of answers that nobody takes.

import { expect, test } from 'vitest'
import { produce } from '../../protocol/messages/00-produce.ts'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { joinGroup } from '../../protocol/messages/11-join-group.ts'
import { incrementalAlterConfigs } from '../../protocol/messages/44-incremental-alter-configs.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { Broker } from '../../src/embedded.ts'
import { Backlog } from '../../src/net/backlog.ts'
import { RequestMemory } from '../../src/net/request-memory.ts'
import { readAnswer, requestFrame, Wire } from './wire.ts'

const mebibyte = 1024 * 1024

test('memory is given while any is left, so the last request in may go beyond the limit', () => {
  const memory = new RequestMemory(100)
  expect([memory.take(99), memory.take(80), memory.take(1)]).toEqual([true, true, false])
  const woken: string[] = []
  memory.await(() => woken.push('first'))
  memory.await(() => woken.push('second'))
  const third = () => woken.push('third')
  memory.await(third)
  memory.forget(third)
  memory.give(79)
  expect(woken).toEqual([])
  memory.give(99)
  expect(woken).toEqual(['first', 'second'])
  expect(memory.usedBytes).toBe(1)
})

test('who waits for memory and is woken may take all of it again, and the next one goes on waiting', () => {
  const memory = new RequestMemory(10)
  memory.take(10)
  const woken: string[] = []
  for (const name of ['a', 'b']) {
    memory.await(() => {
      woken.push(name)
      memory.take(10)
    })
  }
  memory.give(10)
  expect(woken).toEqual(['a'])
  expect(memory.waitingCount).toBe(1)
})

test('without a limit nobody has to ask', () => {
  for (const limit of [-1, 0]) expect(new RequestMemory(limit).isLimited).toBe(false)
  expect(new RequestMemory(1).isLimited).toBe(true)
})

test('many who take no answers leave each other less, and those with little lying are not counted', () => {
  const backlog = new Backlog()
  expect(backlog.note(0, 1000)).toBe(0)
  const generous = backlog.bytesMax
  const counted = Array.from({ length: 100 }, () => backlog.note(0, 2 * mebibyte))
  expect(backlog.bytesMax).toBeLessThan(generous)
  for (const before of counted) backlog.note(before, 0)
  expect([backlog.sumBytes, backlog.bytesMax]).toEqual([0, generous])
})

const large = (fill: number) => {
  const records = encodeBatch({ records: [{ value: Buffer.alloc(700_000, fill), timestamp: Date.now() }] })
  return requestFrame(produce, 9, {
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ name: 't', partitionData: [{ index: 0, records }] }],
  })
}

test('a request waits outside while others that have begun fill queued.max.request.bytes; small ones pass by', async () => {
  const config = { 'socket.request.max.bytes': mebibyte, 'queued.max.request.bytes': mebibyte }
  await using broker = await Broker.start({ topics: ['t'], config })
  const open = () => Wire.open(broker.bootstrapServers)
  const [first, second, third, fourth, small] = await Promise.all([open(), open(), open(), open(), open()])
  const frames = [large(1), large(2), large(3), large(4)]
  // Two that stop in the middle take all there is.
  await first.sent(frames[0]!.subarray(0, 300_000))
  await second.sent(frames[1]!.subarray(0, 300_000))
  await small.ask(metadata, 9, { topics: [] })
  third.send(frames[2]!)
  fourth.send(frames[3]!)
  for (let i = 0; i < 5; i++) await small.ask(metadata, 9, { topics: [] })
  expect(await Promise.all([third.frame(200), fourth.frame(1)])).toEqual(['silence', 'silence'])
  // One ends well, one is cut: both make room.
  first.send(frames[0]!.subarray(300_000))
  second.drop()
  for (const wire of [first, third, fourth]) {
    const frame = await wire.frame()
    if (typeof frame === 'string') throw new Error(frame)
    expect(readAnswer(produce, 9, frame).responses[0]!.partitionResponses[0]!.errorCode).toBe(0)
  }
  for (const wire of [first, third, fourth, small]) wire.drop()
})

test('a client is not listened to while requests of many megabytes wait for their answers', async () => {
  let taken = 0
  const config = { 'group.initial.rebalance.delay.ms': 60_000 }
  await using broker = await Broker.start({ config, onRequest: () => taken++ })
  const wire = await Wire.open(broker.bootstrapServers)
  const join = (i: number) =>
    requestFrame(joinGroup, 2, {
      groupId: `g${i}`,
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 60_000,
      memberId: '',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(6 * mebibyte) }],
    })
  for (let i = 0; i < 12; i++) wire.send(join(i))
  await expect.poll(() => taken).toBeGreaterThanOrEqual(3)
  const other = await Wire.open(broker.bootstrapServers)
  for (let i = 0; i < 20; i++) await other.ask(metadata, 9, { topics: [] })
  expect(taken).toBeLessThanOrEqual(3 + 20)
  other.drop()
  wire.drop()
})

test('connections beyond max.connection.creation.rate wait for their turn, and are served then', async () => {
  await using broker = await Broker.start({ config: { 'max.connection.creation.rate': 5 } })
  const wires = await Promise.all(Array.from({ length: 8 }, () => Wire.open(broker.bootstrapServers)))
  await Promise.all(wires.map((wire) => wire.ask(metadata, 9, { topics: [] })))
  const resources = [
    {
      resourceType: 4,
      resourceName: '',
      configs: [{ name: 'max.connection.creation.rate', configOperation: 0, value: '100000' }],
    },
  ]
  await wires[0]!.ask(incrementalAlterConfigs, 1, { resources, validateOnly: false })
  const later = await Promise.all(Array.from({ length: 30 }, () => Wire.open(broker.bootstrapServers)))
  await Promise.all(later.map((wire) => wire.ask(metadata, 9, { topics: [] })))
  for (const wire of [...wires, ...later]) wire.drop()
})

test('a limit below which no request could come in is refused at the start, as Kafka does', async () => {
  const config = { 'socket.request.max.bytes': mebibyte, 'queued.max.request.bytes': mebibyte - 1 }
  await expect(Broker.start({ config })).rejects.toThrow('queued.max.request.bytes must be larger or equal to')
})
