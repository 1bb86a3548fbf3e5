// What many partitions cost a broker that has nothing else to do: making them, telling of them, its memory with them, and the next
// start. Each has had one message, so that none is only a name.
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from './clients.ts'
import { median } from './compare.ts'
import { inTurn, type Journey } from './journey.ts'
import { memoryOf } from './meter.ts'
import { type RunningPeer, start, startAgain } from './peers.ts'
import { Connection, createTopics, endOffset, leadersOf, metadataOfAllMs } from './wire.ts'

const perTopic = 100
const restMs = 3000
const ledMsMax = 120_000

export const partitions: Journey = {
  name: 'partitions',
  summary: '1,000 and 10,000 partitions: making them, metadata, memory, the next start',
  run: async (bench) => {
    for (const full of [1000, 10_000]) {
      const topics = Array.from({ length: Math.max(1, bench.count(full) / perTopic) }, (_, i) => `many-${i}`)
      const what = `${full.toLocaleString('en')} partitions`
      await inTurn(bench, what, bench.peers, async (peer, round) => {
        const by = bench.clients.application.name
        const add = (name: string, unit: string, value: number) =>
          bench.table.add(peer, round, by, { name: `${what}, ${name}`, unit }, value)
        const running = await start(peer)
        let again: RunningPeer | undefined
        try {
          const madeAt = performance.now()
          const making = new Connection(running.port)
          // One request for each topic: all at once would be a single large one, which is not how topics come about.
          for (const name of topics) await createTopics(making, [{ name, partitionCount: perTopic }])
          making.close()
          await untilLed(running.port, topics)
          add('made', 's', (performance.now() - madeAt) / 1000)
          for (const topic of topics)
            await run(
              bench.clients.application,
              'produce',
              { topic, partitions: perTopic, messages: perTopic },
              running,
            )
          await sleep(restMs)
          const found = memoryOf(running.pid)
          if (found) add('RSS', 'MB', found.rssMb)
          if (found) add('anonymous memory', 'MB', found.anonymousMb)
          const asking = new Connection(running.port)
          const took: number[] = []
          for (let i = 0; i < 50; i++) took.push(await metadataOfAllMs(asking))
          asking.close()
          add('metadata of all', 'ms', median(took))
          const restartedAt = performance.now()
          await running.pause()
          add('stop', 's', (performance.now() - restartedAt) / 1000)
          const startedAt = performance.now()
          again = await startAgain(running)
          await untilLed(again.port, topics)
          while (!(await endOffset(again.port, topics.at(-1)!, perTopic - 1))) await sleep(5)
          add('start to serving', 's', (performance.now() - startedAt) / 1000)
        } finally {
          await again?.stop()
          await running.stop()
        }
      })
    }
  },
}

async function untilLed(port: number, topics: readonly string[]): Promise<void> {
  const deadlineAt = performance.now() + ledMsMax
  for (const topic of topics) {
    for (;;) {
      const leaders = await leadersOf(port, topic)
      if (leaders.length === perTopic && leaders.every((leader) => leader >= 0)) break
      if (performance.now() > deadlineAt) throw new Error(`${topic} got no leaders in two minutes`)
      await sleep(5)
    }
  }
}
