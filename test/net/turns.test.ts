// A connection that floods, beside others: the event loop is everybody's.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { produce } from '../../protocol/messages/00-produce.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { Broker } from '../../src/embedded.ts'
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
