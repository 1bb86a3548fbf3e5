// The broker is killed while it runs commands: whatever was acknowledged is done once, is told once, and a command that is
// sent again adds nothing.

import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import type { BranchEvent } from '../../src/branch/events.ts'
import { ChildStage } from './child-stage.ts'

let stage: ChildStage
afterEach(() => stage.close())

const topic = '__branch_commands'
const send = (commands: readonly object[]) => stage.send(topic, ...commands.map((command) => JSON.stringify(command)))

/** All events, once there are `count` at least. */
async function events(count: number): Promise<BranchEvent[]> {
  const end = await stage.withAdmin(async (admin) => {
    for (;;) {
      const [{ high } = { high: '0' }] = await admin.fetchTopicOffsets('__branches')
      if (Number(high) >= count) return Number(high)
      await pause(20)
    }
  })
  const values = await stage.read('__branches', ({ length }) => length === end)
  return values.map((value) => JSON.parse(value) as BranchEvent)
}

/** Longer where somebody says for how long. */
const soakMs = 1000 * Number(process.env['TWIGLOG_SOAK_SECONDS'] ?? 0)

test('kill -9 while commands run: each is done once and told once', { timeout: 120_000 + 2 * soakMs }, async () => {
  stage = await ChildStage.open()
  await stage.withAdmin(async (admin) => {
    await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 2 }] })
    await admin.fetchTopicMetadata({ topics: [topic, '__branches'] })
  })
  await stage.send('orders', 'a', 'b')
  const rounds = 4
  const until = performance.now() + soakMs
  const perRound = 30
  const wanted = new Set(['orders'])
  const ids: string[] = []
  for (let round = 0; round < rounds || performance.now() < until; round++) {
    const commands = Array.from({ length: perRound }, (_, i) => {
      const id = `r${round}-${i}`
      ids.push(id)
      if (i % 3 === 2) {
        wanted.delete(`b${round}-${i - 1}`)
        return { op: 'abandon', id, branch: `b${round}-${i - 1}` }
      }
      wanted.add(`b${round}-${i}`)
      return { op: 'fork', id, from: 'orders', to: `b${round}-${i}` }
    })
    await send(commands)
    await pause(Math.random() * 60)
    await stage.kill()
    await send(commands)
    await events((round + 1) * 2 * perRound)
  }
  const told = await events(ids.length * 2)
  expect(told).toHaveLength(ids.length * 2)
  const first = told.filter(({ replayed }) => replayed === undefined)
  expect(first.map(({ id }) => id)).toEqual(ids)
  expect(first.filter(({ status }) => status !== 'done')).toEqual([])
  const topics = await stage.withAdmin((admin) => admin.listTopics())
  expect(topics.filter((name) => !name.startsWith('__')).sort()).toEqual([...wanted].sort())
})
