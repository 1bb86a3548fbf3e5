// How long nobody is served after a kill -9 with 10 GB of log: killed while a producer is at work, started again on what is there, until
// Metadata names a leader and ListOffsets tells the end. All that was acknowledged must lie before that end, or the time means nothing.
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from './clients.ts'
import { inTurn, type Journey, newTopic } from './journey.ts'
import { type RunningPeer, start, startAgain } from './peers.ts'
import { endOffset } from './wire.ts'

const servedMsMax = 300_000
const batch = { 'batch-records': 128 }

export const restart: Journey = {
  name: 'restart',
  summary: 'kill -9 with 10 GB of log while producing, start, until it serves again',
  run: async (bench) => {
    const client = bench.clients.raw
    if (!client) return bench.print({ journey: 'restart', problem: 'left out: it needs the raw client' })
    await inTurn(bench, 'restart after kill -9', bench.peers, async (peer, round) => {
      const running = await start(peer)
      let again: RunningPeer | undefined
      try {
        const topic = await newTopic(running, 1)
        const messages = bench.count(10_000_000)
        const { value } = await run(client, 'produce', { topic, messages, ...batch }, running).then((outcome) => ({
          value: outcome.value('messages'),
        }))
        // Far more than can be written before the kill: it is cut off in the middle.
        const cutOff = run(client, 'produce', { topic, messages: 100 * messages, ...batch }, running).then(
          () => 'nothing was cut off',
          () => undefined,
        )
        await sleep(500)
        await running.kill()
        const problem = await cutOff
        if (problem) throw new Error(problem)
        const startedAt = performance.now()
        again = await startAgain(running)
        const end = await untilServed(again.port, topic)
        const tookS = (performance.now() - startedAt) / 1000
        if (end < value) throw new Error(`of ${value} acknowledged messages ${value - end} are lost`)
        const figure = { name: 'kill -9 with 10 GB of log to serving', unit: 's', aim: { most: 1 } }
        bench.table.add(peer, round, client.name, figure, tookS)
      } finally {
        await again?.stop()
        await running.stop()
      }
    })
  },
}

async function untilServed(port: number, topic: string): Promise<number> {
  for (const deadlineAt = performance.now() + servedMsMax; performance.now() < deadlineAt; await sleep(5)) {
    const end = await endOffset(port, topic, 0).catch(() => undefined)
    if (end) return end
  }
  throw new Error('not served five minutes after the start')
}
