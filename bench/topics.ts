// Topics made one by one, each kept once its making is acknowledged; then a message to each of the thousand, round after round.
import { compile, run } from './clients.ts'
import { inTurn, type Journey } from './journey.ts'
import { memoryOf } from './meter.ts'
import { start } from './peers.ts'

export const topics: Journey = {
  name: 'topics',
  summary: '1,000 topics made one by one, and a message to each',
  run: async (bench) => {
    const command = await compile('topics-client')
    if (!command) return bench.print({ journey: 'topics', problem: 'left out: it needs a C compiler' })
    const client = { name: 'raw', command: [command] as const }
    await inTurn(bench, 'topics', bench.peers, async (peer, round) => {
      const running = await start(peer)
      try {
        const count = bench.count(1000)
        const add = (name: string, unit: string, value: number, more: object = {}) =>
          bench.table.add(peer, round, client.name, { name, unit, ...more }, value)
        const before = memoryOf(running.pid)
        const outcome = await run(client, 'create', { topic: 'one-by-one', topics: count }, running)
        add('topics made one by one', 'topics/s', outcome.rate, { goal: { least: 100 } })
        add('making one topic, p99', 'ms', outcome.value('create_ms_p99'))
        add('a message to each of 1,000 topics, p50', 'ms', outcome.value('produce_ms_p50'))
        add('a message to each of 1,000 topics, p99', 'ms', outcome.value('produce_ms_p99'), { goal: { most: 0.005 } })
        const after = memoryOf(running.pid)
        if (before && after) add('memory of a topic', 'KB', ((after.rssMb - before.rssMb) * 1024) / count)
      } finally {
        await running.stop()
      }
    })
  },
}
