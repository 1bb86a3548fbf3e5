// A connection that floods, beside others: the event loop is everybody's.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { expect, test, vi } from 'vitest'
import { produce } from '../../protocol/messages/00-produce.ts'
import { apiVersions } from '../../protocol/messages/18-api-versions.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { Broker } from '../../src/embedded.ts'
import { Turn } from '../../src/net/turn.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { readAnswer, requestFrame, Wire } from './wire.ts'

const mebibyte = 1024 * 1024

test('who sends without a breath is listened to for two MiB of a turn at most, and answered all the same', async () => {
  const sockets: Socket[] = []
  const note = (message: unknown) => sockets.push((message as { socket: Socket }).socket)
  subscribe('net.server.socket', note)
  const broker = await Broker.start({ port: 0, storage: 'memory', topics: ['flood'] })
  const wire = await Wire.open(broker.bootstrapServers)
  let most = 0
  let isOver = false
  const watch = (before: number): void => {
    const { bytesRead } = sockets[0]!
    most = Math.max(most, bytesRead - before)
    if (!isOver) setImmediate(watch, bytesRead)
  }
  try {
    const records = encodeBatch({ records: [{ value: Buffer.alloc(100_000, 'x') }] })
    const frame = requestFrame(produce, 9, {
      acks: -1,
      timeoutMs: 1000,
      topicData: [{ name: 'flood', partitionData: [{ index: 0, records }] }],
    })
    const count = 200
    wire.send(Buffer.concat(Array.from({ length: count }, () => frame)))
    await expect.poll(() => sockets.length).toBe(1)
    watch(0)
    for (let i = 0; i < count; i++) {
      const answer = readAnswer(produce, 9, (await wire.frame()) as Buffer)
      expect(answer.responses[0]!.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: i })
    }
  } finally {
    isOver = true
    unsubscribe('net.server.socket', note)
    wire.drop()
    await broker.stop()
  }
  expect(most).toBeLessThanOrEqual(2 * mebibyte)
})

test('nobody looks turn after turn for what waits behind a slow disk', async () => {
  const store = new FaultyStore()
  let go = (): void => {}
  const broker = await Broker.start({
    port: 0,
    storage: store,
    topics: [{ name: 'safe', config: { 'flush.messages': '1' } }],
  })
  store.slowness = (operation) =>
    operation === 'flush' ? new Promise((resolve) => (go = () => resolve(undefined))) : undefined
  const wire = await Wire.open(broker.bootstrapServers)
  const atEnd = vi.spyOn(Turn.prototype, 'atEnd')
  const turns = async (count: number) => {
    for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
    return atEnd.mock.calls.length
  }
  try {
    const partitionData = [{ index: 0, records: encodeBatch({ records: [{ value: Buffer.from('x') }] }) }]
    const body = { acks: -1, timeoutMs: 1000, topicData: [{ name: 'safe', partitionData }] }
    wire.send(Buffer.concat([requestFrame(produce, 9, body), requestFrame(apiVersions, 0, {}, 2)]))
    await expect.poll(() => turns(20)).toBeGreaterThan(0)
    expect(await turns(100)).toBe(await turns(20))
    go()
    expect(readAnswer(produce, 9, (await wire.frame()) as Buffer).responses).toHaveLength(1)
    expect(readAnswer(apiVersions, 0, (await wire.frame()) as Buffer).errorCode).toBe(0)
  } finally {
    store.slowness = () => undefined
    go()
    atEnd.mockRestore()
    wire.drop()
    await broker.stop()
  }
})
