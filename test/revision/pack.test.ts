// What goes into a pack comes out of it, by batch, by offset, by key and by revision.

import { describe, expect, test } from 'vitest'
import * as batch from '../../protocol/records/batch.ts'
import { decodeDelta } from '../../src/revision/decode-delta.ts'
import { hashKey } from '../../src/revision/key-hash.ts'
import { Pack } from '../../src/revision/pack.ts'
import { PackCache } from '../../src/revision/pack-cache.ts'
import { tombstone } from '../../src/revision/pack-entries.ts'
import { drawing } from './delta-pairs.ts'
import { batchesOf, countedRevs, eachSeed, packOf, randomLog, recordsOf } from './pack-stage.ts'

const seed = Number(process.env['TWIGLOG_SEED'] ?? Date.now() % 1_000_000)
/** A busy machine is no failure. */
const timeout = 600_000
const soakSeconds = Number(process.env['TWIGLOG_SOAK_SECONDS'] ?? 0)

const hashOf = (key: Buffer): number => hashKey(key, 0, key.length)

describe('a pack', () => {
  test('R1 R2: of any log gives back every record, and every batch that was not packed byte for byte', {
    timeout,
  }, () => {
    eachSeed(seed, 500, soakSeconds, (i) => {
      const { batches, revs } = randomLog(i)
      const { pack } = packOf(batches, { revs, keyframeEvery: 2 + (i % 40) })
      const kept = recordsOf(batches).filter((_, record) => revs[record]! >= 0)
      const rebuilt = batchesOf(pack.asFile(), 1 + (i % 5) * 50_000)
      expect(JSON.stringify(recordsOf(rebuilt))).toBe(JSON.stringify(kept))
      let record = 0
      for (const bytes of batches) {
        if (batch.isControl(bytes, 0)) {
          expect(rebuilt.some((other) => other.equals(bytes))).toBe(true)
          continue
        }
        const all = revs.subarray(record, record + batch.recordCount(bytes, 0))
        record += all.length
        if (batch.codec(bytes, 0) !== 0 || !all.every((rev) => rev >= 0)) continue
        expect(rebuilt.some((other) => other.equals(bytes))).toBe(true)
      }
    })
  })

  test('of any log knows each key, its revisions and what they were', { timeout }, () => {
    eachSeed(seed, 150, soakSeconds, (i) => {
      const { batches, revs } = randomLog(i + 7_000_000)
      const { pack } = packOf(batches, { revs })
      const histories = new Map<string, { rev: number; offset: number; value: string | null; timestamp: number }[]>()
      recordsOf(batches).forEach(({ key, offset, value, timestamp }, record) => {
        const rev = revs[record]!
        if (!(rev > 0) || key === null) return
        histories.set(key, [...(histories.get(key) ?? []), { rev, offset, value, timestamp }])
      })
      expect(pack.keyCount).toBe(histories.size)
      for (const [name, history] of histories) {
        const key = Buffer.from(name, 'latin1')
        let entry = pack.newest(hashOf(key), key)
        const { newestRevs } = pack.keys()
        expect(newestRevs[pack.find(hashOf(key), key)]).toBe(history.at(-1)!.rev)
        for (const { rev, offset, value, timestamp } of history.toReversed()) {
          const found = pack.entry(entry)
          expect({ rev: found.rev, offset: found.offset, timestamp: found.timestamp }).toEqual({
            rev,
            offset,
            timestamp,
          })
          expect(pack.value(entry)?.toString('latin1') ?? null).toBe(value)
          expect(found.size).toBe(value?.length ?? 0)
          expect(found.format === 'tombstone').toBe(value === null)
          expect(pack.newest(hashOf(key), key, offset + 1)).toBe(entry)
          expect(pack.entryAt(offset)).toBe(entry)
          const delta = pack.delta(entry)
          expect(delta !== undefined).toBe(found.format === 'vcdiff')
          if (delta !== undefined) {
            expect(decodeDelta(pack.value(found.base)!, delta, 1 << 24).toString('latin1')).toBe(value)
          }
          entry = pack.previous(entry)
        }
        expect(entry).toBe(-1)
        expect(pack.newest(hashOf(key), key, history[0]!.offset)).toBe(-1)
      }
      expect(pack.newest(hashOf(Buffer.from('nobody')), Buffer.from('nobody'))).toBe(-1)
    })
  })

  test('writes the values of any log to where they are wanted, in any order and with any room to keep what they are made of', {
    timeout,
  }, () => {
    eachSeed(seed, 500, soakSeconds, (i) => {
      const draw = drawing(i)
      const { batches, revs } = randomLog(i + 9_000_000)
      const { file } = packOf(batches, { revs, keyframeEvery: 2 + draw(80) }, new PackCache(), false)
      const expected = Pack.open(file(), new PackCache())
      const room = () => 400 * draw(draw(2) === 0 ? 10 : 1000)
      const pack = Pack.open(file(), new PackCache({ blocks: 100 * room(), values: room(), batches: room() }))
      const target = Buffer.alloc(200_000)
      let entry = 0
      for (let times = Math.min(100, 2 * pack.entryCount); times > 0; times--) {
        // Mostly on, as readers in the order of the log ask for the values of a key.
        entry = draw(8) === 0 ? draw(pack.entryCount) : (entry + 1) % pack.entryCount
        const value = expected.value(entry)
        const at = draw(100)
        const one = (number: number) => Int32Array.of(number)
        const wanted = {
          count: 1,
          entries: one(entry),
          keys: one(pack.ordinalOf(entry)),
          places: one(at),
          kinds: new Uint8Array(1),
          sizes: one(0),
          baseSizes: one(0),
          uses: new Uint8Array(1),
        }
        pack.look(wanted)
        pack.writeValues(wanted, target)
        const isSame =
          value === null
            ? wanted.kinds[0] === tombstone
            : wanted.sizes[0] === value.length && target.subarray(at, at + value.length).equals(value)
        // What was given out before is nobody's to write over.
        if (!isSame || (draw(4) === 0 && value?.equals(pack.value(entry)!) === false)) {
          expect.fail(`entry ${entry} is another value`)
        }
      }
    })
  })

  test('of a pack is the same pack', () => {
    const { batches } = randomLog(4)
    const revs = countedRevs(batches)
    const first = packOf(batches, { revs })
    const again = packOf(batchesOf(first.pack.asFile()), { revs })
    expect(batchesOf(again.pack.asFile())).toEqual(batchesOf(first.pack.asFile()))
    expect(again.bytes.equals(first.bytes)).toBe(true)
  })
})
