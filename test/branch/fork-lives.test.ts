// What becomes of a branch while it lives: its parent goes, groups read it, it is protected, and nobody uses it any more.

import { describe, expect, test } from 'vitest'
import { numbered, Stage } from './stage.ts'

test('B12: the parent is deleted and made again with other records; the branch keeps its own', async () => {
  await using stage = await Stage.open({ onDisk: true })
  await stage.create('orders')
  await stage.send('orders', numbered(20))
  await stage.fork('orders', 'orders--try')
  await stage.admin.deleteTopics({ topics: ['orders'] })
  await stage.create('orders')
  await stage.send('orders', numbered(5, 'other'))
  expect(await stage.values('orders--try', 20)).toEqual(numbered(20))
  await stage.restart()
  expect(await stage.values('orders--try', 20)).toEqual(numbered(20))
  expect(await stage.values('orders', 5)).toEqual(numbered(5, 'other'))
  const configs = await stage.configs('orders--try')
  expect([configs['branch.from'], configs['branch.offsets']]).toEqual(['orders', '0=20'])
  // An orphan can be read and forked.
  await stage.fork('orders--try', 'orders--again')
  expect(await stage.values('orders--again', 20)).toEqual(numbered(20))
})

test('a branch of a branch of a branch is there after a restart, each with its own', async () => {
  await using stage = await Stage.open({ onDisk: true })
  await stage.create('a')
  let parent = 'a'
  const written: string[] = []
  for (const name of ['b', 'c', 'd', 'e']) {
    written.push(`for ${parent}`)
    await stage.send(parent, [`for ${parent}`])
    await stage.fork(parent, name)
    await stage.send(parent, ['later'])
    parent = name
  }
  await stage.restart()
  expect(await stage.values('e', 4)).toEqual(written)
  expect(await stage.values('c', 3)).toEqual([...written.slice(0, 2), 'for c'])
  await stage.send('e', ['own'])
  await stage.restart()
  expect(await stage.values('e', 5)).toEqual([...written, 'own'])
})

describe('groups of the parent', () => {
  test('B17: have no commit on the branch, theirs as far as it goes, or the fork point', async () => {
    await using stage = await Stage.open()
    await stage.create('orders', 2)
    await stage.send('orders', numbered(100), 0)
    await stage.send('orders', numbered(50), 1)
    await stage.commit('g', 'orders', 40, 50)
    for (const groups of ['none', 'copy', 'fork']) {
      await stage.fork('orders', `orders--${groups}`, { 'branch.groups': groups, 'branch.at': 'offsets:1=20' })
    }
    const committed = async (branch: string) => {
      const [topic] = await stage.admin.fetchOffsets({ groupId: 'g', topics: [branch] })
      return topic!.partitions.sort((a, b) => a.partition - b.partition).map(({ offset }) => Number(offset))
    }
    expect(await committed('orders--none')).toEqual([-1, -1])
    expect(await committed('orders--copy')).toEqual([40, 20])
    expect(await committed('orders--fork')).toEqual([100, 20])
  })

  test('B18: a consumer of a parent and all its branches meets a new one, and no record twice', async () => {
    await using stage = await Stage.open()
    await stage.create('orders')
    await stage.send('orders', numbered(10))
    const seen: string[] = []
    const waiting: { count: number; done: () => void }[] = []
    const has = (count: number) =>
      new Promise<void>((done) => {
        waiting.push({ count, done })
        told()
      })
    const told = () => {
      for (const { count, done } of waiting) if (seen.length >= count) done()
    }
    const consume = async () => {
      const consumer = stage.kafka.consumer({ groupId: 'family', maxWaitTimeInMs: 100 })
      await consumer.connect()
      await consumer.subscribe({ topic: /^orders(--.*)?$/, fromBeginning: true })
      await consumer.run({
        eachMessage: async ({ topic, message }) => {
          seen.push(`${topic} ${message.value}`)
          told()
        },
      })
      return consumer
    }
    const first = await consume()
    await has(10)
    await first.stop()
    await first.disconnect()
    await stage.fork('orders', 'orders--try', { 'branch.groups': 'fork' })
    await stage.send('orders--try', ['own'])
    await stage.send('orders', ['on'])
    // KafkaJS looks for topics that match an expression when it subscribes only.
    const second = await consume()
    await has(12)
    expect(seen.slice(10).sort()).toEqual(['orders on', 'orders--try own'])
    await second.disconnect()
  })
})

