// What a share partition still knows when the broker was killed: all that a member was told, and no more than was true.

import { describe, expect, test } from 'vitest'
import { batches, of, ShareWorld, topicId } from './world.ts'

describe('after a kill', () => {
  test('what was accepted is never handed out again; what was acquired is, as if for the first time', async () => {
    const world = await ShareWorld.begun()
    world.acquire('a', batches(0, 2, 10))
    await world.say('a', 0, 3, 1)
    await world.say('a', 10, 12, 1)
    await world.restart()
    expect(world.inFlight).toBe('available 4-9x0, acknowledged 10-12x1')
    expect(world.acquire('b', batches(0, 3, 10))).toBe('4-9x1 13-29x1')
  })

  test('deliveries that came to an end are counted on', async () => {
    const world = await ShareWorld.begun()
    world.acquire('a', batches(0, 1, 10))
    await world.say('a', 0, 4, 2)
    await world.clock.pass(30_000)
    world.acquire('a', batches(0, 1, 10))
    await world.restart()
    expect(world.inFlight).toBe('available 0-9x1')
    expect(world.acquire('b', batches(0, 1, 10))).toBe('0-9x2')
  })

  test('a group of the policy latest begins where it began, though nothing was acknowledged yet', async () => {
    const world = await ShareWorld.begun()
    await world.states.initialise({ ...of, partition: 1 })
    await world.states.find({ ...of, partition: 1 })!.begin(77)
    await world.restart()
    const share = world.states.find({ ...of, partition: 1 })!
    expect(share.nextOffset).toBe(77)
    expect(share.startOffset).toBe(-1)
  })

  test('of two members that come first at the same time one says where the group begins', async () => {
    const world = await ShareWorld.begun()
    await world.states.initialise({ ...of, partition: 1 })
    const share = world.states.find({ ...of, partition: 1 })!
    await Promise.all([share.begin(5), share.begin(9)])
    expect(share.nextOffset).toBe(5)
    await world.restart()
    expect(world.states.find({ ...of, partition: 1 })!.nextOffset).toBe(5)
  })

  test('what an administrator set stays, and what was on its way before means nothing any more', async () => {
    const world = await ShareWorld.begun()
    world.acquire('a', batches(0, 2, 10))
    const late = world.say('a', 0, 9, 1)
    await world.states.alter(of, 5)
    expect(await late).toBe('NOT_LEADER_OR_FOLLOWER')
    expect(world.share.startOffset).toBe(5)
    expect(world.share.known.stateEpoch).toBe(1)
    await world.restart()
    expect([world.share.startOffset, world.share.nextOffset, world.share.known.stateEpoch]).toEqual([5, 5, 1])
  })

  test('what was removed is gone', async () => {
    const world = await ShareWorld.begun()
    world.acquire('a', batches(0, 2, 10))
    await world.states.remove(world.share)
    expect(world.states.find(of)).toBeUndefined()
    await world.restart()
    expect(world.states.all).toEqual([])
  })

  test('updates are followed by snapshots, and the log is cut below them', async () => {
    const world = await ShareWorld.begun({ locksMax: 10_000 })
    await world.states.initialise({ groupId: 'others', topicId, partition: 4 })
    for (let i = 0; i < 6_000; i++) {
      world.acquire('a', batches(i, 1, 1))
      await world.say('a', i, i, i % 100 === 0 ? 2 : 1)
    }
    await world.clock.pass(0)
    expect(world.log.recordCount).toBeLessThan(1_500)
    const before = world.inFlight
    await world.restart()
    expect(world.inFlight).toBe(before)
    expect(world.states.all.length).toBe(2)
  })

  test('any history of acquisitions, words and kills loses no record and hands out none that was accepted', async () => {
    for (let seed = 1; seed <= 40; seed++) await history(seed)
  })
})

/** Random members do random things; what was accepted is remembered beside the broker. */
async function history(seed: number): Promise<void> {
  let state = seed * 2_654_435_761
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % below
  }
  const world = await ShareWorld.begun({ locksMax: 60, deliveriesMax: 5 })
  const accepted = new Set<number>()
  const deliveries = new Map<number, number>()
  const held = new Map<number, string>()
  const end = 120
  const story: string[] = []
  for (let step = 0; step < 150; step++) {
    const memberId = `m${random(3)}`
    switch (random(6)) {
      case 0:
      case 1: {
        const from = Math.max(0, world.share.nextOffset ?? end)
        const first = from - (from % 4)
        const isStrict = random(2) === 0
        const wish = { memberId, recordsMax: 1 + random(10), batchSize: 4, isStrict }
        const acquired = world.share.acquire(batches(first, (end - first) / 4, 4), wish)
        for (const { firstOffset, lastOffset } of acquired) {
          for (let offset = firstOffset; offset <= lastOffset; offset++) {
            story.push(`${memberId} gets ${offset}`)
            if (accepted.has(offset))
              throw new Error(`seed ${seed}: ${offset} was accepted before\n${story.join('\n')}`)
            if (held.has(offset)) throw new Error(`seed ${seed}: ${offset} is held\n${story.join('\n')}`)
            held.set(offset, memberId)
            deliveries.set(offset, (deliveries.get(offset) ?? 0) + 1)
          }
        }
        break
      }
      case 2:
      case 3: {
        const [offset, owner] = [...held][random(Math.max(1, held.size))] ?? []
        if (offset === undefined) break
        const type = 1 + random(2)
        world.log.full = random(8) === 0
        const answer = await world.say(owner!, offset, offset, type)
        story.push(`${owner} says ${type} of ${offset}: ${answer}`)
        expect(answer).toBe(world.log.full ? 'COORDINATOR_NOT_AVAILABLE' : 'NONE')
        world.log.full = false
        if (answer !== 'NONE') break
        held.delete(offset)
        if (type === 1) accepted.add(offset)
        break
      }
      case 4:
        if (random(4) === 0) {
          await world.clock.pass(30_000)
          held.clear()
          story.push('time passes')
        }
        break
      default:
        if (random(4) === 0) {
          await world.restart()
          held.clear()
          deliveries.clear()
          story.push('killed')
        }
    }
  }
  await world.clock.pass(31_000)
  // Somebody who accepts everything finds all that is left.
  for (let rounds = 0; rounds < 500; rounds++) {
    const from = world.share.nextOffset ?? end
    if (from >= end) break
    const first = from - (from % 4)
    const acquired = world.share.acquire(batches(first, (end - first) / 4, 4), {
      memberId: 'last',
      recordsMax: 50,
      batchSize: 50,
      isStrict: false,
    })
    for (const { firstOffset, lastOffset } of acquired) {
      for (let offset = firstOffset; offset <= lastOffset; offset++) {
        if (accepted.has(offset)) throw new Error(`seed ${seed}: ${offset} was accepted before\n${story.join('\n')}`)
        accepted.add(offset)
      }
      expect(await world.say('last', firstOffset, lastOffset, 1)).toBe('NONE')
    }
  }
  const lost = Array.from({ length: end }, (_, i) => i).filter((offset) => !accepted.has(offset))
  // Only what went round five times may be missing.
  for (const offset of lost) {
    const said = story.filter((line) => line.endsWith(`gets ${offset}`)).length
    if (said < 5) throw new Error(`seed ${seed}: ${offset} is lost after ${said} deliveries\n${story.join('\n')}`)
  }
}
