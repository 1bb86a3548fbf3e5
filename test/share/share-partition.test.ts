// One share partition: who gets what, how often, and what is told to whom about it.

import { describe, expect, test } from 'vitest'
import { batches, ShareWorld } from './world.ts'

describe('handing out', () => {
  test('whole batches of the log are handed out until there are enough records', async () => {
    const world = await ShareWorld.begun()
    expect(world.acquire('a', batches(0, 5, 10), { recordsMax: 15 })).toBe('0-19x1')
    expect(world.acquire('b', batches(20, 3, 10), { recordsMax: 500, batchSize: 10 })).toBe('20-29x1 30-39x1 40-49x1')
  })

  test('a member that asks for a number of records and no more gets just those, and the next goes on behind (KIP-1206)', async () => {
    const world = await ShareWorld.begun()
    expect(world.acquire('a', batches(0, 1, 10), { recordsMax: 4, isStrict: true })).toBe('0-3x1')
    expect(world.share.nextOffset).toBe(4)
    expect(world.acquire('b', batches(0, 1, 10), { recordsMax: 4, isStrict: true })).toBe('4-7x1')
  })

  test('of a batch that was handed out in part the rest counts as looked at: who speaks of it has not acquired it', async () => {
    const world = await ShareWorld.begun()
    world.acquire('a', batches(0, 1, 7), { recordsMax: 1, isStrict: true })
    expect(world.inFlight).toBe('acquired 0-0x1, available 1-6x0')
    expect([await world.say('a', 0, 1, 1), await world.say('a', 0, 7, 1)]).toEqual([
      'INVALID_RECORD_STATE',
      'INVALID_REQUEST',
    ])
    expect(world.acquire('b', batches(0, 1, 7), { recordsMax: 9, isStrict: true })).toBe('1-6x1')
  })

  test('control batches, aborted ones and what compaction took away are passed over, and count as done', async () => {
    const world = await ShareWorld.begun()
    const log = [
      { first: 3, last: 4, isHidden: false },
      { first: 5, last: 5, isHidden: true },
      { first: 8, last: 9, isHidden: false },
    ]
    expect(world.acquire('a', log)).toBe('3-4x1 8-9x1')
    expect(world.inFlight).toBe('acquired 3-4x1, archived 5-7x0, acquired 8-9x1')
    expect(await world.say('a', 3, 9, 1, 1, 0, 0, 0, 1, 1)).toBe('INVALID_RECORD_STATE')
    expect(await world.say('a', 3, 4, 1)).toBe('NONE')
    expect(world.share.inFlight!.start).toBe(8)
  })

  test('no more is in flight than share.partition.max.record.locks, counted from the first that is not done', async () => {
    const world = await ShareWorld.begun({ locksMax: 100 })
    expect(world.acquire('a', batches(0, 30, 10))).toBe('0-99x1')
    expect(await world.say('a', 10, 99, 1)).toBe('NONE')
    expect(world.share.nextOffset).toBeUndefined()
    expect(await world.say('a', 0, 5, 1)).toBe('NONE')
    expect(world.share.nextOffset).toBe(100)
    expect(world.acquire('a', batches(100, 3, 10))).toBe('100-109x1')
  })

  test('what the log no longer holds is nobody’s, whoever had it', async () => {
    const world = await ShareWorld.begun()
    world.acquire('a', batches(0, 3, 10))
    world.share.bound(15, 30)
    expect(world.inFlight).toBe('acquired 15-29x1')
    expect(await world.say('a', 0, 9, 1)).toBe('NONE')
    expect(await world.say('a', 10, 19, 1)).toBe('NONE')
    expect(world.share.inFlight!.start).toBe(20)
  })

  test('a log that lost its end to a power cut is read from its new end on', async () => {
    const world = await ShareWorld.begun()
    world.acquire('a', batches(0, 3, 10))
    await world.say('a', 0, 9, 1)
    world.share.bound(0, 15)
    expect(world.inFlight).toBe('acquired 10-14x1')
    expect(world.share.nextOffset).toBe(15)
    world.share.bound(0, 5)
    expect(world.share.nextOffset).toBe(5)
  })
})

