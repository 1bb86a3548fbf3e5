// What a slow request's line says, and when there is one.

import { expect, test, vi } from 'vitest'
import { Broker } from '../../src/index.ts'
import type { Slot } from '../../src/net/answer.ts'
import { RequestTimes } from '../../src/net/request-times.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { eventually } from '../eventually.ts'
import { Asking } from '../soak/asking.ts'

const client = { listener: 'PLAINTEXT', host: '10.0.0.7', principal: '', softwareName: '', softwareVersion: '' }
const slotOf = (apiKey: number, arrivedAt: number): Slot => ({ parts: undefined, releases: [], apiKey, arrivedAt })

/** One request whose times are given. */
function played(
  times: RequestTimes,
  apiKey: number,
  at: { returned: number; answered: number; sent: number },
  clientId = 'app',
) {
  const arrivedAt = performance.now()
  const slot = slotOf(apiKey, arrivedAt)
  const timing = times.begin('Api', { version: 9, clientId, client }, slot, 1000)!
  timing.returnedAt = arrivedAt + at.returned
  timing.answeredAt = arrivedAt + at.answered
  times.sent(timing, arrivedAt + at.sent)
}

test('a request is as slow as it took, but a fetch that waits is patient', () => {
  const lines: string[] = []
  const times = new RequestTimes(500, (line) => lines.push(line))
  played(times, 0, { returned: 1, answered: 400, sent: 499 })
  expect(lines).toEqual([])
  played(times, 0, { returned: 1, answered: 400, sent: 500.5 })
  expect(lines.length).toBe(1)
  played(times, 1, { returned: 1, answered: 5000, sent: 5001 })
  played(times, 11, { returned: 1, answered: 5000, sent: 5001 })
  expect(lines.length).toBe(1)
  played(times, 1, { returned: 1, answered: 2, sent: 700 })
  expect(lines.length).toBe(2)
  expect(times.slowCount).toBe(2)
})

test('a disk that makes everything slow fills no screen: ten lines a second, and a word on the others', () => {
  const lines: string[] = []
  const times = new RequestTimes(1, (line) => lines.push(line))
  const slot = slotOf(0, 0)
  const sent = (now: number) => times.sent(times.begin('Api', { version: 9, clientId: null, client }, slot, 1)!, now)
  for (let i = 0; i < 50; i++) sent(10_000 + i)
  expect(lines.length).toBe(10)
  sent(11_500)
  expect(lines.slice(10)).toEqual(['And 40 more slow requests.', expect.stringContaining('a client without a name')])
  expect(times.slowCount).toBe(51)
})

test("a client's name cannot write lines of its own", () => {
  const lines: string[] = []
  const times = new RequestTimes(0, (line) => lines.push(line))
  played(times, 0, { returned: 1, answered: 2, sent: 3 }, 'a\nSlow request: none "of" yours')
  expect(lines[0]!.split('\n')).toHaveLength(1)
})

test('nobody asks: requests are counted, and none is timed for a line', () => {
  const times = new RequestTimes(-1)
  times.taken(3)
  times.taken(3)
  expect(times.begin('Metadata', { version: 9, clientId: 'a', client }, slotOf(3, 0), 10)).toBeUndefined()
  times.answered(slotOf(3, performance.now()), 10, undefined)
  expect([...times.counts()].map(([key, { taken, durations }]) => [key, taken, durations.count])).toEqual([[3, 2, 1]])
})

test('an acknowledgement that waits for a slow disk says that it was the flush', async () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  const store = new FaultyStore()
  let finish = () => {}
  const flushed = new Promise<void>((resolve) => {
    finish = resolve
  })
  const topics = [{ name: 'safe', config: { 'flush.messages': 1 } }]
  const broker = await Broker.start({ storage: store, topics, config: { 'slow.request.log.ms': 0 } })
  try {
    using asking = await Asking.open(broker.bootstrapServers, 'app')
    store.slowness = (operation) => (operation === 'flush' ? flushed : undefined)
    const offset = asking.produce('safe', 0, ['x'])
    const looks = setInterval(() => store.slowness('flush', '') !== undefined && finish(), 50)
    expect(await offset).toBe(0)
    clearInterval(looks)
    await eventually(() => {
      const lines = said.mock.calls.map(([line]) => String(line))
      expect(lines.find((line) => line.includes('Produce v9 of client "app"'))).toMatch(
        /[\d.]+ waited \([\d.]+ for the flush\), [\d.]+ sending$/,
      )
    })
  } finally {
    finish()
    said.mockRestore()
    await broker.stop()
  }
})
