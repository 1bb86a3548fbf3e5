// Forks that are not made, each with a message that says what to change; and what may be changed of those that are.

import { describe, expect, test } from 'vitest'
import { errors } from '../../protocol/errors.ts'
import { alterConfigs } from '../../protocol/messages/33-alter-configs.ts'
import { incrementalAlterConfigs } from '../../protocol/messages/44-incremental-alter-configs.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { WireClient } from '../wire-client.ts'
import { Rooms } from './merge-rooms.ts'
import { numbered, Stage, type Wanted } from './stage.ts'

/** The topic that is asked for in vain, and what is said. */
const refused = async (stage: Stage, from: string, configs: Record<string, string>, partitions = -1, name = 'no') => {
  const refusals = await stage.refusals([{ from, topic: name, configs, numPartitions: partitions }])
  expect(await stage.made()).not.toContain(name)
  return refusals[name]
}

describe('B19: a fork that cannot be', () => {
  test('is refused with what to change', async () => {
    await using stage = await Stage.open()
    await stage.create('orders', 3)
    await stage.send('orders', numbered(10))
    const cases: [string, Record<string, string>, RegExp][] = [
      ['nothing', {}, /^INVALID_CONFIG: .*no such topic/],
      ['orders', { 'branch.at': 'yesterday' }, /^INVALID_CONFIG: .*latest, earliest/],
      ['orders', { 'branch.at': 'offset:-1' }, /^INVALID_CONFIG: .*no offset/],
      ['orders', { 'branch.at': 'offsets:0=11,1=0,2=0' }, /^INVALID_CONFIG: .*not within 0 to 10/],
      ['orders', { 'branch.at': 'offsets:7=0' }, /^INVALID_CONFIG: .*partitions 0 to 2/],
      ['orders', { 'branch.at': 'offsets:0=1,0=2' }, /^INVALID_CONFIG: .*twice/],
      ['orders', { 'branch.at': 'timestamp:soon' }, /^INVALID_CONFIG: .*no time/],
      ['orders', { 'branch.at': 'group:' }, /^INVALID_CONFIG: .*no name/],
      ['orders', { 'branch.set': 'a--b' }, /^INVALID_CONFIG: .*two hyphens/],
      ['orders', { 'branch.set': '-a' }, /^INVALID_CONFIG/],
      ['orders', { 'branch.groups': 'all' }, /^INVALID_CONFIG: .*none, copy, fork/],
      ['orders', { 'branch.protect': 'maybe' }, /^INVALID_CONFIG: .*none, merge, frozen/],
      ['orders', { 'branch.ttl.ms': '-2' }, /^INVALID_CONFIG/],
      ['orders', { 'branch.offsets': '0=1' }, /^INVALID_CONFIG: .*cannot be set/],
      ['orders', { 'retention.ms': 'long' }, /^INVALID_CONFIG/],
    ]
    for (const [from, configs, message] of cases) {
      expect(await refused(stage, from, configs), JSON.stringify(configs)).toMatch(message)
    }
    expect(await refused(stage, 'orders', {}, 1)).toMatch(/^INVALID_PARTITIONS: .*has 3, 1 are asked for/)
    await expect(stage.fork('orders', 'no', {}, 1)).rejects.toMatchObject({ errors: [{ type: 'INVALID_PARTITIONS' }] })
    await expect(stage.fork('nothing', 'no')).rejects.toMatchObject({ errors: [{ type: 'INVALID_CONFIG' }] })
    // Nor is there anything of the broker's own, which is made by the first fork.
    expect(await stage.topics()).toEqual(['orders'])
    expect(await refused(stage, 'orders', {}, -1, 'or/ders')).toMatch(/^INVALID_TOPIC_EXCEPTION/)
    await stage.fork('orders', 'orders--same', {}, 3)
    expect(await stage.refusals([{ from: 'orders', topic: 'orders--same' }])).toEqual({
      'orders--same': expect.stringMatching(/^TOPIC_ALREADY_EXISTS/),
    })
  })

  test('is told so by validateOnly too, and a good one is not made by it', async () => {
    await using stage = await Stage.open()
    await stage.create('orders')
    expect(await stage.refusals([{ from: 'orders', topic: 'orders--try' }], true)).toEqual({})
    const late = { from: 'orders', topic: 'orders--try', configs: { 'branch.at': 'offset:1' } }
    expect(await stage.refusals([late], true)).toEqual({ 'orders--try': expect.stringMatching(/not within 0 to 0/) })
    const topics = [{ topic: 'orders--try', configEntries: [{ name: 'branch.from', value: 'orders' }] }]
    await stage.admin.createTopics({ validateOnly: true, waitForLeaders: false, topics })
    expect(await stage.topics()).toEqual(['orders'])
  })

  test('is refused the names of topics of the broker itself, which a group would count on', async () => {
    await using stage = await Stage.open({ topics: ['orders'] })
    await stage.send('orders', numbered(3))
    for (const name of ['__consumer_offsets', '__transaction_state', '__share_group_state', '__branches']) {
      expect(await refused(stage, 'orders', {}, -1, name)).toMatch(/^INVALID_TOPIC_EXCEPTION: .*take another one/)
      const configs = { 'view.of': 'orders', 'view.kind': 'history' }
      const view = await stage.refusals([{ topic: name, configs, numPartitions: -1 }])
      expect(view[name], name).toMatch(/^(INVALID_TOPIC_EXCEPTION: .*take another one|TOPIC_ALREADY_EXISTS)/)
      expect(await stage.run({ op: 'fork', id: `f${name}`, from: 'orders', to: name })).toMatchObject({
        error: { code: 'INVALID_TOPIC_EXCEPTION' },
      })
    }
    await stage.fork('orders', 'orders--try')
    const promotion = { op: 'promote', id: 'u1', branch: 'orders--try', keep: '__share_group_state' }
    expect(await stage.run(promotion)).toMatchObject({ error: { code: 'INVALID_TOPIC_EXCEPTION' } })
    // It ended the broker once: the group's offsets went into a topic of one partition.
    expect(await stage.values('orders', 3)).toEqual(numbered(3))
  })

  test('a command says itself where it cuts: among its configs that is no unknown name, but in the wrong place', async () => {
    await using stage = await Stage.open({ topics: ['orders'] })
    const fork = { op: 'fork', from: 'orders', to: 'orders--try' }
    expect(await stage.run({ ...fork, id: 'f1', configs: { 'branch.at': 'earliest' } })).toMatchObject({
      error: { code: 'INVALID_CONFIG', message: expect.stringMatching(/branch\.at is not one of the configs.*'at'/) },
    })
    expect(await stage.run({ ...fork, id: 'f2', configs: { 'branch.bytes.own': '1' } })).toMatchObject({
      error: { code: 'INVALID_CONFIG', message: expect.stringContaining('cannot be set') },
    })
    const reserved = await stage.run({ op: 'abandon', id: 'a1', branch: '__branches' })
    expect(reserved.error?.message).toMatch(/broker's own topic/)
    const nowhere = { op: 'resolve', merge: 'm', key: 'k', take: 'ours' }
    expect((await stage.run({ ...nowhere, id: 'r1', topic: 'gone', partition: 0 })).error?.message).toMatch(/no topic/)
    expect((await stage.run({ ...nowhere, id: 'r2', topic: 'orders', partition: 9 })).error?.message).toMatch(/0 to 0/)
  })

  test('configurations of branches on topics that are none are refused', async () => {
    await using stage = await Stage.open()
    const make = (configs: Record<string, string>) => stage.refusals([{ topic: 'orders', configs }])
    expect((await make({ 'branch.at': 'latest' }))['orders']).toMatch(/^INVALID_CONFIG: .*branch\.from/)
    expect((await make({ 'branch.ttl.ms': '1000' }))['orders']).toMatch(/^INVALID_CONFIG: .*none/)
    expect((await make({ 'branch.fro': 'x' }))['orders']).toMatch(/^INVALID_CONFIG: Unknown topic config name/)
    expect(await stage.made()).toEqual([])
  })

  test('beyond the limits of depth and number it is a policy that is violated', async () => {
    await using stage = await Stage.open({ config: { 'branch.max.depth': 2, 'branch.max.per.topic': 2 } })
    await stage.create('a')
    await stage.fork('a', 'b')
    await stage.fork('b', 'c')
    expect(await refused(stage, 'c', {})).toMatch(/^POLICY_VIOLATION: .*2 forks deep/)
    await stage.fork('a', 'd')
    expect(await refused(stage, 'a', {})).toMatch(/^POLICY_VIOLATION: .*2 branches already/)
  })
})

/** Members of a set are not listed outside of it: each is asked for by its name. */
async function areNot(stage: Stage, ...names: string[]): Promise<void> {
  for (const name of names) {
    await expect(stage.configs(name), name).rejects.toMatchObject({ type: 'UNKNOWN_TOPIC_OR_PARTITION' })
  }
}

describe('B11: of a set whose second member is invalid nothing is made, and the error names the culprit', () => {
  const configs = { 'branch.set': 's' }
  const culprits: [string, Wanted, RegExp][] = [
    ['a parent that is not there', { from: 'missing', topic: 'b--s', configs }, /no such topic/],
    // What is wrong with these is found before it is known that they are branches.
    ['no parent', { topic: 'b--s', configs }, /say with branch\.from/],
    [
      'a rule that is unknown',
      { from: 'b', topic: 'b--s', configs: { ...configs, 'branch.groups': 'all' } },
      /none, copy/,
    ],
    [
      'what is only told',
      { from: 'b', topic: 'b--s', configs: { ...configs, 'branch.offsets': '0=0' } },
      /cannot be set/,
    ],
    ['other partitions', { from: 'b', topic: 'b--s', configs, numPartitions: 2 }, /has 1, 2 are asked for/],
    [
      'a bad configuration',
      { from: 'b', topic: 'b--s', configs: { ...configs, 'retention.ms': 'long' } },
      /retention\.ms/,
    ],
    ['a name that is taken', { from: 'b', topic: 'b', configs }, /already exists/],
    ['a name that is too long', { from: 'b', topic: `b--${'s'.repeat(250)}`, configs }, /249/],
  ]
  test.each(culprits)('%s', async (_, culprit, message) => {
    await using stage = await Stage.open({ topics: ['a', 'b', 'c'] })
    const refusals = await stage.refusals([
      { from: 'a', topic: 'a--s', configs },
      culprit,
      { from: 'c', topic: 'c--s', configs },
      { from: 'a', topic: 'a--alone' },
    ])
    const named = new RegExp(`'${culprit.topic}' was refused.*${message.source}`)
    expect(refusals).toEqual({
      'a--s': expect.stringMatching(named),
      [culprit.topic]: expect.stringMatching(message),
      'c--s': expect.stringMatching(named),
    })
    expect(await stage.made()).toEqual(['a', 'a--alone', 'b', 'c'])
    await areNot(stage, 'a--s', 'c--s')
  })

  test('one that is named twice', async () => {
    await using stage = await Stage.open({ topics: ['a', 'b'] })
    const [a, b] = ['a', 'b'].map((from) => ({ from, topic: `${from}--s`, configs }))
    const refusals = await stage.refusals([a!, b!, b!])
    expect(refusals).toEqual({
      'a--s': expect.stringMatching(/'b--s' was refused: Duplicate/),
      'b--s': expect.stringMatching(/Duplicate/),
    })
    await areNot(stage, 'a--s', 'b--s')
  })

  test.each([
    [{ from: 'missing' }, /^missing--s: .*no such topic/],
    [{ from: 'b', configs: { 'retention.ms': 'long' } }, /^b--s: .*retention\.ms/],
    [{ from: 'b', at: 'yesterday' }, /^b--s: .*latest, earliest/],
    [{ from: 'b', to: 'c' }, /^c: .*already exists/],
  ])('by a command: %j', async (culprit, message) => {
    await using stage = await Stage.open({ topics: ['a', 'b', 'c'] })
    const event = await stage.run({ op: 'fork', id: 'f1', set: 's', topics: [{ from: 'a' }, culprit, { from: 'c' }] })
    expect(event).toMatchObject({
      type: 'rejected',
      status: 'rejected',
      error: { message: expect.stringMatching(message) },
    })
    await areNot(stage, 'a--s', 'b--s', 'c--s')
  })

  test('names that are too long or taken are all told', async () => {
    await using stage = await Stage.open({ topics: ['a', 'b', 'b--s', 'c', 'c--s'] })
    const event = await stage.run({ op: 'fork', id: 'f1', set: 's', from: '*' })
    expect(event.error?.message).toMatch(/b--s: .*c--s: /)
    expect(event.error?.message).not.toContain('a--s')
    await areNot(stage, 'a--s')
  })
})

describe('what can be changed of a branch', () => {
  const alter = (stage: Stage, name: string, configs: Record<string, string>) =>
    stage.admin.alterConfigs({
      validateOnly: false,
      resources: [
        { type: 2, name, configEntries: Object.entries(configs).map(([key, value]) => ({ name: key, value })) },
      ],
    })

  test('B20: its history cannot, its own configuration can and its parent keeps its own', async () => {
    await using stage = await Stage.open()
    await stage.create('orders', 1, { 'retention.ms': 5000, 'max.message.bytes': 2000 })
    await stage.fork('orders', 'orders--try', { 'max.message.bytes': 3000 })
    const configs = await stage.configs('orders--try')
    expect([configs['retention.ms'], configs['max.message.bytes']]).toEqual(['5000', '3000'])
    await expect(alter(stage, 'orders--try', { 'branch.from': 'other' })).rejects.toMatchObject({
      type: 'INVALID_CONFIG',
    })
    await alter(stage, 'orders--try', { 'retention.ms': '7000', 'branch.ttl.ms': '60000' })
    expect((await stage.configs('orders--try'))['retention.ms']).toBe('7000')
    expect((await stage.configs('orders--try'))['branch.ttl.ms']).toBe('60000')
    expect((await stage.configs('orders'))['retention.ms']).toBe('5000')
    expect((await stage.configs('orders--try'))['branch.from']).toBe('orders')
  })

  test('B20: nothing else of a branch can be altered, in either way, and DescribeConfigs says so', async () => {
    await using stage = await Stage.open({ topics: ['orders'] })
    await stage.fork('orders', 'orders--try', { 'branch.set': 's' })
    const { resources } = await stage.admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: 'orders--try' }],
    })
    const ours = resources[0]!.configEntries.filter(({ configName }) => configName.startsWith('branch.'))
    const fixed = ours.filter(({ readOnly }) => readOnly).map(({ configName }) => configName)
    const open = ours.filter(({ readOnly }) => !readOnly).map(({ configName }) => configName)
    expect(open.sort()).toEqual(['branch.protect', 'branch.ttl.ms'])
    expect(fixed.sort()).toEqual([
      'branch.bytes.own',
      'branch.bytes.shared',
      'branch.created.ms',
      'branch.from',
      'branch.from.id',
      'branch.groups',
      'branch.known',
      'branch.offsets',
      'branch.set',
    ])
    const wire = await WireClient.open(stage.broker.bootstrapServers)
    for (const name of [...fixed, 'branch.at']) {
      const resource = { resourceType: 2, resourceName: 'orders--try' }
      const alone = { ...resource, configs: [{ name, value: '1' }] }
      const [whole] = (await wire.ask(alterConfigs, 2, { resources: [alone], validateOnly: false })).responses
      for (const configOperation of [0, 1]) {
        const one = { ...resource, configs: [{ name, configOperation, value: configOperation === 0 ? '1' : null }] }
        const [part] = (await wire.ask(incrementalAlterConfigs, 1, { resources: [one], validateOnly: false })).responses
        for (const answer of [whole!, part!]) {
          expect([name, answer.errorCode], name).toEqual([name, errors.INVALID_CONFIG.code])
          expect(answer.errorMessage).toContain(`${name} tells how a branch was made`)
        }
      }
    }
    wire.close()
    expect((await stage.branchConfigs('orders--try'))['branch.set']).toBe('s')
  })

  test('a branch tells where it came from, and other topics tell nothing of branches', async () => {
    await using stage = await Stage.open()
    await stage.create('orders', 2)
    await stage.send('orders', numbered(4))
    await stage.fork('orders', 'orders--try', { 'branch.set': 'try' })
    const told = await stage.branchConfigs('orders--try')
    expect(told).toEqual({
      'branch.from': 'orders',
      'branch.from.id': expect.stringMatching(/^[\w-]{22}$/),
      'branch.offsets': '0=4,1=0',
      'branch.created.ms': expect.stringMatching(/^\d{13}$/),
      'branch.set': 'try',
      'branch.groups': 'none',
      'branch.known': `0=${told['branch.from.id']}:4,1=${told['branch.from.id']}:0`,
      'branch.bytes.own': '0',
      'branch.bytes.shared': expect.stringMatching(/^[1-9]\d*$/),
      'branch.ttl.ms': '-1',
      'branch.protect': 'none',
    })
    await stage.send('orders--try', ['own'])
    expect(Number((await stage.branchConfigs('orders--try'))['branch.bytes.own'])).toBeGreaterThan(60)
    expect(await stage.branchConfigs('orders')).toEqual({})
  })
})

