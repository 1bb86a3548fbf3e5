// B55: with an authorizer a command is run with the rights of whoever produced it, and CreateTopics asks for the same ones.
// Here by rooms, with principals that no listener knows yet; over the wire: test/branch/rights-by-clients.test.ts.

import { expect, test } from 'vitest'
import { encodeBatch } from '../../protocol/records/builder.ts'
import type { BranchEvent } from '../../src/branch/events.ts'
import { commandsTopic, jsonTopics, principalHeader } from '../../src/branch/json-topics.ts'
import type { Right } from '../../src/command/rights.ts'
import { stamp } from '../../src/command/stamp.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import { BrokerProcess } from '../branch/process.ts'

type Denied = { by: string; operation: Right['operation']; topic: string }

async function opened(denied: readonly Denied[]) {
  const { broker, groups, transactions, branches } = await BrokerProcess.on(new MemoryStore(), {
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:bob',
  })
  await branches.begin()
  const everything = { resourceType: 'TOPIC', patternType: 'LITERAL', resourceName: '*', host: '*' } as const
  await broker.acls.add([
    { ...everything, principal: 'User:alice', operation: 'ALL', permission: 'ALLOW' },
    ...denied.map(
      ({ by: principal, operation, topic: resourceName }) =>
        ({ ...everything, resourceName, principal, operation, permission: 'DENY' }) as const,
    ),
  ])
  await broker.createTopics([
    { name: 'orders', partitions: 1, configs: { 'cleanup.policy': 'compact' } },
    jsonTopics.find(({ name }) => name === commandsTopic)!,
  ])

  /** What becomes of a command of somebody. */
  const run = async (by: string, command: { op: string; id: string; [more: string]: unknown }): Promise<string> => {
    const headers = [{ key: principalHeader, value: by }]
    const partition = broker.topic(commandsTopic)!.partitions[0]!
    partition.appendOwn(encodeBatch({ records: [{ timestamp: 1, value: JSON.stringify(command), headers }] }))
    await partition.flush()
    const isPlan = command.op === 'plan' || command['dryRun'] === true
    while (!branches.history.hasResult(command.id, isPlan)) await new Promise((resolve) => setImmediate(resolve))
    const { status, error, by: told } = branches.history.result(command.id, isPlan) as BranchEvent
    expect(told).toBe(by)
    return error === undefined ? status : `${error.code}: ${error.message}`
  }
  const stop = async () => {
    await branches.stop()
    groups.stop()
    transactions.stop()
    await broker.close()
  }
  return { broker, branches, run, stop }
}

test('B55: without READ on the parent there is no fork, by a command or by CreateTopics alike', async () => {
  const { broker, branches, run, stop } = await opened([{ by: 'User:alice', operation: 'READ', topic: 'orders' }])
  const why = "User:alice needs READ on the topic 'orders'."
  const fork = { op: 'fork', from: 'orders', to: 'b' }
  expect(await run('User:alice', { ...fork, id: 'f1' })).toBe(`TOPIC_AUTHORIZATION_FAILED: ${why}`)
  expect(await run('User:alice', { op: 'fork', set: 'S', from: '*', id: 'f2' })).toContain(why)
  const request = { by: 'User:alice', topics: [{ from: 'orders', to: 'b' }] }
  for (const refusals of [branches.check(request), await branches.fork(request)]) {
    expect([...(refusals as ReadonlyMap<string, unknown>)]).toMatchObject([
      ['b', { error: 'TOPIC_AUTHORIZATION_FAILED', message: why }],
    ])
  }
  expect(broker.topic('b')).toBeUndefined()
  expect(await run('User:bob', { ...fork, id: 'f3' })).toBe('done')
  expect(await run('User:alice', { op: 'plan', from: 'b', into: 'orders', id: 'p1' })).toContain(why)
  // A reset cuts the parent anew.
  for (const dryRun of [false, true]) {
    expect(await run('User:alice', { op: 'reset', branch: 'b', id: `s-${dryRun}`, dryRun })).toContain(why)
  }
  await stop()
})

