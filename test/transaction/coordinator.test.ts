// What producers are told by their coordinator, request by request. The errors are those that Kafka 4.4.0 gave.

import { describe, expect, test } from 'vitest'
import { next, orders, settled, World } from './world.ts'

describe('InitProducerId', () => {
  test('gives a new id once, and a later epoch each time after', async () => {
    const world = await World.start()
    expect(await world.init()).toEqual({ producerId: 7, producerEpoch: 0 })
    expect(await world.init()).toEqual({ producerId: 7, producerEpoch: 1 })
    expect(await world.init('other')).toEqual({ producerId: 8, producerEpoch: 0 })
  })

  test('refuses a name that is none, and a timeout that is none or too long', async () => {
    const world = await World.start()
    expect(await world.init('')).toBe('INVALID_REQUEST')
    for (const timeoutMs of [0, -1, 900_001])
      expect(await world.init('tx', undefined, timeoutMs)).toBe('INVALID_TRANSACTION_TIMEOUT')
    expect(await world.init('tx', undefined, 900_000)).toMatchObject({ producerEpoch: 0 })
  })

  test('lets a producer go on from what it had, again if the answer got lost, but nobody else (KIP-360)', async () => {
    const world = await World.start()
    const had = await world.producer()
    expect(await world.init('tx', had)).toEqual(next(had))
    expect(await world.init('tx', had)).toEqual(next(had))
    expect(await world.init('tx', { ...had, producerEpoch: 9 })).toBe('PRODUCER_FENCED')
    expect(await world.init('tx', { ...had, producerId: 70 })).toBe('PRODUCER_FENCED')
    expect(await world.init('tx', next(had))).toEqual(next(next(had)))
    expect(await world.init('tx', had)).toBe('PRODUCER_FENCED')
  })

  test('takes an id that it does not know for a new one, whatever the producer says it had', async () => {
    const world = await World.start()
    expect(await world.init('tx', { producerId: 70, producerEpoch: 3 })).toEqual({ producerId: 7, producerEpoch: 0 })
  })

  test('aborts what is open, and is told to come again; one epoch is used up by that', async () => {
    const world = await World.start()
    const held = await world.producer()
    await world.add(held, [orders(0), orders(1)])
    expect(await world.init()).toBe('CONCURRENT_TRANSACTIONS')
    expect(world.marks).toEqual(['orders-0 ABORT 7/1', 'orders-1 ABORT 7/1'])
    expect(world.brief()).toBe('CompleteAbort 7/1')
    expect(await world.init()).toEqual({ producerId: 7, producerEpoch: 2 })
    expect(await world.add(held)).toBe('PRODUCER_FENCED')
    expect(await world.end(held)).toBe('PRODUCER_FENCED')
  })

  test('a producer that goes on while its own transaction is open finds the epoch that its abort brought', async () => {
    const world = await World.start()
    const held = await world.producer()
    await world.add(held)
    expect(await world.init('tx', held)).toBe('CONCURRENT_TRANSACTIONS')
    expect(await world.init('tx', held)).toEqual(next(held))
  })
})

describe('AddPartitionsToTxn', () => {
  test('asks who it is in the order id, producer id, epoch', async () => {
    const world = await World.start()
    const held = await world.producer()
    expect(await world.add(held, [orders()], { id: '' })).toBe('INVALID_REQUEST')
    expect(await world.add(held, [orders()], { id: 'nobody' })).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(await world.add({ producerId: 70, producerEpoch: 9 })).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(await world.add({ ...held, producerEpoch: 9 })).toBe('PRODUCER_FENCED')
    expect(world.brief()).toBe('Empty 7/0')
  })

  test('begins a transaction, and writes to the log only what is new', async () => {
    const world = await World.start()
    const held = await world.producer()
    expect(await world.add(held)).toBe('NONE')
    const startedAt = world.clock.now()
    const { appendCount } = world.log
    world.clock.jump(1000)
    expect(await world.add(held)).toBe('NONE')
    expect(world.log.appendCount).toBe(appendCount)
    expect(await world.add(held, [orders(3), orders(0)])).toBe('NONE')
    expect(world.log.appendCount).toBe(appendCount + 1)
    expect(world.state()).toMatchObject({ status: 'Ongoing', startedAt, updatedAt: startedAt + 1000 })
    expect(world.state().partitions).toEqual(new Map([['orders', new Set([0, 3])]]))
  })

  test('without a partition it begins a transaction all the same', async () => {
    const world = await World.start()
    expect(await world.add(await world.producer(), [])).toBe('NONE')
    expect(world.brief()).toBe('Ongoing 7/0')
  })

  test('waits its turn while another change is under way', async () => {
    const world = await World.start()
    const held = await world.producer()
    const both = [world.add(held, [orders(0)]), world.add(held, [orders(1)])]
    expect(await Promise.all(both)).toEqual(['NONE', 'CONCURRENT_TRANSACTIONS'])
  })
})

