// A branch of a branch of a branch: what its fork costs, and how fast it is read beside the topic it all began with. Every
// branch gets some records of its own, so that the deepest has as many files as it is deep.
import { run } from '../clients.ts'
import { type Bench, inTurn, newTopic, settle } from '../journey.ts'
import type { RunningPeer } from '../peers.ts'
import { forker, percentile } from './admin.ts'

const depths = [1, 20, 64] as const
const deepest = Math.max(...depths)
const forkCount = 30
const valueBytes = 1024
const ownMessages = 100

const named = (root: string, depth: number) => (depth === 0 ? root : `${root}--at-${depth}`)

export async function byDepth(bench: Bench, peers: readonly RunningPeer[]): Promise<void> {
  const { raw, application } = bench.clients
  const reader = raw ?? application
  const mode = raw ? 'fetch' : 'consume'
  const messages = bench.count(200_000)
  const roots = new Map<RunningPeer, string>()
  for (const peer of peers) {
    process.stderr.write(`  growing branches ${deepest} deep in ${peer.peer.name}\n`)
    await using admin = await forker(peer)
    const producer = admin.kafka.producer()
    await producer.connect()
    const root = await newTopic(peer, 1)
    roots.set(peer, root)
    await run(reader, 'produce', { topic: root, messages, bytes: valueBytes, acks: 1 }, peer)
    for (let depth = 1; depth <= deepest; depth++) {
      const topic = named(root, depth)
      await admin.fork([{ from: named(root, depth - 1), to: topic }])
      const own = Array.from({ length: ownMessages }, () => ({ value: Buffer.alloc(valueBytes, 'own') }))
      await producer.send({ topic, messages: own })
    }
    await producer.disconnect()
  }
  await settle()
  for (const depth of depths) {
    await inTurn(bench, `fork at depth ${depth}`, peers, async (peer, round) => {
      await using admin = await forker(peer)
      const from = named(roots.get(peer)!, depth - 1)
      const branches = Array.from({ length: forkCount }, (_, i) => `${from}--side-${round}-${i}`)
      const times: number[] = []
      for (const to of branches) times.push(await admin.fork([{ from, to }]))
      await admin.drop(branches)
      const add = (name: string, share: number, most?: number) => {
        const figure = {
          name: `${name} at depth ${depth}`,
          unit: 'ms',
          ...(most === undefined ? {} : { aim: { most } }),
        }
        bench.table.add(peer.peer, round, 'wire', figure, percentile(times, share))
      }
      add('fork p50', 0.5)
      add('fork p99', 0.99, 20)
    })
    await inTurn(bench, `fetch at depth ${depth}`, peers, async (peer, round) => {
      const root = roots.get(peer)!
      const read = (topic: string) => run(reader, mode, { topic, messages, repeat: 10 }, peer)
      const [branch, parent] = [named(root, depth), root]
      // Who is read first is up to 1.4 times as fast: each is first and last once, and what counts is the sum of its times.
      const order = round % 2 === 0 ? [branch, parent, parent, branch] : [parent, branch, branch, parent]
      const rates = new Map<string, number>()
      for (const topic of order) {
        await read(topic) // untimed
        const outcome = await read(topic)
        const before = rates.get(topic)
        rates.set(topic, before === undefined ? outcome.rate : 2 / (1 / before + 1 / outcome.rate))
        const what =
          topic === branch ? `fetch from a branch at depth ${depth}` : `fetch from its root, beside depth ${depth}`
        bench.table.add(peer.peer, round, reader.name, { name: what, unit: 'msg/s' }, outcome.rate, outcome.usage)
      }
      const figure = { name: `fetch rate at depth ${depth} against its root`, unit: 'times', aim: { least: 0.95 } }
      bench.table.add(peer.peer, round, reader.name, figure, rates.get(branch)! / rates.get(parent)!)
    })
  }
}
