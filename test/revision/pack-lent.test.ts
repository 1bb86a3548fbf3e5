// What a read of a pack lends: memory that is used again, and not before everybody has let go of what lies in it.

import { describe, expect, test } from 'vitest'
import { Pack } from '../../src/revision/pack.ts'
import { PackCache } from '../../src/revision/pack-cache.ts'
import { RunMemory } from '../../src/revision/run-memory.ts'
import type { Lease } from '../../src/storage/file.ts'
import { drawing } from './delta-pairs.ts'
import { batchesOf, eachSeed, packOf, randomLog } from './pack-stage.ts'

const seed = Number(process.env['TWIGLOG_SEED'] ?? Date.now() % 1_000_000)
const soakSeconds = Number(process.env['TWIGLOG_SOAK_SECONDS'] ?? 0)
const megabyte = 1024 * 1024

describe('what a read of a pack lends', () => {
  test('R2: stays as it is until it is let go, whatever others read meanwhile', { timeout: 600_000 }, () => {
    eachSeed(seed, 100, soakSeconds, (i) => {
      const draw = drawing(i)
      const { batches, revs } = randomLog(i)
      const { file, pack } = packOf(batches, { revs }, new PackCache(), false)
      const expected = Buffer.concat(batchesOf(pack.asFile()))
      // All of it may have been taken back.
      if (expected.length === 0) return
      const room = draw(3) === 0 ? 0 : draw(300_000)
      const cache = new PackCache({ blocks: megabyte, values: draw(100_000), batches: room })
      const readers = [Pack.open(file(), cache).asFile(), Pack.open(file(), cache).asFile()]
      const lent: { lease: Lease; position: number }[] = []
      const check = ({ lease: { bytes }, position }: { lease: Lease; position: number }): void => {
        if (!bytes.equals(expected.subarray(position, position + bytes.length))) {
          expect.fail(`bytes ${position} to ${position + bytes.length} are others now`)
        }
      }
      let next = 0
      for (let times = 0; times < 30; times++) {
        // Mostly on, as who reads in the order of the log.
        const position = draw(4) === 0 ? draw(expected.length) : next % expected.length
        const lease = readers[draw(2)]!.read(position, 1 + draw(draw(3) === 0 ? 3000 : 2 * megabyte))
        expect(lease.bytes.length).toBeGreaterThan(0)
        next = position + lease.bytes.length
        lent.push({ lease, position })
        for (const one of lent) check(one)
        if (draw(3) > 0) lent.splice(draw(lent.length), 1)[0]!.lease.release()
      }
      // Twice is no more than once.
      for (const { lease } of lent) lease.release()
      for (const { lease } of lent) lease.release()
    })
  })

  test('lies in memory that is used again once all of it is let go', () => {
    const memory = new RunMemory()
    const first = memory.room(3 * megabyte, 100 * megabyte)
    first.used = 3 * megabyte
    first.hold()
    const second = memory.room(3 * megabyte, 100 * megabyte)
    expect(second).not.toBe(first)
    second.hold()
    second.used = 3 * megabyte
    first.release()
    expect(memory.room(3 * megabyte, 100 * megabyte)).toBe(first)
    expect(first.used).toBe(0)
    // Nobody has anything of the one that is being filled: it is filled from the front again.
    first.used = 2 * megabyte
    expect(memory.room(3 * megabyte, 100 * megabyte)).toBe(first)
    expect(first.used).toBe(0)
  })

  test('is no larger than what there is to read', () => {
    expect(new RunMemory().room(100, 500).bytes).toHaveLength(500)
    expect(new RunMemory().room(5 * megabyte, 5 * megabyte).bytes).toHaveLength(5 * megabyte)
  })
})