describe('B21: names that look like branches', () => {
  test('mean nothing by themselves', async () => {
    await using stage = await Stage.open()
    await stage.create('orders')
    await stage.send('orders', numbered(3))
    await stage.create('orders--x')
    expect(await stage.ends('orders--x')).toEqual([{ low: 0, high: 0 }])
    expect(await stage.branchConfigs('orders--x')).toEqual({})
  })

  test('fork with branch.by.name=true, the longest topic that they begin with', async () => {
    await using stage = await Stage.open({ config: { 'branch.by.name': true } })
    await stage.create('orders')
    await stage.send('orders', numbered(3))
    await stage.create('orders--x', -1)
    await stage.create('orders--x--y', -1)
    await stage.create('others--x', 2)
    expect(await stage.ends('orders--x')).toEqual([{ low: 0, high: 3 }])
    expect((await stage.configs('orders--x--y'))['branch.from']).toBe('orders--x')
    expect(await stage.branchConfigs('others--x')).toEqual({})
  })

  test('never fork where nobody has asked for a topic: one that is made by its first record is empty', async () => {
    await using stage = await Stage.open({ config: { 'branch.by.name': true }, topics: ['orders'] })
    await stage.send('orders', numbered(3))
    const producer = stage.kafka.producer({ allowAutoTopicCreation: true })
    await producer.connect()
    const [sent] = await producer.send({ topic: 'orders--auto', messages: [{ value: 'first', partition: 0 }] })
    await producer.disconnect()
    expect(sent!.baseOffset).toBe('0')
    expect(await stage.branchConfigs('orders--auto')).toEqual({})
  })
})

test('who asks for a branch that is just being made is told that it exists when it does, and gets it where nothing came of the first', async () => {
  const store = new FaultyStore()
  const rooms = await Rooms.open(store)
  await rooms.broker.createTopics([{ name: 'P', partitions: 1, configs: {} }])
  rooms.write('P', 0, [['k', '1']])
  const fork = async (to: string) => {
    const made = await rooms.branches.fork({ by: 'User:test', topics: [{ from: 'P', to }] })
    const isThere = rooms.broker.topic(to) !== undefined
    return 'topics' in made ? `made ${isThere}` : `${made.get(to)?.error} ${isThere}`
  }
  expect(await Promise.all([fork('C'), fork('C')])).toEqual(['made true', 'TOPIC_ALREADY_EXISTS true'])
  let isFull = true
  store.fault = (operation, path) => {
    if (operation !== 'sync' || !isFull || !path.includes('.tmp')) return undefined
    isFull = false
    return 'ENOSPC'
  }
  expect(await Promise.all([fork('D'), fork('D')])).toEqual(['KAFKA_STORAGE_ERROR false', 'made true'])
  await rooms.stop()
})
