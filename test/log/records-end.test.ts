// A fork must not end with a hole: where the records below an offset end, whatever compaction has left of them.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { forkLog } from '../../src/log/fork.ts'
import { Log } from '../../src/log/log.ts'
import { recordsEnd } from '../../src/log/records-end.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import { readAll, smallConfig } from './log-environment.ts'

const { TWIGLOG_SEED, TWIGLOG_SOAK_SECONDS } = process.env
const seed = Number(TWIGLOG_SEED ?? Date.now() % 1_000_000_000)
const soakMs = TWIGLOG_SOAK_SECONDS === undefined ? undefined : Number(TWIGLOG_SOAK_SECONDS) * 1000
const extent =
  soakMs === undefined ? { numRuns: 500 } : { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: soakMs }

const config = { ...smallConfig, compacts: true, deletes: false, minCleanableDirtyRatio: 0, deleteRetentionMs: 10 }

const life = fc.record({
  batches: fc.array(
    fc.record({
      keys: fc.array(fc.nat(12), { minLength: 1, maxLength: 6 }),
      codec: fc.constantFrom('none' as const, 'gzip' as const),
      producer: fc.option(fc.nat(3), { nil: undefined }),
      isDeletion: fc.boolean(),
    }),
    { minLength: 1, maxLength: 60 },
  ),
  rounds: fc.integer({ min: 0, max: 2 }),
  behind: fc.nat(2),
  start: fc.nat(10),
})

test(`a fork ends one past the last record that it shows, wherever it is cut (seed ${seed})`, {
  timeout: 600_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(life, async ({ batches, rounds, behind, start }) => {
      const store = new MemoryStore()
      const log = new Log(store, 'topics/p/0', config)
      const sequences = [0, 0, 0, 0]
      const put = ({ keys, codec, producer, isDeletion }: (typeof batches)[number]) => {
        const by =
          producer === undefined ? {} : { producerId: producer, producerEpoch: 0, baseSequence: sequences[producer]! }
        if (producer !== undefined) sequences[producer]! += keys.length
        const records = keys.map((key) => ({
          key: `k${key}`,
          value: isDeletion ? null : 'v'.repeat(40),
          timestamp: 1000,
        }))
        log.append(encodeBatch({ records, codec, ...by }), { leaderEpoch: 0, now: 1000 })
      }
      for (const one of batches) put(one)
      for (let round = 0; round < rounds; round++) {
        log.roll()
        for (let i = 0; i < behind; i++) put({ keys: [i], codec: 'none', producer: undefined, isDeletion: false })
        await log.flush()
        await log.compact(2000 + 1000 * round)
      }
      if (start > 0 && start < log.logEndOffset) log.deleteBelow(start)
      const offsets = readAll(log, log.logStartOffset, 1 << 20, true).map(({ offset }) => offset)
      for (let offset = log.logStartOffset; offset <= log.logEndOffset; offset++) {
        const last = offsets.findLast((one) => one < offset)
        expect(recordsEnd(log, offset)).toBe(last === undefined ? log.logStartOffset : last + 1)
      }
      const cut = Math.floor((log.logStartOffset + log.logEndOffset) / 2)
      const end = recordsEnd(log, cut)
      const { inherited } = forkLog(store, log, 'topics/c/0', {
        offset: end,
        leaderEpoch: 1,
        now: 1,
        outcomeOf: () => 'ABORT',
      })
      const child = new Log(store, 'topics/c/0', config, inherited)
      expect(child.logEndOffset).toBe(end)
      expect(readAll(child, child.logStartOffset, 1 << 20, true).map(({ offset }) => offset)).toEqual(
        offsets.filter((offset) => offset < cut),
      )
    }),
    { seed, ...extent },
  )
})
