// A listener of a set's own: who comes by it has entered the set, whatever it calls itself.

import { Kafka, logLevel } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { offsetCommit } from '../../protocol/messages/08-offset-commit.ts'
import { findCoordinator } from '../../protocol/messages/10-find-coordinator.ts'
import { listGroups } from '../../protocol/messages/16-list-groups.ts'
import { deleteTopics } from '../../protocol/messages/20-delete-topics.ts'
import { describeCluster } from '../../protocol/messages/60-describe-cluster.ts'
import type { BranchEvent } from '../../src/branch/events.ts'
import { Broker } from '../../src/index.ts'
import { WireClient } from '../wire-client.ts'
import { numbered, Stage } from './stage.ts'

const kafkaAt = (bootstrap: string) =>
  new Kafka({
    clientId: 'plain',
    brokers: bootstrap.split(','),
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, retries: 5 },
  })

async function topicsAt(bootstrap: string): Promise<string[]> {
  const client = await WireClient.open(bootstrap.split(',')[0]!)
  const { topics } = await client.ask(metadata, 12, { topics: null })
  client.close()
  return topics.map(({ name }) => name!).sort()
}

async function staged(options: Parameters<typeof Stage.open>[0] = {}): Promise<Stage> {
  const stage = await Stage.open(options)
  await stage.create('orders')
  await stage.send('orders', numbered(5))
  await stage.run({ op: 'fork', id: 'f', set: 'S', from: '*' })
  return stage
}

const bootstrapOf = (event: BranchEvent): string => String(event['bootstrap'])

