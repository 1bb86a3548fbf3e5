// Branches made anew in their own places.

import { expect, test } from 'vitest'
import { numbered, Stage } from './stage.ts'

test('B58: a branch that is reset equals its parent again, with its own name and configuration', async () => {
  await using stage = await Stage.open({ onDisk: true })
  await stage.create('orders')
  await stage.send('orders', numbered(10))
  await stage.fork('orders', 'orders--try', { 'retention.ms': 7000, 'branch.protect': 'none', 'branch.groups': 'copy' })
  const before = await stage.configs('orders--try')
  await stage.send('orders--try', numbered(20, 'own'))
  await stage.send('orders', numbered(5, 'later'))
  await stage.commit('g', 'orders', 4)
  await stage.commit('g', 'orders--try', 27)
  const event = await stage.run({ op: 'reset', id: 's1', branch: 'orders--try' })
  expect(event).toMatchObject({ type: 'reset', status: 'done', topics: [{ from: 'orders', into: 'orders--try' }] })
  const all = [...numbered(10), ...numbered(5, 'later')]
  expect(await stage.values('orders--try', 15)).toEqual(all)
  expect(await stage.ends('orders--try')).toEqual([{ low: 0, high: 15 }])
  // Name and configurations stay; where it was cut, and when, is new.
  const configs = await stage.configs('orders--try')
  expect([configs['retention.ms'], configs['branch.offsets']]).toEqual(['7000', '0=15'])
  const changed = Object.keys(configs).filter((name) => configs[name] !== before[name])
  const ofTheCut = ['offsets', 'created.ms', 'known', 'bytes.own', 'bytes.shared'].map((name) => `branch.${name}`)
  expect(ofTheCut).toEqual(expect.arrayContaining(changed))
  expect(Object.keys(configs).sort()).toEqual(Object.keys(before).sort())
  // Commits are as branch.groups said, not as they were on the branch.
  const [committed] = await stage.admin.fetchOffsets({ groupId: 'g', topics: ['orders--try'] })
  expect(committed!.partitions).toMatchObject([{ partition: 0, offset: '4' }])
  expect(await stage.send('orders--try', ['own again'])).toBe(15)
  await stage.restart()
  expect(await stage.values('orders--try', 16)).toEqual([...all, 'own again'])
})

test.each(['earliest', 'latest'])(
  'B58: a consumer that stood beyond the new end goes to the %s, as it says',
  async (rule) => {
    await using stage = await Stage.open()
    await stage.create('orders')
    await stage.send('orders', numbered(3))
    await stage.fork('orders', 'orders--try')
    await stage.send('orders--try', numbered(20, 'own'))
    const seen: string[] = []
    await stage.commit('g', 'orders--try', 0)
    const consumer = stage.kafka.consumer({ groupId: 'g', maxWaitTimeInMs: 100 })
    await consumer.connect()
    // What it has committed counts until it is out of range.
    await consumer.subscribe({ topic: 'orders--try', fromBeginning: rule === 'earliest' })
    const reached = (last: string) =>
      new Promise<void>((resolve) => {
        const look = () => (seen.at(-1) === last ? resolve() : setTimeout(look, 10))
        look()
      })
    await consumer.run({ eachMessage: async ({ message }) => void seen.push(String(message.value)) })
    await reached('own19')
    seen.length = 0
    await stage.run({ op: 'reset', id: 's1', branch: 'orders--try' })
    // From the end on it sees what comes when it is there: one of these.
    const isThere = () => seen.some((value) => value.startsWith('fresh'))
    for (let i = 0; !isThere(); i++) {
      await stage.send('orders--try', [`fresh ${i}`])
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    // From the start on what it had read before comes once more.
    const old = seen.filter((value) => !value.startsWith('fresh'))
    expect(old).toEqual(rule === 'earliest' ? numbered(3) : [])
    await consumer.disconnect()
  },
  30_000,
)

test('a set is reset as one cut, at the offset that is asked for', async () => {
  await using stage = await Stage.open({ topics: ['a', 'b'] })
  await stage.send('a', numbered(4))
  await stage.send('b', numbered(4))
  await stage.run({ op: 'fork', id: 'f1', set: 's', topics: [{ from: 'a' }, { from: 'b' }] })
  await stage.send('a--s', ['own'])
  const event = await stage.run({ op: 'reset', id: 's1', set: 's', at: 'offset:2' })
  expect(event.topics).toHaveLength(2)
  expect([await stage.ends('a--s'), await stage.ends('b--s')]).toEqual([[{ low: 0, high: 2 }], [{ low: 0, high: 2 }]])
  expect((await stage.configs('a--s'))['branch.set']).toBe('s')
})

test('what cannot be reset is rejected with the reason', async () => {
  await using stage = await Stage.open({ topics: ['a'] })
  await stage.fork('a', 'b', { 'branch.protect': 'frozen' })
  await stage.fork('b', 'c')
  const why = async (command: Record<string, unknown>, id: string) =>
    (await stage.run({ op: 'reset', id, ...command })).error
  expect(await why({ branch: 'nothing' }, '1')).toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  expect(await why({ branch: 'a' }, '2')).toMatchObject({ code: 'NOT_A_BRANCH' })
  expect(await why({ branch: 'b' }, '3')).toMatchObject({ code: 'POLICY_VIOLATION' })
  expect(await why({ set: 'none' }, '4')).toMatchObject({ code: 'UNKNOWN_SET' })
  expect(await why({ branch: 'c', at: 'offset:9' }, '5')).toMatchObject({ code: 'INVALID_CONFIG' })
  await stage.admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: 2, name: 'b', configEntries: [{ name: 'branch.protect', value: 'none' }] }],
  })
  await stage.admin.deleteTopics({ topics: ['b'] })
  expect(await why({ branch: 'c' }, '6')).toMatchObject({ code: 'ORPHAN' })
})