describe('taking back', () => {
  test('accepted and rejected records and gaps are done; released ones go to the next who asks', async () => {
    const world = await ShareWorld.begun()
    world.acquire('a', batches(0, 1, 10))
    expect(await world.say('a', 0, 3, 1, 2, 3, 0)).toBe('NONE')
    expect(world.inFlight).toBe('available 1-1x1, archived 2-3x1, acquired 4-9x1')
    expect(world.share.nextOffset).toBe(1)
    expect(world.acquire('b', batches(0, 1, 10))).toBe('1-1x2')
  })

  test('only who has a record may speak for it, and only once', async () => {
    const world = await ShareWorld.begun()
    world.acquire('a', batches(0, 1, 10))
    expect(await world.say('b', 0, 0, 1)).toBe('INVALID_RECORD_STATE')
    expect(await world.say('a', 5, 5, 1)).toBe('NONE')
    expect(await world.say('a', 5, 5, 1)).toBe('INVALID_RECORD_STATE')
    expect(await world.say('a', 10, 10, 1)).toBe('INVALID_REQUEST')
    expect(await world.say('a', 9, 10, 1)).toBe('INVALID_REQUEST')
  })

  test('of a request that is wrong in one place nothing takes effect', async () => {
    const world = await ShareWorld.begun()
    world.acquire('a', batches(0, 1, 10))
    const refusal = await world.share.acknowledge('a', [
      { firstOffset: 0, lastOffset: 4, acknowledgeTypes: [1] },
      { firstOffset: 4, lastOffset: 6, acknowledgeTypes: [1] },
    ])
    expect(refusal?.error).toBe('INVALID_RECORD_STATE')
    expect(await world.say('a', 0, 9, 1)).toBe('NONE')
    expect(world.inFlight).toBe('')
    expect(world.share.inFlight!.start).toBe(10)
  })

  test('while a word about a record is on its way to the log nobody else may speak for it, nor take it', async () => {
    const world = await ShareWorld.begun()
    world.acquire('a', batches(0, 1, 10))
    const released = world.say('a', 0, 4, 2)
    expect(await world.say('a', 3, 3, 1)).toBe('INVALID_RECORD_STATE')
    expect(await released).toBe('NONE')
    expect(world.acquire('b', batches(0, 1, 10))).toBe('0-4x2')
  })

  test('a log that refuses leaves the record with its member, who may say it again', async () => {
    const world = await ShareWorld.begun()
    world.acquire('a', batches(0, 1, 10))
    world.log.full = true
    expect(await world.say('a', 0, 9, 1)).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(world.inFlight).toBe('acquired 0-9x1')
    world.log.full = false
    expect(await world.say('a', 0, 9, 1)).toBe('NONE')
  })
})