describe('B56: a topic that is protected', () => {
  /** KafkaJS knows only the request that says all there is to a topic. */
  const protect = (stage: Stage, name: string, value: string, more: { name: string; value: string }[] = []) =>
    stage.admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: 2, name, configEntries: [{ name: 'branch.protect', value }, ...more] }],
    })

  test('refuses a stock producer at once, and takes its records again when it is taken back', async () => {
    await using stage = await Stage.open()
    await stage.create('orders')
    await stage.send('orders', ['before'])
    for (const rule of ['merge', 'frozen']) {
      await protect(stage, 'orders', rule)
      await expect(stage.send('orders', ['no'])).rejects.toMatchObject({ type: 'POLICY_VIOLATION' })
    }
    await expect(stage.admin.deleteTopics({ topics: ['orders'] })).rejects.toMatchObject({ type: 'POLICY_VIOLATION' })
    const grown = stage.admin.createPartitions({ topicPartitions: [{ topic: 'orders', count: 2 }] })
    await expect(grown).rejects.toMatchObject({ type: 'POLICY_VIOLATION' })
    const none = stage.admin.deleteTopicRecords({ topic: 'orders', partitions: [{ partition: 0, offset: '1' }] })
    await expect(none).rejects.toThrow()
    await stage.fork('orders', 'orders--try')
    expect((await stage.configs('orders--try'))['branch.protect']).toBe('none')
    await protect(stage, 'orders', 'none')
    expect(await stage.send('orders', ['after'])).toBe(1)
    await stage.admin.deleteTopics({ topics: ['orders'] })
  })

  test('a frozen branch takes no merge and no revert, and nothing deletes, resets or trims it, until it is thawed', async () => {
    await using stage = await Stage.open()
    await stage.create('orders', 1, { 'cleanup.policy': 'compact' })
    await stage.fork('orders', 'C')
    await stage.send('C', [{ key: 'k', value: '1' }])
    await stage.send('orders', [{ key: 'j', value: '1' }])
    await stage.run({ op: 'merge', id: 'm1', from: 'orders', into: 'C' })
    const ends = await stage.ends('C')
    const keyed = [{ name: 'cleanup.policy', value: 'compact,delete' }]
    await protect(stage, 'C', 'frozen', keyed)
    const commands = [
      { op: 'merge', from: 'orders', into: 'C' },
      { op: 'revert', topic: 'C', merge: 'm1' },
      { op: 'reset', branch: 'C' },
      { op: 'abandon', branch: 'C' },
    ]
    for (const [i, command] of commands.entries()) {
      expect((await stage.run({ ...command, id: `x${i}` })).error, command.op).toMatchObject({
        code: 'POLICY_VIOLATION',
        message: expect.stringMatching(/branch\.protect=frozen.*set it to/),
      })
    }
    await expect(stage.send('C', [{ key: 'k', value: '2' }])).rejects.toMatchObject({ type: 'POLICY_VIOLATION' })
    await expect(stage.admin.deleteTopics({ topics: ['C'] })).rejects.toMatchObject({ type: 'POLICY_VIOLATION' })
    const trimmed = stage.admin.deleteTopicRecords({ topic: 'C', partitions: [{ partition: 0, offset: '1' }] })
    await expect(trimmed).rejects.toThrow()
    expect(await stage.ends('C')).toEqual(ends)
    await protect(stage, 'C', 'none')
    await stage.send('C', [{ key: 'k', value: '2' }])
    await stage.admin.deleteTopics({ topics: ['C'] })
    expect(await stage.made()).toEqual(['orders'])
  })
})

test('a branch with branch.ttl.ms that nobody uses goes by itself', async () => {
  await using stage = await Stage.open({ topics: ['a'] })
  await stage.fork('a', 'a--brief', { 'branch.ttl.ms': 1 })
  await stage.fork('a', 'a--kept', { 'branch.ttl.ms': 600_000 })
  while ((await stage.made()).includes('a--brief')) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(await stage.made()).toEqual(['a', 'a--kept'])
})
