// Models that never find anything prove nothing: what each would have to see of a broker that is wrong.

import { beforeEach, expect, test } from 'vitest'
import { listOffsets } from '../../protocol/messages/02-list-offsets.ts'
import { describeConfigs } from '../../protocol/messages/32-describe-configs.ts'
import type { Caller } from './caller.ts'
import { Distiller } from './distiller.ts'
import { HandingOut } from './handing-out.ts'
import { Ownership } from './ownership.ts'
import { Seeker } from './seeker.ts'
import { Switcher } from './switcher.ts'

let wrong: string[]
beforeEach(() => {
  wrong = []
})
const say = (what: string) => void wrong.push(what)

const handing = (deliveriesMax = 10) => new HandingOut('idem', deliveriesMax, say, () => {})
const sent = (call: number, from: number) =>
  ({ t: 'sent', call, producer: 'idem.a', topic: 'idem', partition: 0, from, count: 1 }) as const
const there = (...ids: string[]) =>
  ({
    t: 'log',
    topic: 'idem',
    partition: 0,
    from: 0,
    to: ids.length,
    records: ids.map((id, i) => [i, id, -1, ''] as const),
    markers: [],
  }) as const

test('a record that was accepted and is handed out again is seen', () => {
  const model = handing()
  model.give(0, 0, 's0', 0, 10, 100)
  model.accept(0, 0, 20)
  model.give(0, 0, 's1', 15, 30, 100) // asked for before anybody knew
  expect(wrong).toEqual([])
  model.give(0, 0, 's1', 25, 30, 100)
  expect(wrong.join()).toMatch(/at 0 was given to s1, and had been accepted/)
})

test('a record that is handed out while another has it is seen', () => {
  const model = handing()
  model.give(0, 0, 's0', 0, 10, 100)
  model.give(0, 0, 's1', 50, 60, 160)
  expect(wrong.join()).toMatch(/given to s1 while s0 had it/)
})

test('a record that nobody is given any more is seen, and a fetch that was lost long before it was sent excuses nothing', () => {
  const model = handing(2)
  for (let i = 0; i < 5; i++) model.lose(1000)
  model.take(sent(1, 0), 100_000)
  model.take(there('idem.a#0'), 101_000)
  expect(model.behind()).toMatch(/0 0 was handed out 0 times/)
  model.lose(102_000)
  expect(model.behind()).toMatch(/handed out 0 times/)
  model.lose(103_000) // as often as it may be handed out
  expect(model.behind()).toBe('')
})

test('a record of which nobody knows whether it was accepted is not left over, until it is handed out again', () => {
  const model = handing()
  model.take(there('idem.a#0'), 0)
  model.give(0, 0, 's0', 0, 10, 100)
  model.unknown(0, 0, 20)
  expect(model.behind()).toBe('')
  model.give(0, 0, 's1', 60_000, 60_010, 61_000)
  expect(model.behind()).toMatch(/handed out 2 times/)
  expect(wrong).toEqual([])
})

test('a partition that two are told to own at a time is seen', () => {
  const ownership = new Ownership(say, () => {})
  ownership.take('all idem-0', 'm0', 0, 6000)
  ownership.give('all idem-0', 'm0')
  ownership.take('all idem-0', 'm1', 100, 6100)
  ownership.take('all idem-0', 'm0', 6200, 12_000) // the other's session is over
  expect(wrong).toEqual([])
  ownership.take('all idem-0', 'm1', 7000, 13_000)
  expect(wrong.join()).toMatch(/given to m1 while m0 had it/)
})

/** A broker that takes everything, has nothing of it, and tells of no time but 7. */
const forgetful = {
  insist: async (table: unknown) => {
    if (table === listOffsets) return { topics: [{ partitions: [{ errorCode: 0, offset: 0, timestamp: 7 }] }] }
    if (table === describeConfigs)
      return { results: [{ errorCode: 0, configs: [{ name: 'revision.diff', value: 'x' }] }] }
    return { errorCode: 0, producerId: 1, producerEpoch: 0 }
  },
  client: async () => ({
    ask: async () => ({
      responses: [{ partitions: [{ errorCode: 0, records: null, highWatermark: 0, lastStableOffset: 0 }] }],
    }),
  }),
  close: () => {},
} as unknown as Caller
const half = () => 0.5
const right = () => {}

test('a record that is found at another time than the one it was written with is seen', async () => {
  await new Seeker(forgetful, half, say, right).seek()
  expect(wrong.join()).toMatch(/asked for -3, from 0 on, it has 7 at 0, where \d{13} at \d+ is due/)
})

test('a key whose last committed record is gone is seen', async () => {
  await new Distiller(forgetful, half, say, right).distil()
  expect(wrong.join()).toMatch(/shows undefined as the newest of k2, where \d+ was committed last/)
})

test('a key that is lost when its topic is switched is seen, and a configuration that is', async () => {
  await new Switcher(forgetful, half, say, right).live()
  expect(wrong.join()).toMatch(/is configured as {"revision.diff":"x"} where it was made revised/)
  expect(wrong.join()).toMatch(/shows undefined as the newest of k2, where \d+ +was written last/)
})