describe('locks', () => {
  test('a record that nobody speaks for goes to others when its lock ends', async () => {
    const world = await ShareWorld.begun({ lockMs: 30_000 })
    world.acquire('a', batches(0, 1, 10))
    await world.clock.pass(10_000)
    world.acquire('b', batches(10, 1, 10))
    await world.clock.pass(19_999)
    expect(world.inFlight).toBe('acquired 0-9x1, acquired 10-19x1')
    await world.clock.pass(1)
    expect(world.inFlight).toBe('available 0-9x1, acquired 10-19x1')
    expect(await world.say('a', 0, 9, 1)).toBe('INVALID_RECORD_STATE')
    await world.clock.pass(10_000)
    expect(world.inFlight).toBe('available 0-19x1')
    expect(world.clock.timerCount).toBe(0)
  })

  // They were held for as long as the clock was set back, up to an hour.
  test('a clock that is set back by minutes holds no lock any longer', async () => {
    const world = await ShareWorld.begun({ lockMs: 30_000 })
    expect(world.acquire('a', batches(0, 1, 10))).toBe('0-9x1')
    world.clock.jump(-600_000)
    await world.clock.pass(30_000)
    expect(world.acquire('b', batches(0, 1, 10))).toBe('0-9x2')
  })

  test('a renewed lock begins anew, and nothing is written for it (KIP-1222)', async () => {
    const world = await ShareWorld.begun()
    world.acquire('a', batches(0, 1, 10))
    const { appendCount } = world.log
    await world.clock.pass(20_000)
    expect(await world.say('a', 0, 4, 4)).toBe('NONE')
    expect(world.log.appendCount).toBe(appendCount)
    await world.clock.pass(20_000)
    expect(world.inFlight).toBe('acquired 0-4x1, available 5-9x1')
    await world.clock.pass(10_000)
    expect(world.inFlight).toBe('available 0-9x1')
  })

  test('a lock whose end the log will not take is tried again, and the record stays taken until then', async () => {
    const world = await ShareWorld.begun()
    world.acquire('a', batches(0, 1, 10))
    world.log.full = true
    await world.clock.pass(30_500)
    expect(world.inFlight).toBe('acquired 0-9x1')
    world.log.full = false
    await world.clock.pass(1_000)
    expect(world.inFlight).toBe('available 0-9x1')
  })

  test('a member that is gone leaves what it had to others; what it had done stays done', async () => {
    const world = await ShareWorld.begun()
    world.acquire('a', batches(0, 1, 10))
    world.acquire('b', batches(10, 1, 10))
    await world.say('a', 0, 4, 1)
    expect(await world.share.release('a')).toBe('NONE')
    expect(world.inFlight).toBe('available 5-9x1, acquired 10-19x1')
  })

  test('who waits is woken when records are given back', async () => {
    const world = await ShareWorld.begun()
    world.acquire('a', batches(0, 1, 10))
    let wakes = 0
    const stop = world.share.onAvailable(() => wakes++)
    await world.say('a', 0, 0, 2)
    expect(wakes).toBe(1)
    await world.clock.pass(30_000)
    expect(wakes).toBe(2)
    stop()
    await world.share.release('a')
    expect(wakes).toBe(2)
  })
})

describe('the delivery limit', () => {
  test('what is rejected or went round too often is buried before it is done; a gap and what is accepted is not', async () => {
    const world = await ShareWorld.begun({ deliveriesMax: 2 })
    world.acquire('a', batches(0, 1, 6))
    await world.say('a', 0, 3, 1, 0, 3, 3)
    expect(world.buried).toEqual(['2-3x1 rejected'])
    await world.say('a', 4, 5, 2)
    world.acquire('a', batches(0, 1, 6))
    await world.clock.pass(30_000)
    expect(world.buried).toEqual(['2-3x1 rejected', '4-5x2 exhausted'])
  })

  test('a record that went round as often as it may is given up, by release as by time', async () => {
    const world = await ShareWorld.begun({ deliveriesMax: 2 })
    expect(world.acquire('a', batches(0, 1, 2), { recordsMax: 1 })).toBe('0-1x1')
    await world.say('a', 0, 1, 2)
    // As Kafka: what failed once is under no suspicion yet, however seldom it may be handed out.
    expect(world.acquire('a', batches(0, 1, 2))).toBe('0-1x2')
    await world.say('a', 0, 0, 2)
    await world.clock.pass(30_000)
    expect(world.inFlight).toBe('')
    expect(world.share.nextOffset).toBe(2)
  })

  test('records under suspicion go in smaller and smaller portions, at last alone', async () => {
    const world = await ShareWorld.begun()
    const portions: string[] = []
    for (let i = 0; i < 8; i++) {
      portions.push(world.acquire('a', batches(0, 1, 10), { recordsMax: 10 }))
      await world.share.release('a')
    }
    expect(portions.slice(0, 5)).toEqual(['0-9x1', '0-9x2', '0-9x3', '0-4x4', '0-0x5'])
    expect(portions.slice(5)).toEqual(['1-1x5', '2-2x5', '3-3x5'])
  })
})
