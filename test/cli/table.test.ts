// Tables for people, who may ask for many rows.

import { expect, test } from 'vitest'
import { table } from '../../src/cli/branch/table.ts'

test('a table has more rows than a call may have arguments', () => {
  const rows = Array.from({ length: 300_000 }, (_, i) => [String(i)])
  const lines = table([{ title: 'N', right: true }], [...rows, ['a longer one']]).split('\n')
  expect(lines).toHaveLength(300_002)
  expect(lines[1]).toBe('           0')
})
