// The topics that a lab works on, and those that commands go through.

import { errorName } from '../../protocol/errors.ts'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { createTopics } from '../../protocol/messages/19-create-topics.ts'
import type { WireClient } from '../wire-client.ts'

export type Wanted = { name: string; partitions: number; configs: Readonly<Record<string, string>> }

export async function makeTopics(client: WireClient, topics: readonly Wanted[]): Promise<void> {
  for (const { name, partitions: numPartitions, configs: given } of topics) {
    const configs = Object.entries(given).map(([key, value]) => ({ name: key, value }))
    const { topics: made } = await client.ask(createTopics, 5, {
      topics: [{ name, numPartitions, replicationFactor: 1, assignments: [], configs }],
      timeoutMs: 10_000,
      validateOnly: false,
    })
    if (made[0]!.errorCode !== 0) throw new Error(`${name}: ${errorName(made[0]!.errorCode)} ${made[0]!.errorMessage}`)
  }
  await client.ask(metadata, 8, {
    topics: ['__branch_commands', '__branches'].map((name) => ({ name })),
    allowAutoTopicCreation: true,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  })
}
