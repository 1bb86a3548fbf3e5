// How fast a broker gives back what it was given: the topics are filled once per peer, untimed, and read every round.

import { type Client, run } from './clients.ts'
import { inTurn, type Journey, measureRate, newTopic, warmUp, withPeers } from './journey.ts'
import type { RunningPeer } from './peers.ts'
import { fifteen } from './produce.ts'

export const consume: Journey = {
  name: 'consume',
  summary: '1,000,000 messages of 1 KB from 1, 6 and 100 partitions; raw fetch; batches of 15 records',
  run: (bench) =>
    withPeers(bench, async (peers) => {
      const { application, raw } = bench.clients
      const messages = bench.count(1_000_000)
      await warmUp(bench, peers)

      async function filled(filler: Client, partitions: number): Promise<ReadonlyMap<RunningPeer, string>> {
        const topics = new Map<RunningPeer, string>()
        for (const peer of peers) {
          const topic = await newTopic(peer, partitions)
          await run(filler, 'produce', { topic, partitions, messages, ...fifteen }, peer)
          topics.set(peer, topic)
        }
        return topics
      }
      async function readAll(
        topics: ReadonlyMap<RunningPeer, string>,
        reader: Client,
        partitions: number,
        name: string,
        least: number,
      ) {
        const mode = reader === raw ? 'fetch' : 'consume'
        await inTurn(bench, name, peers, async (peer, round) => {
          const args = { topic: topics.get(peer)!, partitions, messages, repeat: 3 } // raw fetches alone are over too soon
          const figure = { name, unit: 'msg/s', goal: { least } }
          await measureRate(bench, peer, round, { figure, client: reader, mode, args, cpuGoal: { most: 0.5 } })
        })
      }

      const one = await filled(application, 1)
      await readAll(one, application, 1, 'consume 1 KB, 1 partition', 1.5)
      if (raw) await readAll(one, raw, 1, 'raw fetch 1 KB, 1 partition', 1)
      for (const partitions of [6, 100]) {
        const topics = await filled(application, partitions)
        await readAll(topics, application, partitions, `consume 1 KB, ${partitions} partitions`, 1)
      }
      if (!raw) return
      const small = await filled(raw, 1)
      await readAll(small, application, 1, 'consume 1 KB, batches of 15 records', 1)
      await readAll(small, raw, 1, 'raw fetch 1 KB, batches of 15 records', 1.1)
    }),
}
