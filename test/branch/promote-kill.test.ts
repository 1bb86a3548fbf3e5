// The broker is killed while names are swapped: afterwards it is one picture or the other, with the groups where they
// belong, and each swap is told once.

import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { offsetCommit } from '../../protocol/messages/08-offset-commit.ts'
import type { BranchEvent } from '../../src/branch/events.ts'
import { WireClient } from '../wire-client.ts'
import { ChildStage } from './child-stage.ts'
import { commandAgain, dieAt, momentsOf, openDying } from './dying-stage.ts'
import { numbered } from './stage.ts'

let stage: ChildStage
afterEach(() => stage.close())

const committed = (topic: string) =>
  stage.withAdmin(async (admin) => {
    const [found] = await admin.fetchOffsets({ groupId: 'far', topics: [topic] })
    return Number(found!.partitions[0]!.offset)
  })

test('B57: kill -9 in the middle of a promotion', { timeout: 120_000 }, async () => {
  stage = await ChildStage.open()
  await stage.withAdmin(async (admin) => {
    await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 1 }] })
    await admin.fetchTopicMetadata({ topics: ['__branch_commands', '__branches'] })
  })
  const past = Array.from({ length: 10 }, (_, i) => `v${i}`)
  await stage.send('orders', ...past)
  const configEntries = [
    { name: 'branch.from', value: 'orders' },
    { name: 'branch.at', value: 'offset:6' },
  ]
  await stage.withAdmin((admin) =>
    admin.createTopics({ topics: [{ topic: 'orders--try', numPartitions: -1, configEntries }] }),
  )
  await stage.send('orders--try', 'own')
  await stage.withAdmin((admin) =>
    admin.setOffsets({ groupId: 'far', topic: 'orders', partitions: [{ partition: 0, offset: '9' }] }),
  )
  const pictures = { parent: past, branch: [...past.slice(0, 6), 'own'] }
  for (let round = 1; round <= 6; round++) {
    const command = { op: 'promote', id: `u${round}`, branch: 'orders--try', keep: 'orders--try' }
    await stage.send('__branch_commands', JSON.stringify(command))
    await pause(Math.random() * 20)
    await stage.kill()
    // The command is there, so it is carried out, if it was not before.
    const isTold = (values: readonly string[]) =>
      values.some((value) => (JSON.parse(value) as BranchEvent).id === command.id)
    const events = (await stage.read('__branches', isTold)).map((value) => JSON.parse(value) as BranchEvent)
    expect(
      events.filter(({ type, replayed }) => type === 'promote' && replayed === undefined).map(({ id }) => id),
    ).toEqual(Array.from({ length: round }, (_, i) => `u${i + 1}`))
    const [named, kept] = round % 2 === 1 ? (['branch', 'parent'] as const) : (['parent', 'branch'] as const)
    const enough = (count: number) => (values: readonly string[]) => values.length === count
    expect(await stage.read('orders', enough(pictures[named].length))).toEqual(pictures[named])
    expect(await stage.read('orders--try', enough(pictures[kept].length))).toEqual(pictures[kept])
    expect([await committed('orders'), await committed('orders--try')]).toEqual(named === 'branch' ? [6, 9] : [9, 6])
  }
})

/** The record that makes it true, where the group stands under either name, the event, and that all of it is done. */
const moments = ['promote', 'commit', 'promote', 'promoted']

test('B57: kill -9 in front of each write of a promotion: one picture or the other, told once, and the same command swaps nothing back', {
  timeout: 240_000,
}, async () => {
  stage = await openDying()
  const past = numbered(10)
  const pictures = [past, [...past.slice(0, 6), 'own']] as const
  const group = 'committing'
  const prepare = async (name: string) => {
    const configEntries = [
      { name: 'branch.from', value: name },
      { name: 'branch.at', value: 'offset:6' },
    ]
    await stage.withAdmin((admin) => admin.createTopics({ topics: [{ topic: name, numPartitions: 1 }] }))
    await stage.send(name, ...past)
    await stage.withAdmin((admin) =>
      admin.createTopics({ topics: [{ topic: `${name}--try`, numPartitions: -1, configEntries }] }),
    )
    await stage.send(`${name}--try`, 'own')
    // KafkaJS takes five seconds for it.
    const wire = await WireClient.open(stage.broker.bootstrap)
    const topics = [{ name, partitions: [{ partitionIndex: 0, committedOffset: 9 }] }]
    await wire.ask(offsetCommit, 8, { groupId: group, memberId: '', topics })
    wire.close()
    return { op: 'promote', id: `u-${name}`, branch: `${name}--try`, keep: `${name}--before` }
  }
  const shown = async (topic: string) => {
    const [end] = await stage.withAdmin((admin) => admin.fetchTopicOffsets(topic))
    return await stage.read(topic, ({ length }) => length === Number(end!.high))
  }
  const committedBy = async (topic: string) => {
    const [found] = await stage.withAdmin((admin) => admin.fetchOffsets({ groupId: group, topics: [topic] }))
    return Number(found!.partitions[0]!.offset)
  }
  expect(await momentsOf(stage, await prepare('whole'))).toEqual(moments)
  for (const [at, name] of moments.entries()) {
    const topic = `orders-${at}`
    const promote = await prepare(topic)
    const done = await dieAt(stage, at, promote)
    await stage.broker.start()
    const what = `in front of ${at}, ${name}: ${done}`
    // What has its record is finished by the start; else it is done anew, for the command is there.
    expect(done.includes('promote') ? [pictures[1]] : pictures, what).toContainEqual(await shown(topic))
    await commandAgain(stage, promote, 'done', what)
    expect([await shown(topic), await shown(promote.keep)], what).toEqual([pictures[1], pictures[0]])
    expect([await committedBy(topic), await committedBy(promote.keep)], what).toEqual([6, 9])
  }
})
