// The machine goes down after forks, and what nobody had flushed is gone: of a parent and its branches, by a stock client.

import { describe, expect, test } from 'vitest'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { numbered, Stage } from './stage.ts'

const never = '9223372036854775807'

/** What a machine without power finds when it is back. */
async function afterPowerCut(stage: Stage, store: FaultyStore): Promise<{ stage: Stage; store: FaultyStore }> {
  const left = store.after('power cut')
  await stage[Symbol.asyncDispose]()
  return { stage: await Stage.open({ storage: left }), store: left }
}

async function lostRanges(stage: Stage): Promise<unknown[]> {
  const [end] = await stage.ends('__branches')
  const events = (await stage.values('__branches', end!.high)).map((value) => JSON.parse(value))
  return events
    .filter(({ type }) => type === 'lost')
    .map(({ topics: [{ into, partitions }] }) => ({ into, ...partitions[0] }))
}

describe('B54: a power cut after forks', () => {
  test('B54: a branch keeps its own flushed records, reports the lost tail, and consumers cross the hole', async () => {
    const store = new FaultyStore()
    const before = await Stage.open({ storage: store })
    await before.create('orders', 1, { 'flush.messages': 1 })
    await before.send('orders', numbered(20))
    await before.admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: 2, name: 'orders', configEntries: [{ name: 'flush.messages', value: never }] }],
    })
    await before.send('orders', numbered(20, 'unflushed'))
    await before.fork('orders', 'orders--written', { 'flush.messages': 1 })
    await before.fork('orders', 'orders--unused')
    await before.send('orders--written', numbered(5, 'own'))
    await before.fork('orders--written', 'orders--deep')

    const first = await afterPowerCut(before, store)
    const { stage } = first
    // The parent goes on where its flushed records end, and its branches never see what it writes there.
    expect(await stage.ends('orders')).toEqual([{ low: 0, high: 20 }])
    expect(await stage.send('orders', numbered(30, 'foreign'))).toBe(20)
    const kept = [...numbered(20), ...numbered(5, 'own')]
    const read = await stage.read('orders--written', 25)
    expect(read.map(({ value }) => String(value))).toEqual(kept)
    expect(read.map(({ offset }) => Number(offset)).slice(19)).toEqual([19, 40, 41, 42, 43, 44])
    expect(await stage.values('orders--deep', 25)).toEqual(kept)
    // Nothing of its own stands behind the hole, and yet readers come over it.
    const written = await stage.send('orders--unused', ['next'])
    expect(written).toBeGreaterThanOrEqual(40)
    expect(await stage.values('orders--unused', 21)).toEqual([...numbered(20), 'next'])
    expect(await lostRanges(stage)).toEqual(
      expect.arrayContaining([
        { into: 'orders--written', partition: 0, from: 20, to: 40 },
        { into: 'orders--unused', partition: 0, from: 20, to: 40 },
        { into: 'orders--deep', partition: 0, from: 20, to: 40 },
      ]),
    )
    await stage[Symbol.asyncDispose]()
  })
})
