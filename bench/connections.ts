// Many clients at once: 1,000 connections that keep still, beside 50 that each have one Produce request in flight.
import { run } from './clients.ts'
import { addCpu, inTurn, type Journey, warmUp, withPeers, withTopic } from './journey.ts'

const idle = 1000
const busy = 50

export const connections: Journey = {
  name: 'connections',
  summary: `${busy} busy and 1,000 idle connections`,
  run: (bench) =>
    withPeers(bench, async (peers) => {
      const client = bench.clients.raw
      if (!client) return bench.print({ journey: 'connections', problem: 'left out: it needs the raw client' })
      await warmUp(bench, peers)
      const milliseconds = Math.max(1000, bench.count(5000))
      await inTurn(bench, 'connections', peers, (peer, round) =>
        withTopic(peer, 1, async (topic) => {
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
        }),
      )
    }),
}
