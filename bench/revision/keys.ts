// A topic of 1,000,000 keys: how long a question about one of them takes, and when it can be asked after a start. The hot end, where
// consumers are, must not wait for that.
import { setTimeout as sleep } from 'node:timers/promises'
import { readPartition } from '../../src/cli/client/reading.ts'
import { RevisionClient } from '../../src/cli/rev/revision-client.ts'
import { percentile } from '../branch/admin.ts'
import { writeKeys } from '../branch/keys.ts'
import { type Bench, settle } from '../journey.ts'
import { type RunningPeer, startAgain } from '../peers.ts'
import { segmentsIn } from './segments.ts'
import { clientOf, createTopic, kafkaOf, packed, packedAtOnce } from './topics.ts'

const keyCount = 1_000_000
const topic = 'keys'
const questions = 50

export async function manyKeys(bench: Bench, peers: readonly RunningPeer[]): Promise<void> {
  for (const peer of peers) {
    const count = bench.count(keyCount)
    process.stderr.write(`  writing ${count} keys\n`)
    const kafka = kafkaOf(peer)
    await createTopic(kafka, topic, packedAtOnce)
    const value = `{"status":"open","text":"${'the same in all of them '.repeat(3)}"}`
    await writeKeys(kafka.producer(), topic, { count, partitions: 1, value })
    const wire = clientOf(peer)
    const { id } = await wire.topic(topic)
    await wire.close()
    await packed(() => segmentsIn(peer.dataFolder, id).waiting, performance.now())
    await settle()
    for (let round = 1; round <= bench.rounds; round++) await askAll(bench, peer, round, count)
    for (let round = 1; round <= bench.rounds; round++) await restarted(bench, peer, round, count)
  }
}

const keyAt = (n: number, count: number) => Buffer.from(`k${(n * 7_919) % count}`)

async function askAll(bench: Bench, peer: RunningPeer, round: number, count: number): Promise<void> {
  const wire = clientOf(peer)
  const revisions = new RevisionClient(wire)
  const ms: number[] = []
  for (let i = 0; i < questions; i++) {
    const key = keyAt(round * questions + i, count)
    const askedAt = performance.now()
    const found = await revisions.revisions(topic, key)
    ms.push(performance.now() - askedAt)
    if (found.length !== 1) throw new Error(`${key} has ${found.length} revisions`)
  }
  await wire.close()
  const add = (name: string, value: number, aim?: { most: number }) =>
    bench.table.add(peer.peer, round, 'wire', { name, unit: 'ms', ...(aim === undefined ? {} : { aim }) }, value)
  add('a view of one key made, read and dropped, p50', percentile(ms, 0.5), { most: 50 })
  add('a view of one key made, read and dropped, p99', percentile(ms, 0.99))
}

async function restarted(bench: Bench, peer: RunningPeer, round: number, count: number): Promise<void> {
  const again = await startAgain(peer)
  try {
    const wire = clientOf(again)
    const startedAt = performance.now()
    const seen = await wire.topic(topic)
    const { end } = (await wire.bounds(seen)).get(0)!
    for await (const { offset } of readPartition(wire, seen, 0, { from: end - 1, until: end })) {
      if (offset !== end - 1) throw new Error(`offset ${offset} instead of the newest`)
    }
    const hotMs = performance.now() - startedAt
    const found = await new RevisionClient(wire).revisions(topic, keyAt(round, count))
    if (found.length !== 1) throw new Error('the key is not there after the start')
    const indexMs = performance.now() - startedAt
    await wire.close()
    const add = (name: string, unit: string, value: number, most: number) =>
      bench.table.add(peer.peer, round, 'wire', { name, unit, aim: { most } }, value)
    add('start until Metadata is answered', 'ms', again.readyMs, 3_000)
    add('newest record read after it', 'ms', hotMs, 100)
    add('index ready after it', 'ms', indexMs, 3_000)
  } finally {
    await again.stop()
    await sleep(200)
  }
}
