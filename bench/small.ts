// Small messages: the client packs thousands into a batch, so what is left is the cost per byte and per batch.
import { inTurn, type Journey, measureRate, warmUp, withPeers, withTopic } from './journey.ts'

const modes = [
  { mode: 'produce', goal: { least: 1.6 } },
  { mode: 'consume', goal: { least: 1.3 } },
]

export const small: Journey = {
  name: 'small',
  summary: '5,000,000 messages of 100 B, produce and consume',
  run: (bench) =>
    withPeers(bench, async (peers) => {
      const client = bench.clients.application
      const messages = bench.count(5_000_000)
      await warmUp(bench, peers)
      await inTurn(bench, 'produce and consume 100 B', peers, (peer, round) =>
        withTopic(peer, 1, async (topic) => {
          for (const { mode, goal } of modes) {
            const args = { topic, messages, bytes: 100 }
            const figure = { name: `${mode} 100 B`, unit: 'msg/s', goal }
            await measureRate(bench, peer, round, { figure, client, mode, args, cpuGoal: { most: 0.5 } })
          }
        }),
      )
    }),
}
