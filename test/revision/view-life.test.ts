// The life of views: made by an admin client, described, altered where that can be, and gone with the topic that they show.

import { describe, expect, test, vi } from 'vitest'
import { numbered, revisionConfigs, Stage, view } from './stage.ts'

async function opened(options?: Parameters<typeof Stage.open>[0]): Promise<Stage> {
  const stage = await Stage.open(options)
  await stage.create('orders', 3)
  await stage.send('orders', numbered(10), 1)
  return stage
}

const alter = (stage: Stage, topic: string, configs: Record<string, string>) =>
  stage.admin.alterConfigs({
    validateOnly: false,
    resources: [
      { type: 2, name: topic, configEntries: Object.entries(configs).map(([name, value]) => ({ name, value })) },
    ],
  })

describe('a view is made', () => {
  test('with the partitions of its source, and it tells what it is', async () => {
    await using stage = await opened()
    await view(stage, 'orders', 'state', 'orders-state')
    const { topics } = await stage.admin.fetchTopicMetadata({ topics: ['orders-state'] })
    expect(topics[0]!.partitions).toHaveLength(3)
    expect(await revisionConfigs(stage, 'orders-state')).toEqual({
      'view.of': 'orders',
      'view.kind': 'state',
      'view.ttl.ms': '-1',
    })
    expect(await revisionConfigs(stage, 'orders')).toEqual({})
  })

  test('as of a place, which is found once', async () => {
    await using stage = await opened()
    await view(stage, 'orders', 'state', 'then', { 'view.at': 'timestamp:1' })
    await view(stage, 'orders', 'state', 'now', { 'view.at': `timestamp:${Date.now() + 60_000}` })
    await view(stage, 'orders', 'state', 'there', { 'view.at': 'offsets:1=4' })
    await stage.send('orders', ['later'], 1)
    expect((await revisionConfigs(stage, 'then'))['view.offsets']).toBe('0=0,1=0,2=0')
    expect((await revisionConfigs(stage, 'now'))['view.offsets']).toBe('0=0,1=10,2=0')
    expect((await revisionConfigs(stage, 'there'))['view.offsets']).toBe('0=0,1=4,2=0')
  })

  test('or is refused with a word that says what to change', async () => {
    await using stage = await opened()
    await view(stage, 'orders', 'list', 'listed')
    const wanted: [Record<string, string>, string, number?][] = [
      [
        { 'view.of': 'nothing', 'view.kind': 'state' },
        'INVALID_CONFIG: view.of=nothing: there is no such topic. Name one that is there.',
      ],
      [
        // Who may read 'orders', and what is called so inside a set, was asked of another name.
        { 'view.of': ' orders', 'view.kind': 'state' },
        'INVALID_CONFIG: view.of= orders: there is no such topic. Name one that is there.',
      ],
      [
        { 'view.of': 'orders', 'view.kind': 'list', 'view.key.base64': 'A' },
        'INVALID_CONFIG: view.key.base64=A is no base64.',
      ],
      [
        { 'view.of': 'listed', 'view.kind': 'state' },
        "INVALID_CONFIG: view.of=listed: this is a view itself; make one of 'orders'.",
      ],
      [
        { 'view.of': 'orders', 'view.kind': 'diff', 'view.where': '/a=1' },
        "INVALID_CONFIG: view.where: 'orders' does not index /a; add it to its revision.index.json first.",
      ],
      [
        { 'view.of': 'orders', 'view.kind': 'state', 'view.at': 'offset:11' },
        "INVALID_CONFIG: view.at: offset 11 of partition 0 of 'orders' is not within 0 to 0.",
      ],
      [
        { 'view.of': 'orders', 'view.kind': 'state', 'view.at': 'offsets:3=0' },
        "INVALID_CONFIG: view.at names partition 3, but 'orders' has the partitions 0 to 2.",
      ],
      [
        { 'view.of': 'orders', 'view.kind': 'state', 'view.offsets': '0=0' },
        'INVALID_CONFIG: view.offsets is told, not given: say view.at.',
      ],
      [
        { 'view.of': 'orders', 'view.kind': 'state' },
        "INVALID_PARTITIONS: A view has the partitions of its topic: 'orders' has 3, 2 are asked for. Ask for 3 or -1.",
        2,
      ],
      [
        { 'view.of': 'orders', 'view.kind': 'state', 'branch.from': 'orders' },
        'INVALID_CONFIG: A topic is a branch or a view: leave out branch.from, or what begins with view.',
      ],
      [
        { 'branch.from': 'listed' },
        "INVALID_TOPIC_EXCEPTION: branch.from=listed: this is a view and has no records of its own; fork 'orders', and make a view of the branch.",
      ],
    ]
    for (const [configs, why, numPartitions = -1] of wanted) {
      for (const validateOnly of [true, false]) {
        expect(await stage.refusals([{ topic: 'v', configs, numPartitions }], validateOnly)).toEqual({ v: why })
      }
    }
    expect(await stage.made()).toEqual(['listed', 'orders'])
  })

  test('in a branch set, of what is there under that name', async () => {
    await using stage = await opened()
    await stage.run({ op: 'fork', id: 'f', from: '*', set: 'S' })
    const inside = new (await import('kafkajs')).Kafka({
      brokers: [stage.broker.bootstrapServers],
      clientId: 'app--branch--S--',
      logLevel: 0,
    }).admin()
    await inside.connect()
    try {
      const configEntries = [
        { name: 'view.of', value: 'orders' },
        { name: 'view.kind', value: 'state' },
      ]
      await inside.createTopics({ topics: [{ topic: 'orders-state', numPartitions: -1, configEntries }] })
      expect((await inside.listTopics()).sort()).toEqual(['orders', 'orders-state'])
      const described = await inside.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: 2, name: 'orders-state' }],
      })
      const of = described.resources[0]!.configEntries.find(({ configName }) => configName === 'view.of')
      expect(of).toMatchObject({ configValue: 'orders', readOnly: true })
      expect(await revisionConfigs(stage, 'orders-state--S')).toMatchObject({ 'view.of': 'orders--S' })
      await stage.run({ op: 'abandon', id: 'a', set: 'S' })
      expect(await stage.made()).toEqual(['orders'])
    } finally {
      await inside.disconnect()
    }
  })
})

