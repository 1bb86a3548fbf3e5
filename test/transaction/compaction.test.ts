// The log of groups is compacted while transactions come and go; a restart reads from what is left
// the offsets and producers that were there before.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { offsetFetch } from '../../protocol/messages/09-offset-fetch.ts'
import { describeLogDirs } from '../../protocol/messages/35-describe-log-dirs.ts'
import { describeTransactions } from '../../protocol/messages/65-describe-transactions.ts'
import { Broker } from '../../src/index.ts'
import { WireClient } from '../wire-client.ts'
import { ask, WireProducer } from './wire-producer.ts'

const config = {
  'offsets.topic.num.partitions': 1,
  'offsets.topic.segment.bytes': 1024 * 1024,
  'transaction.state.log.num.partitions': 1,
  'log.cleaner.backoff.ms': 10,
  'log.cleaner.min.cleanable.ratio': 0.1,
  'log.cleaner.delete.retention.ms': 0,
}
const long = 'x'.repeat(4000)
const groups = ['once', 'often', 'aborted', 'open']

async function told(bootstrap: string) {
  const client = await WireClient.open(bootstrap)
  const wanted = groups.map((groupId) => ({ groupId, topics: [{ name: 't', partitionIndexes: [0] }] }))
  const offsets = await ask(client, offsetFetch, 8, { groups: wanted, requireStable: true })
  const { transactionStates } = await ask(client, describeTransactions, 0, { transactionalIds: ['a', 'b'] })
  client.close()
  return {
    offsets: offsets.groups.map(({ groupId, topics }) => [
      groupId,
      topics[0]!.partitions[0]!.errorCode || topics[0]!.partitions[0]!.committedOffset,
    ]),
    transactions: transactionStates,
  }
}

/** Bytes of the log of groups. */
async function size(bootstrap: string): Promise<number> {
  const client = await WireClient.open(bootstrap)
  const topics = [{ topic: '__consumer_offsets', partitions: [0] }]
  const { results } = await ask(client, describeLogDirs, 1, { topics })
  client.close()
  return results[0]!.topics[0]!.partitions[0]!.partitionSize
}

test('offsets of transactions and the ids of their producers outlive compaction and a restart', async () => {
  const data = mkdtempSync(join(tmpdir(), 'twiglog-compaction-'))
  try {
    const first = await Broker.start({ data, topics: ['t'], config })
    const [a, b] = [
      await WireProducer.open(first.bootstrapServers, 'a'),
      await WireProducer.open(first.bootstrapServers, 'b'),
    ]
    await a.sendOffset('once', 't', 7)
    await a.sendOffset('aborted', 't', 3)
    await a.end('commit')
    for (let i = 0; i < 900; i++) {
      await a.sendOffset('often', 't', i, long)
      if (i % 4 === 3) await a.sendOffset('aborted', 't', 1000 + i, long)
      await a.end(i % 4 === 3 ? 'abort' : 'commit')
    }
    await b.sendOffset('open', 't', 5)
    for (let i = 0; i < 300; i++) {
      await a.sendOffset('often', 't', 5000 + i, long)
      await a.end('commit')
    }
    const before = await told(first.bootstrapServers)
    expect(before.offsets).toEqual([
      ['once', 7],
      ['often', 5299],
      ['aborted', 3],
      ['open', 88],
    ])
    // What was written is five times as much, and the active segment is never touched.
    while ((await size(first.bootstrapServers)) > 2.5 * 1024 * 1024) await pause(20)
    await first.stop()
    const second = await Broker.start({ data, config })
    expect(await told(second.bootstrapServers)).toEqual(before)
    a.close()
    b.close()
    const again = await WireProducer.open(second.bootstrapServers, 'b')
    expect((await told(second.bootstrapServers)).offsets[3]).toEqual(['open', -1])
    again.close()
    await second.stop()
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
})
