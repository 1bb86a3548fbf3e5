// Forks as anybody makes them: CreateTopics with `branch.from`, timed from the request to its answer. The request is sent without a
// library, for KafkaJS asks for the metadata of all topics before each: with a thousand branches that is more than the fork.
import { Kafka, logLevel } from 'kafkajs'
import type { RunningPeer } from '../peers.ts'
import { Connection, createTopics } from '../wire.ts'

export interface Fork {
  readonly from: string
  readonly to: string
}

export interface Forker extends AsyncDisposable {
  readonly kafka: Kafka
  /** All in one request, hence one cut where they share a set. Gives the ms until the answer. */
  fork(forks: readonly Fork[], set?: string): Promise<number>
  create(topics: readonly string[], partitions: number): Promise<void>
  drop(topics: readonly string[]): Promise<void>
}

const portion = 500

export async function forker({ port }: RunningPeer): Promise<Forker> {
  const kafka = new Kafka({
    brokers: [`127.0.0.1:${port}`],
    logLevel: logLevel.ERROR,
    requestTimeout: 120_000,
    retry: { retries: 0 }, // a fork that had to be sent twice is no measurement
  })
  const admin = kafka.admin()
  await admin.connect()
  const connection = new Connection(port)
  return {
    kafka,
    async fork(forks, set) {
      const topics = forks.map(({ from, to }) => ({
        name: to,
        partitionCount: -1,
        configs: { 'branch.from': from, ...(set === undefined ? {} : { 'branch.set': set }) },
      }))
      const askedAt = performance.now()
      await createTopics(connection, topics)
      return performance.now() - askedAt
    },
    async create(topics, numPartitions) {
      for (let at = 0; at < topics.length; at += portion) {
        const some = topics.slice(at, at + portion).map((topic) => ({ topic, numPartitions }))
        await admin.createTopics({ topics: some, waitForLeaders: false })
      }
    },
    async drop(topics) {
      for (let at = 0; at < topics.length; at += portion) {
        await admin.deleteTopics({ topics: topics.slice(at, at + portion), timeout: 120_000 })
      }
    },
    async [Symbol.asyncDispose]() {
      connection.close()
      await admin.disconnect()
    },
  }
}

/** The value that a share of them does not exceed. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = Float64Array.from(samples).sort()
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0
}
