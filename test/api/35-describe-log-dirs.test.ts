// DescribeLogDirs and AlterReplicaLogDirs: one folder, its partitions with their sizes. The answers are those of Kafka 4.4.0.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { produce } from '../../protocol/messages/00-produce.ts'
import { alterReplicaLogDirs } from '../../protocol/messages/34-alter-replica-log-dirs.ts'
import { describeLogDirs } from '../../protocol/messages/35-describe-log-dirs.ts'
import { Broker } from '../../src/embedded.ts'
import { batchOf, WireClient } from '../wire-client.ts'
import { errorOf, Line } from './line.ts'

async function sizes(line: Line, topics: { topic: string; partitions: number[] }[] | null) {
  const { results } = await line.ask(describeLogDirs, 4, { topics })
  return results[0]!.topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, partitionSize }) => `${name}-${partitionIndex}: ${partitionSize}`),
  )
}

test('a partition is as large as the batches in it', async () => {
  await using line = await Line.open([{ name: 'a', partitions: 2 }, 'b'])
  const bytes = batchOf(['one', 'two'])
  await line.send('a', bytes, { index: 1 })
  expect(await sizes(line, null)).toEqual(['a-0: 0', `a-1: ${bytes.length}`, 'b-0: 0'])
  expect(await sizes(line, [])).toEqual([])
  expect(await sizes(line, [{ topic: 'a', partitions: [1, 7, 1] }])).toEqual([`a-1: ${bytes.length}`])
  expect(await sizes(line, [{ topic: 'a', partitions: [] }])).toEqual([])
  expect(await sizes(line, [{ topic: 'no', partitions: [0] }])).toEqual([])
  expect(
    await sizes(
      line,
      [0, 1].map((index) => ({ topic: 'a', partitions: [index] })),
    ),
  ).toHaveLength(2)
})

test('on a disk the folder and the room that is left are told, after a restart too', async () => {
  const data = mkdtempSync(join(tmpdir(), 'log-dirs-'))
  try {
    const bytes = batchOf(['one'])
    for (const start of [1, 2]) {
      await using broker = await Broker.start({ data, topics: ['a'] })
      const client = await WireClient.open(broker.bootstrapServers)
      const topicData = [{ name: 'a', partitionData: [{ index: 0, records: bytes }] }]
      await client.ask(produce, 9, { acks: -1, timeoutMs: 1000, topicData })
      const { results } = await client.ask(describeLogDirs, 5, { topics: null })
      const [{ logDir, totalBytes, usableBytes, topics }] = results as [(typeof results)[0]]
      expect([logDir, topics[0]!.partitions[0]!.partitionSize]).toEqual([data, start * bytes.length])
      expect(totalBytes).toBeGreaterThan(usableBytes)
      expect(usableBytes).toBeGreaterThan(0)
      client.close()
    }
  } finally {
    rmSync(data, { recursive: true })
  }
})

test('a partition is where it is: to move it there is fine, and nowhere else is a place', async () => {
  await using line = await Line.open(['a'])
  const { results } = await line.ask(describeLogDirs, 4, { topics: null })
  const { logDir } = results[0]!
  const move = async (path: string, name: string, index: number) => {
    const dirs = [{ path, topics: [{ name, partitions: [index] }] }]
    const answer = await line.ask(alterReplicaLogDirs, 2, { dirs })
    return errorOf(answer.results[0]!.partitions[0]!)
  }
  expect(await move(logDir, 'a', 0)).toBe('NONE')
  expect(await move(logDir, 'a', 1)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  expect(await move(logDir, 'no', 0)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  for (const path of ['/no/such/folder', 'relative', '']) expect(await move(path, 'no', 0)).toBe('LOG_DIR_NOT_FOUND')
})