describe('EndTxn before KIP-890', () => {
  const v1 = { clientVersion: 0 }

  test('keeps the epoch, so the same end may be asked for again, and no other', async () => {
    const world = await World.start()
    const held = await world.producer()
    expect(await world.end(held, 'commit', v1)).toBe('INVALID_TXN_STATE')
    expect(await world.end(held, 'abort', v1)).toBe('INVALID_TXN_STATE')
    await world.add(held, [orders()], v1)
    expect(await world.end(held, 'commit', v1)).toEqual(held)
    expect(world.marks).toEqual(['orders-0 COMMIT 7/0'])
    expect(await world.end(held, 'commit', v1)).toEqual(held)
    expect(await world.end(held, 'abort', v1)).toBe('INVALID_TXN_STATE')
    expect(await world.add(held, [orders()], v1)).toBe('NONE')
    expect(await world.end(held, 'abort', v1)).toEqual(held)
    expect(world.marks).toEqual(['orders-0 COMMIT 7/0', 'orders-0 ABORT 7/0'])
  })

  test('asks who it is', async () => {
    const world = await World.start()
    const held = await world.producer()
    expect(await world.end(held, 'commit', { ...v1, id: '' })).toBe('INVALID_REQUEST')
    expect(await world.end(held, 'commit', { ...v1, id: 'nobody' })).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(await world.end({ ...held, producerId: 70 }, 'commit', v1)).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(await world.end(next(held), 'commit', v1)).toBe('PRODUCER_FENCED')
  })
})

describe('EndTxn with KIP-890', () => {
  test('brings the epoch of the next transaction, which the markers bear already', async () => {
    const world = await World.start()
    const held = await world.producer()
    await world.add(held)
    expect(await world.end(held)).toEqual(next(held))
    expect(world.marks).toEqual(['orders-0 COMMIT 7/1'])
    expect(world.brief()).toBe('CompleteCommit 7/1')
    expect(await world.add(held)).toBe('PRODUCER_FENCED')
    expect(await world.add(next(held))).toBe('NONE')
  })

  test('tells the end that is asked for again by its epoch', async () => {
    const world = await World.start()
    const held = await world.producer()
    await world.add(held)
    await world.end(held)
    expect(await world.end(held)).toEqual(next(held))
    expect(await world.end(held, 'abort')).toBe('INVALID_TXN_STATE')
    expect(await world.end(next(held))).toBe('INVALID_TXN_STATE')
    expect(await world.end(next(next(held)))).toBe('PRODUCER_FENCED')
    expect(world.marks).toHaveLength(1)
  })

  test('may abort what never began, and take a new epoch by it', async () => {
    const world = await World.start()
    const held = await world.producer()
    expect(await world.end(held, 'abort')).toEqual(next(held))
    expect(await world.end(held, 'abort')).toEqual(next(held))
    expect(await world.end(held, 'commit')).toBe('INVALID_TXN_STATE')
    expect(await world.end(next(held), 'abort')).toEqual(next(next(held)))
    expect(await world.end(next(next(held)), 'commit')).toBe('INVALID_TXN_STATE')
    expect(world.marks).toEqual([])
  })

  test('a client of old and one of today may take turns at one id', async () => {
    const world = await World.start()
    const held = await world.producer()
    await world.add(held)
    expect(await world.end(held, 'commit', { clientVersion: 0 })).toEqual(held)
    await world.add(held, [orders(1)], { clientVersion: 0 })
    expect(await world.end(held, 'abort')).toEqual(next(held))
    expect(world.marks).toEqual(['orders-0 COMMIT 7/0', 'orders-1 ABORT 7/1'])
  })
})

