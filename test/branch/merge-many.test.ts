// A large merge under a producer that does not stop: how long it is held back is measured in bench/branch; here is what it
// must never notice.

import { expect, test } from 'vitest'
import { Stage } from './stage.ts'

test('B65: while 30,000 keys are merged a producer writes on, and neither loses a record', async () => {
  await using stage = await Stage.open({ onDisk: true })
  await stage.create('prices', 1, { 'cleanup.policy': 'compact' })
  await stage.send('prices', [{ key: 'first', value: '1' }])
  await stage.fork('prices', 'prices--new')
  const count = 30_000
  for (let from = 0; from < count; from += 5_000) {
    const messages = Array.from({ length: 5_000 }, (_, i) => ({ key: `k${from + i}`, value: `merged ${from + i}` }))
    await stage.send('prices--new', messages)
  }
  const acknowledged: string[] = []
  let isOver = false
  const writing = (async () => {
    for (let i = 0; !isOver; i++) {
      await stage.send('prices', [{ key: `p${i}`, value: `produced ${i}` }])
      acknowledged.push(`produced ${i}`)
    }
  })()
  const event = await stage.run({ op: 'merge', id: 'm1', from: 'prices--new', into: 'prices' })
  const during = acknowledged.length
  await stage.send('prices', [{ key: 'last', value: 'last' }])
  isOver = true
  await writing
  expect(event).toMatchObject({ status: 'committed', counts: { written: count, conflicts: 0 } })
  expect(event.gateMs).toBeGreaterThanOrEqual(0)
  expect(during).toBeGreaterThan(0)
  // Committed records alone: nothing is held back any more.
  const values = await stage.values('prices', 1 + count + acknowledged.length + 1)
  expect(values.filter((value) => value.startsWith('produced'))).toEqual(acknowledged)
  expect(values.filter((value) => value.startsWith('merged'))).toEqual(
    Array.from({ length: count }, (_, i) => `merged ${i}`),
  )
}, 120_000)
