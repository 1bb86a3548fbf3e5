// Which revisions of a key stay, by rules alone: no pack, no clock.

import { describe, expect, test } from 'vitest'
import { type KeepRule, type KeepRules, KeepWalk, keepsAll, parseKeepRule } from '../../src/revision/keep-rules.ts'
import { drawing } from './delta-pairs.ts'

const mib = 1024 * 1024
const rule = (text: string): KeepRule => {
  const parsed = parseKeepRule(text)
  if (typeof parsed === 'string') throw new Error(parsed)
  return parsed
}
const rules = (keep: string, largeKeep = 'last:8', largeBytes = mib): KeepRules => ({
  keep: rule(keep),
  largeBytes,
  largeKeep: rule(largeKeep),
})

type Written = readonly [at: string, size?: number]

/** Revisions, oldest first; answers the numbers of those that stay. */
function kept(rules: KeepRules, now: string, written: readonly Written[]): number[] {
  const walk = new KeepWalk(rules, Date.parse(now))
  const found: number[] = []
  for (let rev = written.length; rev > 0; rev--) {
    const [at, size = 100] = written[rev - 1]!
    if (walk.keeps(Date.parse(at), size)) found.unshift(rev)
  }
  return found
}

describe('a keep rule', () => {
  test.each([
    ['all', { all: true, last: 0, hourly: 0, daily: 0 }],
    ['last:10', { all: false, last: 10, hourly: 0, daily: 0 }],
    [' hourly:24 , daily:30', { all: false, last: 0, hourly: 24, daily: 30 }],
    ['daily:1,last:2147483647', { all: false, last: 2147483647, hourly: 0, daily: 1 }],
  ])('is read from "%s"', (text, expected) => expect(parseKeepRule(text)).toEqual(expected))

  test.each([
    '',
    'last',
    'last:',
    'last:0',
    'last:-1',
    'last:1.5',
    'last:2147483648',
    'weekly:3',
    'all,',
    'last:1,last:2',
    'LAST:1',
  ])('is not read from "%s", and says why', (text) =>
    expect(parseKeepRule(text)).toMatch(/none of all|must lie between|stands in it twice/),
  )

  test('all leaves nothing out, of large values too only if their rule says so', () => {
    expect(keepsAll(rules('all', 'all'))).toBe(true)
    expect(keepsAll(rules('all'))).toBe(false)
    expect(keepsAll(rules('last:3', 'all'))).toBe(false)
  })
})

