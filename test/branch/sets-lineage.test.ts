// Branch sets as facts of the metadata log: what replay gives, and a log that was written anew.

import { expect, test } from 'vitest'
import { type ForkRecord, Lineage, type LineageRecord } from '../../src/branch/lineage.ts'
import { groupInside } from '../../src/branch/set-names.ts'
import type { Doors } from '../../src/command/doors.ts'
import type { Rooms } from '../../src/command/forking.ts'
import { SetEndings } from '../../src/command/set-endings.ts'

const topic = (id: string, inside: string) => ({
  id,
  name: `${inside}--S`,
  inside,
  from: inside,
  fromId: `parent of ${id}`,
  groups: 'copy' as const,
  partitions: [],
  sharedBytes: 0,
  copiedBytes: 0,
})

const fork = (...topics: ForkRecord['topics']): ForkRecord => ({
  ...{ v: 1, type: 'fork', id: 'f', at: 1, by: 'User:a', set: 'S', topics },
})

function lineageOf(records: readonly LineageRecord[], removed: readonly string[] = []): Lineage {
  const lineage = new Lineage()
  for (const record of records) lineage.apply(record)
  for (const id of removed) lineage.removed(id)
  return lineage
}

const shown = ({ sets }: Lineage) =>
  [...sets.values()].map(({ name, members, ports, stays }) => ({ name, members: [...members], ports, stays }))

test('a log that is written anew gives the same sets: members, those made inside, listeners, those that are empty', () => {
  const listening: LineageRecord = { v: 1, type: 'set-listener', set: 'S', ports: [9200, 9201] }
  const made: LineageRecord = { v: 1, type: 'set-member', set: 'S', inside: 'made', id: 'm' }
  const cases = [
    lineageOf([fork(topic('a', 'orders'), topic('b', 'stock')), made, listening]),
    lineageOf([fork(topic('a', 'orders')), made, listening], ['a']),
    lineageOf([fork(topic('a', 'orders')), { v: 1, type: 'set-stays', set: 'S' }, listening], ['a']),
  ]
  expect(cases.map((lineage) => shown(lineage)[0]!.members.length)).toEqual([3, 1, 0])
  for (const lineage of cases) {
    const again = lineageOf(lineage.records().map((record) => JSON.parse(JSON.stringify(record)) as LineageRecord))
    expect(shown(again)).toEqual(shown(lineage))
    expect(again.membership('m')).toEqual(lineage.membership('m'))
  }
})

test('a set goes with its last member, unless it stays, and it is noted that it went', () => {
  const gone = lineageOf([fork(topic('a', 'orders'))], ['a'])
  expect([shown(gone), [...gone.gone]]).toEqual([[], ['S']])
  const stays = lineageOf([fork(topic('a', 'orders')), { v: 1, type: 'set-stays', set: 'S' }], ['a'])
  expect([shown(stays).length, [...stays.gone]]).toEqual([1, []])
  stays.apply({ v: 1, type: 'set-removed', set: 'S' })
  expect([shown(stays), [...stays.gone], stays.records()]).toEqual([[], ['S'], []])
})

/** Rooms that know these ids, and what was ended in them. */
function roomsWith(lineage: Lineage, ids: readonly string[]) {
  const left = new Set(ids)
  const closed: string[] = []
  const end = async (isOver: (id: string) => boolean) => {
    for (const id of left) if (isOver(id)) left.delete(id)
  }
  const rooms = {
    broker: { lineage, onTopicDeleted: () => {}, groupConfigs: { names: () => [], configure: async () => {} } },
    groups: { list: () => ({ groups: [...left].map((groupId) => ({ groupId })) }), end },
    transactions: { list: () => ({ states: [] }), endAll: end },
  } as unknown as Rooms
  const doors: Doors = { open: async () => [], bootstrap: () => undefined, close: (set) => void closed.push(set) }
  return { left, closed, endings: new SetEndings(rooms, doors) }
}

test('a start ends what a kill has left of a set, and touches nothing of sets that are there, nor of the root', async () => {
  const ids = [groupInside('S', 'g'), groupInside('T', 'g'), 'g', 'T']
  const { left, endings } = roomsWith(lineageOf([fork(topic('a', 'orders'))]), ids)
  await endings.sweep()
  expect([...left]).toEqual([groupInside('S', 'g'), 'g', 'T'])
})

test('what was in a set that is gone ends, unless another has its label by then', async () => {
  const lineage = lineageOf([fork(topic('a', 'orders'))])
  const { left, closed, endings } = roomsWith(lineage, [groupInside('S', 'g'), 'g'])
  lineage.removed('a')
  lineage.apply({ ...fork(topic('b', 'orders')), id: 'f2' })
  await endings.look()
  expect([[...left].length, closed]).toEqual([2, []])
  lineage.removed('b')
  await endings.look()
  expect([[...left], closed]).toEqual([['g'], ['S']])
})
