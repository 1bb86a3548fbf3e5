// How fast a broker takes messages of 1 KB: by librdkafka with its large batches, and in batches of 15 records, where
// the cost of a request shows.
import { inTurn, type Journey, measureRate, warmUp, withPeers, withTopic } from './journey.ts'

export const fifteen = { 'batch-records': 15 }

const cases = [
  { partitions: 1, acks: '1', goal: { least: 1.6 }, cpuGoal: { most: 0.33 } },
  { partitions: 1, acks: 'all', goal: { least: 1 }, cpuGoal: { most: 0.5 } },
  { partitions: 6, acks: '1', goal: { least: 1 }, cpuGoal: { most: 0.5 } },
  { partitions: 6, acks: 'all', goal: { least: 1 }, cpuGoal: { most: 0.5 } },
  { partitions: 100, acks: '1', goal: { least: 1 }, cpuGoal: { most: 0.5 } },
]

export const produce: Journey = {
  name: 'produce',
  summary: '1,000,000 messages of 1 KB, acks 1 and all, 1, 6 and 100 partitions; batches of 15 records',
  run: (bench) =>
    withPeers(bench, async (peers) => {
      const { application, raw } = bench.clients
      const messages = bench.count(1_000_000)
      await warmUp(bench, peers)
      for (const { partitions, acks, goal, cpuGoal } of cases) {
        const name = `produce 1 KB, ${partitions} partition${partitions > 1 ? 's' : ''}, acks ${acks}`
        const figure = { name, unit: 'msg/s', goal }
        await inTurn(bench, name, peers, (peer, round) =>
          withTopic(peer, partitions, async (topic) => {
            const args = { topic, partitions, messages, acks }
            await measureRate(bench, peer, round, { figure, client: application, mode: 'produce', args, cpuGoal })
          }),
        )
      }
      if (!raw) return
      const figure = { name: 'produce 1 KB, batches of 15 records', unit: 'msg/s', goal: { least: 3.6 } }
      await inTurn(bench, figure.name, peers, (peer, round) =>
        withTopic(peer, 1, async (topic) => {
          const args = { topic, messages, ...fifteen }
          const cpuGoal = { most: 0.25 }
          await measureRate(bench, peer, round, { figure, client: raw, mode: 'produce', args, cpuGoal })
        }),
      )
    }),
}
