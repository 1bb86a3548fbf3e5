// The guide to branches is run as it is written, and its reference names every command there is.

import { expect, test } from 'vitest'
import { ops, parseCommand } from '../../src/branch/commands.ts'
import { Rejection } from '../../src/branch/events.ts'
import { playGuide, readGuide } from '../guide.ts'

test('the commands of the reference are commands', () => {
  const lines = readGuide('branches.md').match(/^\{"op":.*$/gm)!
  expect(lines.length).toBeGreaterThan(10)
  const misunderstood = lines.filter((line) => parseCommand(Buffer.from(line), 'c-0').command instanceof Rejection)
  expect(misunderstood).toEqual([])
  const named = new Set(lines.map((line) => JSON.parse(line).op))
  expect([...ops].filter((op) => !named.has(op))).toEqual([])
})

playGuide('branches.md')
