// Which segments become one pack, and which packs become one: few files in the end, and no record packed anew too often.

import { describe, expect, test } from 'vitest'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { Broker } from '../../src/broker/broker.ts'
import { BrokerConfig } from '../../src/broker/broker-config.ts'
import { nextGroup, nextMerge, packBytesMax } from '../../src/broker/packing-plan.ts'
import type { Segment } from '../../src/log/segment.ts'
import { systemClock } from '../../src/storage/clock.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import { type Draw, drawing } from './delta-pairs.ts'

type Fake = { baseOffset: number; nextOffset: number; length: number; isPacked: boolean }

/** Segments of these lengths, one behind the other; negative: not packed. */
const segmentsOf = (lengths: readonly number[]): Segment[] =>
  lengths.map((length, i): Fake => {
    return { baseOffset: i, nextOffset: i + 1, length: Math.abs(length), isPacked: length >= 0 }
  }) as unknown as Segment[]

const lengthsOf = (segments: readonly Segment[] | undefined) => segments?.map(({ length }) => length)
const all = { isFit: () => true, seams: [] }

describe('neighbouring packs become one', () => {
  test.each<[string, number[], number[] | undefined]>([
    ['where none is larger than twice the others', [5, 2, 1], [5, 2, 1]],
    ['but not where one is', [9, 3, 1], undefined],
    ['where the last are as large as the one before', [50, 5, 2, 1, 1], [5, 2, 1, 1]],
    ['where keep rules have emptied them', [0, 0, 0, 7], [0, 0, 0]],
    ['but not a full one for the sake of an empty one', [0, 7], undefined],
    ['but not those that are full', [packBytesMax, packBytesMax], undefined],
    ['but not over what is not packed', [1, -1, 1], undefined],
  ])('%s', (_, lengths, merged) => {
    expect(lengthsOf(nextMerge(segmentsOf(lengths), all))).toEqual(merged)
  })

  test('but not over a seam, a gap, or what cannot be packed', () => {
    expect(nextMerge(segmentsOf([1, 1]), { ...all, seams: [1] })).toBe(undefined)
    expect(nextMerge([segmentsOf([1])[0]!, segmentsOf([1, 1, 1])[2]!], all)).toBe(undefined)
    const isFit = ({ baseOffset }: Segment) => baseOffset !== 1
    expect(nextMerge(segmentsOf([1, 1, 1]), { ...all, isFit })).toBe(undefined)
  })

  test('until there are few, each byte as often as its pack grows by half', () => {
    for (let seed = 0; seed < 200; seed++) {
      const draw = drawing(seed)
      const { packs, moved, total } = filled(draw)
      expect(packs.length, `seed ${seed}`).toBeLessThanOrEqual(2 * Math.log2(total))
      expect(moved / total, `seed ${seed}`).toBeLessThanOrEqual(1 + Math.log(total) / Math.log(1.5))
    }
  })
})

/** Packs of lengths by chance that come one by one, each time until nothing is to be merged any more. */
function filled(draw: Draw): { packs: number[]; moved: number; total: number } {
  let packs: number[] = []
  let [moved, total] = [0, 0]
  for (let i = 0; i < 200; i++) {
    const length = 1 + draw(1000)
    packs.push(length)
    total += length
    moved += length
    for (;;) {
      const group = nextMerge(segmentsOf(packs), all)
      if (group === undefined) break
      const first = group[0]!.baseOffset
      const sum = group.reduce((sum, one) => sum + one.length, 0)
      moved += sum
      packs = [...packs.slice(0, first), sum, ...packs.slice(first + group.length)]
    }
  }
  return { packs, moved, total }
}

test('a pack that is empty is near to any, however old', () => {
  const timed = segmentsOf([0, 0, 9]).map((one) =>
    Object.assign(one, { maxTimestamp: one.length === 0 ? -1 : 100_000 }),
  )
  expect(lengthsOf(nextMerge(timed, { ...all, spanMs: 10 }))).toEqual([0, 0])
  const [, empty, last] = segmentsOf([7, 0, -9])
  const segments = [empty!, Object.assign(last!, { maxTimestamp: 100_000 })]
  expect(lengthsOf(nextGroup(segments, { ...all, isDue: () => true, spanMs: 10 }))).toEqual([0, 9])
})

