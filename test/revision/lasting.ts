// Views outlive what they look into: files are packed, thinned, trimmed under them, and what they found before must fit to what is there
// now. Here some of every kind look on now and then while a world changes, and are held against what its model remembers.

import { expect } from 'vitest'
import { crc32c } from '../../protocol/crc32c.ts'
import * as batch from '../../protocol/records/batch.ts'
import { readRecords, type StoredRecord } from '../../protocol/records/record.ts'
import { decodeDelta } from '../../src/revision/decode-delta.ts'
import type { Scalar } from '../../src/revision/json-scalars.ts'
import type { Revisions } from '../../src/revision/revisions.ts'
import type { Selection } from '../../src/revision/selection.ts'
import type { ViewConfig, ViewKind } from '../../src/revision/view-config.ts'
import { readPage } from '../../src/revision/view-page.ts'
import { ViewRecords } from '../../src/revision/view-records.ts'
import { selectionOf } from '../../src/revision/view-selection.ts'
import type { Draw } from './delta-pairs.ts'
import type { Given, Known, RevisionWorld } from './revision-world.ts'

const wholeView: ViewConfig = {
  of: 't',
  kind: 'history',
  below: () => Infinity,
  key: undefined,
  where: undefined,
  ttlMs: -1,
}

export function selectionIn(revisions: Revisions, view: Partial<ViewConfig>): Selection {
  return selectionOf(revisions, { ...wholeView, ...view }, 0)
}

export const newestOf = (known: readonly Known[]): number[] =>
  [...new Map(known.map((of) => [of.key, of.offset])).values()].sort((a, b) => a - b)

/** Numbers that are one number, texts that are one text, what has a member twice, and what is no JSON. */
const texts = [
  '0',
  '-0',
  '1',
  '1.0',
  '1e0',
  '"1"',
  '"\\u0031"',
  'null',
  'true',
  '"é"',
  '"\\ud83d\\ude00"',
  '[0,1]',
  '{}',
]
const scalars: readonly Scalar[] = [0, 1, '1', null, true, 'é', '😀', 9]
export const pointersOfAll = ['/s', '/a/b/1/c', '']
const keys = ['a', 'b', 'c', 'd', 'e', 'long'.repeat(20)]

export function oddRecord(draw: Draw): Given {
  const text = texts[draw(texts.length)]!
  const values = [
    null,
    '',
    'no json',
    '{"s":',
    text,
    `{"s":${text}}`,
    `{ "s": 0, "s" : ${text} }`,
    `{"a":{"b":[null,{"c":${text}}]}}`,
    `{"a":{"b":{"1":{"c":${text}}}},"s":[${text}]}`,
    `{"s":${text},"pad":"${'the same in every revision '.repeat(1 + draw(5))}"}`,
    `{"pad":"${'the same in every revision '.repeat(1 + draw(5))}","n":${draw(1e6)},"s":${text}}`,
  ]
  return { key: draw(15) === 0 ? null : keys[draw(keys.length)]!, value: values[draw(values.length)]! }
}

/** As a client would look for it: no pointers, no hashes. */
function holds(value: string | null, pointer: string, wanted: Scalar): boolean {
  try {
    let here = JSON.parse(value ?? 'no json')
    for (const name of pointer.split('/').slice(1)) here = here[name]
    return here === wanted
  } catch {
    return false
  }
}

const kinds = ['history', 'diff', 'list'] as const satisfies readonly ViewKind[]

type Watched = { readonly view: Partial<ViewConfig>; readonly shows: (world: RevisionWorld) => number[] }

const shownOf = (world: RevisionWorld, which: (of: Known) => boolean): number[] =>
  world.visible.filter(which).map(({ offset }) => offset)

const newestIn = (world: RevisionWorld, below: number): number[] =>
  newestOf(world.known.filter(({ offset }) => offset < below)).filter((offset) => offset >= world.log.logStartOffset)

export class Lasting {
  readonly #world: RevisionWorld
  readonly #draw: Draw
  readonly #watched: Watched[] = []
  #revisions: Revisions | undefined
  #selections: Selection[] = []
  #records: ViewRecords[] = []

