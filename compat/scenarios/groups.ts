// Consumer groups: the classic ones, and those of KIP-848 with the same expectations.
import { until } from '../process.ts'
import { shown, text } from '../records.ts'
import { scenario } from '../scenario.ts'
import { type Consumer, type Joining, pollingUntil, type Stage } from '../stage.ts'

const partitionCount = 4

/** Ten records to each partition; what a member must see is named by key. */
async function spread(stage: Stage, topic: string, label: string): Promise<string[]> {
  const keys: string[] = []
  for (let partition = 0; partition < partitionCount; partition++) {
    const sent = text(10, `${label}-${partition}`)
    await stage.send(topic, sent, { partition })
    keys.push(...sent.map(({ key }) => String(key)))
  }
  return keys.sort()
}

function keysSeen(...members: Consumer[]): string[] {
  return [...new Set(members.flatMap(({ keys }) => keys))].sort()
}

async function committed(stage: Stage, group: string, topic: string, partition = 0) {
  const { offsets } = await stage.ask('groupOffsets', { group, topic })
  return offsets.find((entry) => entry.partition === partition)
}

function rebalance(joining: Omit<Joining, 'topics'>) {
  return async (stage: Stage) => {
    const topic = await stage.topic('rebalance', partitionCount)
    const group = stage.name('rebalance-group')
    const first = await stage.member(group, { topics: [topic], ...joining })
    await first.until('the first member has all partitions', () => first.partitions.length === partitionCount)
    const early = await spread(stage, topic, 'early')
    await first.until('the first member saw the early records', () => first.keys.length === early.length)
    await stage.ask('commitOffsets', { consumer: first.name })

    const second = await stage.member(group, { topics: [topic], ...joining })
    const both = [first, second]
    await pollingUntil(both, 'both have a part', () => both.every(({ partitions }) => partitions.length === 2))
    stage.same(both.flatMap(({ partitions }) => partitions).sort(), [0, 1, 2, 3], 'the parts do not overlap')
    const shared = await spread(stage, topic, 'shared')
    await pollingUntil(both, 'both together saw the shared records', () => keysSeen(...both).length === 80)
    stage.ok(second.seen.length >= 20, 'the second one did its part')
    await stage.ask('commitOffsets', { consumer: first.name })

    await first.close()
    await second.until('the second member has all partitions', () => second.partitions.length === partitionCount)
    const late = await spread(stage, topic, 'late')
    await second.until('the second member saw the late records', () => keysSeen(...both).length === 120)
    stage.same(keysSeen(...both), [...early, ...shared, ...late].sort(), 'no record is lost')
    stage.same(
      second.keys.filter((key) => key.startsWith('late')),
      late,
    )
  }
}

function pattern(joining: Omit<Joining, 'topics' | 'pattern'>) {
  return async (stage: Stage) => {
    const prefix = stage.name('pattern')
    const topic = `${prefix}-a`
    await stage.ask('createTopic', { topic, partitions: 1 })
    await stage.ask('createTopic', { topic: `other-${prefix}`, partitions: 1 })
    const member = await stage.member(stage.name('pattern-group'), { pattern: `${prefix}-.*`, ...joining })
    await member.until('the topic is assigned', () => member.assigned.length === 1)
    const later = `${prefix}-b`
    await stage.ask('createTopic', { topic: later, partitions: 1 })
    await stage.send(topic, text(3, 'a'))
    await stage.send(later, text(3, 'b'))
    await stage.send(`other-${prefix}`, text(3, 'other'))
    await member.until('a topic that came later is assigned', () => member.assigned.length === 2)
    await member.until('both topics’ records came', () => member.keys.length === 6)
    stage.same([...new Set(member.seen.map(({ topic }) => topic))].sort(), [topic, later])
  }
}