test('what is kept for a time is not kept three times as long because it was packed with what came later', () => {
  const retentionMs = 1000
  const spanMs = retentionMs / 8
  type Timed = Fake & { maxTimestamp: number; batchAt: () => { maxTimestamp: number } }
  let segments: Timed[] = []
  const joined = (group: readonly Timed[]): Timed => {
    const length = group.reduce((sum, one) => sum + one.length, 0)
    const { nextOffset, maxTimestamp } = group.at(-1)!
    return { ...group[0]!, length, nextOffset, maxTimestamp, isPacked: true }
  }
  const pack = (group: Segment[] | undefined): boolean => {
    const timed = group as unknown as Timed[] | undefined
    if (timed === undefined) return false
    const first = segments.indexOf(timed[0]!)
    segments = [...segments.slice(0, first), joined(timed), ...segments.slice(first + timed.length)]
    return true
  }
  const choice = { ...all, isDue: () => true, spanMs }
  for (let now = 0; now < 20 * retentionMs; now += 10) {
    segments.push({
      baseOffset: now,
      nextOffset: now + 10,
      length: 10,
      isPacked: false,
      maxTimestamp: now,
      batchAt: () => ({ maxTimestamp: now }),
    })
    const asSegments = () => segments as unknown as Segment[]
    while (pack(nextGroup(asSegments(), choice)) || pack(nextMerge(asSegments(), choice)));
    while (now - segments[0]!.maxTimestamp > retentionMs) segments.shift()
    // An offset is the time at which its record came.
    expect(now - segments[0]!.baseOffset).toBeLessThanOrEqual(retentionMs + spanMs)
    expect(segments.length).toBeLessThan(30)
  }
})

describe('closed segments are packed together', () => {
  const due = { ...all, isDue: () => true }

  test('with the smaller packs in front of them', () => {
    expect(lengthsOf(nextGroup(segmentsOf([50, 4, 1, -2, -1]), due))).toEqual([4, 1, 2, 1])
  })

  test('as many as unpack to what one pack may hold', () => {
    const mebibyte = 1 << 20
    const segments = segmentsOf(Array.from({ length: 100 }, () => -10 * mebibyte))
    expect(nextGroup(segments, due)).toHaveLength(25)
    expect(nextGroup(segments, { ...due, swelling: 10 })).toHaveLength(2)
    expect(nextGroup(segments, { ...due, swelling: 100 })).toHaveLength(1)
    // What is packed already is counted as it is.
    expect(lengthsOf(nextGroup(segmentsOf([40, -2]), { ...due, swelling: 10 }))).toEqual([40, 2])
  })
})

test('what unpacks to more than a pack can hold is packed in smaller groups, and alone it stays as it came and is told of', async () => {
  const told: string[] = []
  const { error } = console
  console.error = (text: string) => told.push(text)
  const broker = new Broker({ store: new MemoryStore(), clock: systemClock, config: new BrokerConfig(new Map()) })
  try {
    const configs = { 'revision.diff': 'true', 'revision.pack.lag.ms': '0' }
    await broker.createTopics([{ name: 'docs', partitions: 1, configs }])
    const partition = broker.topic('docs')!.partitions[0]!
    const write = (bytes: number) => {
      const value = 'x'.repeat(bytes)
      partition.append(encodeBatch({ records: [{ key: 'k', value }], codec: 'gzip' }), 9)
      partition.log.roll()
    }
    for (let i = 0; i < 6; i++) write(40_000)
    write(200_000)
    for (let i = 0; i < 6; i++) write(40_000)
    partition.append(encodeBatch({ records: [{ key: 'end', value: '' }] }), 9)
    const { packing } = broker.housekeeping
    packing.limits = { together: 90_000, alone: 100_000 }
    packing.run()
    await packing.settled()
    const kinds = partition.log.segments.map(({ baseOffset, isPacked }) => [baseOffset, isPacked])
    expect(kinds.filter(([, isPacked]) => !isPacked)).toEqual([
      [6, false],
      [13, false],
    ])
    expect(packing.counts).toMatchObject({ failures: 1, unfit: 1 })
    expect(packing.lagMs).toBe(0)
    expect(told).toEqual([
      'Packing of docs-0: offsets 6 to 6 unpack to more than the 100000 bytes that a pack can hold: smaller segments (segment.bytes) can be packed',
    ])
    expect(partition.log.read(0, 1_000_000, 13, true).bytes.length).toBeGreaterThan(0)
  } finally {
    console.error = error
    await broker.close()
  }
})
