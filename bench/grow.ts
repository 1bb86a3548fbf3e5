// Old data should cost the same however much log lies behind it: the same fetches are timed with 0.1 GB and with
// 4 GB of log, in order and at scattered offsets, always within the first 0.1 GB.
import { type Outcome, run } from './clients.ts'
import { inTurn, type Journey, newTopic, settle, warmUp, withPeers } from './journey.ts'
import type { RunningPeer } from './peers.ts'

const valueBytes = 1024
const batch = { 'batch-records': 30 }

export const grow: Journey = {
  name: 'grow',
  summary: 'fetch of old data with 0.1 GB and 4 GB of log',
  run: (bench) =>
    withPeers(bench, async (peers) => {
      const client = bench.clients.raw
      if (!client) return bench.print({ journey: 'grow', problem: 'left out: it needs the raw client' })
      await warmUp(bench, peers)
      const sizes = [
        { name: '0.1 GB', messages: bench.count(1e8 / valueBytes) },
        { name: '4 GB', messages: bench.count(4e9 / valueBytes) },
      ]
      const span = sizes[0]!.messages
      const topics = new Map<RunningPeer, string>()
      for (const peer of peers) topics.set(peer, await newTopic(peer, 1))
      const costs = new Map<string, number>() // of each kind of fetch at the first size, to set the second against
      let written = 0
      for (const { name, messages } of sizes) {
        for (const peer of peers) {
          const args = { topic: topics.get(peer)!, messages: messages - written, bytes: valueBytes, ...batch }
          await run(client, 'produce', args, peer)
          await settle()
          await run(client, 'fetch', { topic: args.topic, messages: span, repeat: 10 }, peer) // the first is colder
        }
        written = messages
        await inTurn(bench, `fetch with ${name} of log`, peers, async (peer, round) => {
          const topic = topics.get(peer)!
          const add = (what: string, unit: string, value: number, { usage }: Outcome) => {
            const figure = { name: `${what}, ${name} of log`, unit }
            bench.table.add(peer.peer, round, client.name, figure, value, usage)
            const key = `${peer.peer.name} ${what} ${round}`
            const before = costs.get(key)
            const cost = unit === 'ms' ? value : 1 / value
            const growth = { name: `${what}, cost at 4 GB against 0.1 GB`, unit: 'times' }
            if (before) bench.table.add(peer.peer, round, client.name, growth, cost / before)
            else costs.set(key, cost)
          }
          const inOrder = await run(client, 'fetch', { topic, messages: span, repeat: 10 }, peer)
          add('old data in order', 'msg/s', inOrder.rate, inOrder)
          const far = { topic, from: 'scattered', span, fetches: bench.count(10_000) }
          const scattered = await run(client, 'fetch', far, peer)
          add('fetch at a scattered old offset, p50', 'ms', scattered.value('request_ms_p50'), scattered)
          add('fetch at a scattered old offset, p99', 'ms', scattered.value('request_ms_p99'), scattered)
        })
      }
    }),
}
