// What is seen from inside a set goes with the set.

import { expect, test } from 'vitest'
import type { Broker } from '../../src/broker/broker.ts'
import { keptViews, setView } from '../../src/broker/set-view.ts'

test('sets that come and go leave nothing behind: a soak met a view for each that there had ever been', () => {
  const sets = new Map<string, unknown>()
  const broker = { lineage: { sets }, topics: () => [], configs: {} } as unknown as Broker
  for (let i = 0; i < 50; i++) {
    sets.set(`s${i}`, {})
    const view = setView(broker, `s${i}`)
    expect(setView(broker, `s${i}`)).toBe(view)
    sets.delete(`s${i - 1}`)
    setView(broker, `made-up-${i}`)
  }
  expect(keptViews(broker)).toBe(1)
})
