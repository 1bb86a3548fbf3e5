// What a producer notices of forks: how long its messages wait for their acknowledgement while its topic is forked 100 times
// a second, against without. Branches of one round are deleted after it.
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from '../clients.ts'
import { type Bench, inTurn, newTopic } from '../journey.ts'
import type { RunningPeer } from '../peers.ts'
import { forker } from './admin.ts'

const seconds = 8
const rate = 1000
const forksPerSecond = 100

export async function whileProducing(bench: Bench, peers: readonly RunningPeer[]): Promise<void> {
  const client = bench.clients.application
  const messages = bench.count(seconds * rate)
  const topics = new Map<RunningPeer, string>()
  for (const peer of peers) {
    const topic = await newTopic(peer, 1)
    topics.set(peer, topic)
    await run(client, 'latency', { topic, rate, messages, linger: 0, acks: 1 }, peer) // warm
  }
  await inTurn(bench, 'produce while forking', peers, async (peer, round) => {
    const topic = topics.get(peer)!
    const p99: number[] = []
    const measured = async (what: string) => {
      const outcome = await run(client, 'latency', { topic, rate, messages, linger: 0, acks: 1 }, peer)
      for (const point of ['p50', 'p99', 'p999']) {
        const figure = { name: `ack ${point} ${what}`, unit: 'ms' }
        bench.table.add(peer.peer, round, client.name, figure, outcome.value(`ack_ms_${point}`), outcome.usage)
      }
      const { brokerLoop } = outcome.usage
      if (brokerLoop !== undefined) {
        const add = (name: string, value: number) =>
          bench.table.add(peer.peer, round, client.name, { name: `${name}, ${what}`, unit: 'ms/s' }, value)
        add('event loop ran', brokerLoop.ranMs)
        add('event loop waited for a core', brokerLoop.waitedMs)
      }
      p99.push(outcome.value('ack_ms_p99'))
    }
    await measured('without forks')
    const forks = await forking(peer, topic, `${round}`, () => measured(`at ${forksPerSecond} forks/s`))
    const ratio = { name: 'ack p99 while forking against without', unit: 'times', aim: { most: 2 } }
    bench.table.add(peer.peer, round, client.name, ratio, p99[1]! / p99[0]!)
    bench.table.add(peer.peer, round, 'wire', { name: 'forks done meanwhile', unit: 'forks/s' }, forks)
  })
}

/** Forks on and on while `body` runs, and gives how many a second were done. */
async function forking(peer: RunningPeer, from: string, label: string, body: () => Promise<void>): Promise<number> {
  await using admin = await forker(peer)
  const made: string[] = []
  const asked = new Set<Promise<unknown>>()
  let isOver = false
  let problem: unknown
  const beganAt = performance.now()
  const loop = (async () => {
    for (let i = 0, dueAt = beganAt; !isOver; i++) {
      await sleep(Math.max(0, dueAt - performance.now()))
      // Nothing is made up for: a burst after a stall of ours would be no hundred a second.
      dueAt = Math.max(dueAt, performance.now() - 1) + 1000 / forksPerSecond
      const to = `${from}--${label}-${i}`
      const fork = admin.fork([{ from, to }]).then(
        () => made.push(to),
        (cause: unknown) => {
          problem = cause
        },
      )
      asked.add(fork.finally(() => asked.delete(fork)))
    }
  })()
  await body().finally(() => {
    isOver = true
  })
  const perSecond = made.length / ((performance.now() - beganAt) / 1000)
  await loop
  await Promise.all(asked)
  await admin.drop(made)
  if (problem !== undefined) throw problem
  return perSecond
}
