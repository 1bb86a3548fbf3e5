// Share groups (KIP-932): a queue. Each record is somebody's until it is accepted, given back, or given up.
import { until } from '../process.ts'
import { record, text } from '../records.ts'
import { restarting, scenario } from '../scenario.ts'
import type { Read, Sharer, Stage } from '../stage.ts'
import { done, needsBranches } from './branches.ts'

async function queue(stage: Stage, what: string, configs: { [name: string]: string } = {}, partitions = 1) {
  stage.needs('joinShare')
  const topic = await stage.topic(what, partitions)
  const group = stage.name(`${what}-share`)
  const set = { 'share.auto.offset.reset': 'earliest', ...configs }
  await stage.ask('alterConfigs', { resource: 'group', name: group, set })
  return { topic, group }
}

/** Polls until `count` records have come, and does something with each batch. */
async function take(sharer: Sharer, count: number, then: (records: Read[]) => Promise<void>): Promise<Read[]> {
  const taken: Read[] = []
  await until(`${count} records were delivered`, async () => {
    const records = await sharer.poll()
    if (records.length > 0) await then(records)
    taken.push(...records)
    return taken.length >= count
  })
  return taken
}

/** The records that come within a moment. */
async function nothing(stage: Stage, ...sharers: Sharer[]): Promise<void> {
  for (let i = 0; i < 3; i++) {
    for (const sharer of sharers) stage.same((await sharer.poll(200)).length, 0, 'nothing more is delivered')
  }
}

function keysOf(records: readonly Read[]): string[] {
  return records.map(({ record }) => String(record.key)).sort()
}

