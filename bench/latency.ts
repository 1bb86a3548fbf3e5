// How long a message takes at a steady rate: until it is acknowledged, and until a consumer has it, counted from the time it was meant
// to be sent at (a sender that is held up sends late, and what was late must not look fast: coordinated omission). Every message is
// sent at once (linger 0); at 10,000 a second that is a request per message, which can be more than a broker and its
// client get through on two cores, so the same rate is also measured with the 5 ms that librdkafka waits by default. At 1,000 a
// second the least that can be (native/bare-broker.c) is measured along: how far below the peer any broker could come.
import { addAcks } from './acks.ts'
import { compile, type Outcome, run } from './clients.ts'
import type { Bound } from './compare.ts'
import { openFloor } from './floor.ts'
import { addCpu, type Bench, inTurn, type Journey, warmUp, withPeers, withTopic } from './journey.ts'
import type { RunningPeer } from './peers.ts'

const seconds = 10
const points = { p50: 50, p90: 90, p99: 99, p999: 99.9, p9999: 99.99 }

interface Case {
  readonly rate: number
  readonly linger: number
  readonly goals?: Readonly<Record<string, Bound>>
  readonly besideFloor?: boolean
  /** What is due within a tick is meant for its start, or the sender would spin on a core the broker needs. */
  readonly tickUs?: number
}

const cases: readonly Case[] = [
  {
    rate: 1000,
    linger: 0,
    besideFloor: true,
    goals: { p50: { most: 0.5 }, p99: { most: 0.11 }, p999: { most: 0.15 } },
  },
  { rate: 10_000, linger: 0, goals: { p50: { most: 0.005 }, p99: { most: 0.05 } } },
  { rate: 10_000, linger: 5 },
  { rate: 50_000, linger: 5, tickUs: 1000 },
]

export const latency: Journey = {
  name: 'latency',
  summary: 'acknowledgement and end to end at 1,000, 10,000 and 50,000 msg/s of 1 KB, p50 to p99.99',
  run: (bench) =>
    withPeers(bench, async (peers) => {
      const client = bench.clients.application
      await warmUp(bench, peers)
      const warmRate = 2000
      for (const peer of peers) {
        const messages = bench.count(6 * warmRate)
        await withTopic(peer, 1, (topic) =>
          run(client, 'latency', { topic, rate: warmRate, messages, linger: 0 }, peer),
        )
      }
      const floorPath = client.name === 'librdkafka' ? await compile('bare-broker') : undefined
      const floor = floorPath === undefined ? undefined : await openFloor('bare C broker', () => [floorPath, 'serve'])
      for (const { rate, linger, goals = {}, tickUs = 0, besideFloor = false } of cases) {
        if (client.name === 'KafkaJS' && (linger || tickUs)) continue // it cannot wait for more
        const what = `at ${rate} msg/s, linger ${linger} ms`
        const messages = bench.count(seconds * rate)
        const measured = floor && besideFloor ? [...peers, floor] : peers
        await inTurn(bench, what, measured, (peer, round) => {
          const measure = async (topic: string) => {
            const args = { topic, rate, messages, linger, acks: 1, 'tick-us': tickUs }
            const outcome = await run(client, 'latency', args, peer)
            // They are set against another broker.
            addPercentiles(bench, peer, round, what, outcome, peers.length > 1 ? goals : {})
            if (outcome.reports('late')) {
              const figure = { name: `sent more than 1 ms late ${what}`, unit: '% of messages' }
              bench.table.add(peer.peer, round, client.name, figure, (100 * outcome.value('late')) / messages)
            }
            addCpu(bench, peer, round, client, what, outcome)
          }
          return peer === floor ? measure(`floor-${round}`) : withTopic(peer, 1, measure)
        })
      }
      await floor?.stop()
    }),
}

export function addPercentiles(
  bench: Bench,
  peer: RunningPeer,
  round: number,
  what: string,
  outcome: Outcome,
  goals: Readonly<Record<string, Bound>> = {},
): void {
  const add = (name: string, value: number, more: object) =>
    bench.table.add(
      peer.peer,
      round,
      bench.clients.application.name,
      { name, unit: 'ms', ...more },
      value,
      outcome.usage,
    )
  for (const [point, x] of Object.entries(points)) {
    const goal = goals[point]
    const curve = { plot: `End to end ${what}`, axis: 'percentile', x }
    add(`end to end ${point} ${what}`, outcome.value(`e2e_ms_${point}`), { curve, ...(goal ? { goal } : {}) })
  }
  add(`end to end max ${what}`, outcome.value('e2e_ms_max'), {})
  addAcks(bench, peer, round, outcome, what)
}