function resume(joining: Omit<Joining, 'topics'>) {
  return async (stage: Stage) => {
    const topic = await stage.topic('resume')
    const group = stage.name('resume-group')
    await stage.send(topic, text(20, 'resume'))
    const first = await stage.member(group, { topics: [topic], ...joining })
    await first.until('the first member saw everything', () => first.seen.length === 20)
    await stage.ask('commitOffsets', { consumer: first.name, offsets: [{ topic, partition: 0, offset: 8 }] })
    await first.close()
    if (stage.can('groupOffsets')) stage.same((await committed(stage, group, topic))?.offset, 8)
    const second = await stage.member(group, { topics: [topic], ...joining })
    await second.until('the second member saw the rest', () => second.seen.length >= 12)
    stage.same(
      second.seen.map(({ offset }) => offset),
      [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19],
    )
    await stage.ask('commitOffsets', { consumer: second.name })
    await second.close()
    if (stage.can('groupOffsets')) stage.same((await committed(stage, group, topic))?.offset, 20)
  }
}

/** A member that is gone without a word is replaced by one of the same name, without a rebalance. */
function staticMember(joining: Omit<Joining, 'topics'>) {
  return async (stage: Stage) => {
    const topic = await stage.topic('static', 2)
    const group = stage.name('static-group')
    const join = (instance: string) => stage.member(group, { topics: [topic], instance, ...joining })
    const a = await join('a')
    const b = await join('b')
    await pollingUntil([a, b], 'each has one partition', () => a.partitions.length === 1 && b.partitions.length === 1)
    const had = a.partitions
    await a.close()
    await b.poll(300)
    stage.same(b.partitions.length, 1, 'nobody takes over at once')
    const again = await join('a')
    await pollingUntil([again, b], 'it is back', () => again.partitions.length === 1)
    stage.same(again.partitions, had, 'with the same partition')
    stage.same(b.partitions.length, 1)
  }
}