describe('at the end of the epochs', () => {
  const atEpoch = (epoch: number) => World.atEpoch(epoch)
  const last = { producerId: 7, producerEpoch: 32_766 }

  test('an end brings a new producer id; the answer can be asked for again', async () => {
    const world = await atEpoch(32_766)
    await world.add(last)
    expect(await world.end(last)).toEqual({ producerId: 8, producerEpoch: 0 })
    expect(world.marks).toEqual(['orders-0 COMMIT 7/32767'])
    expect(world.brief()).toBe('CompleteCommit 8/0')
    expect(await world.end(last)).toEqual({ producerId: 8, producerEpoch: 0 })
    expect(await world.end(last, 'abort')).toBe('INVALID_TXN_STATE')
    for (const producerEpoch of [32_765, 32_767])
      expect(await world.end({ ...last, producerEpoch })).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(await world.add({ producerId: 8, producerEpoch: 0 })).toBe('NONE')
  })

  test('fencing brings a new producer id too', async () => {
    const world = await atEpoch(32_766)
    await world.add(last)
    expect(await world.init()).toBe('CONCURRENT_TRANSACTIONS')
    expect(world.marks).toEqual(['orders-0 ABORT 7/32767'])
    expect(world.brief()).toBe('CompleteAbort 8/0')
    expect(await world.init()).toEqual({ producerId: 8, producerEpoch: 1 })
  })

  test('who goes on from the last epoch gets a new id, and may ask once more', async () => {
    const world = await atEpoch(32_766)
    expect(await world.init('tx', last)).toEqual({ producerId: 8, producerEpoch: 0 })
    expect(await world.init('tx', last)).toEqual({ producerId: 8, producerEpoch: 0 })
    expect(await world.init('tx', last)).toBe('PRODUCER_FENCED')
    expect(await world.init('tx', { ...last, producerEpoch: 32_765 })).toBe('PRODUCER_FENCED')
  })

  test('an end before KIP-890 needs no new epoch', async () => {
    const world = await atEpoch(32_766)
    await world.add(last, [orders()], { clientVersion: 0 })
    expect(await world.end(last, 'commit', { clientVersion: 0 })).toEqual(last)
  })
})

describe('a batch before its append', () => {
  const claim = (held: { producerId: number; producerEpoch: number }) => ({ id: 'tx', ...held })

  test('of a producer of old goes only where it was added', async () => {
    const world = await World.start()
    const held = await world.producer()
    const admit = (places = [orders(0), orders(1)]) =>
      world.transactions.admit(claim(held), places, { implicit: false })
    expect(admit()).toEqual(['TRANSACTION_ABORTABLE', 'TRANSACTION_ABORTABLE'])
    await world.add(held, [orders(1)], { clientVersion: 0 })
    expect(admit()).toEqual(['TRANSACTION_ABORTABLE', 'NONE'])
    expect(world.transactions.admit(claim(next(held)), [orders(1)], { implicit: false })).toEqual(['PRODUCER_FENCED'])
    await world.end(held, 'commit', { clientVersion: 0 })
    expect(admit()).toEqual(['TRANSACTION_ABORTABLE', 'TRANSACTION_ABORTABLE'])
  })

  test('of a producer of today brings its partition along, and is answered at once where it has done so', async () => {
    const world = await World.start()
    const held = await world.producer()
    const admit = () => world.transactions.admit(claim(held), [orders(2)], { implicit: true })
    expect(await admit()).toEqual(['NONE'])
    expect(world.state().partitions).toEqual(new Map([['orders', new Set([2])]]))
    expect(admit()).toEqual(['NONE'])
  })

  test('waits for the end of the transaction before, but not for ever', async () => {
    const world = await World.start()
    const held = await world.producer()
    await world.add(held)
    let open = () => {}
    world.gate = new Promise((resolve) => {
      open = resolve
    })
    const end = world.end(held)
    await settled()
    const admit = () => world.transactions.admit(claim(next(held)), [orders()], { implicit: true })
    const patient = admit()
    const late = admit()
    await world.clock.pass(99)
    open()
    expect([await patient, await end]).toEqual([['NONE'], next(held)])
    expect(await late).toEqual(['NONE'])
    world.gate = new Promise(() => {})
    void world.end(next(held))
    await settled()
    const inVain = world.transactions.admit(claim(next(next(held))), [orders()], { implicit: true })
    await world.clock.pass(100)
    expect(await inVain).toEqual(['CONCURRENT_TRANSACTIONS'])
  })
})

