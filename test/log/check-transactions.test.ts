// `twiglog check` holds what an index says of transactions against their markers: every kind of lie is found.

import { expect, test } from 'vitest'
import { crc32c } from '../../protocol/crc32c.ts'
import { checkLog } from '../../src/log/check.ts'
import { decodeIndex, encodeIndex } from '../../src/log/index-file.ts'
import { Log } from '../../src/log/log.ts'
import type { AbortedTransaction } from '../../src/log/open-transactions.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import { batchOf, smallConfig } from './log-environment.ts'

const folder = 'topics/t/0'

/** Producers 1 to 3 write one after the other; offsets 2, 6, 10 … take back, the other markers commit. */
async function written(): Promise<MemoryStore> {
  const store = new MemoryStore()
  const log = new Log(store, folder, { ...smallConfig, segmentBytes: 1000 })
  for (let i = 0; i < 20; i++) {
    const producer = { id: 1 + (i % 3), epoch: 0, sequence: Math.floor(i / 3) }
    log.append(batchOf([`v${i}`], { producer, isTransactional: true }), { leaderEpoch: 0, now: 1 })
    log.appendMarker(
      {
        type: i % 2 === 0 ? 'ABORT' : 'COMMIT',
        producerId: producer.id,
        producerEpoch: 0,
        coordinatorEpoch: 0,
        transactionVersion: 1,
        timestamp: 1000,
      },
      { leaderEpoch: 0, now: 1 },
    )
  }
  await log.close()
  return store
}

function lie(store: MemoryStore, change: (aborted: AbortedTransaction[]) => AbortedTransaction[]): void {
  const name = store.list(folder).find((name) => name.endsWith('.index'))!
  const content = decodeIndex(store.load(`${folder}/${name}`)!)
  store.save(`${folder}/${name}`, encodeIndex({ ...content, aborted: change([...content.aborted]) }), false)
}

test('a log with transactions that were taken back is sound', async () => {
  const store = await written()
  expect(store.list(folder).filter((name) => name.endsWith('.log')).length).toBeGreaterThan(2)
  expect(checkLog(store, folder).findings).toEqual([])
})

test.each<[string, (aborted: AbortedTransaction[]) => AbortedTransaction[], RegExp]>([
  ['one is left out', (all) => all.slice(1), /the index does not say so/],
  ['one is told that was committed', (all) => [{ ...all[0]!, lastOffset: 3 }, ...all.slice(1)], /no such marker/],
  ['another producer is named', (all) => [{ ...all[0]!, producerId: 9 }, ...all.slice(1)], /no such marker/],
  ['one begins late', (all) => [{ ...all[0]!, firstOffset: 1 }, ...all.slice(1)], /it began before/],
  ['two are exchanged', (all) => [all[1]!, all[0]!, ...all.slice(2)], /does not ascend/],
  ['one is stable too soon', (all) => [{ ...all[0]!, lastStableOffset: 9 }, ...all.slice(1)], /does not ascend/],
])('%s: damage', async (_how, change, message) => {
  const store = await written()
  lie(store, change)
  const found = checkLog(store, folder).findings
  expect(found.length).toBeGreaterThan(0)
  for (const { kind } of found) expect(kind).toBe('damage')
  expect(found.some((finding) => message.test(finding.message))).toBe(true)
})

test('an index from before there were transactions is read', async () => {
  const store = new MemoryStore()
  const log = new Log(store, folder, smallConfig)
  for (let i = 0; i < 100; i++) log.append(batchOf([`v${i}`]), { leaderEpoch: 0, now: 1 })
  await log.close()
  for (const name of store.list(folder).filter((name) => name.endsWith('.index'))) {
    const path = `${folder}/${name}`
    store.save(path, oldFormat(store.load(path)!), false)
  }
  expect(checkLog(store, folder).findings).toEqual([])
  const again = new Log(store, folder, smallConfig)
  expect(again.recovered.scannedBytes).toBe(0)
  expect(again.offsetAt(1000, 100)).toMatchObject({ offset: 0 })
  expect(again.abortedTransactions(0, 100)).toEqual([])
})

/** As TWX1: no room for transactions in the header. */
function oldFormat(bytes: Buffer): Buffer {
  const old = Buffer.concat([bytes.subarray(0, 40), bytes.subarray(48)])
  old.write('TWX1', 0)
  old.writeUInt32LE(crc32c(old, 8, old.length), 4)
  return old
}