export const shares = {
  'share.accept': scenario(
    'records of a share group are delivered and accepted, and do not come again',
    async (stage) => {
      const { topic, group } = await queue(stage, 'accept')
      const sent = text(20, 'accept')
      await stage.send(topic, sent)
      const sharer = await stage.sharer(group, topic)
      const taken = await take(sharer, 20, (records) => sharer.acknowledge(records, 'accept'))
      stage.same(keysOf(taken), keysOf(sent.map((each) => ({ record: each }) as Read)))
      stage.ok(
        taken.every(({ deliveryCount }) => deliveryCount === undefined || deliveryCount === 1),
        'each was delivered once',
      )
      await nothing(stage, sharer)
      await sharer.close()
      const later = await stage.sharer(group, topic)
      await nothing(stage, later)
    },
  ),

  'share.release': scenario('a released record is delivered again, with a higher count', async (stage) => {
    const { topic, group } = await queue(stage, 'release')
    await stage.send(topic, text(5, 'release'))
    const sharer = await stage.sharer(group, topic)
    await take(sharer, 5, (records) => sharer.acknowledge(records, 'release'))
    const again = await take(sharer, 5, (records) => sharer.acknowledge(records, 'accept'))
    stage.same(keysOf(again).length, 5)
    stage.ok(
      again.every(({ deliveryCount }) => deliveryCount === undefined || deliveryCount === 2),
      'the second delivery',
    )
    await nothing(stage, sharer)
  }),

  'share.reject': scenario('a rejected record does not come again, the others do', async (stage) => {
    const { topic, group } = await queue(stage, 'reject')
    await stage.send(topic, text(6, 'reject'))
    const sharer = await stage.sharer(group, topic)
    await take(sharer, 6, async (records) => {
      const even = records.filter(({ offset }) => offset % 2 === 0)
      const odd = records.filter(({ offset }) => offset % 2 === 1)
      if (even.length > 0) await sharer.acknowledge(even, 'reject')
      if (odd.length > 0) await sharer.acknowledge(odd, 'release')
    })
    const again = await take(sharer, 3, (records) => sharer.acknowledge(records, 'accept'))
    stage.same(again.map(({ offset }) => offset).sort(), [1, 3, 5])
    await nothing(stage, sharer)
  }),

  'share.limit': scenario(
    'a record that is released again and again is given up after five deliveries',
    async (stage) => {
      const { topic, group } = await queue(stage, 'limit')
      await stage.send(topic, [record('poison', 'v')])
      const sharer = await stage.sharer(group, topic)
      const taken = await take(sharer, 5, (records) => sharer.acknowledge(records, 'release'))
      if (taken[0]!.deliveryCount !== undefined) {
        stage.same(
          taken.map(({ deliveryCount }) => deliveryCount),
          [1, 2, 3, 4, 5],
        )
      }
      await nothing(stage, sharer)
    },
  ),

  'share.workers': scenario('two workers take the records of one partition between them, each once', async (stage) => {
    const { topic, group } = await queue(stage, 'workers')
    const workers = [await stage.sharer(group, topic), await stage.sharer(group, topic)] as const
    for (const worker of workers) await worker.poll()
    const shares: Read[][] = [[], []]
    let sentCount = 0
    await until('all records were taken, some by each', async () => {
      if (sentCount < 200) {
        await stage.send(topic, text(10, `batch-${sentCount}`))
        sentCount += 10
      }
      for (const [i, worker] of workers.entries()) {
        const records = await worker.poll(50)
        if (records.length > 0) await worker.acknowledge(records, 'accept')
        shares[i]!.push(...records)
      }
      return shares.flat().length >= 200
    })
    stage.same(new Set(keysOf(shares.flat())).size, 200, 'each once')
    stage.same(shares.flat().length, 200)
    await nothing(stage, ...workers)
  }),

  'share.killed-worker': scenario('what a killed worker had taken is delivered to another one', async (stage) => {
    const { topic, group } = await queue(stage, 'killed', {
      'share.session.timeout.ms': '45000',
      'share.record.lock.duration.ms': '15000',
    })
    await stage.send(topic, text(5, 'killed'))
    const other = await stage.another()
    const first = await stage.sharer(group, topic, other)
    await take(first, 5, async () => {}) // taken, never answered
    await other.kill() // its connection goes, and with it what it held
    const second = await stage.sharer(group, topic)
    const taken = await take(second, 5, (records) => second.acknowledge(records, 'accept'))
    stage.same(new Set(keysOf(taken)).size, 5)
  }),

  'share.lock': scenario('a record that is not answered in time is delivered to another worker', async (stage) => {
    const { topic, group } = await queue(stage, 'lock', { 'share.record.lock.duration.ms': '1500' })
    const first = await stage.sharer(group, topic)
    await stage.send(topic, text(1, 'lock'))
    await take(first, 1, async () => {}) // and then nothing
    const second = await stage.sharer(group, topic)
    const [again] = await take(second, 1, (records) => second.acknowledge(records, 'accept'))
    // A client that fetches ahead may have had it a second time itself.
    if (again!.deliveryCount !== undefined) stage.same(again!.deliveryCount >= 2, true)
    stage.same(keysOf([again!]), ['lock-0'])
  }),

  'share.renew': scenario(
    'a worker that needs longer renews its lock, and nobody else gets the record',
    async (stage) => {
      stage.needs('renew')
      const { topic, group } = await queue(stage, 'renew', { 'share.record.lock.duration.ms': '2000' })
      const first = await stage.sharer(group, topic)
      const second = await stage.sharer(group, topic)
      await stage.send(topic, text(1, 'renew'))
      const workers = [first, second]
      let owner: Sharer | undefined
      let taken: Read[] = []
      await until('somebody has it', async () => {
        for (const worker of workers) {
          taken = await worker.poll()
          if (taken.length > 0) owner = worker
          if (owner) return true
        }
        return false
      })
      const other = workers.find((worker) => worker !== owner)!
      const of = taken.map(({ topic, partition, offset }) => ({ topic, partition, offset }))
      const lockedUntil = Date.now() + 4_500 // more than two locks
      while (Date.now() < lockedUntil) {
        stage.same((await other.poll(700)).length, 0, 'it is still the first one’s')
        await owner!.hand.ask('renew', { consumer: owner!.name, of })
      }
      await owner!.acknowledge(taken, 'accept')
      await nothing(stage, other)
    },
  ),

  'share.partitions': scenario('one worker takes what lies in three partitions', async (stage) => {
    const { topic, group } = await queue(stage, 'partitions', {}, 3)
    for (const partition of [0, 1, 2]) await stage.send(topic, text(5, `in-${partition}`), { partition })
    const sharer = await stage.sharer(group, topic)
    const taken = await take(sharer, 15, (records) => sharer.acknowledge(records, 'accept'))
    stage.same(new Set(keysOf(taken)).size, 15)
  }),

  'share.describe': scenario(
    'a share group is listed and described as what it is, and deleted when it is empty',
    async (stage) => {
      const { topic, group } = await queue(stage, 'describe')
      const sharer = await stage.sharer(group, topic)
      await until('it is stable', async () => {
        await sharer.poll()
        return (await stage.ask('describeGroup', { group, type: 'share' })).state === 'Stable'
      })
      const { members } = await stage.ask('describeGroup', { group, type: 'share' })
      stage.same(members.length, 1)
      const { groups } = await stage.ask('listGroups', { types: ['share'] })
      stage.ok(
        groups.some((entry) => entry.group === group),
        'listed among share groups',
      )
      await sharer.close()
      await until(
        'it is empty',
        async () => (await stage.ask('describeGroup', { group, type: 'share' })).state === 'Empty',
      )
    },
  ),

  'share.branch': scenario(
    'on a branch, and when that takes the name, what was accepted does not come again, and the rest does',
    async (stage) => {
      needsBranches()
      const { topic, group } = await queue(stage, 'branched')
      const branch = `${topic}--try`
      const accepting = async (name: string, count: number) => {
        const sharer = await stage.sharer(group, name)
        const taken = await take(sharer, count, (records) => sharer.acknowledge(records, 'accept'))
        await nothing(stage, sharer)
        await sharer.close()
        return keysOf(taken)
      }
      await stage.send(topic, text(6, 'past'))
      stage.same((await accepting(topic, 6)).length, 6)
      await stage.send(topic, text(2, 'left'))
      await done(stage, { op: 'fork', id: branch, from: topic, to: branch, groups: 'copy' })
      stage.same(await accepting(branch, 2), ['left-0', 'left-1'])
      await done(stage, { op: 'promote', id: `${branch}-1`, branch, keep: branch })
      // Of a producer of its own: not every client follows a name to another topic id, and here that does not matter.
      await stage.produce(await stage.producer(), topic, text(1, 'after'))
      stage.same(await accepting(topic, 1), ['after-0'])
      stage.same(await accepting(branch, 2), ['left-0', 'left-1'])
    },
  ),

  'share.SIGKILL': restarting(
    'kill -9 of the broker: what was accepted does not come again, the rest does',
    async (stage) => {
      const { topic, group } = await queue(stage, 'sigkill')
      await stage.send(topic, text(10, 'before'))
      const sharer = await stage.sharer(group, topic)
      const before = await take(sharer, 10, (records) => sharer.acknowledge(records, 'accept'))
      await stage.send(topic, text(5, 'after'))
      await stage.broker.restart('SIGKILL')
      const after = await take(sharer, 5, (records) => sharer.acknowledge(records, 'accept').catch(() => {}))
      stage.same(keysOf(before).length, 10)
      stage.same(
        [...new Set(keysOf(after))],
        text(5, 'after').map(({ key }) => String(key)),
      )
    },
  ),
}
