// What `npm run compat` says of a client that failed at first and passed alone: no reader of TAP may count a failure there,
// and the reason must still stand in it.

import { expect, test } from 'vitest'
import { forgiven } from '../compat/first-try.mjs'

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
