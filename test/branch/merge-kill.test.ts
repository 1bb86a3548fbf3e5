// A broker in a process of its own dies, as by kill -9, in front of every write of a merge: to stock readers of committed data the merge
// is whole or not there, it is told once, and the same command adds nothing. (Every operation on a disk of ours: merge-crash.test.ts.)

import { afterEach, expect, test } from 'vitest'
import type { ChildStage } from './child-stage.ts'
import { command, dieAt, momentsOf, openDying } from './dying-stage.ts'

let stage: ChildStage
afterEach(() => stage.close())

/** A partition, a key and a value. */
type Row = readonly [number, string, string]

const write = (topic: string, ...rows: readonly Row[]): Promise<void> =>
  stage.sendAll(
    topic,
    rows.map(([partition, key, value]) => ({ partition, key, value })),
  )

let markCount = 0

/** All that a consumer of committed data is given, up to records that are written for this purpose. */
async function seen(topic: string): Promise<string[]> {
  const mark = `mark ${markCount++}`
  await write(topic, [0, 'mark', mark], [1, 'mark', mark])
  const found: string[] = []
  const left = new Set([0, 1])
  await stage.readEach(topic, (partition, { key, value }) => {
    if (String(value) === mark) left.delete(partition)
    else if (left.has(partition) && String(key) !== 'mark') found.push(`${partition} ${key}=${value}`)
    return left.size === 0
  })
  return found.sort()
}

const create = (topic: string, numPartitions: number, name: string, value: string) =>
  stage.withAdmin((admin) =>
    admin.createTopics({ topics: [{ topic, numPartitions, configEntries: [{ name, value }] }] }),
  )

/** What is written of a merge into two partitions that parks a key, in this order. */
const moments = [
  ...['merge-begin', 'merge-begin', 'transaction', 'records', 'records', 'conflict', 'transaction'],
  ...['marker', 'marker', 'marker', 'transaction', 'merge', 'merge'],
]
/** That transaction is the commit; that merge is the record of it, and the next one its event. */
const [prepareCommit, merged] = [6, 11]

const before = ['0 both=0', '0 both=p', '0 k=0', '1 k=0']
const after = [...before, '0 json=1', '0 k=1', '1 k=1'].sort()

/** A parent and a branch that has changed, named by a number, and the command that merges them. */
async function prepare(turn: number) {
  const [into, from] = [`P${turn}`, `C${turn}`]
  await create(into, 2, 'cleanup.policy', 'compact')
  await write(into, [0, 'k', '0'], [0, 'both', '0'], [1, 'k', '0'])
  await create(from, -1, 'branch.from', into)
  await write(from, [0, 'k', '1'], [0, 'both', 'c'], [0, 'json', '1'], [1, 'k', '1'])
  await write(into, [0, 'both', 'p'])
  return { op: 'merge', id: `m${turn}`, from, into, onConflict: 'park' }
}

test('B36: kill -9 in front of each write of a merge: readers see all or nothing, it is told once, and again it adds nothing', {
  timeout: 240_000,
}, async () => {
  stage = await openDying()
  const whole = await prepare(0)
  expect(await momentsOf(stage, whole)).toEqual(moments)
  expect(await seen(whole.into)).toEqual(after)

  for (const [at, name] of moments.entries()) {
    const merge = await prepare(at + 1)
    await dieAt(stage, at, merge)
    await stage.broker.start()
    const what = `in front of ${at}, ${name}`
    expect([before, after], what).toContainEqual(await seen(merge.into))
    await command(stage, merge)
    const told = await stage.results(merge.id, 2)
    const first = told.filter(({ replayed }) => replayed !== true)
    expect(first, what).toMatchObject([{ type: 'merge', status: 'parked' }])
    // What a start has finished had no gate: so it is from the commit on, until the merge itself is noted.
    expect(first[0]!.gateMs === undefined, what).toBe(at > prepareCommit && at <= merged)
    expect(await seen(merge.into), what).toEqual(after)
  }
})
