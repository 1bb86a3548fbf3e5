// What a start reads after a clean stop, some more records, and a kill: the active file, and nothing of those before it. To learn what
// transactions were open where that file begins, it read all of the log, whether or not there had ever been one.

import { expect, test } from 'vitest'
import { Log } from '../../src/log/log.ts'
import { FaultyStore } from '../../src/storage/faulty-file.ts'
import { append, appended, batchOf, readAll, smallConfig } from './log-environment.ts'

const folder = 'topics/t/0'
const open = (store: FaultyStore) => new Log(store, folder, smallConfig)
const producer = (id: number, sequence = 0) => ({ id, epoch: 0, sequence })
const at = { leaderEpoch: 0, now: 1000 }

function end(log: Log, producerId: number, type: 'COMMIT' | 'ABORT'): void {
  const marker = { type, producerId, producerEpoch: 0, coordinatorEpoch: 0, timestamp: 1000, transactionVersion: 0 }
  expect(log.appendMarker(marker, at)).toMatchObject({ duplicate: false })
}

/** Names of the batch files that a start reads. */
function filesRead(left: FaultyStore): { log: Log; files: string[] } {
  const files = new Set<string>()
  left.fault = (operation, path) => {
    if (operation === 'read' && path.endsWith('.log')) files.add(path.slice(folder.length + 1))
    return undefined
  }
  const log = open(left)
  left.fault = () => undefined
  return { log, files: [...files] }
}

test.each([false, true])('nothing but the active file is read; with transactions: %s', async (hasTransactions) => {
  const store = new FaultyStore()
  const log = open(store)
  const fill = (of: Log, from: number, to: number) => {
    for (let i = from; i < to; i++) append(of, [`v${i}`])
  }
  if (hasTransactions) {
    log.append(batchOf(['aborted'], { producer: producer(1), isTransactional: true }), at)
    end(log, 1, 'ABORT')
    log.append(batchOf(['open'], { producer: producer(2), isTransactional: true }), at)
  }
  fill(log, 0, 120)
  const openAt = 2
  await log.close()
  const again = open(store)
  fill(again, 120, 124)
  if (hasTransactions) end(again, 2, 'ABORT')
  await again.flush()
  const { log: found, files } = filesRead(store.after('kill'))
  expect(found.segments.length).toBeGreaterThan(3)
  expect(files).toEqual([found.segments.at(-1)!.path.slice(folder.length + 1)])
  expect(readAll(found)).toEqual(readAll(again))
  expect(found.abortedTransactions(0, found.logEndOffset)).toEqual(again.abortedTransactions(0, again.logEndOffset))
  if (hasTransactions) {
    const [, second] = found.abortedTransactions(0, found.logEndOffset)
    expect(second).toMatchObject({ producerId: 2, firstOffset: openAt })
  }
  expect(appended(found, ['more']).baseOffset).toBe(again.logEndOffset)
})
