// A broker in a process of its own dies, as by kill -9, in front of everything that a fork of a set does to the disk: a stock client finds
// all of it or nothing, and what it sends again is answered. (On a disk of ours, power cuts too: crash-points.test.ts.)

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { ChildStage } from './child-stage.ts'
import { command, dieAt, momentsOf, openDying } from './dying-stage.ts'
import { numbered } from './stage.ts'

let stage: ChildStage
afterEach(() => stage.close())

const topics = ['orders', 'stock']

/** Those of a set's branches that are there: a client that would make them is told so. (Lists of all topics leave a set's out.) */
async function members(set: string): Promise<string[]> {
  const configEntries = [{ name: 'branch.from', value: 'orders' }]
  const found: string[] = []
  await stage.withAdmin(async (admin) => {
    for (const topic of topics.map((parent) => `${parent}--${set}`)) {
      const isFree = await admin.createTopics({ validateOnly: true, topics: [{ topic, configEntries }] })
      if (!isFree) found.push(topic)
    }
  })
  return found
}

/** Links of both, the record that makes it true, the names of both, the event. */
const moments = ['link', 'link', 'fork', 'rename', 'rename', 'fork']
/** From the next one on a start finishes it. */
const recorded = 2

test('B35: kill -9 in front of everything that a fork does: a stock client finds all of it or nothing, and a retry is answered', {
  timeout: 120_000,
}, async () => {
  stage = await openDying()
  await stage.withAdmin((admin) => admin.createTopics({ topics: topics.map((topic) => ({ topic, numPartitions: 1 })) }))
  for (const topic of topics) await stage.send(topic, ...numbered(10, topic))
  const fork = (set: string) => ({ op: 'fork', id: `f-${set}`, set, topics: topics.map((from) => ({ from })) })

  expect(await momentsOf(stage, fork('whole'))).toEqual(moments)
  for (const [at, name] of moments.entries()) {
    const set = `s${at}`
    await dieAt(stage, at, fork(set))
    const what = `in front of ${at}, ${name}`
    const isTmp = (folder: string) => folder.endsWith('.tmp')
    expect(readdirSync(join(stage.broker.data, 'topics')).some(isTmp), what).toBe(at < moments.length - 1)
    await stage.broker.start()
    const all = topics.map((topic) => `${topic}--${set}`)
    // What was not true before is done anew, for the command is there.
    expect(at > recorded ? [all] : [[], all], what).toContainEqual(await members(set))
    await command(stage, fork(set))
    const told = await stage.results(`f-${set}`, 2)
    expect(
      told.filter(({ replayed }) => replayed !== true),
      what,
    ).toMatchObject([{ type: 'fork', status: 'done' }])
    expect(await members(set), what).toEqual(all)
    for (const topic of topics) {
      expect(await stage.read(`${topic}--${set}`, ({ length }) => length === 10)).toEqual(numbered(10, topic))
    }
    expect(readdirSync(join(stage.broker.data, 'topics')).filter(isTmp), what).toEqual([])
  }
})
