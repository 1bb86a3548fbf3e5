// Three JSON documents and what they become: the table is the test.

import { describe, expect, test } from 'vitest'
import { mergeJson, type Preferred } from '../../src/branch/json-merge.ts'

const merge = (base: string, source: string, target: string, preferred?: Preferred) => {
  const merged = mergeJson(Buffer.from(base), Buffer.from(source), Buffer.from(target), preferred)
  return merged && [merged.value.toString(), merged.paths]
}

describe('members', () => {
  const table = [
    // base, source, target → result, paths in conflict
    ['{"a":{"x":1,"y":1}}', '{"a":{"x":2,"y":1}}', '{"a":{"x":1,"y":3}}', '{"a":{"x":2,"y":3}}', []],
    ['{"a":{"x":1}}', '{"a":{"x":2}}', '{"a":{"x":3}}', '{"a":{"x":3}}', ['/a/x']],
    ['{"a":1}', '{"a":1,"b":2}', '{"c":3,"a":1}', '{"c":3,"a":1,"b":2}', []],
    ['{"a":1,"b":2}', '{"a":1}', '{"a":5,"b":2}', '{"a":5}', []],
    ['{"a":1,"b":2}', '{"b":2}', '{"a":5,"b":2}', '{"a":5,"b":2}', ['/a']],
    ['{"a":1}', '{}', '{}', '{}', []],
    ['{"a":[1,2]}', '{"a":[1,2,3]}', '{"a":[1, 2]}', '{"a":[1,2,3]}', []],
    ['{"a":[1]}', '{"a":[1,2]}', '{"a":[1,3]}', '{"a":[1,3]}', ['/a']],
    ['{}', '{"o":{"x":1}}', '{"o":{"y":2}}', '{"o":{"y":2,"x":1}}', []],
    ['{"o":1}', '{"o":{"x":1}}', '{"o":{"y":2}}', '{"o":{"y":2}}', ['/o']],
    [
      '{"n":1.0,"m":1}',
      '{"n":1.0,"m":2}',
      '{"n":1.0,"m":1,"b":12345678901234567890}',
      '{"n":1.0,"m":2,"b":12345678901234567890}',
      [],
    ],
    ['{"s":"\\u00e9"}', '{"s":"\\u00e9","t":1e5}', '{"s":"é"}', '{"s":"é","t":1e5}', []],
    ['{"a/b":{"c~d":1}}', '{"a/b":{"c~d":2}}', '{"a/b":{"c~d":3}}', '{"a/b":{"c~d":3}}', ['/a~1b/c~0d']],
    ['{"a":{"x":1,"y":2}}', '{"a":{"y":2,"x":1},"z":0}', '{"a":{"x":1,"y":2}}', '{"a":{"x":1,"y":2},"z":0}', []],
  ] as const
  test.each(table)('%s and %s into %s', (base, source, target, result, paths) => {
    expect(merge(base, source, target)).toEqual([result, paths])
  })

  test('where somebody is right, only what is in conflict is theirs', () => {
    const [base, source, target] = ['{"a":1,"b":1}', '{"a":2,"b":2}', '{"a":3,"b":1}'] as const
    expect(merge(base, source, target, 'source')).toEqual(['{"a":2,"b":2}', ['/a']])
    expect(merge(base, source, target, 'target')).toEqual(['{"a":3,"b":2}', ['/a']])
  })
})

test.each([
  ['{"a":1', '{}', '{}'],
  ['[]', '{}', '{}'],
  ['{}', '{"a":01}', '{}'],
  ['{}', '{"a":1,"a":2}', '{}'],
  ['{}', '{}', '{} x'],
  ['{}', '{"a":"\n"}', '{}'],
  ['{}', `{"a":${'['.repeat(500)}${']'.repeat(500)}}`, '{}'],
])('%s, %s and %s are not three objects', (base, source, target) => {
  expect(merge(base, source, target)).toBeUndefined()
})
