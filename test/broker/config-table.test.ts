// Text to value and back, as Java does it.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Refusal } from '../../protocol/errors.ts'
import { formatDouble } from '../../src/broker/config-number.ts'
import {
  type ConfigRow,
  ConfigTable,
  type ConfigType,
  formatConfig,
  parseConfig,
} from '../../src/broker/config-table.ts'

const row = (type: ConfigType, more: Partial<ConfigRow> = {}): ConfigRow => ({
  name: 'x',
  type,
  default: null,
  effect: true,
  doc: '',
  ...more,
})

describe('numbers', () => {
  test('a long keeps every digit', () => {
    expect(parseConfig(row('long'), '9223372036854775807')).toBe(0x7fff_ffff_ffff_ffffn)
    expect(parseConfig(row('long'), '-9223372036854775808')).toBe(-0x8000_0000_0000_0000n)
    expect(parseConfig(row('long'), '9007199254740991')).toBe(Number.MAX_SAFE_INTEGER)
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const parsed = parseConfig(row('long'), String(value))
        expect(formatConfig('long', parsed as bigint)).toBe(String(value))
      }),
    )
  })

  test('each integer type has its own end', () => {
    for (const [type, max] of [
      ['short', 32_767],
      ['int', 2_147_483_647],
    ] as const) {
      expect(parseConfig(row(type), String(max))).toBe(max)
      expect(parseConfig(row(type), String(max + 1))).toBeInstanceOf(Refusal)
    }
  })

  test('doubles are printed as Java prints them', () => {
    const table: [number, string][] = [
      [0, '0.0'],
      [2, '2.0'],
      [0.5, '0.5'],
      [0.001, '0.001'],
      [0.0001, '1.0E-4'],
      [9_999_999, '9999999.0'],
      [10_000_000, '1.0E7'],
      [12_345_678.5, '1.23456785E7'],
      [Number.MAX_VALUE, '1.7976931348623157E308'],
      [-2, '-2.0'],
      [Number.NaN, 'NaN'],
      [Number.NEGATIVE_INFINITY, '-Infinity'],
    ]
    for (const [value, text] of table) expect(formatDouble(value)).toBe(text)
  })

  test('what is printed is read back as the same', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (value) => {
        expect(Number(parseConfig(row('double'), formatDouble(value)))).toBe(value)
      }),
    )
  })
})

test('words may be compared without regard to case where the row says so', () => {
  const strict = row('string', { oneOf: ['UPGRADE'] })
  expect(parseConfig(strict, 'upgrade')).toBeInstanceOf(Refusal)
  expect(parseConfig({ ...strict, ignoreCase: true }, 'upgrade')).toBe('upgrade')
})

test('what a list names twice counts once, unless its elements may be empty', () => {
  expect(parseConfig(row('list'), 'a, b,a')).toEqual(['a', 'b'])
  expect(parseConfig(row('list', { emptyElements: true }), ',')).toEqual(['', ''])
  expect(parseConfig(row('list'), ',')).toBeInstanceOf(Refusal)
})

test('no text makes the parser throw', () => {
  const types = ['boolean', 'string', 'int', 'short', 'long', 'double', 'list', 'class', 'password'] as const
  fc.assert(
    fc.property(fc.constantFrom(...types), fc.string(), (type, text) => {
      const value = parseConfig(row(type, { min: 0, max: 9, oneOf: ['a'] }), text)
      if (!(value instanceof Refusal)) formatConfig(type, value)
    }),
  )
})

test('a table is open for rows and refuses a name it has', () => {
  const table = new ConfigTable([row('int')])
  table.add({ ...row('list'), name: 'branch.x' })
  expect([...table].map(({ name }) => name)).toEqual(['x', 'branch.x'])
  expect(() => table.add(row('int'))).toThrow('two rows are named x')
})
