// Producing as fast as it goes while consumers read all of it as it comes: one of them, and a fan-out of 10 and 50.
import { run } from './clients.ts'
import { addCpu, inTurn, type Journey, warmUp, withPeers, withTopic } from './journey.ts'

const cases = [
  { consumers: 1, messages: 1_000_000, goal: { least: 1.5 } },
  { consumers: 10, messages: 200_000 },
  { consumers: 50, messages: 50_000 },
]

export const stream: Journey = {
  name: 'stream',
  summary: 'produce and consume 1 KB at once: 1, 10 and 50 consumers of everything',
  run: (bench) =>
    withPeers(bench, async (peers) => {
      const client = bench.clients.application
      if (client.name !== 'librdkafka')
        return bench.print({ journey: 'stream', problem: 'left out: it needs librdkafka' })
      await warmUp(bench, peers)
      for (const { consumers, goal, ...full } of cases) {
        const messages = bench.count(full.messages)
        const what = consumers === 1 ? 'both at once' : `fan-out to ${consumers} consumers`
        await inTurn(bench, what, peers, (peer, round) =>
          withTopic(peer, 1, async (topic) => {
            const outcome = await run(client, 'stream', { topic, messages, consumers, stamped: 1 }, peer)
            const add = (name: string, unit: string, value: number, more: object = {}) =>
              bench.table.add(peer.peer, round, client.name, { name, unit, ...more }, value, outcome.usage)
            add(`${what}, received`, 'msg/s', outcome.rate * consumers, goal ? { goal } : {})
            add(`${what}, sent`, 'msg/s', messages / outcome.value('sent_seconds'))
            addCpu(bench, peer, round, client, what, outcome)
          }),
        )
      }
    }),
}
