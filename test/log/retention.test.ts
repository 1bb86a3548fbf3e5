// What retention takes, of segments as they are told of: whole ones, the oldest first.

import { expect, test } from 'vitest'
import { expiredSegments } from '../../src/log/retention.ts'
import type { Segment } from '../../src/log/segment.ts'

const now = 10_000
const hour = { deletes: true, retentionMs: 1000, retentionBytes: -1 }

const segment = (baseOffset: number, more: Partial<Segment>): Segment =>
  ({
    baseOffset,
    nextOffset: baseOffset + 10,
    isEmpty: false,
    isPacked: false,
    length: 100,
    storedBytes: 100,
    maxTimestamp: 0,
    firstAppendAt: undefined,
    ...more,
  }) as Segment

const taken = (segments: readonly Segment[]) => expiredSegments(segments, hour, now).map(({ baseOffset }) => baseOffset)

test("a pack of which keep rules have left nothing is in nobody's way: after a start nothing tells how old it is", () => {
  const bare = segment(0, { isPacked: true, length: 0, maxTimestamp: -1 })
  expect(taken([bare, segment(10, { maxTimestamp: 5000 }), segment(20, { maxTimestamp: 9500 })])).toEqual([0, 10])
})

test('records without a time count from when they were appended, or are kept where nobody knows', () => {
  const timeless = { maxTimestamp: -1 }
  expect(taken([segment(0, { ...timeless, firstAppendAt: 5000 }), segment(10, timeless), segment(20, {})])).toEqual([0])
  expect(taken([segment(0, { ...timeless, isPacked: true })])).toEqual([])
})
