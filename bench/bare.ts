// How near a broker comes to the least that could take the same requests: a loop in C from the socket to a file (native/bare-sink.c).
import { join } from 'node:path'
import { compile, run } from './clients.ts'
import { openFloor } from './floor.ts'
import { inTurn, type Journey, warmUp, withPeers, withTopic } from './journey.ts'

export const bare: Journey = {
  name: 'bare',
  summary: 'produce 1 KB by the raw client, against a bare C loop from socket to file',
  run: async (bench) => {
    const sinkPath = await compile('bare-sink')
    const client = bench.clients.raw
    const ours = bench.peers.slice(0, 1)
    if (!sinkPath || !client) return bench.print({ journey: 'bare', problem: 'left out: it needs a C compiler' })
    await withPeers({ ...bench, peers: ours }, async (brokers) => {
      await warmUp(bench, brokers)
      const sink = await openFloor('bare C loop', (folder) => [sinkPath, 'sink', '--file', join(folder, 'sink')])
      for (const records of [15, 128]) {
        const name = `produce 1 KB to a file, batches of ${records} records`
        const figure = { name, unit: 'msg/s', goal: { least: 0.6 } }
        const messages = bench.count(2_000_000)
        await inTurn(bench, name, [...brokers, sink], async (peer, round) => {
          const measure = async (topic: string) => {
            const outcome = await run(client, 'produce', { topic, messages, 'batch-records': records }, peer)
            bench.table.add(peer.peer, round, client.name, figure, outcome.rate, outcome.usage)
          }
          await (peer === sink ? measure('none') : withTopic(peer, 1, measure))
        })
      }
      await sink.stop()
    })
  },
}
