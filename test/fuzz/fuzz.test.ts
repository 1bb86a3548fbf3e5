// The short form of `npm run fuzz`: what was kept of earlier runs, then a fixed number of inputs for every decoder.

import { expect, test } from 'vitest'
import { heldBytes } from '../net/witness.ts'
import { corpusOf, Fuzzing } from './fuzzing.ts'
import { targets } from './targets.ts'

const seed = Number(process.env['TWIGLOG_SEED'] ?? Date.now() % 1_000_000_000)
const inputsEach = 1500
const mebibyte = 1024 * 1024

test('every decoder has a name of its own', () => {
  expect(new Set(targets.map(({ name }) => name)).size).toBe(targets.length)
})

test.each(targets.map((target) => [target.name, target] as const))(
  `%s: nothing but a refusal comes of bytes that are nearly right, seed ${seed}`,
  (name, target) => {
    const fuzzing = new Fuzzing(target, seed, corpusOf('test/corpus', name))
    const fault = fuzzing.replay() ?? fuzzing.run(inputsEach)
    if (fault !== undefined)
      throw new Error(`${name}, seed ${seed}: ${fault.bytes.toString('hex')}`, { cause: fault.cause })
    expect(fuzzing.inputs).toBeGreaterThan(inputsEach)
  },
)

test('what was decoded is let go', async () => {
  const target = targets.find(({ name }) => name === 'batches')!
  const fuzzing = new Fuzzing(target, seed, [])
  fuzzing.run(500)
  const before = await heldBytes()
  expect(fuzzing.run(4000)).toBeUndefined()
  expect((await heldBytes()) - before).toBeLessThan(48 * mebibyte)
})
