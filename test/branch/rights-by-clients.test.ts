// B55 over the wire: a broker with Kafka's StandardAuthorizer, ACLs made by a stock client, and the same client refused and allowed by
// them. All clients are User:ANONYMOUS, as on any listener without authentication; what no ACL speaks of is allowed here.

import { connect } from 'node:net'
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, logLevel, ResourcePatternTypes } from 'kafkajs'
import { expect, test } from 'vitest'
import { Stage } from './stage.ts'

const config = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:admin',
  'allow.everyone.if.no.acl.found': 'true',
}
const compacted = { 'cleanup.policy': 'compact' }

type Operation = keyof typeof AclOperationTypes

const open = () => Stage.open({ config })

/** From now on everybody may do this with a topic, and nothing else. */
const allow = async ({ admin }: Stage, resourceName: string, wanted: readonly Operation[], host = '*') => {
  const acl = wanted.map((operation) => ({
    resourceType: AclResourceTypes.TOPIC,
    resourceName,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    principal: 'User:ANONYMOUS',
    host,
    operation: AclOperationTypes[operation],
    permissionType: AclPermissionTypes.ALLOW,
  }))
  await admin.createAcls({ acl })
}

const outcome = async (stage: Stage, command: Record<string, unknown> & { id: string }): Promise<string> => {
  const { status, error } = await stage.run(command)
  return error === undefined ? status : `${error.code}: ${error.message}`
}

const needs = (operation: Operation, topic: string) =>
  `TOPIC_AUTHORIZATION_FAILED: User:ANONYMOUS needs ${operation} on the topic '${topic}'.`

test('B55: without READ on the parent there is neither fork nor view nor plan, by CreateTopics and commands alike', async () => {
  await using stage = await open()
  await stage.create('orders', 1, compacted)
  await stage.fork('orders', 'orders--early')
  await allow(stage, 'orders', ['WRITE', 'DESCRIBE_CONFIGS'])
  const why = needs('READ', 'orders')

  expect(await outcome(stage, { op: 'fork', id: 'f1', from: 'orders', to: 'b' })).toBe(why)
  expect(await outcome(stage, { op: 'fork', id: 'f2', from: '*', set: 'S' })).toBe(why)
  expect(await outcome(stage, { op: 'plan', id: 'p1', from: 'orders--early', into: 'orders' })).toBe(why)
  expect(await outcome(stage, { op: 'fork', id: 'f3', from: 'orders', to: 'b', dryRun: true })).toBe(why)
  expect(
    await stage.refusals([
      { from: 'orders', topic: 'b' },
      { topic: 'v', configs: { 'view.of': 'orders', 'view.kind': 'history' } },
    ]),
  ).toEqual({ b: why, v: why })
  expect(await stage.refusals([{ from: 'orders', topic: 'b' }], true)).toEqual({ b: why })
  expect(await stage.made()).toEqual(['orders', 'orders--early'])

  // The same words of the same client, once it may.
  await allow(stage, 'orders', ['READ'])
  expect(await outcome(stage, { op: 'fork', id: 'f4', from: 'orders', to: 'b' })).toBe('done')
  await stage.fork('orders', 'c')
  expect(await outcome(stage, { op: 'plan', id: 'p2', from: 'b', into: 'orders' })).toBe('clean')
  expect(await stage.made()).toEqual(['b', 'c', 'orders', 'orders--early'])
})

test('B55: without CREATE on the branch there is no fork; on one that begins so it is enough', async () => {
  await using stage = await open()
  await stage.create('orders')
  await stage.admin.createAcls({
    acl: [
      {
        resourceType: AclResourceTypes.TOPIC,
        resourceName: 'orders--',
        resourcePatternType: ResourcePatternTypes.PREFIXED,
        principal: 'User:ANONYMOUS',
        host: '*',
        operation: AclOperationTypes.ALL,
        permissionType: AclPermissionTypes.ALLOW,
      },
      {
        resourceType: AclResourceTypes.CLUSTER,
        resourceName: 'kafka-cluster',
        resourcePatternType: ResourcePatternTypes.LITERAL,
        principal: 'User:ANONYMOUS',
        host: '*',
        operation: AclOperationTypes.ALTER,
        permissionType: AclPermissionTypes.ALLOW,
      },
    ],
  })
  await allow(stage, 'mine', ['READ'])
  expect(await outcome(stage, { op: 'fork', id: 'f1', from: 'orders', to: 'mine' })).toBe(needs('CREATE', 'mine'))
  expect(await outcome(stage, { op: 'fork', id: 'f2', from: 'orders', to: 'orders--x' })).toBe('done')
  expect(await stage.made()).toEqual(['orders', 'orders--x'])
})

