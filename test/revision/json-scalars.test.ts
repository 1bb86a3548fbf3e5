// Where a JSON Pointer leads, and which scalars count as one.

import { describe, expect, test } from 'vitest'
import {
  canonicalScalar,
  parseJson,
  parsePointer,
  parseWhere,
  scalarAt,
  scalarHash,
} from '../../src/revision/json-scalars.ts'
import { hashKey } from '../../src/revision/key-hash.ts'

describe('a JSON Pointer', () => {
  // The document of RFC 6901 §5, its arrays and objects told by what lies in them.
  const document = {
    foo: ['bar', 'baz'],
    '': 0,
    'a/b': 1,
    'c%d': 2,
    'e^f': 3,
    'g|h': 4,
    'i\\j': 5,
    'k"l': 6,
    ' ': 7,
    'm~n': 8,
  }

  test.each([
    ['/foo/0', 'bar'],
    ['/foo/1', 'baz'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/g|h', 4],
    ['/i\\j', 5],
    ['/k"l', 6],
    ['/ ', 7],
    ['/m~0n', 8],
  ])('%s leads where RFC 6901 says', (pointer, expected) => {
    expect(scalarAt(document, parsePointer(pointer)!)).toBe(expected)
  })

  test.each([
    '/foo',
    '',
    '/foo/2',
    '/foo/-',
    '/foo/01',
    '/foo/length',
    '/bar',
    '/a/b',
    '/toString',
    '/foo/0/x',
    '/__proto__',
  ])('%s leads to no scalar', (pointer) => expect(scalarAt(document, parsePointer(pointer)!)).toBeUndefined())

  test('that is the whole value leads to a scalar where the value is one', () => {
    expect(parsePointer('')).toEqual([])
    expect(scalarAt(5, [])).toBe(5)
    expect(scalarAt(null, [])).toBeNull()
    expect(scalarAt({}, [])).toBeUndefined()
  })

  test('unescapes ~01 to ~1, not to /', () => expect(parsePointer('/~01')).toEqual(['~1']))

  test.each(['status', 'a/b', '/a~', '/a~2b'])('is not %s', (text) => expect(parsePointer(text)).toBeUndefined())
})

describe('a scalar', () => {
  test('is the same however its text is written', () => {
    const same = ['{"n":1}', '{"n":1.0}', '{"n":1e0}', '{"n": 10E-1 }'].map((text) =>
      scalarHash(scalarAt(parseJson(Buffer.from(text)), ['n'])!),
    )
    expect(new Set(same).size).toBe(1)
    expect(scalarHash(0)).toBe(scalarHash(-0))
    expect(canonicalScalar('é')).toBe(canonicalScalar(JSON.parse('"\\u00e9"')))
  })

  test('of one kind is not that of another', () => {
    // What is too large for a number is Infinity to readers of JSON in JavaScript.
    const large = [JSON.parse('1e999'), JSON.parse('-1e999'), 'Infinity']
    const all = [null, true, false, 0, 1, '', '0', '1', 'null', 'true', 'x'.repeat(5000), 'x'.repeat(5001), ...large]
    expect(new Set(all.map(scalarHash)).size).toBe(all.length)
  })

  test('is parsed from what JSON is, and nothing else is', () => {
    expect(parseJson(Buffer.from('not'))).toBeUndefined()
    expect(parseJson(Buffer.alloc(0))).toBeUndefined()
    expect(parseJson(Buffer.from('null'))).toBeNull()
  })
})

describe('view.where', () => {
  test.each([
    ['/status=paid', '/status', 'paid'],
    ['/n=5', '/n', 5],
    ['/n="5"', '/n', '5'],
    ['/n=5.0', '/n', 5],
    ['/on=true', '/on', true],
    ['/x=null', '/x', null],
    ['/x=', '/x', ''],
    ['/x=a=b', '/x', 'a=b'],
    ['/x={"a":1}', '/x', '{"a":1}'],
    ['=7', '', 7],
    ['#/a%3Db=paid', '/a=b', 'paid'],
    ['#/a%2Cb%20%25/%7E1=1', '/a,b %/~1', 1],
    ['#=7', '', 7],
  ])('%s asks for one scalar at one place', (text, pointer, scalar) => {
    expect(parseWhere(text)).toEqual({ pointer, scalar })
  })

  test.each(['status=paid', '/status', '', '#status=paid', '#/a%3=1', '#/a%ff=1'])('is not %s', (text) =>
    expect(parseWhere(text)).toBeUndefined(),
  )
})

describe('the hash of a key', () => {
  test('is a safe integer that never changes, and says little twice', () => {
    const seen = new Set<number>()
    for (let i = 0; i < 100_000; i++) {
      const key = Buffer.from(`customer-${i}`)
      const hash = hashKey(key, 0, key.length)
      expect(Number.isSafeInteger(hash) && hash >= 0).toBe(true)
      seen.add(hash)
    }
    expect(seen.size).toBe(100_000)
    const text = Buffer.from('xxorders-1yy')
    expect(hashKey(text, 2, 10)).toBe(hashKey(Buffer.from('orders-1'), 0, 8))
    expect(hashKey(Buffer.from('orders-1'), 0, 8)).toMatchInlineSnapshot(`7952581985381469`)
    expect(hashKey(Buffer.alloc(0), 0, 0)).toMatchInlineSnapshot(`5431547965038268`)
  })
})
