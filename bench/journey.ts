// What all journeys share: peers started side by side, warmed up, and measured in turn (A B A B), so that a slow
// minute of the machine falls on both.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Client, type ClientArgs, type Clients, type Outcome, run } from './clients.ts'
import type { Bound, Figure, Line, Table } from './compare.ts'
import { type Peer, type RunningPeer, start } from './peers.ts'
import { createTopic, deleteTopic } from './wire.ts'

export interface Bench {
  readonly peers: readonly Peer[]
  readonly clients: Clients
  readonly table: Table
  readonly rounds: number
  /** A count shrunk by --scale. */
  count(full: number): number
  /** A line that is no figure, such as a measurement that failed. */
  print(line: Line): void
}

export interface Journey {
  readonly name: string
  readonly summary: string
  run(bench: Bench): Promise<void>
}

export const megabyte = 1_000_000
const progress = (text: string) => process.stderr.write(`${text}\n`)

/** Runs `body` with all peers started on empty folders, and stops them afterwards whatever happens. */
export async function withPeers(bench: Bench, body: (peers: readonly RunningPeer[]) => Promise<void>): Promise<void> {
  const running: RunningPeer[] = []
  try {
    for (const peer of bench.peers) {
      progress(`  starting ${peer.name}`)
      running.push(await start(peer))
    }
    await body(running)
  } finally {
    await Promise.all(running.map((peer) => peer.stop()))
  }
}

/** One measurement after another, each peer once per round. One that fails is reported; the others go on. */
export async function inTurn<P extends RunningPeer | Peer>(
  bench: Bench,
  what: string,
  peers: readonly P[],
  measure: (peer: P, round: number) => Promise<void>,
): Promise<void> {
  for (let round = 1; round <= bench.rounds; round++) {
    for (const peer of peers) {
      const { name } = 'peer' in peer ? peer.peer : peer
      progress(`  ${what}: ${name}, round ${round} of ${bench.rounds}`)
      await settle()
      await measure(peer, round).catch((problem: Error) => {
        bench.print({ figure: what, peer: name, round, problem: problem.message })
      })
    }
  }
}

/** Dirty pages of one measurement must not be written back on the time of the next, and both find their memory ready. */
export async function settle(): Promise<void> {
  await promisify(execFile)('sync').catch(() => undefined)
  await wakeMemory().catch(() => undefined)
  await sleep(300)
}

const wokenMax = 4 * 1024 ** 3
const pieceBytes = 256 * 1024 ** 2

/**
 * A virtual machine may give free memory back to its host: whoever fills the page cache next pays for getting it again, 2 CPU
 * seconds per GB where this was measured, which is more than a broker takes for itself. In turn with a peer that deletes
 * its files at once that hits always the same one. So the free memory is touched before each measurement.
 */
async function wakeMemory(): Promise<void> {
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(await readFile('/proc/meminfo', 'utf8'))
  const pieces = Math.floor(Math.min(wokenMax, (Number(available?.[1] ?? 0) * 1024) / 2) / pieceBytes)
  const script = `const kept = []; for (let i = 0; i < ${pieces}; i++) kept.push(Buffer.alloc(${pieceBytes}, 1))`
  await promisify(execFile)(process.execPath, ['-e', script])
}

let topicCount = 0

/** A new topic for as long as `body` runs. */
export async function withTopic<T>(
  peer: RunningPeer,
  partitions: number,
  body: (topic: string) => Promise<T>,
): Promise<T> {
  const topic = await newTopic(peer, partitions)
  try {
    return await body(topic)
  } finally {
    await deleteTopic(peer.port, topic)
  }
}

export async function newTopic(peer: RunningPeer, partitions: number): Promise<string> {
  const topic = `bench-${++topicCount}`
  await createTopic(peer.port, topic, partitions)
  return topic
}

/**
 * Code paths, JIT and connections of the broker, both ways and with large and small batches. A JVM goes on getting
 * faster for tens of thousands of requests; with less than this, its later rounds are better than its first.
 */
export async function warmUp(bench: Bench, peers: readonly RunningPeer[]): Promise<void> {
  const messages = bench.count(1_000_000)
  const { application, raw } = bench.clients
  for (const peer of peers) {
    progress(`  warming up ${peer.peer.name}`)
    await withTopic(peer, 1, async (topic) => {
      await run(application, 'produce', { topic, messages, acks: 'all' }, peer)
      await run(application, 'consume', { topic, messages }, peer)
      if (!raw) return
      await run(raw, 'produce', { topic, messages }, peer)
      await run(raw, 'fetch', { topic, messages: 2 * messages }, peer)
    })
  }
}

export interface RateMeasurement {
  readonly figure: Figure
  readonly client: Client
  readonly mode: string
  readonly args: ClientArgs
  readonly cpuGoal?: Bound
}

/** Messages per second, and the broker's CPU seconds for a million of them, from one and the same run. */
export async function measureRate(
  bench: Bench,
  peer: RunningPeer,
  round: number,
  m: RateMeasurement,
): Promise<Outcome> {
  const outcome = await run(m.client, m.mode, m.args, peer)
  const { usage } = outcome
  bench.table.add(peer.peer, round, m.client.name, m.figure, outcome.rate, usage)
  addCpu(bench, peer, round, m.client, m.figure.name, outcome, m.cpuGoal)
  return outcome
}

export function addCpu(
  bench: Bench,
  peer: RunningPeer,
  round: number,
  by: Client,
  what: string,
  outcome: Outcome,
  goal?: Bound,
): void {
  const { usage } = outcome
  if (usage.brokerCpuS === undefined) return
  const perMillion = (usage.brokerCpuS / outcome.value('messages')) * 1e6
  const figure = { name: `broker CPU, ${what}`, unit: 'CPU s per million messages', ...(goal ? { goal } : {}) }
  bench.table.add(peer.peer, round, by.name, figure, perMillion, usage)
}
