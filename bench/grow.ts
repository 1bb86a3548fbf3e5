// Old data should cost the same however much log lies behind it: the same fetches are timed with 0.1 GB and with
// 4 GB of log, in order and at scattered offsets, always within the first 0.1 GB.
import { type Outcome, run } from './clients.ts'
import { inTurn, type Journey, newTopic, settle, warmUp, withPeers } from './journey.ts'
import type { RunningPeer } from './peers.ts'

const valueBytes = 1024
const batch = { 'batch-records': 100 }

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
      let written = 0
      for (const { name, messages } of sizes) {
        for (const peer of peers) {
          const args = { topic: topics.get(peer)!, messages: messages - written, bytes: valueBytes, ...batch }
          await run(client, 'produce', args, peer)
          await settle()
        }
        written = messages
        await inTurn(bench, `fetch with ${name} of log`, peers, async (peer, round) => {
          const topic = topics.get(peer)!
          const add = (figure: string, unit: string, value: number, outcome: Outcome) =>
            bench.table.add(
              peer.peer,
              round,
              client.name,
              { name: `${figure}, ${name} of log`, unit },
              value,
              outcome.usage,
            )
          const inOrder = await run(client, 'fetch', { topic, messages: span }, peer)
          add('old data in order', 'msg/s', inOrder.rate, inOrder)
          const scattered = await run(
            client,
            'fetch',
            { topic, from: 'scattered', span, fetches: bench.count(5000) },
            peer,
          )
          add('fetch at a scattered old offset, p50', 'ms', scattered.value('request_ms_p50'), scattered)
          add('fetch at a scattered old offset, p99', 'ms', scattered.value('request_ms_p99'), scattered)
        })
      }
    }),
}
