// How near to its quota a client is held that would take all it can: bytes per second of half a minute, produced and consumed,
// against the rate that was set. Both brokers give a new client a burst at first, so what counts are minutes, not seconds.

import { run } from './clients.ts'
import { inTurn, type Journey, megabyte, withPeers, withTopic } from './journey.ts'
import { setQuota } from './wire.ts'

const rate = 2 * megabyte
const seconds = 60
const bytes = 1000

export const quota: Journey = {
  name: 'quota',
  summary:
    'a producer and a consumer that are held to 2 MB/s by client quotas: the rate they get, against the one that was set',
  run: (bench) =>
    withPeers(bench, async (peers) => {
      const client = bench.clients.application
      const messages = bench.count((rate * seconds) / bytes)
      await inTurn(bench, 'quota', peers, (peer, round) =>
        withTopic(peer, 1, async (topic) => {
          const held = async (kind: string, mode: string) => {
            await setQuota(peer.port, kind, rate)
            const args = { topic, messages, bytes, acks: 1 }
            const outcome = await run(client, mode, args, peer).finally(() => setQuota(peer.port, kind, undefined))
            const figure = { name: `${kind}, against the quota`, unit: 'times', aim: { least: 0.9, most: 1.1 } }
            bench.table.add(peer.peer, round, client.name, figure, (outcome.rate * bytes) / rate, outcome.usage)
          }
          await held('producer_byte_rate', 'produce')
          await held('consumer_byte_rate', 'consume')
        }),
      )
    }),
}
