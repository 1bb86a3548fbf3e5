// What a producer notices of forks: how long its messages wait for their acknowledgement while its topic is forked 100 times
// a second, against without, at a low rate and at full speed. Branches of one round are deleted after it.
import { setTimeout as sleep } from 'node:timers/promises'
import { fullSpeed, type Load, measureAcks, producing, steady } from '../acks.ts'
import { type Bench, inTurn, newTopic } from '../journey.ts'
import type { RunningPeer } from '../peers.ts'
import { forker } from './admin.ts'

const seconds = 8
const forksPerSecond = 100
const loads: readonly (Load & { label: string })[] = [
  { label: '', ...steady(seconds) },
  { label: ', at full speed', ...fullSpeed(4_000_000) },
]

export async function whileProducing(bench: Bench, peers: readonly RunningPeer[]): Promise<void> {
  const client = bench.clients.application
  for (const { label, ...load } of loads) {
    if (load.rate === 0 && client.name === 'KafkaJS') continue // it has no such measurement
    const topics = new Map<RunningPeer, string>()
    for (const peer of peers) {
      const topic = await newTopic(peer, 1)
      topics.set(peer, topic)
      await producing(bench, peer, topic, steady(seconds)) // warm
    }
    await inTurn(bench, `produce while forking${label}`, peers, async (peer, round) => {
      const topic = topics.get(peer)!
      const measured = (what: string) => measureAcks(bench, peer, round, { topic, load, what: `${what}${label}` })
      const without = await measured('without forks')
      let during = 0
      const forks = await forking(peer, topic, `${round}`, async () => {
        during = await measured(`at ${forksPerSecond} forks/s`)
      })
      const ratio = { name: `ack p99 while forking against without${label}`, unit: 'times', aim: { most: 2 } }
      bench.table.add(peer.peer, round, client.name, ratio, during / without)
      bench.table.add(peer.peer, round, 'wire', { name: `forks done meanwhile${label}`, unit: 'forks/s' }, forks)
    })
  }
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
