// Merges, what they leave open, and what takes them back, held against the model (hearsay.ts).

import { expect } from 'vitest'
import type { ConflictRule, Strategy } from '../../src/branch/commands.ts'
import type { BranchEvent } from '../../src/branch/events.ts'
import type { Topic } from '../../src/broker/topic.ts'
import { inverse, judge, type Kept, newId, type Rules, type Shown, type Side, type Verdict } from './hearsay.ts'
import { isFrozen, shownOf, type WholeBroker } from './whole-broker.ts'

export type Merge = {
  readonly from: number
  readonly into: number
  readonly strategy: Strategy
  readonly onConflict: ConflictRule
  readonly keys?: readonly string[]
}
export type MergeSet = { readonly set: number; readonly onConflict: ConflictRule }
export type Resolve = { readonly conflict: number; readonly take: 'ours' | 'theirs' | 'value' }
export type Revert = {
  readonly merge: number
  readonly mode: 'net' | 'replay'
  readonly onConflict: 'fail' | 'ours' | 'theirs'
}

type Pair = { readonly from: Topic; readonly into: Topic }
/** A key that was parked, as it stood then. */
type Open = {
  readonly merge: string
  readonly intoId: string
  readonly fromId: string
  readonly partition: number
  readonly key: string
  readonly theirs: Kept
  readonly ours: number | undefined
}
type Written = {
  readonly id: string
  readonly intoId: string
  readonly partition: number
  readonly first: number
  readonly last: number
}
type PlannedKeys = readonly {
  readonly topic: string
  readonly partition: number
  readonly key?: string
  readonly kind: string
}[]
/** One partition of a merge that was carried out. */
type Merged = {
  pair: Pair
  partition: number
  source: Side
  target: Side
  open: readonly Open[]
  verdict: Verdict
  rules: Rules
  isExact: boolean
  id: string
  what: string
  disputed: ReadonlySet<string>
}

const placeOf = ({ topic, partition, key }: { topic: string; partition: number; key?: string }) =>
  `${topic} ${partition} ${key}`

export class WholeMerges {
  readonly #whole: WholeBroker
  #open: Open[] = []
  #written: Written[] = []
  /** How often something came to something. */
  readonly counts = { merged: 0, conflicts: 0, reverted: 0, resolved: 0 }

  constructor(whole: WholeBroker) {
    this.#whole = whole
  }

  setAt(place: number): string | undefined {
    const sets = [...this.#whole.broker.lineage.sets.keys()]
    return sets[place % sets.length]
  }

  /** A topic is gone, and what stood open with it. */
  forget(topicId: string): void {
    this.#open = this.#open.filter(({ fromId, intoId }) => fromId !== topicId && intoId !== topicId)
    this.#written = this.#written.filter(({ intoId }) => intoId !== topicId)
  }

  async merge({ from: source, into: target, strategy, onConflict, keys }: Merge): Promise<void> {
    const from = this.#whole.topicAt(source)
    const relatives = this.#whole.topics.filter(
      ({ id }) => id !== from.id && this.#whole.broker.lineage.areRelated(from.id, id),
    )
    const into = relatives[target % relatives.length]
    if (into === undefined) return
    if (strategy === 'fast-forward') return await this.#forward({ from, into })
    const isChoice = keys !== undefined && strategy !== 'append'
    const rules: Rules = { strategy, onConflict, ...(isChoice ? { keys } : {}) }
    await this.#mergePairs([{ from, into }], rules, { from: from.name, into: into.name })
  }

