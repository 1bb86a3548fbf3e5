// What a restart finds: the groups as they were answered for, no more and no less.

import { expect, test } from 'vitest'
import { Groups } from '../../src/group/coordinator.ts'
import { groupId, settled, World } from './world.ts'

test('members go on with their generation and their assignments', async () => {
  const world = await World.start()
  const joins = await world.stable(3, (i) => (i === 2 ? { instanceId: 'three' } : {}))
  await world.commit(joins[1]!.memberId, 2, 42)
  const before = world.describe()
  await world.restart()
  expect(world.describe()).toEqual(before)
  expect(world.committed()).toEqual(['orders-0: 42'])
  expect(world.heartbeat(joins[0]!.memberId, 2)).toBe('NONE')
  expect((await world.sync(joins[1]!.memberId, 2)).assignment.toString()).toBe('of 1')
  expect(await world.commit(joins[1]!.memberId, 2, 43)).toEqual(['NONE'])
  expect(world.heartbeat(joins[2]!.memberId, 2, 'three')).toBe('NONE')
})

test('the leader leads on: its join starts a rebalance, that of another member does not', async () => {
  const world = await World.start()
  const [a, b] = await world.stable(2)
  await world.restart()
  expect(await world.join({ memberId: b!.memberId })).toMatchObject({ generation: 2, leader: a!.memberId })
  const again = world.join({ memberId: a!.memberId })
  expect(world.state()).toBe('PreparingRebalance')
  expect(await world.join({ memberId: b!.memberId })).toMatchObject({ generation: 3 })
  await again
})

test('sessions begin anew, and end', async () => {
  const world = await World.start()
  const [a, b] = await world.stable(2)
  await world.clock.pass(9_000)
  await world.restart()
  await world.clock.pass(9_000)
  expect(world.heartbeat(a!.memberId, 2)).toBe('NONE')
  await world.clock.pass(1_000)
  expect(world.heartbeat(b!.memberId, 2)).toBe('UNKNOWN_MEMBER_ID')
})

test('a generation that was not yet assigned is gone: the members find the one before, and join again', async () => {
  const world = await World.start()
  const [a, b] = await world.stable(2)
  const again = world.join({ memberId: a!.memberId })
  await world.join({ memberId: b!.memberId })
  await again
  await world.restart()
  expect(world.heartbeat(a!.memberId, 3)).toBe('ILLEGAL_GENERATION')
  expect(world.state()).toBe('Stable')
})

test('an empty group keeps its type, and its next generation is a later one', async () => {
  const world = await World.start()
  const [a] = await world.stable(1)
  world.leave(a!.memberId)
  await settled()
  await world.restart()
  expect(world.describe()).toEqual({ state: 'Empty', protocolType: 'consumer', protocol: '', members: [] })
  expect((await world.join()).generation).toBe(3)
})

test('a compacted log says the same', async () => {
  const world = await World.start()
  const [a, b] = await world.stable(2)
  for (let offset = 0; offset < 10; offset++) await world.commit(a!.memberId, 2, offset)
  await world.commit(b!.memberId, 2, 7, 1)
  const before = world.describe()
  world.log.compact()
  await world.restart()
  expect(world.describe()).toEqual(before)
  expect(world.committed()).toEqual(['orders-0: 9', 'orders-1: 7'])
})

test('before the log is read nobody is told anything', async () => {
  const world = await World.start()
  const [a] = await world.stable(1)
  world.groups.stop()
  const groups = new Groups(world)
  world.groups = groups
  const loading = 'COORDINATOR_LOAD_IN_PROGRESS'
  expect((await world.join()).error).toBe(loading)
  expect((await world.sync(a!.memberId, 1)).error).toBe(loading)
  expect(world.heartbeat(a!.memberId, 1)).toBe(loading)
  expect(world.leave(a!.memberId)).toBe(loading)
  expect(await world.commit(a!.memberId, 1, 1)).toEqual([loading])
  expect(world.committed()).toEqual([loading])
  expect(world.state()).toBe(loading)
  expect(await groups.delete(groupId)).toBe(loading)
  expect(await groups.offsets.delete(groupId, [])).toBe(loading)
  expect(groups.list().loading).toBe(true)
  await groups.load()
  expect(world.heartbeat(a!.memberId, 1)).toBe('NONE')
  expect(groups.list().loading).toBe(false)
})

test('a partition that cannot be read takes its own groups out of service, and no others', async () => {
  const world = await World.start()
  const broken = world.groups.partitionOf('broken')
  expect(broken).not.toBe(world.groups.partitionOf(groupId))
  const replay = world.log.replay.bind(world.log)
  world.log.replay = (partition, visit) => {
    if (partition === broken) throw new Error('unreadable')
    replay(partition, visit)
  }
  const groups = new Groups(world)
  world.groups.stop()
  world.groups = groups
  await expect(groups.load()).rejects.toThrow('groups could not be read')
  expect((await world.join({ groupId: 'broken' })).error).toBe('COORDINATOR_NOT_AVAILABLE')
  expect((await world.join()).error).toBe('NONE')
})

test('stopping answers whoever waits, and leaves no timer', async () => {
  const world = await World.start()
  const [a] = await world.stable(1)
  await world.join({ idFirst: true })
  const waiting = [world.join(), world.join({ memberId: a!.memberId })]
  world.groups.stop()
  for (const answer of await Promise.all(waiting)) expect(answer.error).toBe('NOT_COORDINATOR')
  expect(world.clock.timerCount).toBe(0)
})