describe('listen', () => {
  test('B41: through its listener an application is in the set, and is told of no other address', async () => {
    await using stage = await staged()
    const event = await stage.run({ op: 'listen', id: 'l', set: 'S', port: 0 })
    expect(event).toMatchObject({ type: 'listen', status: 'done', set: 'S' })
    const bootstrap = bootstrapOf(event)
    expect(bootstrap).toMatch(/^127\.0\.0\.1:\d+$/)
    expect(bootstrap).not.toBe(stage.broker.bootstrapServers)
    expect(await topicsAt(bootstrap)).toEqual(['orders'])
    const client = await WireClient.open(bootstrap, 'x--branch--other--')
    const port = Number(bootstrap.split(':')[1])
    expect((await client.ask(describeCluster, 1, { includeClusterAuthorizedOperations: false })).brokers).toMatchObject(
      [{ host: '127.0.0.1', port }],
    )
    expect(await client.ask(findCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })).toMatchObject({
      coordinators: [{ key: 'g', errorCode: 0, port }],
    })
    client.close()
    const producer = kafkaAt(bootstrap).producer()
    await producer.connect()
    await producer.send({ topic: 'orders', messages: [{ value: 'mine' }] })
    await producer.disconnect()
    expect(await stage.ends('orders')).toEqual([{ low: 0, high: 5 }])
    expect(await stage.values('orders--S', 6)).toEqual([...numbered(5), 'mine'])
  })

  test('asked again, it answers with the listener that is there; a set that is not there has none', async () => {
    await using stage = await staged()
    const first = await stage.run({ op: 'listen', id: 'l1', set: 'S' })
    expect(await stage.run({ op: 'listen', id: 'l2', set: 'S', port: 0 })).toMatchObject({
      bootstrap: first['bootstrap'],
    })
    expect(await stage.run({ op: 'listen', id: 'l3', set: 'T' })).toMatchObject({ error: { code: 'UNKNOWN_SET' } })
    await stage.run({ op: 'fork', id: 'f2', set: 'T', from: 'set:S' })
    expect(await stage.run({ op: 'listen', id: 'l4', set: 'T', dryRun: true })).toMatchObject({ type: 'plan' })
    const refused = await stage.run({ op: 'listen', id: 'l5', set: 'T', port: 9999 })
    expect(refused).toMatchObject({ type: 'rejected', error: { code: 'POLICY_VIOLATION' } })
    expect(String(refused.error!.message)).toContain('branch.listeners.ports')
  })

  test('a port that is taken is said so', async () => {
    const taken = await Broker.start()
    const port = Number(taken.bootstrapServers.split(':')[1])
    await using stage = await staged({ config: { 'branch.listeners.ports': `${port}-${port}` } })
    const refused = await stage.run({ op: 'listen', id: 'l1', set: 'S', port })
    expect(refused).toMatchObject({ type: 'rejected' })
    expect(refused.error!.message).toMatch(new RegExp(`${port}.*Take another port, or 0 for any`))
    await taken.stop()
    expect(await stage.run({ op: 'listen', id: 'l2', set: 'S', port })).toMatchObject({
      bootstrap: `127.0.0.1:${port}`,
    })
  })

  test('abandoning the set closes its listener, and a new set of that name begins anew', async () => {
    await using stage = await staged()
    const bootstrap = bootstrapOf(await stage.run({ op: 'listen', id: 'l1', set: 'S' }))
    const within = await WireClient.open(bootstrap)
    const topics = [{ name: 'orders', partitions: [{ partitionIndex: 0, committedOffset: 2 }] }]
    await within.ask(offsetCommit, 8, { groupId: 'g', memberId: '', topics })
    expect((await within.ask(listGroups, 4, { statesFilter: [] })).groups).toMatchObject([{ groupId: 'g' }])
    await stage.run({ op: 'abandon', id: 'a1', set: 'S' })
    expect(await within.closed).toBe('closed')
    await expect(WireClient.open(bootstrap)).rejects.toThrow(/ECONNREFUSED/)
    await stage.run({ op: 'fork', id: 'f2', set: 'S', from: '*' })
    const again = await WireClient.open(bootstrapOf(await stage.run({ op: 'listen', id: 'l2', set: 'S' })))
    expect((await again.ask(listGroups, 4, { statesFilter: [] })).groups).toEqual([])
    again.close()
  })

  test('it comes back at its port after a restart', async () => {
    await using stage = await staged({ onDisk: true })
    const bootstrap = bootstrapOf(await stage.run({ op: 'listen', id: 'l', set: 'S' }))
    await stage.restart()
    expect(await topicsAt(bootstrap)).toEqual(['orders'])
    expect(await stage.run({ op: 'listen', id: 'again', set: 'S' })).toMatchObject({ bootstrap })
  })

  test('a reset of the broker leaves no set and no listener', async () => {
    await using stage = await staged({ topics: ['again'] })
    const bootstrap = bootstrapOf(await stage.run({ op: 'listen', id: 'l', set: 'S' }))
    const within = await WireClient.open(bootstrap)
    // Emptied from inside a set stays.
    const names = (await within.ask(metadata, 12, { topics: null })).topics.map(({ name }) => name!)
    await within.ask(deleteTopics, 5, { topicNames: names, timeoutMs: 1000 })
    expect(await topicsAt(bootstrap)).toEqual([])
    await stage.broker.reset()
    await expect(WireClient.open(bootstrap)).rejects.toThrow(/ECONNREFUSED/)
    within.close()
  })

  test('in a cluster it has a port for each node, and each tells of its like', async () => {
    await using stage = await staged({ brokers: 2 })
    const addresses = bootstrapOf(await stage.run({ op: 'listen', id: 'l', set: 'S' })).split(',')
    expect(addresses.length).toBe(2)
    const client = await WireClient.open(addresses[1]!)
    const { brokers } = await client.ask(describeCluster, 1, { includeClusterAuthorizedOperations: false })
    expect(brokers.map(({ host, port }) => `${host}:${port}`).sort()).toEqual([...addresses].sort())
    client.close()
    await stage.broker.stopNode(stage.broker.nodeId + 1)
    await expect(WireClient.open(addresses[1]!)).rejects.toThrow()
    await stage.broker.startNode(stage.broker.nodeId + 1)
    expect(await topicsAt(addresses[1]!)).toEqual(['orders'])
  })
})

test('branch.listeners is there from the start, before its set is', async () => {
  const free = await Broker.start()
  const address = free.bootstrapServers
  await free.stop()
  await using stage = await Stage.open({ config: { 'branch.listeners': `S=${address}` }, topics: ['orders'] })
  const client = await WireClient.open(address)
  const names = { topics: [{ name: 'orders' }] }
  expect((await client.ask(metadata, 12, names)).topics[0]!.errorCode).toBe(17)
  await stage.run({ op: 'fork', id: 'f', set: 'S', from: '*' })
  expect((await client.ask(metadata, 12, names)).topics[0]!.errorCode).toBe(0)
  expect(await stage.run({ op: 'listen', id: 'l', set: 'S' })).toMatchObject({ bootstrap: address })
  await stage.run({ op: 'abandon', id: 'a', set: 'S' })
  expect((await client.ask(metadata, 12, names)).topics[0]!.errorCode).toBe(17)
  client.close()
})

test('an option that names no set or no address is refused with its form', async () => {
  for (const value of ['S', 'S=9192', 'a--b=127.0.0.1:1', 'S=h:99999', 'S=h:1,S=h:2'])
    await expect(Broker.start({ config: { 'branch.listeners': value } }), value).rejects.toThrow(/branch\.listeners/)
  for (const value of ['x', '9000-8000', '0', '70000'])
    await expect(Broker.start({ config: { 'branch.listeners.ports': value } }), value).rejects.toThrow(
      /listeners\.ports/,
    )
})
