// The broker is killed while names are swapped: afterwards it is one picture or the other, with the groups where they
// belong, and each swap is told once.

import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import type { BranchEvent } from '../../src/branch/events.ts'
import { ChildStage } from './child-stage.ts'

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