describe('a view that is there', () => {
  test('stays as it was made, but for its time to live', async () => {
    await using stage = await opened()
    await view(stage, 'orders', 'list', 'listed', { 'view.key': 'k' })
    await expect(alter(stage, 'listed', { 'view.key': 'other' })).rejects.toThrow('Configuration is invalid')
    await expect(alter(stage, 'listed', { 'revision.diff': 'true' })).rejects.toThrow('Configuration is invalid')
    await expect(alter(stage, 'listed', { 'retention.ms': '1000' })).rejects.toThrow('Configuration is invalid')
    await expect(alter(stage, 'orders', { 'view.of': 'listed', 'view.kind': 'state' })).rejects.toThrow('is invalid')
    await expect(alter(stage, 'orders', { 'view.ttl.ms': '5' })).rejects.toThrow('is invalid')
    // Replaces all that can be replaced.
    await alter(stage, 'listed', { 'view.ttl.ms': '60000', 'view.key': 'k' })
    await alter(stage, 'listed', { 'view.ttl.ms': '70000' })
    expect(await revisionConfigs(stage, 'listed')).toEqual({
      'view.of': 'orders',
      'view.kind': 'list',
      'view.key': 'k',
      'view.ttl.ms': '70000',
    })
  })

  test('needs the pointers that it asks by', async () => {
    await using stage = await opened()
    await alter(stage, 'orders', { 'revision.index.json': '/a, /b' })
    await view(stage, 'orders', 'history', 'v', { 'view.where': '/b=1' })
    await expect(alter(stage, 'orders', { 'revision.index.json': '/a' })).rejects.toThrow('is invalid')
    await alter(stage, 'orders', { 'revision.index.json': '/b' })
  })

  test('grows with its source, and not by itself', async () => {
    await using stage = await opened({ brokers: 3 })
    await view(stage, 'orders', 'state', 'v')
    const grow = (topic: string, count: number) => stage.admin.createPartitions({ topicPartitions: [{ topic, count }] })
    await expect(grow('v', 5)).rejects.toThrow()
    await grow('orders', 5)
    const { topics } = await stage.admin.fetchTopicMetadata({ topics: ['v'] })
    expect(topics[0]!.partitions).toHaveLength(5)
  })

  test('has as many partitions as its source also when that is reset to a parent with others', async () => {
    await using stage = await opened({ onDisk: true })
    const partitionsOf = async (topic: string) =>
      (await stage.admin.fetchTopicMetadata({ topics: [topic] })).topics[0]!.partitions.length
    const grow = (topic: string, count: number) => stage.admin.createPartitions({ topicPartitions: [{ topic, count }] })
    await stage.fork('orders', 'less')
    await stage.fork('orders', 'more')
    await view(stage, 'less', 'history', 'of-less')
    await view(stage, 'more', 'history', 'of-more')
    await grow('orders', 4)
    await grow('more', 6)
    expect(await partitionsOf('of-more')).toBe(6)
    // A producer of KafkaJS does not see that a topic has grown.
    await stage.restart()
    await stage.send('orders', [{ key: 'k', value: 'new' }], 3)
    for (const branch of ['less', 'more'])
      expect((await stage.run({ op: 'reset', id: branch, branch })).error).toBeUndefined()
    for (const again of [false, true]) {
      if (again) await stage.restart()
      for (const of of ['of-less', 'of-more']) {
        expect(await partitionsOf(of)).toBe(4)
        expect((await stage.ends(of)).map(({ high }) => high)).toEqual([0, 0, 0, 1])
        expect(await stage.values(of, 1)).toEqual(['new'])
      }
    }
  })

  test('is deleted alone, or with its source', async () => {
    await using stage = await opened({ onDisk: true })
    await view(stage, 'orders', 'state', 'a')
    await view(stage, 'orders', 'list', 'b')
    await stage.admin.deleteTopics({ topics: ['a'] })
    expect(await stage.made()).toEqual(['b', 'orders'])
    await stage.restart()
    expect(await stage.made()).toEqual(['b', 'orders'])
    await stage.admin.deleteTopics({ topics: ['orders'] })
    expect(await stage.made()).toEqual([])
    await stage.create('orders', 2)
    await view(stage, 'orders', 'list', 'b')
    await stage.restart()
    expect(await stage.made()).toEqual(['b', 'orders'])
  })

  test('is of the topic that has the name after a reset and after a promotion', async () => {
    await using stage = await opened({ onDisk: true })
    await stage.fork('orders', 'try')
    await view(stage, 'orders', 'state', 'of-orders')
    await view(stage, 'try', 'state', 'of-try')
    expect((await stage.run({ op: 'reset', id: 'r', branch: 'try' })).status).not.toBe('rejected')
    expect(await revisionConfigs(stage, 'of-try')).toMatchObject({ 'view.of': 'try' })
    expect((await stage.run({ op: 'promote', id: 'p', branch: 'try', keep: 'old' })).status).not.toBe('rejected')
    for (const again of [false, true]) {
      if (again) await stage.restart()
      expect(await stage.made()).toEqual(['of-orders', 'of-try', 'old', 'orders'])
      expect(await revisionConfigs(stage, 'of-try')).toMatchObject({ 'view.of': 'orders' })
      expect(await revisionConfigs(stage, 'of-orders')).toMatchObject({ 'view.of': 'orders' })
    }
    await stage.admin.deleteTopics({ topics: ['orders'] })
    expect(await stage.made()).toEqual(['old'])
  })

  test('shows what is behind the name, also to who was waiting when that changed', async () => {
    await using stage = await Stage.open()
    // By somebody new each time: KafkaJS does not get over it that a topic which it knows is gone.
    const send = async (topic: string, value: string) => {
      const producer = stage.kafka.producer()
      await producer.connect()
      await producer.send({ topic, messages: [{ key: 'k', value }] })
      await producer.disconnect()
    }
    await stage.create('docs')
    await send('docs', 'past')
    await stage.fork('docs', 'try')
    await view(stage, 'docs', 'history', 'of-docs')
    await view(stage, 'try', 'history', 'of-try')
    await send('try', 'mine')
    expect(await stage.values('of-try', 2)).toEqual(['past', 'mine'])
    const consumer = stage.kafka.consumer({ groupId: 'waiting', maxWaitTimeInMs: 20_000 })
    await consumer.connect()
    try {
      await consumer.subscribe({ topic: 'of-docs', fromBeginning: true })
      const came: string[] = []
      const all = new Promise<void>((resolve, reject) => {
        const eachMessage = async ({ message }: { message: { value: Buffer | null } }) => {
          came.push(String(message.value))
          if (came.at(-1) === 'after') resolve()
        }
        consumer.run({ eachMessage }).catch(reject)
      })
      await expect.poll(() => came).toEqual(['past'])
      await stage.run({ op: 'promote', id: 'p', branch: 'try', keep: 'old' })
      await send('docs', 'after')
      await all
      expect(came).toEqual(['past', 'mine', 'after'])
    } finally {
      await consumer.disconnect()
    }
    await stage.fork('docs', 'again')
    await view(stage, 'again', 'list', 'of-again')
    await send('again', 'own')
    expect((await stage.ends('of-again'))[0]!.high).toBe(4)
    await stage.run({ op: 'reset', id: 'r', branch: 'again' })
    expect((await stage.ends('of-again'))[0]!.high).toBe(3)
  })

  test('that was made in a set is there while the set is merged, reset, forked and promoted', async () => {
    await using stage = await Stage.open()
    await stage.create('docs', 1, { 'cleanup.policy': 'compact' })
    await stage.send('docs', [{ key: 'k', value: 'past' }])
    await stage.run({ op: 'fork', id: 'f', from: '*', set: 'S' })
    const { Kafka } = await import('kafkajs')
    const brokers = [stage.broker.bootstrapServers]
    const inside = new Kafka({ brokers, clientId: 'app--branch--S--', logLevel: 0 })
    const [admin, producer] = [inside.admin(), inside.producer()]
    await Promise.all([admin.connect(), producer.connect()])
    const made = { 'view.of': 'docs', 'view.kind': 'state' }
    const configEntries = Object.entries(made).map(([name, value]) => ({ name, value }))
    await admin.createTopics({ topics: [{ topic: 'docs-state', numPartitions: -1, configEntries }] })
    await producer.send({ topic: 'docs', messages: [{ key: 'k', value: 'mine' }] })
    await Promise.all([admin.disconnect(), producer.disconnect()])
    const done = async (command: Record<string, unknown> & { id: string }) => {
      const event = await stage.run(command)
      expect(event.error, JSON.stringify(event)).toBeUndefined()
      return event
    }
    await done({ op: 'plan', id: 'm0', set: 'S' })
    await done({ op: 'merge', id: 'm1', set: 'S' })
    await done({ op: 'fork', id: 'f2', from: 'set:S', set: 'T' })
    await done({ op: 'reset', id: 'r', set: 'S' })
    expect(await stage.values('docs-state--S', 1)).toEqual(['mine'])
    await done({ op: 'promote', id: 'p', set: 'S', keep: 'old' })
    expect(await stage.made()).toEqual(['docs', 'docs--old', 'docs-state'])
    expect(await revisionConfigs(stage, 'docs-state')).toMatchObject({ 'view.of': 'docs' })
    expect(await stage.values('docs-state', 1)).toEqual(['mine'])
    await done({ op: 'abandon', id: 'a', set: 'T' })
  })

  test('is not forked with the others', async () => {
    await using stage = await opened()
    await view(stage, 'orders', 'state', 'v')
    expect((await stage.run({ op: 'fork', id: 'f', from: '*', set: 'S' })).topics).toHaveLength(1)
    expect(await stage.made()).toEqual(['orders', 'v'])
  })
})

