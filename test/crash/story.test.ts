// What random histories have found, told step by step.

import { test } from 'vitest'
import { World } from './world.ts'

// The index that was built again said of the first transaction that nothing was open below it, and of the second that
// something was: that had begun below the log start, and only the snapshot of producers, newer than the segment, knew of it.
test('a segment that is scanned although the snapshot is newer knows what is open since before the log start', async () => {
  const world = new World({ segmentBytes: 800, indexIntervalBytes: 150, retentionMs: 5000 })
  world.append({ values: ['open'], producer: 3, isTransactional: true })
  world.append({ values: ['open too'], producer: 5, isTransactional: true })
  world.now += 5001
  world.retain(world.now)
  world.append({ values: ['short'], producer: 4, isTransactional: true })
  world.end(4, 'ABORT')

  // Retention is about to take all, has rolled and noted the new start: the file is still there.
  world.store.fault = (operation) => (operation === 'remove' ? 'EIO' : undefined)
  world.now += 6000
  try {
    world.retain(world.now)
  } catch {}
  world.kill()

  world.end(3, 'ABORT')
  await world.restart()
})
