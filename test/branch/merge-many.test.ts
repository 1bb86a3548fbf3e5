// A large merge under a producer that does not stop: how long it is held back is measured in bench/branch; here is what it
// must never notice.

import { expect, test } from 'vitest'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { WireClient } from '../wire-client.ts'
import { Stage } from './stage.ts'

/** Where records of committed data end, and where all do, of one partition at one moment. */
async function endsOf(wire: WireClient, topic: string): Promise<{ stable: number; all: number }> {
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 }]
  const body = { maxWaitMs: 0, minBytes: 0, isolationLevel: 1, topics: [{ topic, partitions }] }
  const { responses } = await wire.ask(fetch, 11, body)
  const { lastStableOffset, highWatermark } = responses[0]!.partitions[0]!
  return { stable: lastStableOffset, all: highWatermark }
}

test('B65: while 30,000 keys are merged a producer writes on, and neither loses a record', async () => {
  await using stage = await Stage.open({ onDisk: true })
  await stage.create('prices', 1, { 'cleanup.policy': 'compact' })
  await stage.send('prices', [{ key: 'first', value: '1' }])
  await stage.fork('prices', 'prices--new')
  const count = 30_000
  for (let from = 0; from < count; from += 5_000) {
    const messages = Array.from({ length: 5_000 }, (_, i) => ({ key: `k${from + i}`, value: `merged ${from + i}` }))
    await stage.send('prices--new', messages)
  }
  const acknowledged: string[] = []
  let isOver = false
  const writing = (async () => {
    for (let i = 0; !isOver; i++) {
      await stage.send('prices', [{ key: `p${i}`, value: `produced ${i}` }])
      acknowledged.push(`produced ${i}`)
    }
  })()
  const wire = await WireClient.open(stage.broker.bootstrapServers)
  const held: { stable: number; all: number }[] = []
  let looks = 0
  const looking = (async () => {
    for (; !isOver; looks++) {
      const ends = await endsOf(wire, 'prices')
      if (ends.stable < ends.all) held.push(ends)
    }
  })()
  const event = await stage.run({ op: 'merge', id: 'm1', from: 'prices--new', into: 'prices' })
  const during = acknowledged.length
  await stage.send('prices', [{ key: 'last', value: 'last' }])
  isOver = true
  await Promise.all([writing, looking])
  wire.close()
  // Readers of committed data wait in front of what is merged and for nothing else: no producer's record stands behind it by then.
  const { first, last } = event.topics![0]!.partitions![0]!
  expect(looks).toBeGreaterThan(10)
  expect(held.filter(({ stable, all }) => stable !== first || all > last! + 1)).toEqual([])
  expect(event).toMatchObject({ status: 'committed', counts: { written: count, conflicts: 0 } })
  expect(event.gateMs).toBeGreaterThanOrEqual(0)
  expect(during).toBeGreaterThan(0)
  // Committed records alone: nothing is held back any more.
  const values = await stage.values('prices', 1 + count + acknowledged.length + 1)
  expect(values.filter((value) => value.startsWith('produced'))).toEqual(acknowledged)
  expect(values.filter((value) => value.startsWith('merged'))).toEqual(
    Array.from({ length: count }, (_, i) => `merged ${i}`),
  )
}, 120_000)
