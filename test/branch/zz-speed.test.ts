// scratch
import { test } from 'vitest'
import { World } from './merge-world.ts'
test('speed', { timeout: 200_000 }, async () => {
  const world = new World({ segmentBytes: 256 * 1024 * 1024, indexIntervalBytes: 4096 })
  world.root('P')
  const value = 'x'.repeat(100)
  const fill = (name: string, from: number, to: number) => {
    for (let i = from; i < to; i += 500) world.write(name, ...Array.from({ length: 500 }, (_, j) => [`key-${i + j}`, value] as const))
  }
  fill('P', 0, 200_000)
  world.fork('P', 'C')
  fill('C', 100_000, 600_000)
  for (const conflicts of [0, 100_000]) {
    if (conflicts) fill('P', 500_000, 600_000)
    let t = performance.now(); const c0 = process.cpuUsage()
    const plan = await world.plan('C', 'P', { onConflict: 'theirs' })
    const c1 = process.cpuUsage(c0); console.log('cpu ms', (c1.user + c1.system) / 1000, 'plan ms', performance.now() - t, plan.counts, 'keys/s', 500_000 / (performance.now() - t) * 1000)
    t = performance.now(); plan.conclude(); const b = plan.batches(); console.log('conclude', performance.now() - t, b.length)
  }
})
