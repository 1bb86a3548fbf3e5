// Compaction on a disk that refuses something in the middle of a round: the log goes on as it was, and so does the next round.

import { expect, test } from 'vitest'
import { StorageError } from '../../protocol/errors.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { checkLog } from '../../src/log/check.ts'
import { Log } from '../../src/log/log.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { readAll, smallConfig } from './log-environment.ts'

const folder = 'topics/t/0'
const config = { ...smallConfig, compacts: true, deletes: false, minCleanableDirtyRatio: 0 }

/** Several sealed segments whose records are mostly hidden by later ones; some keys have one alone. */
async function filled(store: FaultyStore): Promise<Log> {
  const log = new Log(store, folder, config)
  await fill(log)
  return log
}

async function fill(log: Log): Promise<void> {
  for (let i = 0; i < 120; i++) {
    const key = i % 20 === 0 ? `only${log.logEndOffset}` : `k${i % 9}`
    const record = { key: Buffer.from(key), value: Buffer.from(`v${i}`.padEnd(60)), timestamp: 1000 }
    log.append(encodeBatch({ records: [record] }), { leaderEpoch: 0, now: 1000 })
  }
  await log.flush()
}

const records = (log: Log) => readAll(log, log.logStartOffset, 1000, true)
const newest = (log: Log) => new Map(records(log).map(({ key, offset, value }) => [key, [offset, value]]))

// Of neighbours that became one file only the first was replaced: the next round wrote what both held one behind the other, and the
// partition was damaged for good.
test('an index that finds no room leaves no segment beside the file that holds what it held', async () => {
  const store = new FaultyStore()
  const log = await filled(store)
  await log.compact(1e9) // what is left of each is small, and the next round makes one of several
  await fill(log)
  const before = newest(log)
  store.fault = (operation, path) => (operation === 'save' && path.endsWith('.index') ? 'ENOSPC' : undefined)
  await log.compact(1e9).catch((cause: unknown) => expect(cause).toBeInstanceOf(StorageError))
  expect(newest(log)).toEqual(before)
  store.fault = () => undefined
  await fill(log)
  const after = newest(log)
  await log.compact(2e9)
  expect(newest(log)).toEqual(after)
  expect(checkLog(store, folder).findings.filter(({ kind }) => kind === 'damage')).toEqual([])
})

test.each(['stage', 'commit', 'flush', 'rename'] as const)(
  'what ends at a %s leaves nothing lying about',
  async (at) => {
    const store = new FaultyStore()
    const log = await filled(store)
    const before = newest(log)
    store.fault = (operation, path) => (operation === at && path.endsWith('.compacted') ? 'ENOSPC' : undefined)
    await expect(log.compact(1e9)).rejects.toThrow(StorageError)
    expect(store.list(folder).filter((name) => name.endsWith('.compacted'))).toEqual([])
    expect(newest(log)).toEqual(before)
  },
)
