// Who may connect: limits that count connections, and the quota of an address.

import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { expect, test, vi } from 'vitest'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { incrementalAlterConfigs } from '../../protocol/messages/44-incremental-alter-configs.ts'
import type { Broker } from '../../src/broker/broker.ts'
import { BrokerConfig } from '../../src/broker/broker-config.ts'
import { Admission } from '../../src/net/admission.ts'
import { Line } from '../api/line.ts'
import { FakeClock } from '../group/world.ts'
import { WireClient } from '../wire-client.ts'
import { Wire } from './wire.ts'

/** Whether a new connection is served; it stays open if it is. */
async function connects(line: Line): Promise<boolean> {
  const client = await line.another()
  try {
    return typeof (await client.attempt(metadata, 9, { topics: [] })) !== 'string'
  } catch {
    return false
  }
}

async function configure(line: Line, name: string, value: string): Promise<void> {
  const configs = [{ name, configOperation: 0, value }]
  const resources = [{ resourceType: 4, resourceName: '', configs }]
  const { responses } = await line.ask(incrementalAlterConfigs, 1, { resources, validateOnly: false })
  expect(responses[0]!.errorMessage).toBeNull()
}

test('max.connections.per.ip counts those that are open, and may be changed', async () => {
  const name = 'max.connections.per.ip'
  await using line = await Line.open([], { [name]: 2 })
  const second = await WireClient.open(line.broker.bootstrapServers)
  await second.ask(metadata, 9, { topics: [] })
  expect(await connects(line)).toBe(false)
  second.close()
  await expect.poll(() => connects(line)).toBe(true)
  expect(await connects(line)).toBe(false)
  await configure(line, name, '4')
  expect(await connects(line)).toBe(true)
})

test('one more than max.connections waits until another ends, or until more are allowed', async () => {
  const clock = new FakeClock()
  const config = new BrokerConfig([
    ['max.connections', '1'],
    ['socket.listen.backlog.size', '2'],
  ])
  const broker = { clock, config, throttle: { connect: () => 0 } } as unknown as Broker
  const admission = new Admission()
  const came: number[] = []
  const sockets = Array.from({ length: 4 }, (_, i) => {
    const socket = Object.assign(new EventEmitter(), { remoteAddress: '10.0.0.1', destroy: vi.fn() })
    admission.admit(socket as unknown as Socket, broker, () => came.push(i))
    return socket
  })
  expect(came).toEqual([0])
  expect(sockets.map(({ destroy }) => destroy.mock.calls.length)).toEqual([0, 0, 0, 1])
  sockets[0]!.emit('close')
  expect(came).toEqual([0, 1])
  sockets[1]!.emit('close')
  expect(came).toEqual([0, 1, 2])
  const late = Object.assign(new EventEmitter(), { remoteAddress: '10.0.0.1', destroy: vi.fn() })
  admission.admit(late as unknown as Socket, broker, () => came.push(9))
  expect(came).toEqual([0, 1, 2])
  config.fromRecord('', { 'max.connections': '2' })
  await clock.pass(500)
  expect(came).toEqual([0, 1, 2, 9])
})

test('a broker that is full answers who waits as soon as there is room, and does not wait for them at its end', async () => {
  await using line = await Line.open([], { 'max.connections': 2 })
  const second = await WireClient.open(line.broker.bootstrapServers)
  await second.ask(metadata, 9, { topics: [] })
  const third = await WireClient.open(line.broker.bootstrapServers)
  const answer = third.ask(metadata, 9, { topics: [] })
  second.close()
  expect((await answer).brokers.length).toBe(1)
  await WireClient.open(line.broker.bootstrapServers) // outside when the broker ends
})

test('an address may have a limit of its own', async () => {
  await using line = await Line.open([], { 'max.connections.per.ip.overrides': '10.0.0.1:9, 127.0.0.1:1' })
  expect(await connects(line)).toBe(false)
  await configure(line, 'max.connections.per.ip.overrides', '127.0.0.1:2')
  expect(await connects(line)).toBe(true)
  expect(await connects(line)).toBe(false)
})

test('who says nothing for connections.max.idle.ms is closed; who goes on asking is not', async () => {
  await using line = await Line.open([], { 'connections.max.idle.ms': 1000 })
  const idle = await Wire.open(line.broker.bootstrapServers)
  await idle.ask(metadata, 9, { topics: [] })
  let isClosed = false
  void idle.closed.then(() => {
    isClosed = true
  })
  const asking = await Wire.open(line.broker.bootstrapServers)
  while (!isClosed) await asking.ask(metadata, 9, { topics: [] })
  expect((await asking.ask(metadata, 9, { topics: [] })).brokers.length).toBe(1)
  asking.drop()
})

test('an address that connects too often is kept waiting, then closed', async () => {
  const clock = new FakeClock()
  const waits = [0, 700]
  const broker = { clock, config: new BrokerConfig(), throttle: { connect: () => waits.shift()! } } as unknown as Broker
  const socket = () => Object.assign(new EventEmitter(), { remoteAddress: '::ffff:10.0.0.1', destroy: vi.fn() })
  const [first, second] = [socket(), socket()]
  const admission = new Admission()
  const letIn = [vi.fn(), vi.fn()] as const
  for (const [i, each] of [first, second].entries()) admission.admit(each as unknown as Socket, broker, letIn[i]!)
  expect(letIn[0]).toHaveBeenCalled()
  expect(letIn[1]).not.toHaveBeenCalled()
  await clock.pass(699)
  expect(second.destroy).not.toHaveBeenCalled()
  await clock.pass(1)
  expect(second.destroy).toHaveBeenCalled()
  expect(first.destroy).not.toHaveBeenCalled()
})

test('connections that come faster than max.connection.creation.rate are let in one by one, and counted all the while', async () => {
  const clock = new FakeClock()
  const config = new BrokerConfig([['max.connection.creation.rate', '2']])
  const broker = { clock, config, throttle: { connect: () => 0 } } as unknown as Broker
  const admission = new Admission()
  const came: number[] = []
  const sockets = Array.from({ length: 5 }, (_, i) => {
    const socket = Object.assign(new EventEmitter(), { remoteAddress: '10.0.0.1', destroy: vi.fn() })
    admission.admit(socket as unknown as Socket, broker, () => came.push(i))
    return socket
  })
  expect(came).toEqual([0, 1])
  await clock.pass(500)
  expect(came).toEqual([0, 1, 2])
  // Who has gone meanwhile is not let in.
  sockets[3]!.emit('close')
  await clock.pass(1000)
  expect(came).toEqual([0, 1, 2, 4])
})