export const groups = {
  'group.rebalance': scenario(
    'two members share the partitions; when one leaves, the other goes on with all of them; no record is lost',
    rebalance({}),
  ),
  'group.cooperative': scenario(
    'the same with the cooperative assignor',
    rebalance({ assignor: 'cooperative-sticky' }),
  ),
  'group.range': scenario('the same with the range assignor', rebalance({ assignor: 'range' })),
  'group.resume': scenario('a committed offset survives the member: the next one goes on where it stopped', resume({})),
  'group.pattern': scenario(
    'a member that subscribes to a pattern gets the topics that match, and later ones too',
    pattern({}),
  ),
  'group.static': scenario('a static member comes back to its partitions without a rebalance', staticMember({})),

  'group.latest': scenario(
    'without a committed offset and with reset to the latest, only later records come',
    async (stage) => {
      const topic = await stage.topic('latest')
      await stage.send(topic, text(5, 'before'))
      const member = await stage.member(stage.name('latest-group'), { topics: [topic], reset: 'latest' })
      await member.until('it has its partition', () => member.partitions.length === 1)
      await member.poll(500) // in which it asks for the end
      await until('a later record came', async () => {
        await stage.send(topic, text(1, 'after'))
        await member.poll()
        return member.seen.length > 0
      })
      stage.same(member.keys, ['after-0'])
    },
  ),

  'group.two-topics': scenario('a member of two topics reads both, and commits for each', async (stage) => {
    const one = await stage.topic('one')
    const two = await stage.topic('two')
    const group = stage.name('two-topics-group')
    const member = await stage.member(group, { topics: [one, two] })
    await stage.send(one, text(3, 'one'))
    await stage.send(two, text(4, 'two'))
    await member.until('all came', () => member.seen.length >= 7)
    await stage.ask('commitOffsets', { consumer: member.name })
    await member.close()
    stage.same((await committed(stage, group, one))?.offset, 3)
    stage.same((await committed(stage, group, two))?.offset, 4)
  }),

  'group.metadata': scenario('a word committed with an offset is given back with it', async (stage) => {
    const topic = await stage.topic('metadata')
    const group = stage.name('metadata-group')
    const member = await stage.member(group, { topics: [topic] })
    await member.until('it has its partition', () => member.partitions.length === 1)
    const offsets = [{ topic, partition: 0, offset: 42, metadata: 'the answer' }]
    await stage.ask('commitOffsets', { consumer: member.name, offsets })
    stage.same(await committed(stage, group, topic), { partition: 0, offset: 42, metadata: 'the answer' })
  }),

  'group.admin': scenario('a group is listed, described, reset to other offsets, and deleted', async (stage) => {
    const topic = await stage.topic('group-admin')
    const group = stage.name('group-admin-group')
    const sent = text(10, 'admin')
    await stage.send(topic, sent)
    const member = await stage.member(group, { topics: [topic] })
    await member.until('the member saw everything', () => member.seen.length === 10)
    await stage.ask('commitOffsets', { consumer: member.name })
    const listed = (await stage.ask('listGroups', {})).groups.find((entry) => entry.group === group)
    stage.ok(listed, 'the group is listed')
    const busy = await stage.ask('describeGroup', { group })
    stage.same([busy.state, busy.members.length], ['Stable', 1])
    if (busy.members[0]!.assigned.length > 0) stage.same(busy.members[0]!.assigned, [{ topic, partition: 0 }])
    await stage.refused(stage.ask('deleteGroup', { group }), 'NON_EMPTY_GROUP')
    await member.close()

    await until('the group is empty', async () => (await stage.ask('describeGroup', { group })).state === 'Empty')
    stage.same((await committed(stage, group, topic))?.offset, 10)
    if (stage.can('setGroupOffsets')) {
      await stage.ask('setGroupOffsets', { group, offsets: [{ topic, partition: 0, offset: 4 }] })
      const again = await stage.member(group, { topics: [topic] })
      await again.until('the rest came again', () => again.seen.length >= 6)
      stage.same(shown(again.seen.map(({ record }) => record)), shown(sent.slice(4)))
      await again.close()
    }
    await stage.ask('deleteGroup', { group })
    stage.ok(!(await stage.ask('listGroups', {})).groups.some((entry) => entry.group === group), 'the group is gone')
    stage.same(await committed(stage, group, topic).catch(() => undefined), undefined, 'and so are its offsets')
    await stage.refused(stage.ask('deleteGroup', { group: stage.name('never') }), 'GROUP_ID_NOT_FOUND')
  }),

  'group.offset-delete': scenario(
    'offsets of a topic are deleted, those of a subscribed one are not',
    async (stage) => {
      const topic = await stage.topic('offset-delete')
      const group = stage.name('offset-delete-group')
      const member = await stage.member(group, { topics: [topic] })
      await member.until('it has its partition', () => member.partitions.length === 1)
      await stage.ask('commitOffsets', { consumer: member.name, offsets: [{ topic, partition: 0, offset: 3 }] })
      const forget = () => stage.ask('deleteGroupOffsets', { group, topic, partitions: [0] })
      await stage.refused(forget(), 'GROUP_SUBSCRIBED_TO_TOPIC')
      await member.close()
      await until('the group is empty', async () => (await stage.ask('describeGroup', { group })).state === 'Empty')
      await forget()
      stage.same(await committed(stage, group, topic).catch(() => undefined), undefined)
    },
  ),

  'group.list-filters': scenario('groups are listed by state and by type', async (stage) => {
    stage.needs('listGroups', { types: [] })
    stage.needs('listGroups', { states: [] })
    const topic = await stage.topic('filters')
    const group = stage.name('filters-group')
    const member = await stage.member(group, { topics: [topic] })
    await member.until('it has its partition', () => member.partitions.length === 1)
    const has = async (filter: { states?: string[]; types?: string[] }) =>
      (await stage.ask('listGroups', filter)).groups.some((entry) => entry.group === group)
    stage.same([await has({ states: ['Stable'] }), await has({ states: ['Empty'] })], [true, false])
    stage.same([await has({ types: ['classic'] }), await has({ types: ['consumer'] })], [true, false])
  }),

  'group.lag': scenario('the lag of a group is the end of the log less what it committed', async (stage) => {
    const topic = await stage.topic('lag')
    const group = stage.name('lag-group')
    await stage.send(topic, text(10, 'lag'))
    const member = await stage.member(group, { topics: [topic] })
    await member.until('all came', () => member.seen.length === 10)
    await stage.ask('commitOffsets', { consumer: member.name })
    await stage.send(topic, text(7, 'later'))
    const { offset } = (await committed(stage, group, topic))!
    stage.same((await stage.end(topic)) - offset, 7)
  }),

  'group.lost-member': scenario(
    'a member that is killed loses its partitions after its session, and nothing is lost',
    async (stage) => {
      const topic = await stage.topic('lost', 2)
      const group = stage.name('lost-group')
      const joining = { topics: [topic], sessionTimeoutMs: 6_000 } // Kafka takes no shorter one
      const other = await stage.another()
      const lost = await stage.member(group, joining, other)
      const left = await stage.member(group, joining)
      await pollingUntil(
        [lost, left],
        'each has one',
        () => lost.partitions.length === 1 && left.partitions.length === 1,
      )
      const killed = other.kill()
      await stage.send(topic, text(5, 'zero'), { partition: 0 })
      await stage.send(topic, text(5, 'one'), { partition: 1 })
      await killed
      await left.until('the other one has both', () => left.partitions.length === 2)
      await left.until('and all records', () => left.keys.length === 10)
      stage.same(left.partitions, [0, 1])
    },
  ),
}