describe('when the disk refuses', () => {
  test('nothing has changed, and the request may come again', async () => {
    const world = await World.start()
    const held = await world.producer()
    world.log.full = true
    expect(await world.add(held)).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(await world.init('tx', held)).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(await world.init('another')).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(world.brief()).toBe('Empty 7/0')
    world.log.full = false
    expect(await world.add(held)).toBe('NONE')
    world.log.full = true
    expect(await world.end(held)).toBe('COORDINATOR_NOT_AVAILABLE')
    expect(world.marks).toEqual([])
    world.log.full = false
    expect(await world.end(held)).toEqual(next(held))
  })

  test('what is decided is answered, and finished when a partition takes its marker', async () => {
    const world = await World.start()
    const held = await world.producer()
    await world.add(held, [orders(0), orders(1)])
    world.deaf.add('orders-1')
    expect(await world.end(held)).toEqual(next(held))
    expect(world.brief()).toBe('PrepareCommit 7/1')
    expect(await world.add(next(held))).toBe('CONCURRENT_TRANSACTIONS')
    expect(await world.init()).toBe('CONCURRENT_TRANSACTIONS')
    world.deaf.clear()
    await world.clock.pass(1000)
    expect(world.brief()).toBe('CompleteCommit 7/1')
    // And nobody gets a second one.
    expect(world.marks).toEqual(['orders-0 COMMIT 7/1', 'orders-1 COMMIT 7/1'])
    expect(await world.add(next(held))).toBe('NONE')
  })
})

describe('time', () => {
  test('aborts a transaction that is open for longer than its timeout, and fences its producer', async () => {
    const world = await World.start()
    const held = await world.producer('tx', 25_000)
    await world.add(held)
    await world.clock.pass(20_000)
    expect(world.brief()).toBe('Ongoing 7/0')
    await world.clock.pass(10_000)
    expect(world.brief()).toBe('CompleteAbort 7/1')
    expect(world.marks).toEqual(['orders-0 ABORT 7/1'])
    expect(await world.end(held)).toBe('INVALID_TXN_STATE')
    expect(await world.add(held)).toBe('PRODUCER_FENCED')
  })

  test('an abort that the log refuses is tried again', async () => {
    const world = await World.start()
    const held = await world.producer('tx', 5_000)
    await world.add(held)
    world.log.full = true
    await world.clock.pass(10_000)
    expect(world.brief()).toBe('Ongoing 7/0')
    world.log.full = false
    await world.clock.pass(10_000)
    expect(world.brief()).toBe('CompleteAbort 7/1')
  })

  test('forgets an id that has rested for long, and none that is in a transaction', async () => {
    const world = await World.start({ 'transactional.id.expiration.ms': 7_200_000 })
    await world.producer('rests')
    const held = await world.producer('ends')
    await world.clock.pass(3_600_000)
    await world.add(held, [orders()], { id: 'ends' })
    await world.end(held, 'commit', { id: 'ends' })
    await world.clock.pass(3_600_000)
    expect([world.brief('rests'), world.brief('ends')]).toEqual(['TRANSACTIONAL_ID_NOT_FOUND', 'CompleteCommit 8/1'])
    await world.restart()
    expect([world.brief('rests'), world.brief('ends')]).toEqual(['TRANSACTIONAL_ID_NOT_FOUND', 'CompleteCommit 8/1'])
  })

  test('stopping leaves no timer', async () => {
    const world = await World.start()
    const held = await world.producer()
    await world.add(held)
    world.deaf.add('orders-0')
    await world.end(held)
    world.transactions.stop()
    expect(world.clock.timerCount).toBe(0)
  })
})

test('with transaction.version below 2 an abort by others raises the epoch, and nobody may go on from the old one', async () => {
  const world = await World.start()
  world.transactionVersion = 1
  const held = await world.producer()
  await world.add(held, [orders()], { clientVersion: 0 })
  expect(await world.init('tx', held)).toBe('CONCURRENT_TRANSACTIONS')
  expect(world.marks).toEqual(['orders-0 ABORT 7/1'])
  expect(await world.init('tx', held)).toBe('PRODUCER_FENCED')
  expect(await world.init()).toEqual({ producerId: 7, producerEpoch: 2 })
})