  async mergeSet({ set: place, onConflict }: MergeSet): Promise<void> {
    const set = this.setAt(place)
    if (set === undefined) return
    const { branches, sets } = this.#whole.broker.lineage
    const { members } = sets.get(set)!
    // What was forked of a member stays, unless a promotion has given it the name by which the set knows one of the topics around.
    const around = [...members.values()].flatMap((id) => {
      const branch = branches.get(id)
      return branch === undefined || [...members.values()].includes(branch.fromId) ? [] : [branch]
    })
    const froms = new Map(around.map(({ id, inside, fromId }) => [members.get(inside!) ?? id, fromId]))
    const pairs = [...froms].flatMap((ids): Pair[] => {
      const [from, into] = ids.map((id) => this.#whole.broker.topicById(id))
      return from === undefined || into === undefined ? [] : [{ from, into }]
    })
    await this.#mergePairs(pairs, { strategy: 'three-way', onConflict }, { set })
  }

  #openBetween({ from, into }: Pair, partition: number): Open[] {
    const ids = [from.id, into.id]
    return this.#open.filter(
      (one) => one.partition === partition && ids.includes(one.fromId) && ids.includes(one.intoId),
    )
  }

  async #mergePairs(pairs: readonly Pair[], rules: Rules, named: object): Promise<void> {
    const command = { ...named, ...rules, limit: 1000 }
    const planned = await this.#plan(command)
    const event = await this.#whole.command({ op: 'merge', ...command })
    if (event === undefined) return
    const what = JSON.stringify({ command, planned, event })
    if (event.status === 'rejected') {
      const isExpected =
        pairs.some(({ into }) => isFrozen(into)) ||
        this.#whole.hasDeleted ||
        pairs.length === 0 ||
        this.#isStrange(pairs)
      expect(isExpected, what).toBe(true)
      return
    }
    expect({ ...event.counts, written: 0 }, what).toEqual({ ...planned.counts, written: 0 })
    const places = pairs.flatMap((pair) => pair.into.partitions.map((partition) => ({ pair, partition })))
    const judged = places.map(({ pair, partition: { index } }) => {
      const [source, target] = [pair.from, pair.into].map(({ id }) => this.#whole.side(id, index)) as [Side, Side]
      const open = this.#openBetween(pair, index).filter(({ key }) => rules.keys?.includes(key) ?? true)
      const verdict = judge(source, target, rules, new Set(open.map(({ key }) => key)))
      return { pair, partition: index, source, target, open, verdict }
    })
    const isExact = judged.every(({ source, target }) => !source.isBlurred && !target.isBlurred)
    const conflicts = judged.reduce((sum, { verdict }) => sum + verdict.conflicts.size, 0)
    if (isExact) expect(event.counts!.conflicts, what).toBe(conflicts)
    else expect(event.counts!.conflicts, what).toBeGreaterThanOrEqual(conflicts)
    this.counts.conflicts += conflicts
    if (event.status === 'conflicts') {
      expect([rules.onConflict, event.counts!.conflicts > 0], what).toEqual(['fail', true])
      return
    }
    const disputed = new Set(planned.keys.filter(({ kind }) => !['write', 'same'].includes(kind)).map(placeOf))
    for (const one of judged) this.#merged({ ...one, rules, isExact, id: event.id, what, disputed })
    this.counts.merged++
  }

  async #plan(command: object): Promise<{ counts: BranchEvent['counts']; keys: PlannedKeys }> {
    const event = await this.#whole.rooms.branches.ask({ op: 'plan', ...command }, 'User:test')
    return { counts: event.counts, keys: (event['keys'] ?? []) as PlannedKeys }
  }

  /** Neither was forked from the other, nor both from a third. */
  #isStrange(pairs: readonly Pair[]): boolean {
    return pairs.some(({ from, into }) => !this.#whole.broker.lineage.areRelated(from.id, into.id))
  }

  #merged(one: Merged): void {
    const { pair, partition, source, target, open, verdict, rules, isExact, id, what, disputed } = one
    const before = new Map(target.keys.map((key) => [key, target.newest(key)]))
    const first = target.end
    const came = this.#whole.arrived(pair.into.id, partition)
    const left = [...verdict.written]
    const mayCome = [...verdict.conflicts.values()].map(({ theirs }) => theirs)
    const kept = came.map((record): Kept => {
      const isSame = ({ key, value }: Shown) => key === record.key && value === record.value
      const at = left.findIndex(isSame)
      const [expected] = at < 0 ? [] : left.splice(at, 1)
      const copied = expected ?? (isExact ? undefined : [...source.records, ...mayCome].findLast(isSame))
      expect(copied, `${what}: ${shownOf(record)}`).toBeDefined()
      // Nothing that the source has not heard of is written over without a word.
      const ours = before.get(record.key ?? '')
      const isDisputed =
        record.key !== null && disputed.has(placeOf({ topic: pair.into.name, partition, key: record.key }))
      if (record.key !== null && rules.strategy !== 'append' && rules.onConflict === 'fail') {
        expect(source.knows(ours) && !isDisputed, `${what}: lost ${ours && shownOf(ours)}`).toBe(true)
      }
      const isAnew = record.key !== null && verdict.anew.has(record.key) && copied!.id === source.newest(record.key)!.id
      return { ...record, id: isAnew ? newId() : copied!.id }
    })
    // Nothing that comes is forgotten, unless it is said to be in conflict, or the target had come to the same.
    const isTold = ({ key }: Kept) => key !== null && disputed.has(placeOf({ topic: pair.into.name, partition, key }))
    const isThere = ({ key }: Kept) => key !== null && before.get(key)?.value === source.newest(key)?.value
    const forgotten = left.filter((record) => isExact || !(isTold(record) || isThere(record)))
    expect(forgotten.map(shownOf), what).toEqual([])
    target.adopt(kept)
    if (rules.keys === undefined) for (const id of source.seen) target.seen.add(id)
    else target.isBlurred = source.isBlurred = true
    target.isBlurred ||= source.isBlurred
    this.#open = this.#open.filter((conflict) => !open.includes(conflict))
    if (rules.onConflict === 'park') {
      const [fromId, intoId] = [pair.from.id, pair.into.id]
      for (const key of source.keys.filter((key) => disputed.has(placeOf({ topic: pair.into.name, partition, key })))) {
        const [theirs, ours] = [source.newest(key)!, before.get(key)?.id]
        this.#open.push({ merge: id, fromId, intoId, partition, key, theirs, ours })
      }
    }
    if (came.length > 0 && rules.strategy !== 'append') {
      this.#written.push({
        id,
        intoId: pair.into.id,
        partition,
        first,
        last: this.#whole.endOf(pair.into.id, partition) - 1,
      })
    }
  }

  async #forward({ from, into }: Pair): Promise<void> {
    const event = await this.#whole.command({ op: 'merge', from: from.name, into: into.name, strategy: 'fast-forward' })
    if (event?.status !== 'committed') return
    for (const { partition, first, last } of event.topics![0]!.partitions!) {
      if (first === undefined || last === undefined) continue
      const [source, target] = [from, into].map(({ id }) => this.#whole.side(id, partition)) as [Side, Side]
      const own = source.records.filter(({ offset }) => offset < first)
      const lies = (records: readonly Kept[]) => records.map(({ offset, id }) => `${offset} ${id}`)
      const there = target.records.filter(({ offset }) => offset >= source.start)
      const shared = own.filter(({ offset }) => offset >= target.start)
      if (!this.#whole.hasCompacted) expect(lies(there)).toEqual(lies(shared))
      target.forward(source, last + 1)
    }
  }

  async resolve({ conflict: place, take }: Resolve): Promise<void> {
    const conflict = this.#open[place % this.#open.length]
    if (conflict === undefined) return
    const { merge, partition, key, theirs, intoId, fromId } = conflict
    const target = this.#whole.broker.topicById(intoId)!
    const side = this.#whole.side(intoId, partition)
    const value = take === 'value' ? { value: 'chosen' } : {}
    const event = await this.#whole.command({
      op: 'resolve',
      merge,
      topic: target.name,
      partition,
      key,
      take,
      ...value,
    })
    if (event === undefined) return
    const hasMoved = side.newest(key)?.id !== conflict.ours
    if (event.status === 'rejected') {
      expect(hasMoved || isFrozen(target) || side.isBlurred, JSON.stringify(event)).toBe(true)
      return
    }
    const came = this.#whole.arrived(intoId, partition)
    const expected = take === 'ours' ? [] : [take === 'value' ? 'chosen' : theirs.value]
    expect(came.map((one) => [one.key, one.value])).toEqual(expected.map((one) => [key, one]))
    const kept = came.map((one): Kept => ({ ...one, id: newId() }))
    side.adopt(kept)
    const source = this.#whole.side(fromId, partition)
    // The branch that it came from knows it for its own; the others have yet to hear of it.
    if (take === 'theirs') {
      side.seen.add(theirs.id)
      for (const { id } of kept) source.seen.add(id)
    }
    source.isBlurred = side.isBlurred = true
    this.#open = this.#open.filter((one) => one !== conflict)
    this.counts.resolved++
  }

  async revert({ merge: place, mode, onConflict }: Revert): Promise<void> {
    const ids = [...new Set(this.#written.map(({ id }) => id))]
    const merge = ids[place % ids.length]
    if (merge === undefined) return
    const ranges = this.#written.filter(({ id }) => id === merge)
    const sides = ranges.map(({ intoId, partition }) => this.#whole.side(intoId, partition))
    const inverses = ranges.map(({ first, last }, i) => inverse(sides[i]!, first, last))
    const hasKeyless = ranges.some(({ first, last }, i) =>
      sides[i]!.records.some(({ key, offset }) => key === null && offset >= first && offset <= last),
    )
    const event = await this.#whole.command({ op: 'revert', merge, mode, onConflict })
    if (event === undefined) return
    const what = JSON.stringify({ merge, mode, onConflict, event })
    const isWhole = !this.#whole.hasCompacted && sides.every(({ start }) => start === 0)
    if (event.status === 'rejected') {
      const isClosed = ranges.some(({ intoId }) => isFrozen(this.#whole.broker.topicById(intoId)!))
      expect(hasKeyless || isClosed || !isWhole, what).toBe(true)
      return
    }
    const changed = inverses.reduce(
      (sum, one) => sum + [...one.values()].filter(({ isChanged }) => isChanged).length,
      0,
    )
    if (isWhole) expect(event.counts!.conflicts, what).toBe(changed)
    if (event.status === 'conflicts') {
      expect([onConflict, event.counts!.conflicts > 0], what).toEqual(['fail', true])
      return
    }
    ranges.forEach(({ intoId, partition }, i) => {
      const side = sides[i]!
      const first = side.end
      const came = this.#whole.arrived(intoId, partition)
      side.adopt(came.map((one) => ({ ...one, id: newId() })))
      if (isWhole) {
        const wanted = [...inverses[i]!].filter(([, { isChanged }]) => !isChanged || onConflict === 'theirs')
        expect(new Set(came.map(({ key }) => key)), what).toEqual(new Set(wanted.map(([key]) => key)))
        for (const [key, { value }] of wanted) expect([key, side.newest(key)?.value], what).toEqual([key, value])
      }
      if (came.length > 0)
        this.#written.push({ id: event.id, intoId, partition, first, last: this.#whole.endOf(intoId, partition) - 1 })
    })
    this.counts.reverted++
  }
}
