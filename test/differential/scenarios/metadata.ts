// Metadata and DescribeTopicPartitions: topics by name, by id, all of them, none of them, and such as cannot be.

import { metadata } from '../../../protocol/messages/03-metadata.ts'
import { createTopics } from '../../../protocol/messages/19-create-topics.ts'
import { describeTopicPartitions } from '../../../protocol/messages/75-describe-topic-partitions.ts'
import { zeroUuid } from '../../../protocol/schema.ts'
import type { Side } from '../side.ts'

const unknownId = 'abcdefghijklmnopqrstuQ'
const badNames = ['', '.', '..', 'a/b', 'a b', 'ü', 'x\u0000y', 'x'.repeat(249), 'x'.repeat(250)]

export async function metadataScenario(side: Side): Promise<void> {
  const id = await side.topic('md-b', 3)
  const other = await side.topic('md-a')
  const quiet = { allowAutoTopicCreation: false }
  await side.each('all topics (null)', metadata, (version) => (version === 0 ? undefined : { topics: null, ...quiet }))
  await side.each('an empty list', metadata, { topics: [], ...quiet })
  await side.each('two in the order of the request', metadata, {
    topics: [{ name: 'md-b' }, { name: 'md-a' }],
    ...quiet,
  })
  await side.each('one twice', metadata, { topics: [{ name: 'md-b' }, { name: 'md-b' }], ...quiet })
  await side.each('unknown, between known ones', metadata, (version) =>
    version < 4 ? undefined : { topics: [{ name: 'md-b' }, { name: 'md-none' }, { name: 'md-a' }], ...quiet },
  )
  for (const name of badNames) {
    await side.each(`name «${name.slice(0, 5)}» of ${name.length}, not to be made`, metadata, (version) =>
      version < 4 ? undefined : { topics: [{ name }], ...quiet },
    )
    if (name.length !== 249) {
      await side.each(`name «${name.slice(0, 5)}» of ${name.length}, to be made`, metadata, { topics: [{ name }] })
    }
  }
  await side.each('good and bad names to be made', metadata, (version) => ({
    topics: [{ name: `md-v${version}-2` }, { name: 'a/b' }, { name: `md-v${version}-1` }, { name: 'md-a' }],
  }))
  await side.settle()
  await side.each('again', metadata, (version) => ({ topics: [{ name: `md-v${version}-2` }] }))
  await side.each('to be made, twice in one request', metadata, (version) => ({
    topics: [{ name: `md-twice-${version}` }, { name: `md-twice-${version}` }],
  }))
  await side.topic('md.collides')
  await side.each('a name that collides', metadata, { topics: [{ name: 'md_collides' }] })
  await side.each('its own topic to be made', metadata, { topics: [{ name: '__transaction_state_not' }] })
  await side.each('by id', metadata, (version) =>
    version < 10 ? undefined : { topics: [{ name: null, topicId: id }], ...quiet },
  )
  await side.each('by id and name', metadata, { topics: [{ name: 'md-b', topicId: id }], ...quiet })
  await side.each('by id and another name', metadata, { topics: [{ name: 'md-a', topicId: id }], ...quiet })
  for (const which of [unknownId, zeroUuid]) {
    await side.each(`by id ${which}`, metadata, (version) =>
      version < 10 ? undefined : { topics: [{ name: null, topicId: which }], ...quiet },
    )
    await side.each(`by id ${which} and name`, metadata, (version) =>
      version < 10 ? undefined : { topics: [{ name: 'md-a', topicId: which }], ...quiet },
    )
  }
  await side.each('names and ids in one request', metadata, (version) =>
    version < 12
      ? undefined
      : {
          topics: [
            { name: 'md-b' },
            { name: null, topicId: other },
            { name: null, topicId: unknownId },
            { name: 'no' },
          ],
          ...quiet,
        },
  )
  await side.each('known ids in the other order', metadata, (version) =>
    version < 12 ? undefined : { topics: [id, other].map((topicId) => ({ name: null, topicId })), ...quiet },
  )
  for (const includeClusterAuthorizedOperations of [false, true]) {
    await side.each(`operations, cluster ${includeClusterAuthorizedOperations}`, metadata, (version) =>
      version < 8
        ? undefined
        : {
            topics: [{ name: 'md-b' }, { name: 'md-nobody' }, { name: 'a/b' }],
            ...quiet,
            includeClusterAuthorizedOperations,
            includeTopicAuthorizedOperations: true,
          },
    )
  }
}

export async function describeTopicPartitionsScenario(side: Side): Promise<void> {
  for (const [name, count] of [
    ['tp-c', 2],
    ['tp-a', 4],
    ['tp-b', 3],
  ] as const)
    await side.topic(name, count)
  const list = (...names: string[]) => names.map((name) => ({ name }))
  const three = list('tp-c', 'tp-a', 'tp-b')
  const ask = (label: string, topics: { name: string }[], responsePartitionLimit = 2000, cursor: Cursor = null) =>
    side.each(label, describeTopicPartitions, { topics, responsePartitionLimit, cursor })
  await ask('three', three)
  await ask('one twice', list('tp-c', 'tp-c'))
  await ask('unknown', list('tp-c', 'tp-none', 'tp-a'))
  for (const name of badNames) await ask(`name of ${name.length}`, list(name))
  for (const limit of [-1, 0, 1, 2, 3, 4, 5, 8, 9, 10, 100_000]) await ask(`limit ${limit}`, three, limit)
  for (const limit of [1, 4, 100]) {
    for (const partitionIndex of [-2, -1, 0, 1, 2, 3, 4, 100]) {
      await ask(`limit ${limit}, cursor tp-a ${partitionIndex}`, three, limit, { topicName: 'tp-a', partitionIndex })
    }
    await ask(`limit ${limit}, cursor tp-b 2`, three, limit, { topicName: 'tp-b', partitionIndex: 2 })
    await ask(`limit ${limit}, cursor not in the list`, list('tp-a', 'tp-c'), limit, {
      topicName: 'tp-b',
      partitionIndex: 1,
    })
    await ask(`limit ${limit}, cursor unknown`, three, limit, { topicName: 'tp-aa', partitionIndex: 1 })
    await ask(`limit ${limit}, cursor behind all`, three, limit, { topicName: 'tp-d', partitionIndex: 0 })
    await ask(`limit ${limit}, cursor empty`, three, limit, { topicName: '', partitionIndex: 0 })
    await ask(`limit ${limit}, unknown among them`, list('tp-none', 'tp-a', 'tp-bb'), limit)
  }
  await ask('all, from here on', [], 9, { topicName: 'tp-a', partitionIndex: 1 })
  const wanted = { name: 'tp-z', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
  await side.ask('and one more', createTopics, 7, { topics: [wanted], validateOnly: true })
}

type Cursor = { topicName: string; partitionIndex: number } | null