describe('of a key', () => {
  const minutes = (count: number): Written[] =>
    Array.from({ length: count }, (_, i) => [new Date(Date.UTC(2026, 4, 1) + i * 60_000).toISOString()])

  test('R14: last:10 keeps exactly the 10 newest', () => {
    expect(kept(rules('last:10'), '2026-05-02', minutes(50))).toEqual([41, 42, 43, 44, 45, 46, 47, 48, 49, 50])
    expect(kept(rules('last:10'), '2026-05-02', minutes(3))).toEqual([1, 2, 3])
    expect(kept(rules('last:1'), '2026-05-02', minutes(9))).toEqual([9])
  })

  test('R15: hourly keeps the newest of each of the last hours, the one that is running among them', () => {
    const written: Written[] = [
      ['2026-05-01T08:59:59.999Z'],
      ['2026-05-01T09:00:00.000Z'],
      ['2026-05-01T09:59:59.999Z'],
      ['2026-05-01T10:00:00.000Z'],
      ['2026-05-01T11:10:00Z'],
      ['2026-05-01T11:20:00Z'],
    ]
    expect(kept(rules('hourly:3'), '2026-05-01T11:30:00Z', written)).toEqual([3, 4, 6])
    expect(kept(rules('hourly:2'), '2026-05-01T11:59:59.999Z', written)).toEqual([4, 6])
    // An hour later: the running one has none, and the newest stays whatever its hour.
    expect(kept(rules('hourly:1'), '2026-05-01T12:00:00Z', written)).toEqual([6])
    expect(kept(rules('hourly:4'), '2026-05-01T12:00:00Z', written)).toEqual([3, 4, 6])
  })

  test('R15: days are UTC days, wherever the broker stands', () => {
    const written: Written[] = [
      ['2026-02-27T23:59:59.999Z'],
      ['2026-02-28T00:00:00.000Z'],
      ['2026-02-28T23:59:59.999Z'],
      ['2026-03-01T00:00:00.000Z'],
      ['2026-03-01T00:30:00.000Z'],
    ]
    expect(kept(rules('daily:2'), '2026-03-01T12:00:00Z', written)).toEqual([3, 5])
    expect(kept(rules('daily:3'), '2026-03-01T23:59:59.999Z', written)).toEqual([1, 3, 5])
    expect(kept(rules('daily:3'), '2026-03-02T00:00:00.000Z', written)).toEqual([3, 5])
  })

  test('R15: newest means the last written, not the latest time: back-dated records count in the hour that they name', () => {
    const written: Written[] = [
      ['2026-05-01T10:50:00Z'],
      ['2026-05-01T10:10:00Z'],
      ['2026-05-01T11:00:00Z'],
      ['2026-04-01T00:00:00Z'],
    ]
    expect(kept(rules('hourly:24,daily:30'), '2026-05-01T11:30:00Z', written)).toEqual([2, 3, 4])
  })

  test('R15: hourly:24,daily:30 keeps what either keeps', () => {
    const start = Date.UTC(2026, 0, 1)
    const written: Written[] = Array.from({ length: 40 * 24 }, (_, hour) => [
      new Date(start + hour * 3_600_000 + 1).toISOString(),
    ])
    const now = new Date(start + 40 * 24 * 3_600_000 - 1).toISOString()
    const last = written.length
    const days = Array.from({ length: 29 }, (_, i) => last - (29 - i) * 24)
    const hours = Array.from({ length: 24 }, (_, i) => last - 23 + i)
    expect(kept(rules('hourly:24,daily:30'), now, written)).toEqual([...days, ...hours])
  })

  test('times ahead of the clock are kept one for each hour: they count when their hour has come', () => {
    const written: Written[] = [['2026-05-01T15:10:00Z'], ['2026-05-01T15:20:00Z'], ['2026-05-01T10:00:00Z']]
    expect(kept(rules('hourly:1'), '2026-05-01T10:30:00Z', written)).toEqual([2, 3])
  })

  test('records without a time stay only where they are the newest, or counted', () => {
    const walk = new KeepWalk(rules('hourly:5,last:2'), Date.parse('2026-05-01'))
    expect([-1, -1, -1].map((at) => walk.keeps(at, 10))).toEqual([true, true, false])
  })

  test('R16: 50 values of 2 MiB leave 8, and small ones all', () => {
    const large: Written[] = minutes(50).map(([at]) => [at, 2 * mib])
    expect(kept(rules('all'), '2026-05-02', large)).toEqual([43, 44, 45, 46, 47, 48, 49, 50])
    expect(kept(rules('all'), '2026-05-02', minutes(50))).toHaveLength(50)
  })

  test('R16: large and small values are counted apart; from the limit on a value is large', () => {
    const written: Written[] = [mib, 5, mib - 1, mib, 7, mib + 9].map((size, i) => [minutes(6)[i]![0], size])
    expect(kept(rules('last:2', 'last:2'), '2026-05-02', written)).toEqual([3, 4, 5, 6])
    expect(kept(rules('all', 'last:1'), '2026-05-02', written)).toEqual([2, 3, 5, 6])
  })

  test('the newest stays though its own rule would not keep it', () => {
    const old = ['2020-01-01'] as const
    expect(kept(rules('hourly:1', 'daily:1'), '2026-05-02', [old, old, [old[0], mib]])).toEqual([3])
  })

  test('what is kept does not depend on the key before', () => {
    const draw = drawing(3)
    const texts = ['last:3', 'hourly:5', 'daily:2,last:1', 'all']
    for (let i = 0; i < 500; i++) {
      const now = Date.UTC(2026, 4, 1) + draw(1e8)
      const used = rules(texts[draw(4)]!, texts[draw(4)]!, 50)
      const walk = new KeepWalk(used, now)
      for (let key = 0; key < 4; key++) {
        const written = Array.from({ length: draw(30) }, () => [now - draw(4e8), draw(100)] as const)
        walk.restart()
        const alone = new KeepWalk(used, now)
        expect(written.map(([at, size]) => walk.keeps(at, size))).toEqual(
          written.map(([at, size]) => alone.keeps(at, size)),
        )
      }
    }
  })
})
