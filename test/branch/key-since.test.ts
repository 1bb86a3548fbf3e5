// One key behind an offset: who resolves a conflict of last week does not read the log of a year.

import { expect, test, vi } from 'vitest'
import { KeySince } from '../../src/branch/key-since.ts'
import { World } from './merge-world.ts'

test('nothing is read below the offset, and what was read is not read again', async () => {
  const world = new World()
  const log = world.root('P')
  world.write('P', ['k', '1'])
  for (let i = 0; i < 30; i++) world.write('P', ...Array.from({ length: 100 }, (_, j) => [`${i}-${j}`, 'v'] as const))
  const read = vi.spyOn(log, 'read')
  const from = log.logEndOffset - 500
  const since = new KeySince(log, Buffer.from('k'), from)
  const turns = { rest: async () => {}, isOver: () => false }
  await since.read(turns)
  expect(since.newest).toBeUndefined()
  expect(read.mock.calls.length).toBeGreaterThan(0)
  expect(Math.min(...read.mock.calls.map(([offset]) => offset))).toBe(from)
  read.mockClear()
  const [written, end] = [world.write('P', ['k', '2']), log.logEndOffset]
  world.write('P', ['other', '1'])
  since.readAtOnce()
  expect(since.newest).toMatchObject({ offset: written, value: Buffer.from('2') })
  expect(Math.min(...read.mock.calls.map(([offset]) => offset))).toBe(end - 1)
  await since.read(turns)
  expect(since.newest).toMatchObject({ offset: written })
})
