// A reader that looks away at the right moment proves nothing.

import { expect, test } from 'vitest'
import { batchOf, type WireClient } from '../wire-client.ts'
import { walk } from './log-reader.ts'

/** A log of one record at offset 0, undecided from `lastStableOffset` on, all of which is sent to everybody. */
const telling = (lastStableOffset: number) => {
  const told = { errorCode: 0, records: batchOf(['v']), highWatermark: 1, lastStableOffset, abortedTransactions: [] }
  return { ask: async () => ({ responses: [{ partitions: [told] }] }) } as unknown as WireClient
}
const place = { topic: 't', partition: 0 }
const read = async (lastStableOffset: number, isolation: 0 | 1) => {
  const offsets: number[] = []
  await walk(telling(lastStableOffset), place, 0, isolation, ({ offset }) => offsets.push(offset))
  return offsets
}

test('what is sent to who reads committed records though nobody has decided about it is found out', async () => {
  expect(await read(1, 1)).toEqual([0])
  expect(await read(0, 0)).toEqual([0])
  await expect(read(0, 1)).rejects.toThrow('t-0: sent 0, undecided from 0 on')
})