test('a branch of a revision topic is one too', async () => {
  await using stage = await Stage.open()
  await stage.create('docs', 1, { 'revision.diff': true, 'revision.keep': 'last:9' })
  await stage.fork('docs', 'docs--try')
  expect(await revisionConfigs(stage, 'docs--try')).toEqual(await revisionConfigs(stage, 'docs'))
  expect((await stage.configs('docs--try'))['retention.ms']).toBe('-1')
})

test("the broker's own topics keep no revisions", async () => {
  await using stage = await opened()
  await stage.run({ op: 'fork', id: 'f', from: 'orders', to: 'x' })
  await expect(alter(stage, '__branch_commands', { 'revision.diff': 'true' })).rejects.toThrow()
})

test('R9: a record without a key is refused, and those of other partitions are kept', async () => {
  await using stage = await Stage.open()
  await stage.create('docs', 2, { 'revision.diff': true })
  const sent = stage.producer.sendBatch({
    topicMessages: [
      {
        topic: 'docs',
        messages: [
          { partition: 0, key: null, value: 'x' },
          { partition: 1, key: 'k', value: 'y' },
        ],
      },
    ],
  })
  await expect(sent).rejects.toMatchObject({ type: 'INVALID_RECORD' })
  expect(await stage.ends('docs')).toEqual([
    { low: 0, high: 0 },
    { low: 0, high: 1 },
  ])
  expect(
    await stage.refusals([
      { topic: 'both', configs: { 'revision.diff': true, 'cleanup.policy': 'compact' }, numPartitions: 1 },
    ]),
  ).toEqual({ both: expect.stringMatching(/^INVALID_CONFIG: .*cleanup.policy=delete/) })
  await stage.create('compacted', 1, { 'cleanup.policy': 'compact' })
  for (const policy of ['compact', 'compact,delete']) {
    const both = { 'revision.diff': 'true', 'cleanup.policy': policy }
    for (const topic of ['docs', 'compacted']) {
      await expect(alter(stage, topic, both)).rejects.toMatchObject({ type: 'INVALID_CONFIG' })
    }
  }
})

