// What a producer notices of something else that the broker does: how long its messages wait for their acknowledgement meanwhile, and
// whether the broker or the machine had them wait.
import { type Outcome, run } from './clients.ts'
import type { Bench } from './journey.ts'
import type { RunningPeer } from './peers.ts'

/** What a producer sends: messages a second (0: as fast as it can), and how many. */
export type Load = {
  readonly rate: number
  readonly messages: number
  readonly linger: number
  readonly bytes?: number
  /** Counts those apart that no gate held back. */
  readonly outside?: 1
}

/** 1,000 messages a second, for so long. */
export const steady = (seconds: number): Load => ({ rate: 1000, messages: seconds * 1000, linger: 0 })

/** As fast as the producer can. */
export const fullSpeed = (messages: number): Load => ({ rate: 0, messages, bytes: 100, linger: 5 })

export function producing(bench: Bench, peer: RunningPeer, topic: string, load: Load): Promise<Outcome> {
  const messages = bench.count(load.messages)
  return run(bench.clients.application, 'latency', { topic, acks: 1, ...load, messages }, peer)
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
  { topic, load, what }: { topic: string; load: Load; what: string },
): Promise<number> {
  return addAcks(bench, peer, round, await producing(bench, peer, topic, load), what)
}
