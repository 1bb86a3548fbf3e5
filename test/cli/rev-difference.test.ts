// What `twiglog rev diff` finds between two values: by member in JSON, by line in text.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonDifference } from '../../src/cli/rev/json-difference.ts'
import { type Line, textDifference } from '../../src/cli/rev/text-difference.ts'
import { differenceInWords, paintOf } from '../../src/cli/rev/words.ts'

const bytes = (text: string | null) => (text === null ? null : Buffer.from(text))
const plain = paintOf(false)
const said = (from: string | null, to: string | null, paint = plain) =>
  differenceInWords({ rev: 1, value: bytes(from) }, { rev: 2, value: bytes(to) }, paint)
    .split('\n')
    .slice(2)

test('members that came, went and changed are told by their place, each as it was written', () => {
  const before = '{"a": 1.0, "b": {"c": "x", "d/e": [1, 2]}, "gone": null}'
  const after = '{"b":{"d/e":[1,3],"c":"x"},"a":1,"new":12345678901234567890}'
  expect(jsonDifference(bytes(before), bytes(after))).toEqual([
    { path: '/gone', from: 'null' },
    { path: '/b/d~1e', from: '[1, 2]', to: '[1,3]' },
    { path: '/a', from: '1.0', to: '1' },
    { path: '/new', to: '12345678901234567890' },
  ])
  expect(said('{"a":1}', '{"a":2}')).toEqual(['- /a: 1', '+ /a: 2'])
})

test('documents that mean the same differ as texts only', () => {
  expect(jsonDifference(bytes('{"a":1,"b":2}'), bytes('{"b":2, "a":1}'))).toEqual([])
  expect(said('{"a":1,"b":2}', '{"b":2, "a":1}')).toEqual(['- {"a":1,"b":2}', '+ {"b":2, "a":1}'])
})

test('lines that changed are told with three around them', () => {
  const before = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']
  const after = ['a', 'b', 'c', 'd', 'E', 'f', 'g', 'h', 'i', 'j']
  expect(said(before.join('\n'), after.join('\n'))).toEqual([
    '  b',
    '  c',
    '  d',
    '- e',
    '+ E',
    '  f',
    '  g',
    '  h',
    '  i',
    '+ j',
  ])
})

test('deletions, equal values and bytes that are no text have words of their own', () => {
  expect(said(null, 'a\nb')).toEqual(['+ a', '+ b'])
  expect(said('a', null)).toEqual(['- a'])
  expect(said(null, null)).toEqual(['Both are deletions.'])
  expect(said('a', 'a')).toEqual(['They are the same.'])
  const binary = { rev: 1, value: Buffer.from([255, 0]) }
  expect(differenceInWords(binary, { rev: 2, value: Buffer.from([255]) }, plain)).toContain('2 B before, 1 B after')
})

test('in colour what went is red and what came is green', () => {
  expect(said('{"a":1}', '{"a":2}', paintOf(true))).toEqual(['\x1b[31m- /a: 1\x1b[0m', '\x1b[32m+ /a: 2\x1b[0m'])
})

test('of texts of any shape what is gone and what has come turns one into the other', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 }).map((lines) => lines.join('\n'))
  const ofSide = (lines: readonly Line[], sign: string) =>
    lines.filter((line) => line.sign === sign).map((line) => line.text)
  fc.assert(
    fc.property(text, text, (from, to) => {
      const lines = textDifference(Buffer.from(from), Buffer.from(to))!
      const [before, after] = [from.split('\n'), to.split('\n')]
      // What is not shown is the same on both sides, so lines that are gone and have come account for the lengths.
      expect(before.length - ofSide(lines, '-').length).toBe(after.length - ofSide(lines, '+').length)
      const left = (all: string[], out: string[]) => {
        const rest = [...all]
        for (const one of out) rest.splice(rest.indexOf(one), 1)
        return rest.sort()
      }
      expect(left(before, ofSide(lines, '-'))).toEqual(left(after, ofSide(lines, '+')))
    }),
    { numRuns: 500 },
  )
})

test('texts of very many lines are compared without a table of all with all', () => {
  const lines = Array.from({ length: 5_000 }, (_, i) => `line ${i}`)
  const difference = textDifference(Buffer.from(lines.join('\n')), Buffer.from([...lines].reverse().join('\n')))!
  expect(difference.filter(({ sign }) => sign === '-').length).toBe(5_000)
})
