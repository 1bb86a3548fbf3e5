// A fork costs what its files cost to link, not what lies in them: the same forks of a topic of 0.1, 1 and 10 GB.
import { run } from '../clients.ts'
import { type Bench, inTurn, newTopic, settle } from '../journey.ts'
import type { RunningPeer } from '../peers.ts'
import { forker, percentile } from './admin.ts'
import { diskBytes } from './disk.ts'

const valueBytes = 1024
const sizes = [0.1, 1, 10] as const
const forkCount = 100

export async function forkBySize(bench: Bench, peers: readonly RunningPeer[]): Promise<void> {
  const filler = bench.clients.raw ?? bench.clients.application
  const topics = new Map<RunningPeer, string>()
  for (const peer of peers) topics.set(peer, await newTopic(peer, 1))
  let written = 0
  for (const size of sizes) {
    const messages = bench.count((size * 1e9) / valueBytes)
    for (const peer of peers) {
      const topic = topics.get(peer)!
      process.stderr.write(`  filling ${peer.peer.name} up to ${size} GB\n`)
      await run(filler, 'produce', { topic, messages: messages - written, bytes: valueBytes, acks: 1 }, peer)
    }
    written = messages
    await settle()
    await inTurn(bench, `fork of ${size} GB`, peers, (peer, round) =>
      forksOf(bench, peer, round, topics.get(peer)!, size),
    )
  }
}

async function forksOf(bench: Bench, peer: RunningPeer, round: number, from: string, size: number): Promise<void> {
  await using admin = await forker(peer)
  const add = (name: string, unit: string, value: number, most?: number) => {
    const figure = { name: `${name} ${size} GB`, unit, ...(most === undefined ? {} : { aim: { most } }) }
    bench.table.add(peer.peer, round, 'wire', figure, value)
  }
  const warm = Array.from({ length: 10 }, (_, i) => `${from}--warm-${i}`)
  for (const to of warm) await admin.fork([{ from, to }])
  const branches = Array.from({ length: forkCount }, (_, i) => `${from}--${round}-${i}`)
  const before = diskBytes(peer.dataFolder)
  const times: number[] = []
  for (const to of branches) times.push(await admin.fork([{ from, to }]))
  add('disk per fork of', 'KiB', (diskBytes(peer.dataFolder) - before) / 1024 / forkCount, 1024)
  add('fork p50 of', 'ms', percentile(times, 0.5))
  add('fork p99 of', 'ms', percentile(times, 0.99), 20)
  add('fork, the slowest, of', 'ms', Math.max(...times))
  await admin.drop([...warm, ...branches])
}
