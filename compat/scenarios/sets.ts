// An application in a branch set: the topic names that are written into it, another life (extensions.md §1.8). It comes in by
// the set's own listener, or by its client id.
import { until } from '../process.ts'
import { record, shown, text } from '../records.ts'
import { scenario } from '../scenario.ts'
import type { Stage } from '../stage.ts'
import { done, needsBranches } from './branches.ts'

/** An error that says what is wrong comes at once; a time-out comes when the client's patience ends. */
const atOnceMs = 5_000

/** A topic with a past, and the set it is in too. */
async function forked(stage: Stage, set: string) {
  const topic = await stage.topic('entered')
  const past = text(20, 'entered')
  await stage.send(topic, past)
  await done(stage, { op: 'fork', set, topics: [{ from: topic }] })
  return { topic, past }
}

/** The application: it reads what was, writes, reads as a group, and goes on where it was. */
async function lives(inside: Stage, outside: Stage, topic: string, past: ReturnType<typeof text>): Promise<void> {
  await inside.holds(topic, past)
  const mine = record('mine', 'of the set')
  await inside.send(topic, [mine])
  await inside.holds(topic, [...past, mine])
  const group = inside.name('entered-group')
  const member = await inside.member(group, { topics: [topic] })
  await member.until('the group has read all', () => member.seen.length > past.length)
  inside.same(shown(member.seen.map((one) => one.record)), shown([...past, mine]), 'the group reads past and present')
  await inside.ask('commitOffsets', { consumer: member.name })
  await member.close()
  const next = record('next', 'of the set')
  await inside.send(topic, [next])
  const again = await inside.member(group, { topics: [topic] })
  await again.until('the group goes on', () => again.seen.length > 0)
  inside.same(again.values, ['of the set'])
  await again.close()
  if (inside.can('listTopics')) {
    const own = inside.name('made-inside')
    await inside.ask('createTopic', { topic: own, partitions: 1 })
    await until('the new topic is listed inside', async () => (await inside.ask('listTopics', {})).topics.includes(own))
    const { topics } = await outside.ask('listTopics', {})
    outside.ok(topics.includes(topic) && topics.every((name) => !name.startsWith(own)), 'and not outside')
    const { topics: seen } = await inside.ask('listTopics', {})
    inside.same([...seen].sort(), [topic, own].sort(), 'nothing else is inside')
  }
  if (outside.can('listGroups')) {
    const { groups } = await outside.ask('listGroups', {})
    outside.ok(
      groups.every((one) => one.group !== group),
      'the group is not seen outside',
    )
  }
  await outside.holds(topic, past)
}

export const sets = {
  'set.listener': scenario(
    'an application lives unchanged in a branch set, through its listener (B41)',
    async (stage) => {
      needsBranches()
      const set = stage.name('set').slice(-60).replace(/^-+/, '')
      const { topic, past } = await forked(stage, set)
      const { bootstrap } = await done(stage, { op: 'listen', set, port: 0 })
      const inside = await stage.inside({ bootstrap: bootstrap! })
      await lives(inside, stage, topic, past)
      await inside.closeAll()
    },
  ),

  'set.client-id': scenario('the same through a client id (B41)', async (stage) => {
    needsBranches()
    const set = stage.name('set').slice(-60).replace(/^-+/, '')
    const { topic, past } = await forked(stage, set)
    const inside = await stage.inside({ clientId: `app--branch--${set}--` })
    await lives(inside, stage, topic, past)
    await inside.closeAll()
  }),

  'set.missing': scenario(
    'a client id that names no set is an error at once, and never the root (B44)',
    async (stage) => {
      needsBranches()
      const topic = await stage.topic('not-entered')
      const lost = await stage.inside({ clientId: 'app--branch--no-such-set--' })
      const atOnce = async (what: string, asking: Promise<unknown>, ...errors: string[]) => {
        const begunAt = Date.now()
        await stage.refused(asking, ...errors, 'CLIENT')
        stage.ok(Date.now() - begunAt < atOnceMs, `${what} fails at once`)
      }
      await atOnce('a producer', lost.send(topic, text(1, 'lost')), 'INVALID_TOPIC_EXCEPTION', 'INVALID_REQUEST')
      const group = stage.name('not-entered-group')
      const reading = async () => {
        const member = await lost.member(group, { topics: [topic] })
        for (const until = Date.now() + 2 * atOnceMs; Date.now() < until; ) await member.poll()
      }
      await atOnce('a consumer', reading(), 'INVALID_TOPIC_EXCEPTION', 'INVALID_GROUP_ID', 'INVALID_REQUEST')
      if (stage.can('offsetAt')) stage.same(await stage.end(topic), 0)
    },
  ),
}