test('B55: without WRITE on the target there is no merge, resolve or revert, and what is parked tells no values', async () => {
  await using stage = await open()
  await stage.create('orders', 1, compacted)
  await stage.send('orders', [{ key: 'k', value: 'base' }])
  await stage.fork('orders', 'b')
  await stage.send('orders', [{ key: 'k', value: 'ours' }])
  await stage.send('b', [
    { key: 'k', value: 'theirs' },
    { key: 'j', value: 'new' },
  ])
  await allow(stage, 'orders', ['READ', 'DESCRIBE_CONFIGS'])
  const merge = { op: 'merge', from: 'b', into: 'orders', onConflict: 'park' }
  expect(await outcome(stage, { ...merge, id: 'm1' })).toBe(needs('WRITE', 'orders'))
  expect(await stage.ends('orders')).toMatchObject([{ high: 2 }])

  await allow(stage, 'orders', ['WRITE'])
  expect(await outcome(stage, { ...merge, id: 'm2' })).toBe('parked')
  const [conflict] = await stage.values('__branch_conflicts', 1)
  const told = JSON.parse(conflict!) as Record<string, Record<string, unknown>>
  for (const side of ['base', 'ours', 'theirs']) {
    expect(told[side]).toHaveProperty('offset')
    expect(Object.keys(told[side]!).sort()).toEqual(['offset', 'timestamp'])
  }

  const filter = { resourceType: AclResourceTypes.TOPIC, resourceName: 'orders', resourcePatternType: 3 }
  await stage.admin.deleteAcls({
    filters: [{ ...filter, operation: AclOperationTypes.WRITE, permissionType: AclPermissionTypes.ANY }],
  })
  const [, written] = await stage.ends('orders').then(([end]) => [end, end!.high])
  const resolve = { op: 'resolve', merge: 'm2', topic: 'orders', partition: 0, key: 'k', take: 'theirs' }
  expect(await outcome(stage, { ...resolve, id: 'r1' })).toBe(needs('WRITE', 'orders'))
  expect(await outcome(stage, { op: 'revert', id: 'v1', topic: 'orders', merge: 'm2' })).toBe(needs('WRITE', 'orders'))
  expect((await stage.ends('orders'))[0]!.high).toBe(written)
  await allow(stage, 'orders', ['WRITE'])
  expect(await outcome(stage, { ...resolve, id: 'r2' })).toBe('done')
})

test('B55: a merge of a set into topics of which one may not be written to is refused whole', async () => {
  await using stage = await open()
  for (const topic of ['orders', 'stock']) await stage.create(topic, 1, compacted)
  await stage.run({ op: 'fork', id: 'f1', set: 'S', from: '*' })
  for (const topic of ['orders--S', 'stock--S']) await stage.send(topic, [{ key: 'k', value: '1' }])
  await allow(stage, 'stock', ['READ', 'DESCRIBE_CONFIGS'])
  const merge = { op: 'merge', set: 'S' }
  expect(await outcome(stage, { ...merge, id: 'm1' })).toBe(needs('WRITE', 'stock'))
  for (const topic of ['orders', 'stock']) expect(await stage.ends(topic), topic).toEqual([{ low: 0, high: 0 }])
  // READ on the source, and ALTER on what changes its name. (DELETE is asked of the cluster too, of which no ACL speaks here.)
  await allow(stage, 'orders--S', ['WRITE'])
  expect(await outcome(stage, { ...merge, id: 'm2' })).toBe(needs('READ', 'orders--S'))
  expect(await outcome(stage, { op: 'promote', id: 'u1', branch: 'orders--S' })).toBe(needs('ALTER', 'orders--S'))
  await allow(stage, 'orders--S', ['READ'])
  await allow(stage, 'stock', ['WRITE'])
  expect(await outcome(stage, { ...merge, id: 'm3' })).toBe('committed')
  for (const topic of ['orders', 'stock']) expect((await stage.ends(topic))[0]!.high, topic).toBe(2)
})

test('B55: who forges `branch.principal`, or an address, is asked as who they are', async () => {
  await using stage = await open()
  await stage.create('orders')
  await allow(stage, 'orders', ['WRITE'])
  await stage.admin.fetchTopicMetadata({ topics: ['__branch_commands'] })
  const forged = [
    { 'branch.principal': 'User:admin' },
    { 'branch.principal': 'User:admin', 'branch.host': 'in-process' },
    { 'branch.host': 'in-process' },
  ]
  for (const [i, headers] of forged.entries()) {
    const value = JSON.stringify({ op: 'fork', id: `f${i}`, from: 'orders', to: 'b' })
    await stage.producer.send({ topic: '__branch_commands', messages: [{ value, headers }] })
    const { by, error } = await stage.event(`f${i}`)
    expect([by, `${error?.code}: ${error?.message}`]).toEqual(['User:ANONYMOUS', needs('READ', 'orders')])
  }
  expect(await stage.made()).toEqual(['orders'])
})

