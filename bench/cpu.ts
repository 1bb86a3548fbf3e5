// The broker's CPU seconds for a million messages. Every rate journey reports them for its own runs; this one is the
// short way to all three kinds, for machines too busy to believe a rate.
import { inTurn, type Journey, measureRate, warmUp, withPeers, withTopic } from './journey.ts'
import { fifteen } from './produce.ts'

export const cpu: Journey = {
  name: 'cpu',
  summary: 'broker CPU seconds per million messages: produce, consume, batches of 15 records',
  run: (bench) =>
    withPeers(bench, async (peers) => {
      const { application, raw } = bench.clients
      const messages = bench.count(1_000_000)
      await warmUp(bench, peers)
      await inTurn(bench, 'CPU per million', peers, async (peer, round) => {
        const measure = (name: string, client: typeof application, mode: string, args: object, most: number) =>
          measureRate(bench, peer, round, {
            figure: { name, unit: 'msg/s' },
            client,
            mode,
            args: { messages, ...args },
            cpuGoal: { most },
          })
        await withTopic(peer, 1, async (topic) => {
          await measure('produce 1 KB', application, 'produce', { topic }, 0.33)
          await measure('consume 1 KB', application, 'consume', { topic }, 0.5)
        })
        if (!raw) return
        await withTopic(peer, 1, async (topic) => {
          await measure('produce 1 KB, batches of 15 records', raw, 'produce', { topic, ...fifteen }, 0.25)
          await measure('raw fetch 1 KB, batches of 15 records', raw, 'fetch', { topic }, 0.5)
        })
      })
    }),
}
