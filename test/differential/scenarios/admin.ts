// What admin tools ask of a cluster beside topics and configurations: folders, elections, reassignments, the quorum,
// features, what is listed.

import { alterReplicaLogDirs } from '../../../protocol/messages/34-alter-replica-log-dirs.ts'
import { describeLogDirs } from '../../../protocol/messages/35-describe-log-dirs.ts'
import { electLeaders } from '../../../protocol/messages/43-elect-leaders.ts'
import { alterPartitionReassignments } from '../../../protocol/messages/45-alter-partition-reassignments.ts'
import { listPartitionReassignments } from '../../../protocol/messages/46-list-partition-reassignments.ts'
import { describeQuorum } from '../../../protocol/messages/55-describe-quorum.ts'
import { updateFeatures } from '../../../protocol/messages/57-update-features.ts'
import { unregisterBroker } from '../../../protocol/messages/64-unregister-broker.ts'
import { listConfigResources } from '../../../protocol/messages/74-list-config-resources.ts'
import type { Side } from '../side.ts'

export async function logDirsScenario(side: Side): Promise<void> {
  await side.topic('ld', 2)
  const described = await side.quiet(describeLogDirs, 4, { topics: null })
  const { logDir } = described.results[0]!
  side.remember(logDir, '<folder>')
  const [ld, nope] = [(partitions: number[]) => ({ topic: 'ld', partitions }), { topic: 'ld-none', partitions: [0] }]
  for (const [label, topics] of [
    ['none', []],
    ['one', [ld([0])]],
    ['without partitions', [ld([])]],
    ['an unknown topic', [nope]],
    ['an unknown partition', [ld([0, 7, -1])]],
    ['several', [ld([0, 1]), nope]],
    ['one twice', [ld([0, 0]), ld([1])]],
    ['a bad name', [{ topic: 'a/b', partitions: [0] }]],
  ] as const) {
    await side.each(label, describeLogDirs, {
      topics: topics.map((topic) => ({ ...topic, partitions: [...topic.partitions] })),
    })
  }
  const move = (label: string, path: string, name: string, partitions: number[]) =>
    side.each(label, alterReplicaLogDirs, { dirs: [{ path, topics: [{ name, partitions }] }] })
  await move('to where it is', logDir, 'ld', [0])
  await move('to nowhere', '/no/such/folder', 'ld', [0])
  await move('to a relative path', 'no', 'ld', [0])
  await move('to no path', '', 'ld', [0])
  await move('an unknown topic', logDir, 'ld-none', [0])
  await move('an unknown topic to nowhere', '/no/such/folder', 'ld-none', [0])
  await move('an unknown partition', logDir, 'ld', [7])
  await move('nothing', logDir, 'ld', [])
  await side.each('no folder', alterReplicaLogDirs, { dirs: [] })
  const topics = [{ name: 'ld', partitions: [0] }]
  await side.each('twice', alterReplicaLogDirs, { dirs: ['/a', '/b'].map((path) => ({ path, topics })) })
}

export async function electLeadersScenario(side: Side): Promise<void> {
  await side.topic('el', 2)
  for (const electionType of [0, 1, 2, -1]) {
    for (const [label, topicPartitions] of [
      ['none', []],
      ['one', [{ topic: 'el', partitions: [0] }]],
      [
        'unknown ones',
        [
          { topic: 'el', partitions: [0, 9] },
          { topic: 'el-none', partitions: [0] },
        ],
      ],
      ['without a partition', [{ topic: 'el', partitions: [] as number[] }]],
      ['twice', [{ topic: 'el', partitions: [0, 0] }]],
    ] as const) {
      const asked = topicPartitions.map(({ topic, partitions }) => ({ topic, partitions: [...partitions] }))
      await side.each(`${label}, type ${electionType}`, electLeaders, (version) =>
        version === 0 && electionType !== 0
          ? undefined
          : { topicPartitions: asked, ...(version === 0 ? {} : { electionType }) },
      )
    }
  }
}

