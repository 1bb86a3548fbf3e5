// Which topics stand for themselves, when names change hands.

import { expect, test } from 'vitest'
import { Lineage, type LineageRecord, type PromoteRecord } from '../../src/branch/lineage.ts'

const by = { at: 1, by: 'me' } as const
const fork = (id: string, fromId: string): LineageRecord => {
  const made = { id, name: id, from: fromId, fromId, groups: 'none', sharedBytes: 0, copiedBytes: 0 } as const
  return { v: 1, type: 'fork', id: `f-${id}`, ...by, topics: [{ ...made, partitions: [] }] }
}
const promote = (id: string, over: string): PromoteRecord => {
  const topic = { id, name: over, was: id, over: { id: over, name: `${over}--before` } }
  return { v: 1, type: 'promote', id: `u-${id}`, ...by, topics: [topic], commits: [] }
}
const shown = ({ standing }: Lineage) => ['P', 'C', 'D'].filter((id) => standing.standsForItself(id)).join()

test('a topic that takes a name has the standing of what had it, also in a metadata log that was written anew', () => {
  const lineage = new Lineage()
  const look = () => {
    const anew = new Lineage()
    for (const record of lineage.records()) anew.apply(record)
    expect(shown(anew)).toBe(shown(lineage))
    return shown(lineage)
  }
  lineage.apply(fork('C', 'P'))
  lineage.apply(fork('D', 'C'))
  expect(look()).toBe('P')
  lineage.apply(promote('D', 'C')) // a branch over a branch
  expect(look()).toBe('P')
  lineage.apply(promote('C', 'P'))
  expect(look()).toBe('C')
  lineage.removed('P')
  expect(lineage.standing.standsForItself('C')).toBe(true)
})