test('a view with view.ttl.ms that nobody reads goes by itself', async () => {
  await using stage = await opened()
  await view(stage, 'orders', 'list', 'kept', { 'view.ttl.ms': 600_000 })
  await view(stage, 'orders', 'list', 'brief', { 'view.ttl.ms': 1 })
  await expect.poll(() => stage.made()).toEqual(['kept', 'orders'])
})

test('a broker in a program is started with views, and is as fresh with them after a reset', async () => {
  const views = [{ name: 'v', config: { 'view.of': 'orders', 'view.kind': 'state' } }]
  await using stage = await Stage.open({ topics: [...views, { name: 'orders', partitions: 3 }] })
  for (const again of [false, true]) {
    if (again) await stage.broker.reset()
    expect(await stage.made()).toEqual(['orders', 'v'])
    expect(await revisionConfigs(stage, 'v')).toMatchObject({ 'view.of': 'orders' })
  }
})

test('retention passes views by: a soak read of each view, at every round, that it has no log of its own', async () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  try {
    await using stage = await opened({ config: { 'log.retention.check.interval.ms': 10 } })
    await view(stage, 'orders', 'state', 'orders-state')
    // Two rounds later it was the view's turn.
    for (let round = 0; round < 2; round++) {
      const topic = `short-${round}`
      await stage.create(topic, 1, { 'retention.ms': 1, 'internal.segment.bytes': 100 })
      const start = async () => Number((await stage.admin.fetchTopicOffsets(topic))[0]!.low)
      while ((await start()) === 0) await stage.send(topic, numbered(3))
    }
    expect(said.mock.calls.map(([line]) => String(line)).filter((line) => /no log/.test(line))).toEqual([])
  } finally {
    said.mockRestore()
  }
})
