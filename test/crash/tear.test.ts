// Every write torn at every byte that matters, and a crash at every other moment, through a history that does all a log can do.

import { describe, expect, test } from 'vitest'
import { Log } from '../../src/log/log.ts'
import { batchOf } from '../log/log-environment.ts'
import { folder, numbersFrom, World } from './world.ts'

/** Appends over several segments, with everything else that moves files in between. */
async function history(world: World): Promise<void> {
  const codecs = ['none', 'gzip', 'none', 'zstd', 'none', 'lz4', 'snappy'] as const
  let step = 0
  const write = (times: number, size = 5) => {
    for (let i = 0; i < times; i++, step++) {
      const values = Array.from({ length: 1 + (step % 3) }, () => world.value(size + ((step * 7) % 40)))
      world.append({ values, producer: step % 2, codec: codecs[step % 7]!, epoch: Math.floor(step / 9) })
    }
  }
  const writeIn = (producer: number, times: number, size = 20) => {
    for (let i = 0; i < times; i++) {
      world.append({ values: [world.value(size)], producer, isTransactional: true, epoch: Math.floor(step / 9) })
    }
  }
  write(5)
  await world.flush()
  writeIn(5, 2)
  write(4)
  writeIn(6, 2)
  world.end(5, 'ABORT')
  // Refused: its bytes are staged, and must not be found.
  const bad = batchOf(['bad'])
  bad[bad.length - 1]! ^= 1
  world.log.append(bad, { leaderEpoch: 0, now: 1 })
  world.deleteBelow(3)
  write(6)
  world.end(6, 'COMMIT')
  writeIn(7, 2)
  await world.restart()
  writeIn(6, 1)
  write(5, 60)
  world.end(7, 'ABORT')
  write(1)
  world.deleteBelow(world.model.end - 2)
  await world.flush()
  write(2)
  writeIn(5, 2)
  world.end(6, 'ABORT')
  world.now += 10_000
  world.retain(world.now)
  write(3)
  await world.restart()
  world.end(5, 'COMMIT')
  writeIn(5, 1)
  write(2)
}

const config = { segmentBytes: 700, indexIntervalBytes: 200, retentionMs: 5000 }

describe('at every moment of a history', () => {
  test('a kill, with every write torn at any byte, leaves all that was acknowledged and nothing half-written', async () => {
    const world = new World(config)
    let crashes = 0
    let staged = 0
    const crash = (tornBytes: number, aheadBytes: number) => {
      const log = new Log(world.store.after('kill', tornBytes, undefined, aheadBytes), folder, world.config)
      world.expectWhole(log)
      crashes++
    }
    world.store.fault = (operation) => {
      if (operation === 'stage' || operation === 'read') return undefined
      crash(0, 0)
      if (operation !== 'commit' && operation !== 'staged') return undefined
      const byteCount = world.pending === undefined ? 200 : batchOf(world.pending.values).length + 40
      // All bytes of what tells where a batch ends, and of the rest a third of each, another one every time.
      for (let torn = 1; torn <= byteCount; torn++)
        if (torn <= 24 || (torn + staged) % 3 === 0) crash(torn, torn % 2 === 0 ? 100 : 0)
      staged++
      return undefined
    }
    await history(world)
    expect(staged).toBeGreaterThan(50)
    expect(crashes).toBeGreaterThan(2500)
  }, 300_000)

  test('a power cut leaves all that was flushed and a whole beginning of the rest, whatever pages were written', async () => {
    for (let seed = 1; seed <= 16; seed++) {
      const chance = numbersFrom(seed)
      const share = chance()
      const world = new World(config)
      world.store.fault = (operation) => {
        if (operation === 'stage' || operation === 'read') return undefined
        const luck = seed === 1 ? () => false : () => chance() < share
        world.expectFlushed(new Log(world.store.after('power cut', 0, luck), folder, world.config))
        return undefined
      }
      await history(world)
    }
  }, 300_000)
})
