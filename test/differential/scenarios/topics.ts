// CreateTopics, DeleteTopics, CreatePartitions, DeleteRecords: what can be made, grow, be cut and go, and what cannot.

import { produce } from '../../../protocol/messages/00-produce.ts'
import { createTopics } from '../../../protocol/messages/19-create-topics.ts'
import { deleteTopics } from '../../../protocol/messages/20-delete-topics.ts'
import { deleteRecords } from '../../../protocol/messages/21-delete-records.ts'
import { createPartitions } from '../../../protocol/messages/37-create-partitions.ts'
import { zeroUuid } from '../../../protocol/schema.ts'
import type { Body } from '../../wire-client.ts'
import { batchOf } from '../../wire-client.ts'
import type { Side } from '../side.ts'

type NewTopic = Body<typeof createTopics>['topics'][number]
const unknownId = 'abcdefghijklmnopqrstuQ'

const plain = (name: string, more: Partial<NewTopic> = {}): NewTopic => ({
  name,
  numPartitions: 1,
  replicationFactor: 1,
  assignments: [],
  configs: [],
  ...more,
})
const assigned = (...lists: [index: number, ...brokers: number[]][]): Partial<NewTopic> => ({
  numPartitions: -1,
  replicationFactor: -1,
  assignments: lists.map(([partitionIndex, ...brokerIds]) => ({ partitionIndex, brokerIds })),
})

export async function createTopicsScenario(side: Side): Promise<void> {
  await side.topic('ct-existing', 2)
  await side.topic('ct.dotted')
  const cases: [label: string, more: Partial<NewTopic>][] = [
    ['plain', {}],
    ...[-2, -1, 0, 3, 10_001, 0x7fff_ffff].map((n): [string, Partial<NewTopic>] => [
      `${n} partitions`,
      { numPartitions: n },
    ]),
    ...[-2, -1, 0, 2, 3].map((n): [string, Partial<NewTopic>] => [`replication ${n}`, { replicationFactor: n }]),
    ['both by default', { numPartitions: -1, replicationFactor: -1 }],
    ['0 partitions, replication 0', { numPartitions: 0, replicationFactor: 0 }],
    ['assigned', assigned([0, 1], [1, 1])],
    ['assigned in another order', assigned([1, 1], [0, 1])],
    ['assigned, with counts', { ...assigned([0, 1]), numPartitions: 1, replicationFactor: 1 }],
    ['assigned, with a number of partitions', { ...assigned([0, 1]), numPartitions: 1 }],
    ['assigned to an unknown broker', assigned([0, 7])],
    ['assigned with a gap', assigned([0, 1], [2, 1])],
    ['assigned from 1', assigned([1, 1])],
    ['assigned to nobody', assigned([0])],
    ['assigned to one broker twice', assigned([0, 1, 1])],
    ['assigned twice', assigned([0, 1], [0, 1])],
    ['assigned with unequal replication', assigned([0, 1], [1, 1, 2])],
    ['negative index assigned', assigned([-1, 1])],
    ['a configuration', { configs: [{ name: 'retention.ms', value: '1234' }] }],
    ['an unknown configuration', { configs: [{ name: 'no.such', value: '1' }] }],
    ['a bad value', { configs: [{ name: 'retention.ms', value: 'x' }] }],
    ['a value out of range', { configs: [{ name: 'max.message.bytes', value: '-1' }] }],
    ['a null value', { configs: [{ name: 'retention.ms', value: null }] }],
    ['an empty value', { configs: [{ name: 'retention.ms', value: '' }] }],
    ['an empty name of a configuration', { configs: [{ name: '', value: '' }] }],
    ['a padded value', { configs: [{ name: 'retention.ms', value: ' 77 ' }] }],
    ['an unknown policy', { configs: [{ name: 'cleanup.policy', value: 'burn' }] }],
    ['two policies', { configs: [{ name: 'cleanup.policy', value: 'compact,delete' }] }],
    ['no policy', { configs: [{ name: 'cleanup.policy', value: '' }] }],
    [
      'a configuration twice',
      {
        configs: [
          { name: 'retention.ms', value: '1' },
          { name: 'retention.ms', value: '2' },
        ],
      },
    ],
    ['bad configuration and bad count', { numPartitions: 0, configs: [{ name: 'no.such', value: '1' }] }],
  ]
  for (const validateOnly of [true, false]) {
    const how = validateOnly ? 'would' : 'does'
    let n = 0
    for (const [label, more] of cases) {
      n++
      await side.each(`${how}: ${label}`, createTopics, (version) => ({
        topics: [plain(`ct-${n}-v${version}`, more)],
        validateOnly,
      }))
    }
    for (const name of ['', '.', '..', 'a/b', 'ü', 'x'.repeat(250), 'ct-existing', 'ct_dotted', 'ct.dotted']) {
      const topics = [plain(name)]
      await side.each(`${how}: «${name.slice(0, 12)}» of ${name.length}`, createTopics, { topics, validateOnly })
    }
    await side.each(`${how}: existing with nonsense`, createTopics, {
      topics: [plain('ct-existing', { numPartitions: 0 })],
      validateOnly,
    })
    await side.each(`${how}: none`, createTopics, { topics: [], validateOnly })
    await side.each(`${how}: one name twice`, createTopics, (version) => ({
      topics: [plain(`ct-twice-v${version}`), plain(`ct-once-v${version}`), plain(`ct-twice-v${version}`)],
      validateOnly,
    }))
    await side.each(`${how}: several`, createTopics, (version) => ({
      topics: [plain(`ct-z-v${version}`), plain('ct-existing'), plain('a/b'), plain(`ct-a-v${version}`)],
      validateOnly,
    }))
    await side.each(`${how}: two that collide`, createTopics, (version) => ({
      topics: [plain(`ct.new-v${version}`), plain(`ct_new-v${version}`)],
      validateOnly,
    }))
  }
  await side.each('no time', createTopics, (version) => ({
    topics: [plain(`ct-notime-v${version}`)],
    timeoutMs: 0,
    validateOnly: true,
  }))
}