test('B55: a right that counts at one address counts for the commands and requests of clients that are there', async () => {
  await using stage = await open()
  await stage.create('orders')
  await allow(stage, 'orders', ['READ', 'DESCRIBE_CONFIGS'], '127.0.0.2')
  expect(await outcome(stage, { op: 'fork', id: 'f1', from: 'orders', to: 'b' })).toBe(needs('READ', 'orders'))
  const there = new Kafka({
    brokers: [stage.broker.bootstrapServers],
    logLevel: logLevel.NOTHING,
    socketFactory: ({ host, port, onConnect }) => connect({ host, port, localAddress: '127.0.0.2' }, onConnect),
  })
  const producer = there.producer()
  const admin = there.admin()
  await Promise.all([producer.connect(), admin.connect()])
  try {
    const value = JSON.stringify({ op: 'fork', id: 'f2', from: 'orders', to: 'b' })
    await producer.send({ topic: '__branch_commands', messages: [{ value }] })
    expect((await stage.event('f2')).status).toBe('done')
    const configEntries = [{ name: 'branch.from', value: 'orders' }]
    await admin.createTopics({ topics: [{ topic: 'c', configEntries }] })
  } finally {
    await Promise.all([producer.disconnect(), admin.disconnect()])
  }
  // From here nobody may so much as see their parent.
  expect(await stage.made()).toEqual(['b', 'c'])
})

test('B55: a command that comes by HTTP has the rights of User:ANONYMOUS where it came from', async () => {
  await using stage = await Stage.open({ config, http: { port: 0 } })
  await stage.create('orders')
  await allow(stage, 'orders', ['WRITE'])
  const post = async (command: Record<string, unknown> & { id: string }) => {
    const answer = await fetch(`${stage.broker.httpUrl}/topics/__branch_commands/records`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        records: [{ value: command, headers: [{ key: 'branch.principal', value: 'User:admin' }] }],
      }),
    })
    expect(answer.status).toBeLessThan(300)
    const { by, status, error } = await stage.event(command.id)
    return [by, error === undefined ? status : `${error.code}: ${error.message}`]
  }
  await stage.admin.fetchTopicMetadata({ topics: ['__branch_commands'] })
  const fork = { op: 'fork', from: 'orders', to: 'b' }
  expect(await post({ ...fork, id: 'f1' })).toEqual(['User:ANONYMOUS', needs('READ', 'orders')])
  await allow(stage, 'orders', ['READ', 'DESCRIBE_CONFIGS'], '127.0.0.1')
  expect(await post({ ...fork, id: 'f2' })).toEqual(['User:ANONYMOUS', 'done'])
})

test('B55: inside a set the rights are those on the topics as they are stored, whatever they are called there', async () => {
  await using stage = await open()
  await stage.create('orders')
  expect(await outcome(stage, { op: 'fork', id: 'f1', from: 'orders', set: 'S' })).toBe('done')
  await allow(stage, 'orders--S', ['WRITE'])
  const inside = new Kafka({
    clientId: 'app--branch--S--',
    brokers: [stage.broker.bootstrapServers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
  })
  const [producer, admin] = [inside.producer(), inside.admin()]
  await Promise.all([producer.connect(), admin.connect()])
  const refused = { type: 'TOPIC_AUTHORIZATION_FAILED' }
  try {
    await producer.send({ topic: 'orders', messages: [{ value: 'it may write' }] })
    await expect(admin.fetchTopicOffsets('orders')).resolves.toMatchObject([{ high: '1' }])
    const topicPartitions = [{ topic: 'orders', count: 2 }]
    await expect(admin.createPartitions({ topicPartitions })).rejects.toMatchObject(refused)
    const configEntries = [{ name: 'branch.from', value: 'orders' }]
    await expect(admin.createTopics({ topics: [{ topic: 'b', configEntries }] })).rejects.toMatchObject({
      errors: [refused],
    })
    const value = JSON.stringify({ op: 'fork', id: 'f2', from: 'orders', to: 'b' })
    await producer.send({ topic: '__branch_commands', messages: [{ value }] })
    expect((await stage.event('f2')).error?.message).toBe(`User:ANONYMOUS needs READ on the topic 'orders--S'.`)
  } finally {
    await Promise.all([producer.disconnect(), admin.disconnect()])
  }
  // Outside the same name is another topic.
  expect(await outcome(stage, { op: 'fork', id: 'f3', from: 'orders', to: 'b' })).toBe('done')
})

test('B55: the program that has the broker inside needs no rights', async () => {
  await using stage = await open()
  await stage.create('orders')
  await allow(stage, 'orders', ['WRITE'])
  await using fork = await stage.broker.fork({ from: 'orders', set: 't1' })
  expect(fork.topics).toEqual({ orders: 'orders--t1' })
})
