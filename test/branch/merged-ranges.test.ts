// What merges have written below a fork, told once however many branches have it. Held against a model in which every branch has
// a list of its own: through forks of forks, cuts in the midst of a merge, topics that go, and starts from a snapshot.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Lineage } from '../../src/branch/lineage.ts'
import type { ForkRecord, LineageRecord } from '../../src/branch/lineage-records.ts'
import type { MergedRange } from '../../src/branch/merged-ranges.ts'

type Moved = { first: number; last: number; at: number }
type Model = { end: number; ranges: Moved[]; moves: Moved[] }

const cut = (ranges: readonly Moved[], below: number): Moved[] =>
  ranges.filter(({ first }) => first < below).map((range) => ({ ...range, last: Math.min(range.last, below - 1) }))

class Garden {
  lineage = new Lineage()
  readonly topics = new Map<string, Model>([['t0', { end: 10, ranges: [], moves: [] }]])
  #made = 0
  #now = 1000

  apply(record: LineageRecord): void {
    this.lineage.apply(JSON.parse(JSON.stringify(record)))
  }

  name(which: number): string {
    return [...this.topics.keys()][which % this.topics.size]!
  }

  fork(from: string, share: number): ForkRecord {
    const parent = this.topics.get(from)!
    const offset = Math.floor(parent.end * share)
    const id = `t${++this.#made}`
    const inherited = {
      ...{ offset, logStartOffset: 0, epochs: [], compactedOffset: 0, flushedOffset: 0, files: [], seams: [] },
      ...{ ownFrom: offset, open: [], hasTransactions: false, boot: '' },
    }
    const made = { id, name: id, from, fromId: from, groups: 'none', sharedBytes: 0, copiedBytes: 0 } as const
    const partitions = [{ ...inherited, ...this.lineage.knowledge(from, 0).asOf(offset) }]
    const topics = [{ ...made, partitions }]
    const record: ForkRecord = { v: 1, type: 'fork', id: `f${id}`, at: this.#now++, by: 'me', topics }
    this.apply(record)
    this.topics.set(id, { end: offset, ranges: cut(parent.ranges, offset), moves: cut(parent.moves, offset) })
    return record
  }

  merge(intoId: string, from: string, count: number, isLoose: boolean): void {
    const { end, ranges } = this.topics.get(intoId)!
    const at = this.#now++
    const id = `m${at}`
    const known = { ...this.lineage.known(intoId, 0), ...(from === intoId || isLoose ? {} : { [from]: at }) }
    const written = { first: end, last: end + count - 1 }
    const loose = isLoose ? { loose: { [from]: at } } : {}
    const common = { v: 1, id, at, by: 'me', op: 'merge', status: 'committed' } as const
    const partitions = [{ partition: 0, ...written, known, end: end + count, ...loose }]
    const counts = { written: count, same: 0, skipped: 0, conflicts: 0 }
    this.apply({ ...common, type: 'merge', counts, topics: [{ from, fromId: from, into: intoId, intoId, partitions }] })
    ranges.push({ ...written, at })
    // Somebody writes, and the next merge is not beside this one.
    this.topics.get(intoId)!.end += count + 2
  }

  /** The target's log is the beginning of the source's. */
  forward(intoId: string, from: string): void {
    const target = this.topics.get(intoId)!
    const source = this.topics.get(from)!
    if (source.end <= target.end || intoId === from) return
    const theirs = this.lineage.knowledge(from, 0)
    const at = this.#now++
    const written = { first: target.end, last: source.end - 1 }
    const { spans } = theirs.asOf(source.end)
    const merged = theirs.mergedWithin(target.end, source.end).filter(({ first }) => first >= target.end)
    const common = { v: 1, id: `m${at}`, at, by: 'me', op: 'merge', status: 'committed' } as const
    const partitions = [{ partition: 0, ...written, known: {}, end: source.end, spans, merged }]
    const counts = { written: 1, same: 0, skipped: 0, conflicts: 0 }
    this.apply({ ...common, type: 'merge', counts, topics: [{ from, fromId: from, into: intoId, intoId, partitions }] })
    target.ranges.push(...source.ranges.filter(({ first }) => first >= target.end))
    target.moves.push({ ...written, at })
    target.end = source.end
  }

  drop(name: string): void {
    if (this.topics.size === 1) return
    this.lineage.removed(name)
    this.topics.delete(name)
  }

  restart(): void {
    const records = this.lineage.records()
    this.lineage = new Lineage()
    for (const record of records) this.apply(record)
  }

  check(): void {
    for (const [id, { end, ranges, moves }] of this.topics) {
      const seen = this.lineage.knowledge(id, 0).ranges
      const plain = ({ first, last, at }: MergedRange | Moved) => ({ first, last, at })
      expect([...seen.within(0, end)].map(plain)).toEqual(ranges)
      expect(seen.end()).toBe(1 + (ranges.at(-1)?.last ?? -1))
      for (let offset = 0; offset < end; offset++) {
        const own = ranges.find(({ first, last }) => first <= offset && offset <= last)
        expect(seen.at(offset)?.at).toBe(own?.at)
        const brought = [...ranges, ...moves].filter(({ first, last }) => first <= offset + 2 && offset <= last)
        expect(seen.broughtAt(offset, offset + 3)).toBe(Math.max(-1, ...brought.map(({ at }) => at)))
      }
    }
  }
}

const number = fc.nat(1000)
const step = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant('fork' as const), number, fc.constantFrom(1, 1, 1, 0.5, 0.8)) },
  { weight: 5, arbitrary: fc.tuple(fc.constant('merge' as const), number, number, fc.integer({ min: 1, max: 4 })) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('loose' as const), number, number) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('forward' as const), number, number) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('drop' as const), number) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('restart' as const)) },
)

test('every branch knows what merges wrote below its fork, whatever became of the topics that it came from', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const garden = new Garden()
      for (const [what, one = 0, other = 0, count = 1] of steps) {
        if (what === 'fork') garden.fork(garden.name(one), other)
        else if (what === 'merge') garden.merge(garden.name(one), garden.name(other), count, false)
        else if (what === 'loose') garden.merge(garden.name(one), garden.name(other), 1, true)
        else if (what === 'forward') garden.forward(garden.name(one), garden.name(other))
        else if (what === 'drop') garden.drop(garden.name(one))
        else garden.restart()
      }
      garden.check()
      garden.restart()
      garden.check()
    }),
    { numRuns: 500 },
  )
})

test('a fork of a topic with a thousand merges says no more than one of a topic with one', () => {
  const garden = new Garden()
  const sizes: number[] = []
  for (let i = 0; i < 1000; i++) {
    const record = garden.fork('t0', 1)
    const { id } = record.topics[0]!
    sizes.push(JSON.stringify(record).length)
    garden.merge('t0', id, 1, false)
    garden.drop(id)
  }
  expect(sizes.at(-1)).toBeLessThan(sizes[1]! + 50)
})

test('of a topic that is gone, what it had is told by those who came from it', () => {
  const garden = new Garden()
  garden.merge('t0', 'elsewhere', 3, false)
  const middle = garden.fork('t0', 1).topics[0]!.id
  garden.merge(middle, 'elsewhere', 2, false)
  const child = garden.fork(middle, 1).topics[0]!.id
  garden.drop(middle)
  garden.restart()
  garden.check()
  const [fork] = [...garden.lineage.forks()]
  expect(fork!.topics[0]).toMatchObject({
    id: child,
    partitions: [{ inherits: { of: 't0' }, merged: [{ first: 15 }] }],
  })
  garden.drop('t0')
  garden.restart()
  garden.check()
})
