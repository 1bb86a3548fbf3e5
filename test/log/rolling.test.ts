// When a segment ends, and when retention takes one whose records bear no time: both were told by memory alone, and a broker that was
// started again and again never closed a segment for its age, nor deleted records without a time.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { Log } from '../../src/log/log.ts'
import { type Place, places } from '../storage/stores.ts'
import { append, appended, readAll, smallConfig } from './log-environment.ts'

const folder = 'topics/t/0'
const hour = 3_600_000

describe.each(places)('%s', (name, make) => {
  let place: Place
  beforeEach(() => {
    place = make()
  })
  afterEach(() => place.remove())

  test.each(['stop', 'kill'] as const)(
    'a segment that is old enough ends after a %s as it would have without',
    async (event) => {
      const config = { ...smallConfig, segmentMs: hour }
      const open = () => new Log(place.reopen(), folder, config)
      const log = open()
      const now = 1_700_000_000_000
      append(log, ['a'], { time: now, now })
      append(log, ['b'], { time: now + hour / 2, now: now + hour / 2 })
      await (event === 'stop' ? log.close() : log.flush())
      const again = open()
      append(again, ['c'], { time: now + hour, now: now + hour })
      expect(again.segments).toHaveLength(1)
      append(again, ['d'], { time: now + hour + 1, now: now + hour + 1 })
      expect(again.segments.map(({ baseOffset }) => baseOffset)).toEqual([0, 3])
      // What comes from a clock that is ahead is as old as what comes now.
      append(again, ['e'], { time: now + 9 * hour, now: now + 3 * hour })
      expect(again.segments).toHaveLength(3)
      await again.flush()
      again.release()
      const last = open()
      append(last, ['f'], { time: now, now: now + 5 * hour })
      expect(last.segments).toHaveLength(3)
      append(last, ['g'], { time: now, now: now + 6 * hour + 1 })
      expect(last.segments).toHaveLength(4)
      expect(readAll(last).map(([, value]) => value)).toEqual([...'abcdefg'])
      last.release()
    },
  )

  // Stores that are only memory are found by nobody after a start.
  test.runIf(name === 'plain' || name === 'mapped')(
    'records without a time are kept no longer than any others after a start',
    async () => {
      const config = { ...smallConfig, retentionMs: hour }
      const open = () => new Log(place.reopen(), folder, config)
      const log = open()
      const timeless = encodeBatch({ records: [{ value: 'no time'.padEnd(1500, '.') }] })
      for (let i = 0; i < 3; i++) log.append(Buffer.from(timeless), { leaderEpoch: 0, now: Date.now() })
      await log.close()
      const again = open()
      expect(again.segments.map(({ maxTimestamp }) => maxTimestamp)).toEqual([-1, -1, -1])
      expect(again.retain(Date.now() + hour / 2)).toBe(0)
      expect(again.retain(Date.now() + 2 * hour)).toBe(3)
      expect(again.logStartOffset).toBe(3)
      again.release()
    },
  )

  test('a batch that the codec of the topic makes larger than a message may be is refused', () => {
    const config = { ...smallConfig, codec: 0, maxMessageBytes: 1000 }
    const log = new Log(place.open(), folder, config)
    const refused = append(log, ['x'.repeat(1500)], { codec: 'gzip' })
    expect(refused).toMatchObject({ error: 'MESSAGE_TOO_LARGE' })
    const larger = new Log(place.open(), 'topics/u/0', { ...config, maxMessageBytes: 100_000 })
    expect(append(larger, ['x'.repeat(5000)], { codec: 'gzip' })).toMatchObject({ error: 'RECORD_LIST_TOO_LARGE' })
    for (const each of [log, larger]) {
      expect(each.logEndOffset).toBe(0)
      expect(appended(each, ['small'], { codec: 'gzip' }).baseOffset).toBe(0)
      expect(readAll(each)).toEqual([[0, 'small']])
      each.release()
    }
  })
})
