// What `npm run compat` says of a client that failed at first and passed alone: no reader of TAP may count a failure there,
// and the reason must still stand in it. And of one that was cut before its end: what it never played has not passed.

import { expect, test } from 'vitest'
import { drivers, inTurn, languageOf } from '../compat/drivers.mjs'
import { Counted, forgiven, playTwice } from '../compat/first-try.mjs'

const passed = ['# Subtest: a: first', '    ok 1 - 3 claims hold', '    1..1', 'ok 1 - a: first # time=3ms', '']
const failed = [
  '# Subtest: b: second',
  '    not ok 1 - it took longer',
  '      ---',
  '      error: late',
  '      ...',
  '    1..1',
  'not ok 2 - b: second # time=9ms',
  '  ---',
  '  at: play.ts',
  '  ...',
]
const skipped = ['ok 3 - c: third # SKIP the client cannot', '', '1..3', '# { total: 3, pass: 1, fail: 1, skip: 1 }']

test('a failed test whose second try passed is ok under its number, and what was said of the failure is a comment', () => {
  const lines = forgiven([...passed, ...failed, '', ...skipped])
  expect(lines.filter((line) => /^\s*not ok/.test(line))).toEqual([])
  expect(lines.filter((line) => /^ok/.test(line))).toEqual([
    'ok 1 - a: first # time=3ms',
    'ok 2 - b: second # time=9ms',
    'ok 3 - c: third # SKIP the client cannot',
  ])
  for (const line of failed) expect(lines).toContain(`# first try: ${line}`)
})

test('what passed at once stays as it was said', () => {
  expect(forgiven([...passed, ...skipped])).toEqual([...passed, ...skipped])
})

/** A driver that says `told` and ends with `exit`, having planned `planned` scenarios. */
function ended(planned: number, exit: number | null, ...told: Parameters<Counted['assert']>[0][]): [Counted, string[]] {
  const counts = new Counted()
  for (const each of told) counts.assert(each)
  const ok = exit === 0 && told.every((each) => each.ok)
  return [counts, counts.end({ ok, plan: { start: 1, end: planned }, exit })]
}

const good = (name: string) => ({ ok: true, name: `${name}: it works` })
const bad = (name: string) => ({ ok: false, name: `${name}: it works` })
const late = { ok: true, name: 'e: last', skip: 'not begun: the client had taken its 10 minutes' }

/** Plays `first`, then `second`; says what it was asked for. */
async function twice(first: Counted, second: Counted) {
  const [said, asked]: [string[], (string | undefined)[]] = [[], []]
  const play = async (_: unknown, environment?: { readonly COMPAT_ONLY: string }) => {
    asked.push(environment?.COMPAT_ONLY)
    return asked.length === 1 ? first : second
  }
  return { counts: await playTwice('a client', play, (line) => said.push(line)), said, asked }
}

test('a failure that passes alone counts as passed, and is named', async () => {
  const [first] = ended(3, 1, good('a'), bad('b'), good('c'))
  const [second] = ended(1, 0, good('b'))
  const { counts, said, asked } = await twice(first, second)
  expect(asked).toEqual([undefined, 'b'])
  expect(counts).toMatchObject({ passed: 3, failed: 0, unplayed: 0 })
  expect(said).toEqual(['# a client failed at first and passed alone: b'])
})

test('a driver that was cut at its time limit fails, whatever passes in a second try: the rest was never played', async () => {
  const [first, said] = ended(5, 1, good('a'), good('b'), bad('c'), { ok: false, name: 'test count(3) != plan(5)' })
  expect(said).toEqual(['# 2 of 5 were never played'])
  expect(first.failures).toEqual(['c'])
  const { counts, asked } = await twice(first, ended(1, 0, good('c'))[0])
  expect(asked).toEqual([undefined])
  expect(counts).toMatchObject({ passed: 2, failed: 2, unplayed: 2 })
})

test('a driver that was killed between two scenarios fails, though all that it told has passed', async () => {
  const [killed, said] = ended(5, null, good('a'), good('b'))
  expect(said).toEqual(['# 3 of 5 were never played', '# ended with null'])
  expect(killed).toMatchObject({ passed: 2, failed: 1, unplayed: 3 })
  const [afterFailure] = ended(5, null, good('a'), bad('b'))
  const { counts, asked } = await twice(afterFailure, ended(1, 0, good('b'))[0])
  expect(asked).toEqual([undefined])
  expect(counts.failed).toBe(1)
})

test('what a client did not begin in its time is a skip that is told', async () => {
  const [counts, said] = ended(3, 0, good('a'), good('b'), late)
  expect(said).toEqual(['# 1 of 3 were not begun in time'])
  expect(counts).toMatchObject({ passed: 2, failed: 0, skipped: 1, unplayed: 0, notBegun: 1 })
})

// Eleven clients of twenty were never begun in CI, the same ones each time.
test('where time is short one client of each language comes first, and within a few days every other is begun', () => {
  const names = Object.keys(drivers)
  const languages = new Set(Object.values(drivers).map(languageOf))
  const begun = new Set<string>()
  for (let day = 20_000; day < 20_003; day++) {
    const order = inTurn(names, day)
    expect([...order].sort()).toEqual([...names].sort())
    const first = order.slice(0, languages.size)
    expect(new Set(first.map((name) => languageOf(drivers[name]!)))).toEqual(languages)
    for (const name of order.slice(0, languages.size + 5)) begun.add(name)
  }
  expect(begun.size).toBe(names.length)
})
