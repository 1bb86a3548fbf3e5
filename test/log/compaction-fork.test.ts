// Compaction of a fork: what it shares stays as it is, so what hides a part of that stays too.

import { expect, test } from 'vitest'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { forkLog } from '../../src/log/fork.ts'
import { Log } from '../../src/log/log.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import { readAll, smallConfig } from './log-environment.ts'

const config = { ...smallConfig, compacts: true, deletes: false, minCleanableDirtyRatio: 0, deleteRetentionMs: 10 }
const put = (log: Log, key: string, value: string | null) =>
  log.append(encodeBatch({ records: [{ key, value, timestamp: 1000 }] }), { leaderEpoch: 1, now: 1000 })

test('a deletion in a fork hides what its parent wrote, however long ago it was', async () => {
  const store = new MemoryStore()
  const parent = new Log(store, 'topics/p/0', config)
  put(parent, 'a', '1')
  put(parent, 'b', '1')
  const options = { offset: 2, leaderEpoch: 1, now: 1000, outcomeOf: () => 'ABORT' as const }
  const { inherited } = forkLog(store, parent, 'topics/c/0', options)
  const child = new Log(store, 'topics/c/0', config, inherited)
  put(child, 'a', null)
  put(child, 'b', '2')
  put(child, 'b', '3')
  for (let round = 0; round < 3; round++) {
    child.roll()
    put(child, 'tick', 'x')
    await child.flush()
    await child.compact(2000 + 1000 * round)
  }
  const seen = readAll(child, 0, 1000, true).filter(({ key }) => key !== 'tick')
  expect(seen.map(({ offset, key, value }) => [offset, key, value])).toEqual([
    [0, 'a', '1'],
    [1, 'b', '1'],
    [2, 'a', null],
    [4, 'b', '3'],
  ])
})