const kip848 = { protocol: 'consumer' } as const

export const consumerGroups = {
  'consumer-group.rebalance': scenario(
    'KIP-848: two members share the partitions, no record is lost',
    rebalance(kip848),
  ),
  'consumer-group.range': scenario('KIP-848: the broker’s range assignor', rebalance({ ...kip848, assignor: 'range' })),
  'consumer-group.resume': scenario('KIP-848: the next member goes on where the last one stopped', resume(kip848)),
  'consumer-group.pattern': scenario('KIP-848: the broker matches the pattern', pattern(kip848)),
  'consumer-group.static': scenario('KIP-848: a static member comes back to its partitions', staticMember(kip848)),
  'consumer-group.unknown-assignor': scenario(
    'KIP-848: an assignor that the broker has not is refused',
    async (stage) => {
      const topic = await stage.topic('unknown-assignor')
      const member = stage.member(stage.name('unknown-assignor-group'), {
        topics: [topic],
        ...kip848,
        assignor: 'nobody',
      })
      const joined = member.then((each) => each.until('it is told', () => false))
      await stage.refused(joined, 'UNSUPPORTED_ASSIGNOR', 'CLIENT')
    },
  ),
  'consumer-group.describe': scenario('KIP-848: the group is described and listed as what it is', async (stage) => {
    const topic = await stage.topic('describe', 2)
    const group = stage.name('describe-group')
    const member = await stage.member(group, { topics: [topic], ...kip848 })
    await member.until('it has its partitions', () => member.partitions.length === 2)
    const found = await stage.ask('describeGroup', { group, type: 'consumer' })
    stage.same([found.state, found.protocol, found.members.length], ['Stable', 'uniform', 1])
    stage.same(found.members[0]!.assigned.length, 2)
    const { groups } = await stage.ask('listGroups', { types: ['consumer'] })
    stage.ok(
      groups.some((entry) => entry.group === group),
      'listed among consumer groups',
    )
  }),
  'consumer-group.migration': scenario(
    'a classic member and one of KIP-848 share a group, which becomes classic again',
    async (stage) => {
      const topic = await stage.topic('migration', 2)
      const group = stage.name('migration-group')
      const old = await stage.member(group, { topics: [topic], assignor: 'range' })
      await old.until('the classic member has all', () => old.partitions.length === 2)
      const young = await stage.member(group, { topics: [topic], ...kip848 })
      await pollingUntil(
        [old, young],
        'both have one',
        () => old.partitions.length === 1 && young.partitions.length === 1,
      )
      await stage.send(topic, text(5, 'zero'), { partition: 0 })
      await stage.send(topic, text(5, 'one'), { partition: 1 })
      await pollingUntil([old, young], 'together they saw all', () => keysSeen(old, young).length === 10)
      await young.close()
      await old.until('the classic member has all again', () => old.partitions.length === 2)
      stage.same(old.partitions, [0, 1])
    },
  ),
}
