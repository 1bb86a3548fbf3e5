// The topics that are an API: commands go into `__branch_commands`, results come out of `__branches`, by any client.

import { describe, expect, test } from 'vitest'
import { numbered, Stage } from './stage.ts'

describe('topics used as API', () => {
  test('B61: on a fresh broker none is listed, and naming one makes it, whatever the flags', async () => {
    await using stage = await Stage.open({ config: { 'auto.create.topics.enable': false } })
    await stage.create('orders')
    expect(await stage.topics()).toEqual(['orders'])
    const { topics } = await stage.admin.fetchTopicMetadata({ topics: ['__branch_commands'] })
    expect(topics[0]).toMatchObject({ name: '__branch_commands', partitions: [{ partitionId: 0 }] })
    expect(await stage.topics()).toEqual(['__branch_commands', 'orders'])
    await stage.create('__branches', -1)
    await stage.create('__branch_conflicts', 1)
    expect(await stage.topics()).toEqual(['__branch_commands', '__branch_conflicts', '__branches', 'orders'])
    expect(await stage.configs('__branch_conflicts')).toMatchObject({ 'cleanup.policy': 'compact' })
    expect(await stage.configs('__branches')).toMatchObject({ 'cleanup.policy': 'delete', 'retention.ms': '-1' })
  })

  test('B61: none can be deleted, trimmed, grown or written to by clients, save the commands', async () => {
    await using stage = await Stage.open()
    const names = ['__branch_commands', '__branches', '__branch_conflicts']
    for (const name of names) await stage.admin.fetchTopicMetadata({ topics: [name] })
    for (const name of names) {
      await expect(stage.admin.deleteTopics({ topics: [name] })).rejects.toMatchObject({ type: 'POLICY_VIOLATION' })
      await expect(
        stage.admin.createPartitions({ topicPartitions: [{ topic: name, count: 2 }] }),
      ).rejects.toMatchObject({ type: 'INVALID_PARTITIONS' })
    }
    for (const name of ['__branches', '__branch_conflicts']) {
      await expect(stage.send(name, ['forged'])).rejects.toMatchObject({ type: 'TOPIC_AUTHORIZATION_FAILED' })
      const configEntries = [{ name: 'retention.ms', value: '1' }]
      await expect(
        stage.admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name, configEntries }] }),
      ).rejects.toMatchObject({ type: 'POLICY_VIOLATION' })
      await expect(
        stage.admin.deleteTopicRecords({ topic: name, partitions: [{ partition: 0, offset: '0' }] }),
      ).rejects.toThrow()
    }
    expect(await stage.topics()).toEqual(names.sort())
  })

  test('a command makes a branch, and its result tells who, when and where', async () => {
    await using stage = await Stage.open()
    await stage.create('orders', 2)
    await stage.send('orders', numbered(5))
    await stage.command({ op: 'fork', id: 'f1', from: 'orders', to: 'orders--try' })
    const [event] = await stage.events(1)
    const configs = await stage.branchConfigs('orders--try')
    expect(event).toEqual({
      v: 1,
      type: 'fork',
      id: 'f1',
      at: Number(configs['branch.created.ms']),
      by: 'User:ANONYMOUS',
      status: 'done',
      copied: 0,
      topics: [
        {
          from: 'orders',
          into: 'orders--try',
          fromId: configs['branch.from.id'],
          intoId: expect.any(String),
          groups: 'none',
          partitions: [
            { partition: 0, from: 0, to: 5, known: { [configs['branch.from.id']!]: 5 } },
            { partition: 1, from: 0, to: 0, known: { [configs['branch.from.id']!]: 0 } },
          ],
        },
      ],
    })
    expect(await stage.values('orders--try', 5)).toEqual(numbered(5))
  })

  test('a fork by CreateTopics and a deletion are told as well', async () => {
    await using stage = await Stage.open()
    await stage.create('orders')
    await stage.fork('orders', 'orders--a')
    await stage.forkAll([{ from: 'orders', topic: 'orders--S', configs: { 'branch.set': 'S' } }])
    await stage.admin.deleteTopics({ topics: ['orders--a'] })
    const told = await stage.events(3)
    expect(told).toMatchObject([
      { type: 'fork', status: 'done', topics: [{ from: 'orders', into: 'orders--a' }] },
      { type: 'fork', status: 'done', set: 'S', topics: [{ into: 'orders--S', inside: 'orders' }] },
      { type: 'delete', status: 'done', topics: [{ from: 'orders', into: 'orders--a' }] },
    ])
    expect(told[2]!.topics![0]!.intoId).toBe(told[0]!.topics![0]!.intoId)
  })

  test('forks of several topics, of all topics and of a set are one event each', async () => {
    await using stage = await Stage.open()
    await stage.create('orders')
    await stage.create('stock')
    await stage.send('stock', numbered(3))
    await stage.command(
      { op: 'fork', set: 'pr-7', topics: [{ from: 'orders' }, { from: 'stock', to: 'mine', at: 'earliest' }] },
      { op: 'fork', set: 'S', from: '*' },
      { op: 'fork', set: 'T', from: 'set:S' },
    )
    const told = await stage.events(3)
    expect(told.map(({ topics }) => topics!.map(({ from, into, inside }) => [from, into, inside]))).toEqual([
      [
        ['orders', 'orders--pr-7', 'orders'],
        ['stock', 'mine', 'stock'],
      ],
      [
        ['orders', 'orders--S', 'orders'],
        ['stock', 'stock--S', 'stock'],
      ],
      [
        ['orders--S', 'orders--T', 'orders'],
        ['stock--S', 'stock--T', 'stock'],
      ],
    ])
    expect(told.map(({ id }) => id)).toEqual(['c-0', 'c-1', 'c-2'])
    expect(await stage.ends('mine')).toEqual([{ low: 0, high: 0 }])
    expect(await stage.values('stock--T', 3)).toEqual(numbered(3))
  })

  test('abandon deletes a branch or a whole set, and nothing that is no branch', async () => {
    await using stage = await Stage.open()
    await stage.create('orders')
    await stage.command(
      { op: 'fork', set: 'S', from: '*' },
      { op: 'fork', from: 'orders', to: 'orders--try' },
      { op: 'abandon', branch: 'orders--try', dryRun: true },
      { op: 'abandon', branch: 'orders--try' },
      { op: 'abandon', set: 'S' },
      { op: 'abandon', set: 'S' },
      { op: 'abandon', branch: 'orders' },
      { op: 'abandon', branch: 'gone' },
    )
    const told = await stage.events(8)
    expect(told.slice(2)).toMatchObject([
      { type: 'plan', op: 'abandon', status: 'clean', topics: [{ into: 'orders--try' }] },
      { type: 'delete', status: 'done', topics: [{ into: 'orders--try', from: 'orders' }] },
      { type: 'delete', status: 'done', set: 'S', topics: [{ into: 'orders--S' }] },
      { type: 'rejected', error: { code: 'UNKNOWN_SET' } },
      { type: 'rejected', error: { code: 'NOT_A_BRANCH' } },
      { type: 'rejected', error: { code: 'UNKNOWN_TOPIC_OR_PARTITION' } },
    ])
    expect((await stage.topics()).filter((name) => !name.startsWith('__'))).toEqual(['orders'])
  })

  test('B38: what is no command is rejected once each, and the next one is run', async () => {
    await using stage = await Stage.open()
    await stage.create('orders')
    await stage.command(
      '{"op":',
      Buffer.alloc(1_000_000, 'junk'),
      { op: 'frok', id: 'x1' },
      { op: 'fork', id: 'x2', from: 'nowhere', to: 'nowhere--try' },
      { op: 'fork', id: 'good', from: 'orders', to: 'orders--try' },
    )
    const told = await stage.events(5)
    expect(told).toMatchObject([
      { type: 'rejected', status: 'rejected', id: 'c-0', error: { code: 'NOT_JSON' } },
      { type: 'rejected', status: 'rejected', id: 'c-1', error: { code: 'NOT_JSON' } },
      { type: 'rejected', status: 'rejected', id: 'x1', error: { code: 'UNKNOWN_OP' } },
      { type: 'rejected', status: 'rejected', id: 'x2', op: 'fork', error: { code: 'INVALID_CONFIG' } },
      { type: 'fork', status: 'done', id: 'good' },
    ])
    expect(await stage.ends('__branches')).toEqual([{ low: 0, high: 5 }])
  })

  test('an id is executed once; told again, its first result comes again; a dry run does not use it up', async () => {
    await using stage = await Stage.open({ onDisk: true })
    await stage.create('orders')
    const fork = { op: 'fork', id: 'f1', from: 'orders', to: 'orders--try' }
    await stage.command({ ...fork, dryRun: true }, fork, fork, { ...fork, to: 'orders--other' })
    const told = await stage.events(4)
    expect(told[0]).toMatchObject({ type: 'plan', id: 'f1', op: 'fork', status: 'clean' })
    expect(told[1]).toMatchObject({ type: 'fork', id: 'f1', status: 'done' })
    expect(told.slice(2)).toEqual([
      { ...told[1], replayed: true },
      { ...told[1], replayed: true },
    ])
    await stage.restart()
    await stage.command(fork)
    const after = await stage.events(5)
    expect(after).toEqual([...told, { ...told[1], replayed: true }])
    expect((await stage.topics()).filter((name) => !name.startsWith('__'))).toEqual(['orders', 'orders--try'])
  })

  test('the keys of the history are ids, and headers of ours in a command are forged in vain', async () => {
    await using stage = await Stage.open()
    await stage.create('orders')
    await stage.admin.fetchTopicMetadata({ topics: ['__branch_commands'] })
    await stage.producer.send({
      topic: '__branch_commands',
      messages: [
        {
          key: 'k',
          value: JSON.stringify({ op: 'fork', id: 'f1', from: 'orders', to: 'orders--try' }),
          headers: { 'branch.principal': 'User:admin', 'branch.host': 'in-process', 'branch.other': 'x', mine: 'kept' },
        },
      ],
    })
    const [event] = await stage.read('__branches', 1)
    expect(String(event!.key)).toBe('f1')
    expect(JSON.parse(String(event!.value))).toMatchObject({ by: 'User:ANONYMOUS' })
    const [sent] = await stage.read('__branch_commands', 1)
    expect(String(sent!.key)).toBe('k')
    expect(Object.entries(sent!.headers!).map(([name, value]) => [name, String(value)])).toEqual([
      ['mine', 'kept'],
      ['branch.principal', 'User:ANONYMOUS'],
      ['branch.host', '127.0.0.1'],
      ['branch.client', 'kafkajs'],
    ])
  })

  test('commands of a transaction are run when it is committed, and never when it is aborted', async () => {
    await using stage = await Stage.open()
    await stage.create('orders')
    await stage.admin.fetchTopicMetadata({ topics: ['__branch_commands'] })
    const producer = stage.kafka.producer({ transactionalId: 'tx', maxInFlightRequests: 1, idempotent: true })
    await producer.connect()
    const send = async (to: string, outcome: 'commit' | 'abort') => {
      const transaction = await producer.transaction()
      const value = JSON.stringify({ op: 'fork', from: 'orders', to })
      await transaction.send({ topic: '__branch_commands', messages: [{ value }] })
      await transaction[outcome]()
    }
    await send('orders--no', 'abort')
    await send('orders--yes', 'commit')
    await producer.disconnect()
    expect(await stage.events(1)).toMatchObject([{ type: 'fork', topics: [{ into: 'orders--yes' }] }])
    const topics = await stage.topics()
    expect(topics).toContain('orders--yes')
    expect(topics).not.toContain('orders--no')
  })
})

test('a broker that stops does not wait for a command that has changed nothing yet; the next start runs it', async () => {
  await using stage = await Stage.open({ onDisk: true })
  await stage.create('orders')
  await stage.fork('orders', 'b')
  const producer = stage.kafka.producer({ transactionalId: 'tx', idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const transaction = await producer.transaction()
  await transaction.send({ topic: 'orders', messages: [{ value: 'open' }] })
  // It waits for the transaction, ten seconds at most, and so does what comes behind it.
  await stage.command({ op: 'promote', id: 'u', branch: 'b' }, { op: 'fork', id: 'f', from: 'orders', to: 'c' })
  await producer.disconnect()
  await stage.restart()
  const aborting = stage.kafka.producer({ transactionalId: 'tx', idempotent: true, maxInFlightRequests: 1 })
  await aborting.connect()
  await (await aborting.transaction()).abort() // and with it that of the one before
  const told = (await stage.events(3)).slice(1)
  expect(told.map(({ id, status }) => [id, status])).toEqual([
    ['u', 'done'],
    ['f', 'done'],
  ])
  await aborting.disconnect()
})