export async function reassignmentsScenario(side: Side): Promise<void> {
  await side.topic('re', 2)
  type Move = [partition: number, replicas: number[] | null]
  const move = (label: string, topics: [string, ...Move[]][], allowReplicationFactorChange = true) =>
    side.each(label, alterPartitionReassignments, (version) => ({
      ...(version === 0 ? {} : { allowReplicationFactorChange }),
      topics: topics.map(([name, ...moves]) => ({
        name,
        partitions: moves.map(([partitionIndex, replicas]) => ({ partitionIndex, replicas })),
      })),
    }))
  for (const replicas of [[1], [2], [1, 2], [], [1, 1], [-1], null]) {
    await move(`to ${JSON.stringify(replicas)}`, [['re', [0, replicas]]])
    await move(`to ${JSON.stringify(replicas)}, as many copies`, [['re', [0, replicas]]], false)
  }
  await move('an unknown topic', [['re-none', [0, [1]]]])
  await move('an unknown topic back', [['re-none', [0, null]]])
  await move('an unknown partition', [['re', [9, [1]]]])
  await move('a negative partition', [['re', [-1, [1]]]])
  await move('nothing', [])
  await move('without a partition', [['re']])
  await move('one partition twice', [['re', [0, [1]], [0, [2]]]])
  await move('one topic twice', [
    ['re', [0, [1]]],
    ['re', [0, [2]]],
  ])
  for (const [label, topics] of [
    ['all', null],
    ['none', []],
    ['one', [{ name: 're', partitionIndexes: [0] }]],
    ['an unknown topic', [{ name: 're-none', partitionIndexes: [0] }]],
    ['an unknown partition', [{ name: 're', partitionIndexes: [9] }]],
  ] as const) {
    const asked = topics?.map((topic) => ({ ...topic, partitionIndexes: [...topic.partitionIndexes] })) ?? null
    await side.each(label, listPartitionReassignments, { topics: asked })
  }
}

export async function quorumScenario(side: Side): Promise<void> {
  await side.topic('qu', 1)
  const metadata = '__cluster_metadata'
  const of = (topicName: string, ...indexes: number[]) => ({
    topicName,
    partitions: indexes.map((partitionIndex) => ({ partitionIndex })),
  })
  await side.each('the quorum', describeQuorum, { topics: [of(metadata, 0)] })
  await side.each('nothing', describeQuorum, { topics: [] })
  await side.each('another partition', describeQuorum, { topics: [of(metadata, 1)] })
  await side.each('without a partition', describeQuorum, { topics: [of(metadata)] })
  await side.each('another topic', describeQuorum, { topics: [of('qu', 0)] })
  await side.each('another topic too', describeQuorum, { topics: [of('qu', 0), of(metadata, 0)] })
  await side.each('twice', describeQuorum, { topics: [of(metadata, 0, 0)] })
  for (const brokerId of [-1, 0, 2, 2_147_483_647])
    await side.each(`forget ${brokerId}`, unregisterBroker, { brokerId })
}

export async function featuresScenario(side: Side): Promise<void> {
  type Update = [feature: string, level: number, upgradeType?: number]
  const update = (updates: Update[], validateOnly = true) =>
    side.each(`${JSON.stringify(updates)} ${validateOnly}`, updateFeatures, (version) => ({
      featureUpdates: updates.map(([feature, maxVersionLevel, upgradeType = 1]) => ({
        feature,
        maxVersionLevel,
        ...(version === 0 ? { allowDowngrade: upgradeType > 1 } : { upgradeType }),
      })),
      ...(version === 0 ? {} : { validateOnly }),
    }))
  await update([])
  const elr = 'eligible.leader.replicas.version'
  for (const [name, newest] of [
    ['metadata.version', 33],
    ['kraft.version', 1],
    [elr, 1],
    ['no.such', 0],
  ] as const) {
    for (const level of [-1, 0, newest - 1, newest, newest + 1]) {
      for (const type of [0, 1, 2, 3, 4]) await update([[name, level, type]])
    }
  }
  await update([
    [elr, 0, 2],
    ['no.such', 1],
  ])
  await update([
    ['no.such', 1],
    [elr, 0, 2],
  ])
  await update([
    [elr, 0, 2],
    [elr, 1],
  ])
}

export async function configResourcesScenario(side: Side): Promise<void> {
  await side.topic('lc', 1)
  for (const resourceTypes of [[8], [4], [8, 4], [4, 4], [0], [1], [3], [64], [-1], [4, 99]]) {
    await side.each(`types ${resourceTypes}`, listConfigResources, (version) =>
      version === 0 ? {} : { resourceTypes },
    )
  }
}
