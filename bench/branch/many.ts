// An environment: a thousand topics of three partitions, each with something in it, forked in one request at one cut.
import { type Bench, inTurn } from '../journey.ts'
import type { RunningPeer } from '../peers.ts'
import { type Forker, forker } from './admin.ts'
import { diskBytes } from './disk.ts'

const partitions = 3
const portion = 200

export async function manyTopics(bench: Bench, peers: readonly RunningPeer[]): Promise<void> {
  const count = bench.count(1000)
  const topics = Array.from({ length: count }, (_, i) => `many-${i}`)
  for (const peer of peers) {
    process.stderr.write(`  making ${count} topics in ${peer.peer.name}\n`)
    await using admin = await forker(peer)
    await admin.create(topics, partitions)
    await fill(admin, topics)
  }
  await inTurn(bench, `fork of ${count} topics`, peers, async (peer, round) => {
    await using admin = await forker(peer)
    const set = `s${round}`
    const branches = topics.map((from) => ({ from, to: `${from}--${set}` }))
    const before = diskBytes(peer.dataFolder)
    const ms = await admin.fork(branches, set)
    const what = `fork of ${count} topics x ${partitions} partitions in one cut`
    bench.table.add(peer.peer, round, 'wire', { name: what, unit: 'ms', aim: { most: 2000 } }, ms)
    const growth = (diskBytes(peer.dataFolder) - before) / 1024 / count
    bench.table.add(peer.peer, round, 'wire', { name: 'disk per topic of it', unit: 'KiB' }, growth)
    await admin.drop(branches.map(({ to }) => to))
  })
}

async function fill(admin: Forker, topics: readonly string[]): Promise<void> {
  const producer = admin.kafka.producer()
  await producer.connect()
  const messages = Array.from({ length: partitions }, (_, partition) => ({ partition, value: 'first' }))
  for (let at = 0; at < topics.length; at += portion) {
    await producer.sendBatch({ topicMessages: topics.slice(at, at + portion).map((topic) => ({ topic, messages })) })
  }
  await producer.disconnect()
}
