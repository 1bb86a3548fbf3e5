// How long a message takes at a steady rate: until it is acknowledged, and until a consumer has it. Every message is
// sent at once (linger 0); at 10,000 a second that is a request per message, which can be more than a broker and its
// client get through on two cores, so the same rate is also measured with the 5 ms that librdkafka waits by default.
import { run } from './clients.ts'
import { addCpu, inTurn, type Journey, warmUp, withPeers, withTopic } from './journey.ts'

const seconds = 10
const halved = { goal: { most: 0.5 } }
const cases = [
  { rate: 1000, linger: 0, aim: halved },
  { rate: 10_000, linger: 0, aim: {} },
  { rate: 10_000, linger: 5, aim: {} },
] as const

export const latency: Journey = {
  name: 'latency',
  summary: 'p50, p99 and p99.9 of acknowledgement and end to end at 1,000 and 10,000 msg/s of 1 KB',
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
      for (const { rate, linger, aim } of cases) {
        if (linger && client.name === 'KafkaJS') continue // it cannot wait for more
        const what = `at ${rate} msg/s, linger ${linger} ms`
        const messages = bench.count(seconds * rate)
        await inTurn(bench, what, peers, (peer, round) =>
          withTopic(peer, 1, async (topic) => {
            const outcome = await run(client, 'latency', { topic, rate, messages, linger, acks: 1 }, peer)
            const add = (name: string, value: number, goal: object) =>
              bench.table.add(
                peer.peer,
                round,
                client.name,
                { name: `${name} ${what}`, unit: 'ms', ...goal },
                value,
                outcome.usage,
              )
            for (const point of ['p50', 'p99', 'p999'])
              add(`end to end ${point}`, outcome.value(`e2e_ms_${point}`), point === 'p999' ? {} : aim)
            for (const point of ['p50', 'p99', 'p999']) add(`ack ${point}`, outcome.value(`ack_ms_${point}`), {})
            addCpu(bench, peer, round, client, what, outcome)
          }),
        )
      }
    }),
}
