// Forks as anybody makes them: CreateTopics with `branch.from`, sent by KafkaJS, timed from the call to its answer.
import { Kafka, logLevel } from 'kafkajs'
import type { RunningPeer } from '../peers.ts'

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
  return {
    kafka,
    async fork(forks, set) {
      const topics = forks.map(({ from, to }) => ({
        topic: to,
        numPartitions: -1,
        configEntries: [
          { name: 'branch.from', value: from },
          ...(set === undefined ? [] : [{ name: 'branch.set', value: set }]),
        ],
      }))
      const askedAt = performance.now()
      await admin.createTopics({ topics, waitForLeaders: false, timeout: 120_000 })
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
    [Symbol.asyncDispose]: () => admin.disconnect(),
  }
}

/** The value that a share of them does not exceed. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = Float64Array.from(samples).sort()
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0
}
