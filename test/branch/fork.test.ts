// Forks, as anybody makes them with a client that knows nothing of branches: the scenarios of making and keeping one.

import { describe, expect, test } from 'vitest'
import { numbered, Stage } from './stage.ts'

describe('a fork of one topic', () => {
  test('B1: the branch shows the records of its parent, and the parent is what it was', async () => {
    await using stage = await Stage.open()
    await stage.create('orders')
    await stage.send(
      'orders',
      numbered(100).map((value, i) => ({ key: `k${i}`, value, headers: { n: `${i}` }, timestamp: `${1000 + i}` })),
    )
    const before = await stage.read('orders', 100)
    await stage.fork('orders', 'orders--try')
    expect(await stage.ends('orders--try')).toEqual([{ low: 0, high: 100 }])
    expect(await stage.read('orders--try', 100)).toEqual(before)
    expect(await stage.read('orders', 100)).toEqual(before)
    expect(await stage.ends('orders')).toEqual([{ low: 0, high: 100 }])
  })

  test('B2: both sides go on at the same offset, and neither sees the other', async () => {
    await using stage = await Stage.open()
    await stage.create('orders')
    await stage.send('orders', numbered(100))
    await stage.fork('orders', 'orders--try')
    expect(await stage.send('orders', ['parent'])).toBe(100)
    expect(await stage.send('orders--try', ['child'])).toBe(100)
    expect((await stage.values('orders', 101)).at(-1)).toBe('parent')
    expect((await stage.values('orders--try', 101)).at(-1)).toBe('child')
    expect(await stage.ends('orders')).toEqual([{ low: 0, high: 101 }])
    expect(await stage.ends('orders--try')).toEqual([{ low: 0, high: 101 }])
  })
})
