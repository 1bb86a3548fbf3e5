// What a broker occupies: idle after a fresh start, and after 5 GB went in and out. Anonymous pages are its own;
// file-backed pages (program text, maps of the log) the kernel takes back when others need them, so they stand apart.
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from './clients.ts'
import { inTurn, type Journey, withTopic } from './journey.ts'
import { memoryOf } from './meter.ts'
import { start } from './peers.ts'

const restMs = 3000
const sampleMs = 100
const idleGoal = { goal: { most: 0.2 } }
const loadedGoal = { goal: { most: 0.15 } }

export const memory: Journey = {
  name: 'memory',
  summary: 'RSS idle and after 5 GB in and out, anonymous and file-backed apart',
  run: (bench) =>
    inTurn(bench, 'memory', bench.peers, async (peer, round) => {
      const running = await start(peer)
      const add = (name: string, value: number, goal: object = {}) =>
        bench.table.add(peer, round, bench.clients.application.name, { name, unit: 'MB', ...goal }, value)
      const addAll = (when: string, rssGoal: object, anonymousGoal: object) => {
        const found = memoryOf(running.pid)
        if (!found) throw new Error('memory is read from /proc, and there is none')
        add(`${when}, RSS`, found.rssMb, rssGoal)
        add(`${when}, anonymous`, found.anonymousMb, anonymousGoal)
        add(`${when}, file-backed`, found.fileMb)
      }
      let peakMb = 0
      const sampler = setInterval(() => {
        peakMb = Math.max(peakMb, memoryOf(running.pid)?.anonymousMb ?? 0)
      }, sampleMs)
      try {
        await sleep(restMs)
        addAll('idle', idleGoal, {})
        await withTopic(running, 1, async (topic) => {
          const args = { topic, messages: bench.count(5_000_000) }
          await run(bench.clients.application, 'produce', args, running)
          await run(bench.clients.application, 'consume', args, running)
          await sleep(restMs)
          addAll('after 5 GB in and out', {}, loadedGoal)
        })
        add('highest during 5 GB in and out, anonymous', peakMb)
      } finally {
        clearInterval(sampler)
        await running.stop()
      }
    }),
}