export async function deleteTopicsScenario(side: Side): Promise<void> {
  const timeoutMs = 5000
  await side.each('by name', deleteTopics, { topicNames: [], topics: [], timeoutMs })
  for (const version of side.versionsOf(deleteTopics)) {
    const ask = (label: string, topicNames: string[], topics: { name: string | null; topicId: string }[]) =>
      side.ask(label, deleteTopics, version, { topicNames, topics, timeoutMs })
    const named = (name: string) => ({ name, topicId: zeroUuid })
    const both = (label: string, ...names: string[]) => ask(label, names, names.map(named))
    const name = (n: number) => `dt-${n}-v${version}`
    const ids = new Map<number, string>()
    for (const n of [5, 1, 3, 2]) ids.set(n, await side.topic(name(n)))
    await both('one', name(1))
    await side.settle()
    await both('it again', name(1))
    await both('known and unknown', name(5), 'dt-none', name(2))
    await side.settle()
    await both('twice', name(3), name(3))
    await both('unknown twice', 'dt-none', 'dt-none')
    await both('bad names', '', 'a/b', '.')
    if (version >= 6) {
      const id = ids.get(3)!
      await ask('id and name', [], [{ name: name(3), topicId: id }])
      await ask('neither', [], [{ name: null, topicId: zeroUuid }])
      await ask('unknown id', [], [{ name: null, topicId: unknownId }])
      await ask(
        'unknown id twice',
        [],
        [
          { name: null, topicId: unknownId },
          { name: null, topicId: unknownId },
        ],
      )
      await ask('name and id of one', [], [named(name(3)), { name: null, topicId: id }])
      await side.settle()
      await side.topic(name(4))
      await ask('gone id', [], [{ name: null, topicId: ids.get(1)! }])
      const last = await side.topic(name(6))
      await ask(
        'id twice',
        [],
        [
          { name: null, topicId: last },
          { name: null, topicId: last },
        ],
      )
      await ask('by id', [], [{ name: null, topicId: last }])
    }
  }
}

