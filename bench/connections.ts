// Many clients at once: 1,000 connections that keep still, beside 50 that each have one Produce request in flight. What node:net
// alone costs stands beside it: a server on one thread that answers without a look.
import { fileURLToPath } from 'node:url'
import { run } from './clients.ts'
import { openFloor } from './floor.ts'
import { addCpu, inTurn, type Journey, warmUp, withPeers, withTopic } from './journey.ts'

const idle = 1000
const busy = 50
const floorPath = fileURLToPath(new URL('./floor-server.js', import.meta.url))

export const connections: Journey = {
  name: 'connections',
  summary: `${busy} busy and 1,000 idle connections`,
  run: (bench) =>
    withPeers(bench, async (peers) => {
      const client = bench.clients.raw
      if (!client) return bench.print({ journey: 'connections', problem: 'left out: it needs the raw client' })
      await warmUp(bench, peers)
      const milliseconds = Math.max(1000, bench.count(5000))
      const floor = await openFloor('bare node:net', () => [process.execPath, floorPath])
      await inTurn(bench, 'connections', [...peers, floor], (peer, round) => {
        const measure = async (topic: string) => {
          const outcome = await run(client, 'connections', { topic, idle, busy, milliseconds }, peer)
          const what = `${busy} busy connections`
          const add = (name: string, unit: string, value: number, goal: object = {}) =>
            bench.table.add(peer.peer, round, client.name, { name, unit, ...goal }, value, outcome.usage)
          add(`${what}, requests`, 'requests/s', outcome.rate, { goal: { least: 5.2 } })
          add(`${what}, p50`, 'ms', outcome.value('request_ms_p50'))
          add(`${what}, p99`, 'ms', outcome.value('request_ms_p99'), { goal: { most: 0.16 } })
          addCpu(bench, peer, round, client, what, outcome)
          const [before, after] = ['alone', 'idle'].map((mark) => outcome.at(mark).brokerMemory?.rssMb)
          if (before === undefined || after === undefined) return
          add('memory of an idle connection', 'KB', ((after - before) * 1024) / idle)
        }
        return peer === floor ? measure('none') : withTopic(peer, 1, measure)
      })
      await floor.stop()
    }),
}