test('B55: a merge needs WRITE on its target, a revert and a deletion their own, and nothing of them is done', async () => {
  const { broker, run, stop } = await opened([
    { by: 'User:alice', operation: 'WRITE', topic: 'orders' },
    { by: 'User:alice', operation: 'DELETE', topic: 'b' },
  ])
  expect(await run('User:alice', { op: 'fork', from: 'orders', to: 'b', id: 'f' })).toBe('done')
  const key = { key: 'k', value: 'v', timestamp: 1 }
  broker.topic('b')!.partitions[0]!.appendOwn(encodeBatch({ records: [key] }))
  const write = "TOPIC_AUTHORIZATION_FAILED: User:alice needs WRITE on the topic 'orders'."
  expect(await run('User:alice', { op: 'merge', from: 'b', into: 'orders', id: 'm1' })).toBe(write)
  expect(broker.topic('orders')!.partitions[0]!.logEndOffset).toBe(0)
  expect(await run('User:bob', { op: 'merge', from: 'b', into: 'orders', id: 'm2' })).toBe('committed')
  expect(await run('User:alice', { op: 'revert', merge: 'm2', id: 'v' })).toBe(write)
  for (const op of ['abandon', 'reset']) {
    expect(await run('User:alice', { op, branch: 'b', id: op })).toContain("needs DELETE on the topic 'b'")
  }
  expect(broker.topic('b')).toBeDefined()
  await stop()
})

test('B55: what was commanded before a kill is run after it with the rights of whoever asked, from where they asked', async () => {
  const store = new MemoryStore()
  const configs = { 'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer' }
  const before = await BrokerProcess.on(store, configs)
  await before.broker.createTopics([
    { name: 'orders', partitions: 1, configs: {} },
    jsonTopics.find(({ name }) => name === commandsTopic)!,
  ])
  const ofTopic = { resourceType: 'TOPIC', patternType: 'LITERAL', resourceName: '*', operation: 'ALL' } as const
  const alice = { ...ofTopic, principal: 'User:alice', permission: 'ALLOW' } as const
  await before.broker.acls.add([{ ...alice, host: '10.0.0.1' }])
  const partition = before.broker.topic(commandsTopic)!.partitions[0]!
  for (const [id, by, host] of [
    ['f1', 'User:alice', '10.0.0.2'],
    ['f2', 'User:bob', '10.0.0.1'],
    ['f3', 'User:alice', '10.0.0.1'],
  ] as const) {
    const value = JSON.stringify({ op: 'fork', id, from: 'orders', to: id })
    const sent = encodeBatch({ records: [{ timestamp: 1, value }] })
    partition.appendOwn(stamp(sent, { principal: by, host, clientId: null, entered: undefined }, 9) as Buffer)
  }
  await partition.flush()

  const { broker, branches, groups, transactions } = await BrokerProcess.on(store, configs)
  await branches.begin()
  const outcome = async (id: string) => {
    while (!branches.history.hasResult(id)) await new Promise((resolve) => setImmediate(resolve))
    const { status, error } = branches.history.result(id) as BranchEvent
    return error?.code ?? status
  }
  expect([await outcome('f1'), await outcome('f2'), await outcome('f3')]).toEqual([
    'TOPIC_AUTHORIZATION_FAILED',
    'TOPIC_AUTHORIZATION_FAILED',
    'done',
  ])
  await branches.stop()
  groups.stop()
  transactions.stop()
  await broker.close()
})

test('rights count where a name has gone to another topic: on the one that a command would change', async () => {
  const { broker, run, stop } = await opened([
    { by: 'User:alice', operation: 'ALTER', topic: 'orders' },
    { by: 'User:alice', operation: 'WRITE', topic: 'kept' },
  ])
  await run('User:bob', { op: 'fork', from: 'orders', to: 'b', id: 'f' })
  const key = { key: 'k', value: 'v', timestamp: 1 }
  broker.topic('b')!.partitions[0]!.appendOwn(encodeBatch({ records: [key] }))
  expect(await run('User:bob', { op: 'merge', from: 'b', into: 'orders', id: 'm' })).toBe('committed')
  expect(await run('User:bob', { op: 'promote', branch: 'b', keep: 'kept', id: 'u1' })).toBe('done')
  // What the merge has written into is called so now.
  expect(await run('User:alice', { op: 'revert', merge: 'm', id: 'v' })).toContain("needs WRITE on the topic 'kept'")
  // It would take the name back.
  expect(await run('User:alice', { op: 'promote', branch: 'kept', id: 'u2' })).toContain(
    "needs ALTER on the topic 'orders'",
  )
  expect(broker.topic('kept')).toBeDefined()
  expect(await run('User:bob', { op: 'promote', branch: 'kept', id: 'u3' })).toBe('done')
  await stop()
})
