// What a producer notices of something else that the broker does: how long 1,000 messages a second wait for their acknowledgement
// meanwhile, and whether the broker or the machine had them wait.
import { type Outcome, run } from './clients.ts'
import type { Bench } from './journey.ts'
import type { RunningPeer } from './peers.ts'

const rate = 1000

/** Produces to `topic` for so long. */
export function producing(bench: Bench, peer: RunningPeer, topic: string, seconds: number): Promise<Outcome> {
  const messages = bench.count(seconds * rate)
  return run(bench.clients.application, 'latency', { topic, rate, messages, linger: 0, acks: 1 }, peer)
}

/** The figures of such a run, whose names end in `what`; gives p99. */
export function addAcks(bench: Bench, peer: RunningPeer, round: number, outcome: Outcome, what: string): number {
  const { name: client } = bench.clients.application
  for (const point of ['p50', 'p99', 'p999']) {
    const figure = { name: `ack ${point} ${what}`, unit: 'ms' }
    bench.table.add(peer.peer, round, client, figure, outcome.value(`ack_ms_${point}`), outcome.usage)
  }
  const { brokerLoop } = outcome.usage
  const addLoop = (name: string, ms: number) =>
    bench.table.add(peer.peer, round, client, { name: `event loop ${name}, ${what}`, unit: 'ms/s' }, ms)
  if (brokerLoop !== undefined) {
    addLoop('ran', brokerLoop.ranMs)
    addLoop('waited for a core', brokerLoop.waitedMs)
  }
  return outcome.value('ack_ms_p99')
}

/** Both at once. */
export async function measureAcks(
  bench: Bench,
  peer: RunningPeer,
  round: number,
  { topic, seconds, what }: { topic: string; seconds: number; what: string },
): Promise<number> {
  return addAcks(bench, peer, round, await producing(bench, peer, topic, seconds), what)
}
