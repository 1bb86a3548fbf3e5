// Revision topics under a broker that packs them: what readers are given does not change by it.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { served } from '../../src/broker/served.ts'
import { Packs } from './packs.ts'

const before = { ...served }
beforeAll(() => void Object.assign(served, { revisions: true, views: true }))
afterAll(() => void Object.assign(served, before))

test('R1: a thousand revisions of a key are read as they were produced', async () => {
  await using packs = await Packs.open()
  await packs.create('docs')
  const sent = await packs.revise('docs', 'k', 1000)
  await packs.packed()
  expect(await packs.read('docs', 1000)).toEqual(sent)
})
