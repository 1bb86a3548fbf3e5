// What happens to a view when something happens to its source: other leaders, other records behind the name, damage.

import { expect, test } from 'vitest'
import { errors } from '../../protocol/errors.ts'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { WireClient } from '../wire-client.ts'
import { type Read, Stage, view } from './stage.ts'

const text = (of: unknown) => (of === null || of === undefined ? null : String(of))
const shown = (records: readonly Read[]) =>
  records.map(({ partition, offset, value }) => [partition, Number(offset), text(value)])

test('partitions of a view are led by who leads those of its source', async () => {
  await using stage = await Stage.open({ brokers: 3 })
  await stage.create('docs', 3)
  for (const partition of [0, 1, 2]) await stage.send('docs', [{ key: 'k', value: `of ${partition}` }], partition)
  await view(stage, 'docs', 'state', 'docs-state')
  expect(shown(await stage.read('docs-state', 3))).toEqual([
    [0, 0, 'of 0'],
    [1, 0, 'of 1'],
    [2, 0, 'of 2'],
  ])
  const wire = await WireClient.open(stage.broker.bootstrapServers)
  const { topics } = await wire.ask(metadata, 9, {
    topics: [{ name: 'docs' }, { name: 'docs-state' }],
    allowAutoTopicCreation: false,
  })
  const leaders = topics.map(({ partitions }) =>
    partitions.map(({ partitionIndex, leaderId, leaderEpoch }) => [partitionIndex, leaderId, leaderEpoch]).sort(),
  )
  expect(leaders[1]).toEqual(leaders[0])
  wire.close()
})

test('a view of a branch that is reset shows the branch as it is then, at epochs that only rise', async () => {
  await using stage = await Stage.open()
  await stage.create('docs')
  await stage.send('docs', [{ key: 'k', value: 'common' }])
  await stage.fork('docs', 'docs--try')
  await view(stage, 'docs--try', 'history', 'docs--try-history')
  await stage.send('docs--try', [{ key: 'k', value: 'child' }])
  expect(shown(await stage.read('docs--try-history', 2))).toEqual([
    [0, 0, 'common'],
    [0, 1, 'child'],
  ])
  await stage.send('docs', [{ key: 'k', value: 'parent' }])
  const { status } = await stage.run({ op: 'reset', id: 'again', branch: 'docs--try', at: 'latest' })
  expect(status).toBe('done')
  expect(shown(await stage.read('docs--try-history', 2))).toEqual([
    [0, 0, 'common'],
    [0, 1, 'parent'],
  ])
})

test('a view that waits is told when its source is deleted', async () => {
  await using stage = await Stage.open()
  await stage.create('docs')
  await view(stage, 'docs', 'history', 'docs-history')
  const wire = await WireClient.open(stage.broker.bootstrapServers)
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20, currentLeaderEpoch: -1 }]
  const topics = [{ topic: 'docs-history', partitions }]
  const asked = { replicaId: -1, maxWaitMs: 60_000, minBytes: 1, maxBytes: 1 << 20, isolationLevel: 0, topics }
  const answer = wire.ask(fetch, 11, asked)
  await stage.admin.deleteTopics({ topics: ['docs'] })
  const { errorCode } = (await answer).responses[0]!.partitions[0]!
  expect(errorCode).toBe(errors.UNKNOWN_TOPIC_OR_PARTITION.code)
  wire.close()
})
