// The table of what becomes of a key that has changed in the source, row by row.

import { expect, test } from 'vitest'
import { type Facts, judge, ruled } from '../../src/branch/verdict.ts'

const rows: readonly [says: string, facts: Partial<Facts>, verdict: string][] = [
  ['the target has it already', { isThere: true, target: 'changed' }, 'already-there'],
  ['only the source has changed', { target: 'unchanged' }, 'write'],
  ['deleted in the source alone', { target: 'unchanged', sourceDeletes: true }, 'write'],
  ['both changed to the same', { target: 'changed', isSame: true }, 'same'],
  ['deleted on both sides', { target: 'changed', sourceDeletes: true, targetDeletes: true }, 'same'],
  ['both changed', { target: 'changed', hasBase: true }, 'edit/edit'],
  ['both made it', { target: 'changed' }, 'create/create'],
  [
    'deleted in the source, changed in the target',
    { target: 'changed', sourceDeletes: true, hasBase: true },
    'delete/edit',
  ],
  [
    'changed in the source, deleted in the target',
    { target: 'changed', targetDeletes: true, hasBase: true },
    'edit/delete',
  ],
  ['changed in the source, deleted in the target without a trace', { target: 'deleted' }, 'edit/delete'],
  ['deleted in both, without a trace in the target', { target: 'deleted', sourceDeletes: true }, 'same'],
  ['the target may have changed it in what is gone', { target: 'lost' }, 'history-lost'],
  ['somebody is just writing it', { target: 'open' }, 'open-transaction'],
]

test.each(rows)('%s', (_, facts, verdict) => {
  const plain = { isThere: false, target: 'unchanged', sourceDeletes: false, targetDeletes: false } as const
  expect(judge({ ...plain, isSame: false, hasBase: false, ...facts })).toBe(verdict)
})

test('who is right is as was asked for; of the newest the target where both are as new', () => {
  expect(ruled('ours', 2, 1)).toBe('target')
  expect(ruled('theirs', 1, 2)).toBe('source')
  expect(ruled('newest', 2, 1)).toBe('source')
  expect(ruled('newest', 1, 1)).toBe('target')
  expect(ruled('park', 2, 1)).toBe('park')
  expect(ruled('fail', 2, 1)).toBe('fail')
})
