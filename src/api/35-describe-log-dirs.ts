// DescribeLogDirs: the one folder with everything in it, how large each partition is, and how much room is left (KIP-827).

import { errors, StorageError } from '../../protocol/errors.ts'
import { describeLogDirs } from '../../protocol/messages/35-describe-log-dirs.ts'
import type { Partition } from '../broker/partition.ts'
import type { Topic } from '../broker/topic.ts'
import { type Context, serve } from './api.ts'

type Asked = { topic: string; partitions: number[] }

/** All topics, or the partitions that are asked for and that are there, each once. */
function wanted(asked: readonly Asked[] | null, { broker }: Context): [Topic, Partition[]][] {
  if (asked === null) return broker.topics().map((topic) => [topic, topic.partitions])
  const found = new Map<Topic, Set<Partition>>()
  for (const { topic: name, partitions } of asked) {
    const topic = broker.topic(name)
    if (topic === undefined) continue
    const there = partitions.flatMap((index) => topic.partitions[index] ?? [])
    found.set(topic, new Set([...(found.get(topic) ?? []), ...there]))
  }
  return [...found].map(([topic, partitions]) => [topic, [...partitions]])
}

const describe = (partition: Partition) => {
  try {
    return [{ partitionIndex: partition.index, partitionSize: partition.byteCount, offsetLag: 0, isFutureKey: false }]
  } catch {
    return [] // Offline: Kafka lists nothing that it could not open either.
  }
}

export const describeLogDirsApi = serve(describeLogDirs, [1, 5], (request, context) => {
  const topics = wanted(request.topics, context)
    .map(([{ name }, partitions]) => {
      const ours = partitions.filter(({ leadership }) => leadership.replicas.includes(context.node))
      return { name, partitions: ours.flatMap(describe) }
    })
    .filter(({ partitions }) => partitions.length > 0)
  try {
    const { path, totalBytes = -1, usableBytes = -1 } = context.broker.store.volume()
    return { errorCode: 0, results: [{ errorCode: 0, logDir: path, topics, totalBytes, usableBytes }] }
  } catch (cause) {
    if (!(cause instanceof StorageError)) throw cause
    return { errorCode: errors.KAFKA_STORAGE_ERROR.code, results: [] }
  }
})
