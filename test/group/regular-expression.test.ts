// Regular expressions of subscriptions: what matches, what is refused and in which words, and that none takes for ever.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Refusal } from '../../protocol/errors.ts'
import { RegularExpression } from '../../src/group/regular-expression.ts'

function parse(text: string): RegularExpression {
  const parsed = RegularExpression.parse(text)
  if (parsed instanceof Refusal) throw new Error(parsed.message)
  return parsed
}

test.each([
  ['', ['', 'no a']],
  ['orders', ['orders', 'no order', 'no orders2', 'no xorders']],
  ['orders.*', ['orders', 'orders-2', 'no order']],
  ['a|b|', ['a', 'b', '', 'no ab']],
  ['(a|b)+c?', ['a', 'abab', 'bac', 'no c']],
  ['a{2,3}', ['aa', 'aaa', 'no a', 'no aaaa']],
  ['a{2}', ['aa', 'no aaa']],
  ['a{2,}', ['aa', 'aaaaa', 'no a']],
  ['a{,2}', ['a{,2}', 'no aa']],
  ['x{0}y', ['y', 'no xy']],
  ['[a-c_-]+', ['abc_-', 'no d']],
  ['[^a-c]', ['d', 'no a']],
  ['[]a]+', [']a', 'no b']],
  ['[[:alpha:]]+[[:^digit:]]', ['ab', 'no a1']],
  ['\\d\\D\\w\\W\\s', ['1a_- ', 'no aa_- ']],
  ['\\Qa.b\\E.', ['a.bc', 'no axbc']],
  ['\\x41\\x{42}\\103', ['ABC']],
  ['\\pL\\P{L}\\p{Greek}', ['a1α', 'no aaα']],
  ['(?i)Orders', ['ORDERS', 'orders']],
  ['(?i:a)b', ['Ab', 'no AB']],
  ['(?i)a(?-i)b', ['Ab', 'no AB']],
  ['(?P<name>a)(?<other>b)', ['ab']],
  ['^a$', ['a', 'no ab']],
  ['a^b', ['no a^b', 'no ab']],
  ['\\Aa\\z', ['a']],
  ['a\\b-\\Bx', ['no a-x', 'no ax']],
  ['a\\b-', ['a-']],
  ['a*?b+?c??', ['b', 'aabbc']],
] as const)('%s', (text, cases) => {
  for (const each of cases) {
    const isMatch = !each.startsWith('no ')
    expect([each, parse(text).matches(each.replace(/^no /, ''))]).toEqual([each, isMatch])
  }
})

test.each([
  ['[', 'missing closing ]'],
  ['a[', 'missing closing ]'],
  ['(', 'missing closing )'],
  ['a)', 'regexp/syntax: internal error'],
  ['*', 'missing argument to repetition operator'],
  ['a**', 'invalid nested repetition operator'],
  ['a{1}{2}', 'invalid nested repetition operator'],
  ['a{1001}', 'invalid repeat count'],
  ['a{2,1}', 'invalid repeat count'],
  ['[b-a]', 'invalid character class range'],
  ['[[:foo:]]', 'invalid character class range'],
  ['\\p{Foo}', 'invalid character class range'],
  ['(a)\\1', 'invalid escape sequence'],
  ['\\y', 'invalid escape sequence'],
  ['\\x{110000}', 'invalid escape sequence'],
  ['a\\', 'trailing backslash at end of expression'],
  ['[\\', 'trailing backslash at end of expression'],
  ['(?=a)b', 'invalid or unsupported Perl syntax'],
  ['(?z)a', 'invalid or unsupported Perl syntax'],
  ['(?<=a)b', 'invalid named capture'],
  ['(?P<a-b>a)', 'invalid named capture'],
  ['(?P<n>a)(?P<n>b)', 'duplicate capture group name'],
])('%s is refused as Kafka 4.4.0 refuses it: %s', (text, why) => {
  const message = `SubscribedTopicRegex \`${text}\` is not a valid regular expression: ${why}.`
  expect(RegularExpression.parse(text)).toEqual(new Refusal('INVALID_REGULAR_EXPRESSION', message))
})

test('repeats of repeats that would fill the memory are refused', () => {
  expect(RegularExpression.parse('(((a{1000}){1000}){1000}){1000}')).toBeInstanceOf(Refusal)
})

test('what nests too deeply for us is refused, what stands side by side is not', () => {
  const nested = (depth: number) => `${'('.repeat(depth)}a${')'.repeat(depth)}`
  expect(RegularExpression.parse(nested(16_000))).toMatchObject({
    message: expect.stringContaining('nests too deeply'),
  })
  expect(parse(nested(900)).matches('a')).toBe(true)
  expect(parse('(?i)(a)'.repeat(2_000)).matches('A'.repeat(2_000))).toBe(true)
})

test('an expression that would keep a backtracking matcher busy for centuries is answered', () => {
  expect(parse('(a+)+(a|a)*(a*)*b').matches('a'.repeat(249))).toBe(false)
})

test('what it understands it understands as JavaScript does', () => {
  const leaf = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', '\\w', '^', '$', '\\b')
  const { node } = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.tuple(tie('node'), tie('node')).map(([a, b]) => `${a}${b}`),
      fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(?:${a}|${b})`),
      fc
        .tuple(tie('node'), fc.constantFrom('*', '+', '?', '{2}', '{1,2}', '{2,}', '*?'))
        .map(([a, r]) => `(?:${a})${r}`),
    ),
  }))
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '1', '-'), maxLength: 6 })
  fc.assert(
    fc.property(node as fc.Arbitrary<string>, text, (source, of) => {
      expect(parse(source).matches(of)).toBe(new RegExp(`^(?:${source})$`).test(of))
    }),
    { numRuns: 2000 },
  )
})