  constructor(world: RevisionWorld, draw: Draw) {
    this.#world = world
    this.#draw = draw
    const key = keys[draw(keys.length)]!
    const ofKey = { key: Buffer.from(key) }
    this.#watched.push(
      { view: {}, shows: (world) => shownOf(world, () => true) },
      { view: ofKey, shows: (world) => shownOf(world, (of) => of.key === key) },
      { view: { kind: 'state' }, shows: (world) => newestIn(world, Infinity) },
    )
    for (const pointer of pointersOfAll) {
      const scalar = scalars[draw(scalars.length)]!
      const isFound = ({ value }: Known): boolean => holds(value, pointer, scalar)
      const where = { pointer, scalar }
      this.#watched.push(
        { view: { where }, shows: (world) => shownOf(world, isFound) },
        { view: { ...ofKey, where }, shows: (world) => shownOf(world, (of) => of.key === key && isFound(of)) },
      )
    }
  }

  /** Looks on for a while. */
  look(): void {
    const revisions = this.#world.index
    if (this.#revisions !== revisions) {
      this.#revisions = revisions
      this.#selections = this.#watched.map(({ view }) => selectionIn(revisions, view))
      this.#records = kinds.map((kind) => new ViewRecords(revisions, kind, () => 1 << 20))
    }
    // As of now, or a little later, from now on.
    if (this.#draw(4) === 0 && this.#watched.length < 12) {
      const bound = this.#world.log.logStartOffset + this.#draw(this.#world.log.logEndOffset + 5)
      const view: Partial<ViewConfig> = { kind: 'state', below: () => bound }
      this.#watched.push({ view, shows: (world) => newestIn(world, bound) })
      this.#selections.push(selectionIn(revisions, view))
    }
    revisions.catchUp(1 + this.#draw(2000))
    for (const selection of this.#selections) if (this.#draw(2) === 0) selection.advance(1 + this.#draw(3000))
  }

  check(): void {
    const { revisions, log } = this.#world
    this.look()
    if (this.#revisions !== revisions) this.look()
    this.#selections.forEach((selection, i) => {
      const { view, shows } = this.#watched[i]!
      while (selection.advance(1000));
      const found: number[] = []
      for (let from = log.logStartOffset; ; ) {
        const offset = selection.next(from)
        if (offset === undefined && !selection.isCut) break
        if (offset === undefined) selection.advance(1000)
        else if (revisions.read(offset) !== undefined) found.push(offset)
        if (offset !== undefined) from = offset + 1
      }
      expect(found, JSON.stringify({ ...view, below: view.below?.(0) })).toEqual(shows(this.#world))
      if (view.kind !== 'state' && this.#draw(8) === 0) this.#checkPages(selection)
    })
  }

  /** What a view of each kind says of the records that a selection shows, in pages of any size. */
  #checkPages(selection: Selection): void {
    const { revisions, log, visible } = this.#world
    for (const [i, kind] of kinds.entries()) {
      const bytesMax = 1 + this.#draw(3000)
      const start = log.logStartOffset + this.#draw(log.logEndOffset - log.logStartOffset + 1)
      const end = selection.last + 1
      const told: number[] = []
      for (let from = start; from < end; ) {
        const request = { from, end, bytesMax, wholeFirst: true, kind, epochAt: () => 0 }
        const page = readPage(selection, this.#records[i]!, request)
        const records = [...batch.iterateBatches(page)].flatMap((at) => [...readRecords(page, at)])
        for (const record of records) {
          told.push(record.offset)
          this.#checkRecord(kind, record)
        }
        if (records.length === 0) break
        from = records.at(-1)!.offset + 1
      }
      const shown = visible.filter(({ offset }) => offset >= start && selection.next(offset) === offset)
      expect(told, `${kind} from ${start}`).toEqual(shown.map(({ offset }) => offset))
      expect(revisions.log).toBe(log)
    }
  }

  #checkRecord(kind: (typeof kinds)[number], { offset, timestamp, key, value, headers }: StoredRecord): void {
    const { visible } = this.#world
    const known = visible.find((of) => of.offset === offset)!
    const before = visible.findLast((of) => of.key === known.key && of.offset < offset)
    const whole = Buffer.from(known.value ?? '')
    const of = new Map(headers.map(({ key, value }) => [key, String(value)]))
    expect({ key: String(key), timestamp }).toEqual({ key: known.key, timestamp: known.timestamp })
    expect([of.get('rev'), of.get('rev.size')]).toEqual([String(known.rev), String(whole.length)])
    expect(Number.parseInt(of.get('rev.crc32c')!, 16)).toBe(crc32c(whole))
    const format = of.get('rev.format')
    expect(format === 'tombstone').toBe(known.value === null)
    const base = [of.get('rev.base'), of.get('rev.base.offset')]
    if (format === 'vcdiff' && before !== undefined) expect(base).toEqual([String(before.rev), String(before.offset)])
    else expect(base).toEqual([undefined, undefined])
    if (kind === 'list') {
      const { rev, offset: at, ts, size, format: listed, tombstone } = JSON.parse(String(value))
      const expected = [known.rev, offset, known.timestamp, whole.length, format, known.value === null]
      expect([rev, at, ts, size, listed, tombstone]).toEqual(expected)
    } else if (kind === 'diff' && format === 'vcdiff') {
      expect(String(decodeDelta(Buffer.from(before!.value!), value!, whole.length))).toBe(known.value)
      expect(value!.length).toBeLessThan(whole.length)
    } else expect(value === null ? null : String(value)).toBe(known.value)
  }
}
