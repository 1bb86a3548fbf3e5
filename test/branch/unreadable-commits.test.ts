// Forks that look at what groups have committed, where a partition of `__consumer_offsets` is damaged: they are refused with what can be
// done instead. `branch.groups=copy` left out whoever could not be read, and an application that had moved to the branch began anywhere.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import * as batch from '../../protocol/records/batch.ts'
import { readRecords } from '../../protocol/records/record.ts'
import type { BranchEvent } from '../../src/branch/events.ts'
import { offsetsPartition } from '../../src/group/offsets-log.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { eventually } from '../eventually.ts'
import { folderOf } from './held-disk.ts'
import { numbered, Stage } from './stage.ts'

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
})
afterEach(() => {
  vi.restoreAllMocks()
})

const config = { 'offsets.topic.num.partitions': 2 }
const groupIn = (partition: number): string =>
  numbered(99, 'group-').find((id) => offsetsPartition(id, 2) === partition)!
const [lost, sound] = [groupIn(0), groupIn(1)]

/** Two groups that have read three of five records; of one of them nobody knows any more. */
async function damaged(): Promise<Stage> {
  const store = new FaultyStore()
  const stage = await Stage.open({ storage: store, config })
  await stage.create('orders')
  await stage.send('orders', numbered(5))
  for (const group of [lost, sound]) await stage.commit(group, 'orders', 3)
  await stage.fork('orders', 'orders--copy', { 'branch.groups': 'copy' })
  const folder = `${await folderOf(stage, '__consumer_offsets')}0/`
  await stage[Symbol.asyncDispose]()
  const left = store.after('kill')
  const segment = left.list(folder.slice(0, -1)).find((name) => name.endsWith('.log'))
  left.flip(`${folder}${segment}`, batch.headerBytes + 9, 3)
  return Stage.open({ storage: left, config })
}

/** As Kafka calls it; to KafkaJS it is that of a group. */
const code = 'COORDINATOR_NOT_AVAILABLE'
async function recordsOf(stage: Stage, topic: string): Promise<string[]> {
  const { bytes } = await stage.fetched(topic, 0)
  return [...batch.iterateBatches(bytes)].flatMap((at) => [...readRecords(bytes, at)].map(({ value }) => String(value)))
}

/** Without a group, which might be one of those that cannot be read. */
async function run(stage: Stage, command: Record<string, unknown> & { id: string }): Promise<BranchEvent> {
  await stage.command(command)
  return eventually(async () => {
    const events = (await recordsOf(stage, '__branches')).map((value) => JSON.parse(value) as BranchEvent)
    const result = events.find(({ id }) => id === command.id)
    if (result === undefined) throw new Error('not told yet')
    return result
  })
}

const why = /cannot be read, for a partition of '__consumer_offsets' is damaged\./
const cure = /or restore it: 'twiglog check' on the data folder, with the broker stopped, names the file\./
const says = (message: string, instead: RegExp): void => {
  for (const part of [why, instead, cure]) expect(message).toMatch(part)
}

describe('where commits cannot be read', () => {
  test('a fork at the position of a group of which they tell is refused, and that of another group is made', async () => {
    await using stage = await damaged()
    const at = (group: string) => ({ 'branch.at': `group:${group}` })
    await expect(stage.fork('orders', 'no', at(lost))).rejects.toMatchObject({ errors: [{ type: `GROUP_${code}` }] })
    const { no = '' } = await stage.refusals([{ from: 'orders', topic: 'no', configs: at(lost) }])
    expect(no).toMatch(new RegExp(`^${code}: branch.at=group:${lost}: `))
    says(no, /Give offsets:0=N,1=M,/)
    const { error } = await run(stage, { op: 'fork', id: 'f', from: 'orders', to: 'no', at: `group:${lost}` })
    expect(error?.code).toBe(code)
    says(error!.message, /Give offsets:/)
    expect(await stage.made()).toEqual(['orders', 'orders--copy'])
    await stage.fork('orders', 'orders--at', at(sound))
    expect(await stage.ends('orders--at')).toEqual([{ low: 0, high: 3 }])
  })

  test('nothing is forked with the commits of groups, but without them it is', async () => {
    await using stage = await damaged()
    for (const rule of ['copy', 'fork']) {
      const configs = { 'branch.groups': rule }
      await expect(stage.fork('orders', 'no', configs)).rejects.toMatchObject({ errors: [{ type: `GROUP_${code}` }] })
      const { no = '' } = await stage.refusals([{ from: 'orders', topic: 'no', configs }], true)
      expect(no).toMatch(new RegExp(`^${code}: branch.groups=${rule}: `))
      says(no, /Fork with branch\.groups=none,/)
    }
    const { error } = await run(stage, { op: 'fork', id: 'f1', from: '*', set: 'S' })
    expect(error?.code).toBe(code)
    says(error!.message, /Fork with branch\.groups=none,/)
    expect(await stage.made()).toEqual(['orders', 'orders--copy'])
    expect(await run(stage, { op: 'fork', id: 'f2', from: '*', set: 'S', groups: 'none' })).toMatchObject({
      status: 'done',
    })
  })

  test('a branch that was made with them is not reset, and stays as it is', async () => {
    await using stage = await damaged()
    await stage.send('orders--copy', ['own'])
    const { error } = await run(stage, { op: 'reset', id: 'r', branch: 'orders--copy' })
    expect(error?.code).toBe(code)
    says(error!.message, /Fork anew, with branch\.groups=none,/)
    expect(await recordsOf(stage, 'orders--copy')).toEqual([...numbered(5), 'own'])
  })
})

test('a group that nobody has heard of stands at the log start, and one that has committed what is gone is named', async () => {
  await using stage = await Stage.open({ config })
  await stage.create('orders')
  await stage.send('orders', numbered(5))
  await stage.commit(sound, 'orders', 1)
  await stage.ends('orders') // KafkaJS looks for no leader by itself
  await stage.admin.deleteTopicRecords({ topic: 'orders', partitions: [{ partition: 0, offset: '2' }] })
  await stage.fork('orders', 'orders--new', { 'branch.at': 'group:nobody' })
  expect(await stage.ends('orders--new')).toEqual([{ low: 2, high: 2 }])
  const configs = { 'branch.at': `group:${sound}` }
  await expect(stage.fork('orders', 'no', configs)).rejects.toMatchObject({ errors: [{ type: 'INVALID_CONFIG' }] })
  const { no } = await stage.refusals([{ from: 'orders', topic: 'no', configs }])
  expect(no).toMatch(
    new RegExp(`offset 1 of partition 0 of 'orders' is not within 2 to 5\\. '${sound}' has committed it: `),
  )
  expect(no).toMatch(/have it commit another, or give offsets:\.$/)
  expect(await stage.made()).toEqual(['orders', 'orders--new'])
})
