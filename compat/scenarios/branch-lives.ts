// Branches and transactions, sets, promotion: a client that knows nothing of branches is in the middle of its work when
// they are made. Only against a broker that has them.
import { record, text } from '../records.ts'
import { scenario } from '../scenario.ts'
import type { Stage } from '../stage.ts'
import { done, needsBranches } from './branches.ts'

const isolation = 'read_committed'
const keysOf = (label: string, count: number) => text(count, label).map(({ key }) => String(key))

/** What a reader sees up to a record that is written last. */
async function seen(stage: Stage, topic: string, level: 'read_committed' | 'read_uncommitted' = isolation) {
  // By somebody who has never heard of the topic: the Java client cannot be told one id under two names (4.4.0).
  const producer = await stage.producer()
  await stage.produce(producer, topic, [record('the end', 'v')])
  await stage.ask('closeProducer', { producer })
  const consumer = await stage.consumer(topic, 'start', { isolation: level })
  await consumer.until('the last record came', () => consumer.seen.at(-1)?.record.key?.toString() === 'the end')
  await consumer.close()
  return consumer.seen.slice(0, -1).map((one) => String(one.record.key))
}

export const branchLives = {
  'branch.transaction-goes-on': scenario(
    'the producer of a transaction that a branch has cut goes on into the branch, in the same and in later ones (B51)',
    async (stage) => {
      needsBranches()
      const parent = await stage.topic('over')
      const branch = `${parent}--try`
      const producer = await stage.producer({ transactionalId: stage.name('over-id') })
      await stage.ask('beginTransaction', { producer })
      await stage.produce(producer, parent, text(1, 'over'))
      await done(stage, { op: 'fork', id: branch, from: parent, to: branch })
      await stage.produce(producer, branch, text(1, 'same'))
      await stage.ask('commitTransaction', { producer })
      await stage.ask('beginTransaction', { producer })
      await stage.produce(producer, branch, text(1, 'aborted'))
      await stage.ask('abortTransaction', { producer })
      await stage.ask('beginTransaction', { producer })
      await stage.produce(producer, branch, text(1, 'third'))
      await stage.ask('commitTransaction', { producer })
      stage.same(await seen(stage, branch), [...keysOf('same', 1), ...keysOf('third', 1)])
      stage.same(await seen(stage, parent), keysOf('over', 1))
    },
  ),

  'branch.promote': scenario(
    'a producer and a consumer of a name go on with the records of the branch that swaps names with it (B57)',
    async (stage) => {
      needsBranches()
      const name = await stage.topic('promoted')
      const branch = `${name}--try`
      const producer = await stage.producer(stage.can('openProducer', { idempotent: true }) ? { idempotent: true } : {})
      await stage.produce(producer, name, text(5, 'past'))
      await done(stage, { op: 'fork', id: branch, from: name, to: branch })
      await stage.produce(await stage.producer(), branch, text(1, 'own'))
      const member = await stage.member(stage.name('group'), { topics: [name] })
      await member.until('the past came', () => member.seen.length >= 5)
      await stage.produce(producer, name, text(1, 'before'))
      await member.until('what came before came', () => member.seen.length >= 6)
      await done(stage, { op: 'promote', id: `${branch}-1`, branch, keep: branch })
      await stage.produce(producer, name, text(2, 'after'))
      await member.until('it goes on', () => member.keys.includes(keysOf('after', 2)[1]!))
      await member.close()
      const now = (await seen(stage, name)).filter((key) => key !== 'the end')
      stage.same(now, [...keysOf('past', 5), ...keysOf('own', 1), ...keysOf('after', 2)])
      stage.same(await seen(stage, branch), [...keysOf('past', 5), ...keysOf('before', 1)])
      await done(stage, { op: 'promote', id: `${branch}-2`, branch, keep: branch })
      const again = await stage.member(stage.name('again'), { topics: [name] })
      await again.until('the old picture is back', () => again.keys.includes(keysOf('before', 1)[0]!))
      stage.ok(!again.keys.includes(keysOf('own', 1)[0]!), 'what the branch alone has is gone')
      await again.close()
    },
  ),
}