export async function createPartitionsScenario(side: Side): Promise<void> {
  const timeoutMs = 5000
  await side.topic('cp-fixed', 2)
  const cases: [label: string, count: number, brokers: number[][] | null][] = [
    ['negative', -1, null],
    ['none', 0, null],
    ['fewer', 1, null],
    ['equal', 2, null],
    ['equal, assigned nothing', 2, []],
    ['more', 3, null],
    ['more, assigned', 4, [[1], [1]]],
    ['more, assigned nothing', 3, []],
    ['more, assigned too few', 4, [[1]]],
    ['more, assigned too many', 3, [[1], [1]]],
    ['more, assigned to an unknown broker', 3, [[9]]],
    ['more, assigned to nobody', 3, [[]]],
    ['more, assigned twice', 3, [[1, 1]]],
    ['more, assigned to two', 3, [[1, 2]]],
  ]
  for (const [label, count, brokers] of cases) {
    const assignments = brokers?.map((brokerIds) => ({ brokerIds })) ?? null
    await side.each(`would: ${label}`, createPartitions, {
      topics: [{ name: 'cp-fixed', count, assignments }],
      timeoutMs,
      validateOnly: true,
    })
  }
  const one = (name: string, count: number) => ({ name, count, assignments: null })
  const ask = (label: string, ...topics: ReturnType<typeof one>[]) =>
    side.each(label, createPartitions, { topics, timeoutMs, validateOnly: false })
  await ask('nothing')
  await ask('unknown', one('cp-none', 3))
  await ask('bad name', one('a/b', 3))
  await ask('empty name', one('', 3))
  await ask('twice', one('cp-fixed', 4), one('cp-fixed', 5))
  await ask('several', one('cp-none', 4), one('cp-fixed', 1), one('a/b', 5))
  // Kafka 4.3 has no limit here: its controller steps down over it and the broker ends.
  if (side.versions.get(18)![1] >= 5) await ask('far too many', one('cp-fixed', 0x7fff_ffff))
  for (const version of side.versionsOf(createPartitions)) {
    await side.topic(`cp-v${version}`, 1)
    await side.ask('grows', createPartitions, version, {
      topics: [one(`cp-v${version}`, 3)],
      timeoutMs,
      validateOnly: false,
    })
    await side.settle()
    await side.ask('once more', createPartitions, version, {
      topics: [one(`cp-v${version}`, 3)],
      timeoutMs,
      validateOnly: false,
    })
  }
}

export async function deleteRecordsScenario(side: Side): Promise<void> {
  const timeoutMs = 5000
  await side.topic('dr-compact', 1, { 'cleanup.policy': 'compact' })
  await side.topic('dr-both', 1, { 'cleanup.policy': 'compact,delete' })
  for (const version of side.versionsOf(deleteRecords)) {
    const name = `dr-v${version}`
    await side.topic(name, 2)
    for (const topic of [name, 'dr-both', 'dr-compact']) {
      const records = batchOf(['a', 'b', 'c', 'd'].map((value) => ({ key: 'k', value, timestamp: side.base })))
      const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
      await side.ask(`fill ${topic.slice(0, 8)}`, produce, 9, { acks: -1, timeoutMs, topicData })
    }
    const ask = (label: string, topic: string, ...offsets: [index: number, offset: number][]) => {
      const partitions = offsets.map(([partitionIndex, offset]) => ({ partitionIndex, offset }))
      return side.ask(label, deleteRecords, version, { topics: [{ name: topic, partitions }], timeoutMs })
    }
    await side.ask('nothing', deleteRecords, version, { topics: [], timeoutMs })
    await ask('no partitions', name)
    for (const offset of [-3, -2, 0, 1, 1, 0, 5, 4, 2 ** 53]) await ask(`to ${offset}`, name, [0, offset])
    await ask('all', name, [0, -1])
    await ask('all of an empty one', name, [1, -1])
    await ask('beyond an empty one', name, [1, 1])
    await ask('unknown partition among known', name, [7, 0], [1, 0], [0, 0], [-1, 0])
    await ask('one partition twice', name, [0, 0], [0, 1])
    await ask('unknown topic', 'dr-none', [0, 0])
    await ask('bad name', 'a/b', [0, 0])
    await ask('compacted', 'dr-compact', [0, 1])
    await ask('compacted, wrong offset', 'dr-compact', [0, 99])
    await ask('compacted and deleted', 'dr-both', [0, 1])
    const three = ['dr-none', name, 'dr-compact'].map((topic) => ({
      name: topic,
      partitions: [1, 0].map((partitionIndex) => ({ partitionIndex, offset: 0 })),
    }))
    await side.ask('several', deleteRecords, version, { topics: three, timeoutMs })
  }
}
