// Consumer groups through KafkaJS.

import { until } from '../process.ts'
import { text } from '../records.ts'
import type { Parts } from '../scenarios.ts'
import { type Client, type Member, refusal } from './client.ts'

const partitionCount = 4

export function groupParts(client: Client) {
  const { admin } = client

  /** Ten records to each partition; what a member must see is named by key. */
  async function spread(topic: string, label: string): Promise<string[]> {
    const keys: string[] = []
    for (let partition = 0; partition < partitionCount; partition++) {
      const sent = text(10, `${label}-${partition}`)
      await client.send(topic, sent, { partition })
      keys.push(...sent.map(({ key }) => String(key)))
    }
    return keys.sort()
  }

  function keysSeen(...members: Member[]): string[] {
    return [...new Set(members.flatMap(({ seen }) => seen.map(({ record }) => String(record.key))))].sort()
  }

  async function committed(groupId: string, topic: string): Promise<number> {
    const [entry] = await admin.fetchOffsets({ groupId, topics: [topic] })
    return Number(entry!.partitions.find(({ partition }) => partition === 0)?.offset ?? -1)
  }

  async function stateOf(groupId: string) {
    return (await admin.describeGroups([groupId])).groups[0]!
  }

  return {
    'group.rebalance': async (t) => {
      const topic = await client.createTopic('rebalance', partitionCount)
      const groupId = `${topic}-group`
      const first = await client.member(groupId, topic)
      const second = await client.member(groupId, topic)

      await first.run({ fromBeginning: true })
      await until('the first member has all partitions', () => first.assigned.length === partitionCount)
      const early = await spread(topic, 'early')
      await until('the first member saw the early records', () => keysSeen(first).length === early.length)

      await second.run({ fromBeginning: true })
      await until('both have a part', () => first.assigned.length === 2 && second.assigned.length === 2)
      t.same([...first.assigned, ...second.assigned].sort(), [0, 1, 2, 3], 'the parts do not overlap')
      const shared = await spread(topic, 'shared')
      await until('both together saw the shared records', () => keysSeen(first, second).length === 80)
      t.ok(second.seen.length >= 20, 'the second one did its part')

      await first.leave()
      await until('the second member has all partitions', () => second.assigned.length === partitionCount)
      const late = await spread(topic, 'late')
      await until('the second member saw the late records', () => keysSeen(first, second).length === 120)
      t.same(keysSeen(first, second), [...early, ...shared, ...late].sort(), 'no record is lost')
      t.same(
        keysSeen(second).filter((key) => key.startsWith('late')),
        late,
      )
      await second.leave()
    },

    'group.resume': async (t) => {
      const topic = await client.createTopic('resume')
      const groupId = `${topic}-group`
      await client.send(topic, text(20, 'resume'))
      const first = await client.member(groupId, topic)
      await first.run({ fromBeginning: true, autoCommit: false })
      await until('the first member saw everything', () => first.seen.length === 20)
      await first.consumer.commitOffsets([{ topic, partition: 0, offset: '8', metadata: 'eight of twenty' }])
      await first.leave()

      const [entry] = await admin.fetchOffsets({ groupId, topics: [topic] })
      t.match(entry!.partitions[0], { offset: '8', metadata: 'eight of twenty' })
      const second = await client.member(groupId, topic)
      await second.run({ fromBeginning: true })
      await until('the second member saw the rest', () => second.seen.length >= 12)
      t.same(
        second.seen.map(({ offset }) => offset),
        [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19],
      )
      await second.leave()
      t.equal(await committed(groupId, topic), 20, 'a clean leave commits what was seen')
    },

    'group.admin': async (t) => {
      const topic = await client.createTopic('group-admin')
      const groupId = `${topic}-group`
      await client.send(topic, text(10, 'admin'))
      const member = await client.member(groupId, topic)
      await member.run({ fromBeginning: true })
      await until('the member saw everything', () => member.seen.length === 10)

      t.ok(
        (await admin.listGroups()).groups.some((group) => group.groupId === groupId),
        'the group is listed',
      )
      const busy = await stateOf(groupId)
      t.match(busy, { state: 'Stable', protocolType: 'consumer', protocol: 'RoundRobinAssigner' })
      t.match(busy.members, [{ clientId: 'compat-kafkajs' }])
      t.match(
        await refusal(admin.deleteGroups([groupId])),
        { groups: [{ errorCode: 68 }] },
        'a group with members is not deleted',
      )
      await member.leave()

      await until('the group is empty', async () => (await stateOf(groupId)).state === 'Empty')
      t.equal(await committed(groupId, topic), 10)
      await admin.resetOffsets({ groupId, topic, earliest: true })
      const again = await client.member(groupId, topic)
      await again.run({ fromBeginning: true }) // KafkaJS commits a plain -2, which means: where the consumer says
      await until('everything came again', () => again.seen.length >= 10)
      t.equal(again.seen[0]!.offset, 0)
      await again.leave()

      await admin.deleteGroups([groupId])
      t.notOk(
        (await admin.listGroups()).groups.some((group) => group.groupId === groupId),
        'the group is gone',
      )
      t.equal(await committed(groupId, topic), -1, 'and so are its offsets')
    },
  } satisfies Partial<Parts>
}
