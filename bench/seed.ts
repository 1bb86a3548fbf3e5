// The test of "Dissecting Message Queues": one sender, one receiver, 1 KB, as fast as possible; the rates of both, and latency against
// the number of messages. Nothing holds the sender back, so latency here is mostly the wait in queues.
import { run } from './clients.ts'
import { inTurn, type Journey, warmUp, withPeers, withTopic } from './journey.ts'

const counts = [1000, 10_000, 100_000, 1_000_000]
const axis = 'number of messages'

export const seed: Journey = {
  name: 'seed',
  summary: '1,000 to 1,000,000 messages of 1 KB, one sender, one receiver: rates and latency',
  run: (bench) =>
    withPeers(bench, async (peers) => {
      const client = bench.clients.application
      if (client.name !== 'librdkafka')
        return bench.print({ journey: 'seed', problem: 'left out: it needs librdkafka' })
      await warmUp(bench, peers)
      for (const full of counts) {
        const messages = bench.count(full)
        const what = `${full.toLocaleString('en')} messages`
        await inTurn(bench, what, peers, (peer, round) =>
          withTopic(peer, 1, async (topic) => {
            const outcome = await run(client, 'stream', { topic, messages, stamped: 1 }, peer)
            const add = (name: string, unit: string, plot: string, value: number) => {
              const figure = { name: `${name}, ${what}`, unit, curve: { plot, axis, x: full } }
              bench.table.add(peer.peer, round, client.name, figure, value, outcome.usage)
            }
            const sent = messages / outcome.value('sent_seconds')
            add('sender', 'msg/s', 'Sender, 1 KB as fast as possible', sent)
            add('receiver', 'msg/s', 'Receiver, 1 KB as fast as possible', outcome.rate)
            for (const point of ['mean', 'p99'])
              add(`latency ${point}`, 'ms', `Latency (${point}) against messages`, outcome.value(`e2e_ms_${point}`))
          }),
        )
      }
    }),
}
