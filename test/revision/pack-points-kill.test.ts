// A broker in a process of its own dies, as by kill -9, in front of everything that its packer does to the disk: a stock consumer is given
// every record once, no half of a pack stays, and packing goes on. (On a disk of ours, power cuts too: pack-crash.test.ts.)

import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Kafka, logLevel } from 'kafkajs'
import { afterEach, expect, test } from 'vitest'
import { ChildStage } from '../branch/child-stage.ts'
import { eventually } from '../eventually.ts'
import { revisionOf } from './packs.ts'

let stage: ChildStage
afterEach(() => stage.close())

const keys = ['a', 'b', 'c']
const rounds = 4
const sent = Array.from({ length: rounds }, (_, rev) =>
  keys.map((key) => ({ key, value: revisionOf(key, rev, 2000), partition: 0 })),
)
const asRead = sent.flat().map(({ key, value }, offset) => `${offset} ${key} ${value}`)

/** A topic whose segments are closed, but for the last one, and not packed yet. */
async function written(topic: string): Promise<void> {
  const configs = { 'revision.diff': 'true', 'revision.pack.lag.ms': '3600000', 'segment.ms': '1' }
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
  await stage.withAdmin(async (admin) => {
    await admin.createTopics({ topics: [{ topic, numPartitions: 1, configEntries }] })
  })
  for (const messages of sent) {
    await stage.sendAll(topic, messages)
    // `segment.ms=1` closes what is older than a millisecond.
    await pause(3)
  }
}

/** By a client that does not try again: the broker may die before it has answered. */
async function packFromNowOn(topic: string): Promise<void> {
  const configs = { 'revision.diff': 'true', 'revision.pack.lag.ms': '0', 'segment.ms': '1' }
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
  const brokers = [stage.broker.bootstrap]
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 0 } }).admin()
  await admin.connect()
  try {
    await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: topic, configEntries }] })
  } finally {
    await admin.disconnect()
  }
}

const filesOf = (ending: string) =>
  readdirSync(join(stage.broker.data, 'topics'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith(ending),
  )

/** Of how many partitions all is packed but the segment that is written to. */
function packedCount(): number {
  const logs = filesOf('.log').map(dirname)
  return filesOf('.pack').filter((pack) => logs.filter((folder) => folder === dirname(pack)).length === 1).length
}

/** Every record that a stock consumer is given, from the first to the last. */
async function read(topic: string): Promise<string[]> {
  const found: string[] = []
  await stage.readEach(topic, (_, { offset, key, value }) => {
    found.push(`${offset} ${key} ${value}`)
    return Number(offset) === asRead.length - 1
  })
  return found
}

test('R25: kill -9 in front of everything that the packer does: every record is readable once, and packing goes on', {
  timeout: 120_000,
}, async () => {
  const hook = fileURLToPath(new URL('dying-packer.mjs', import.meta.url))
  stage = await ChildStage.open(['--set', 'storage=plain'], ['--import', hook])
  const [named, dieAt] = ['moments', 'die-at'].map((name) => join(stage.broker.root, name)) as [string, string]
  let packCount = 0
  const isPacked = () => eventually(() => expect(packedCount()).toBe(packCount))

  // Nobody dies: what is done, and in which order. Each life of the broker finds out by its first pack that it gets no process.
  for (const topic of ['first', 'whole']) {
    await written(topic)
    if (topic === 'whole') writeFileSync(dieAt, 'never')
    await packFromNowOn(topic)
    packCount++
    await isPacked()
  }
  rmSync(dieAt)
  const moments = readFileSync(named, 'utf8').trimEnd().split('\n')
  expect(moments.filter((name, at) => name !== moments[at - 1])).toEqual([
    'create',
    'write',
    'flush',
    'rename',
    'remove',
  ])
  // Some are a little longer than others, and are written in one more piece.
  expect(moments.filter((name) => name === 'write').length).toBeGreaterThan(4)
  const removed = moments.filter((name) => name === 'remove').map((name, nth) => [name, nth] as const)
  expect(removed).toHaveLength(rounds - 1)

  for (const [name, nth] of [
    ['create', 0],
    ['write', 0],
    ['write', 3],
    ['flush', 0],
    ['rename', 0],
    ...removed,
  ] as const) {
    const what = `in front of ${name} ${nth}`
    const topic = `killed-at-${name}-${nth}`
    await written(topic)
    writeFileSync(dieAt, `${name} ${nth}`)
    await Promise.all([stage.broker.gone(), packFromNowOn(topic).catch(() => {})])
    rmSync(dieAt)
    const [before, unfinished] = [filesOf('.pack').length - packCount, filesOf('.tmp').length]
    expect([before, unfinished], what).toEqual(name === 'create' ? [0, 0] : name === 'remove' ? [1, 0] : [0, 1])
    stage.broker.expectSound()
    await stage.broker.start()
    expect(await read(topic), what).toEqual(asRead)
    packCount++
    await isPacked()
    expect(filesOf('.tmp'), what).toEqual([])
    expect(await read(topic), what).toEqual(asRead)
  }
})
