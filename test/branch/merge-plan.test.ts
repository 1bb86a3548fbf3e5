// Merges between bare logs: who knows what, what is written, what is a conflict (extensions §1.4).

import { describe, expect, test, vi } from 'vitest'
import { World } from './merge-world.ts'

function forked(...records: readonly (readonly [string, string | null])[]): World {
  const world = new World()
  world.root('P')
  if (records.length > 0) world.write('P', ...records)
  world.fork('P', 'C')
  return world
}

const kinds = (plan: { conflicts: readonly { key: Buffer; kind: string }[] }) =>
  plan.conflicts.map(({ key, kind }) => [key.toString(), kind])

describe('three-way', () => {
  test('each row of the table, key by key', async () => {
    const world = forked(
      ['c', '0'],
      ['p', '0'],
      ['same', '0'],
      ['both', '0'],
      ['gone', '0'],
      ['goneToo', '0'],
      ['kept', '0'],
    )
    world.write(
      'C',
      ['c', '1'],
      ['same', '1'],
      ['both', '1'],
      ['gone', null],
      ['goneToo', null],
      ['new', '1'],
      ['made', 'c'],
    )
    world.write('P', ['p', '2'], ['same', '1'], ['both', '2'], ['goneToo', null], ['made', 'p'])
    const plan = await world.merge('C', 'P', { onConflict: 'ours' })
    expect(kinds(plan)).toEqual([
      ['both', 'edit/edit'],
      ['made', 'create/create'],
    ])
    expect(plan.counts).toEqual({ written: 3, same: 2, skipped: 2, conflicts: 2 })
    expect(world.state('P')).toEqual({
      c: '1',
      p: '2',
      same: '1',
      both: '2',
      gone: null,
      goneToo: null,
      kept: '0',
      new: '1',
      made: 'p',
    })
  })

  test('only the newest value of a key goes over, under the headers of the merge, with its own headers and time', async () => {
    const world = forked()
    world.now = 5000
    world.write('C', ['k', '1'], ['k', '2'])
    await world.merge('C', 'P')
    const [record] = world.records('P')
    expect(world.records('P')).toHaveLength(1)
    expect(record).toMatchObject({ key: 'k', value: '2', timestamp: 5000 })
    expect(record!.headers.map(({ key, value }) => [key, String(value)])).toEqual([
      ['branch.merge', 'm1'],
      ['branch.src', 'C:0:1'],
      ['branch.origin', 'C:0:1'],
    ])
  })

  test('what both deleted or changed against each other is a conflict of its kind', async () => {
    const world = forked(['a', '0'], ['b', '0'])
    world.write('C', ['a', null], ['b', '1'])
    world.write('P', ['a', '2'], ['b', null])
    expect(kinds(await world.merge('C', 'P'))).toEqual([
      ['a', 'delete/edit'],
      ['b', 'edit/delete'],
    ])
    expect(world.state('P')).toEqual({ a: '2', b: null })
  })

  test('theirs and newest write the source where it is right', async () => {
    const world = forked(['a', '0'], ['b', '0'])
    world.write('C', ['a', 'c'])
    world.now = 2000
    world.write('P', ['a', 'p'], ['b', 'p'])
    world.now = 3000
    world.write('C', ['b', 'c'])
    const plan = await world.merge('C', 'P', { onConflict: 'newest' })
    expect(plan.counts).toEqual({ written: 1, same: 0, skipped: 1, conflicts: 2 })
    expect(world.state('P')).toEqual({ a: 'p', b: 'c' })
    world.write('C', ['a', 'c2'])
    world.write('P', ['a', 'p2'])
    await world.merge('C', 'P', { onConflict: 'theirs' })
    expect(world.state('P')).toEqual({ a: 'c2', b: 'c' })
  })

  test('merged again brings only what is new, and back nothing', async () => {
    const world = forked(['a', '0'])
    world.write('C', ['a', '1'])
    expect((await world.merge('C', 'P')).written).toBe(1)
    expect((await world.merge('C', 'P')).written).toBe(0)
    expect((await world.merge('P', 'C')).written).toBe(0)
    world.write('C', ['b', '1'])
    expect((await world.merge('C', 'P')).written).toBe(1)
    for (let i = 0; i < 10; i++) {
      expect((await world.merge('P', 'C')).written).toBe(0)
      expect((await world.merge('C', 'P')).written).toBe(0)
    }
  })

  test('B47: a change that the source has never seen is not overwritten, though the two were merged since', async () => {
    const world = forked(['k', '0'])
    world.write('P', ['k', '1'])
    world.write('C', ['j', '5'])
    expect((await world.merge('C', 'P')).written).toBe(1)
    world.write('C', ['k', '2'])
    expect(kinds(await world.merge('C', 'P'))).toEqual([['k', 'edit/edit']])
    expect(world.state('P')).toMatchObject({ k: '1' })
  })

  test('B47: the same through a sibling', async () => {
    const world = new World()
    world.root('P')
    world.write('P', ['k', '0'])
    world.fork('P', 'C1')
    world.fork('P', 'C2')
    world.write('C1', ['k', '1'])
    await world.merge('C1', 'P')
    await world.merge('P', 'C2')
    world.write('C2', ['k', '2'])
    expect((await world.merge('C2', 'C1')).written).toBe(1)
    expect(world.state('C1')).toEqual({ k: '2' })
    world.write('C1', ['k', '3'])
    world.write('C2', ['k', '4'])
    expect(kinds(await world.merge('C1', 'C2'))).toEqual([['k', 'edit/edit']])
    expect((await world.merge('C1', 'P')).written).toBe(1)
    expect(world.state('P')).toEqual({ k: '3' })
  })

  test('B49: headers that a client forged are not believed, and a merged record bears each of ours once', async () => {
    const world = forked(['k', '0'])
    world.write('P', ['k', 'p'])
    const forgery = [
      { key: 'branch.origin', value: 'P:0:0' },
      { key: 'branch.merge', value: 'x' },
      { key: 'branch.src', value: 'P:0:0' },
      { key: 'trace', value: 't' },
    ]
    const { encodeBatch } = await import('../../protocol/records/builder.ts')
    const bytes = encodeBatch({ records: [{ key: 'k', value: 'c', timestamp: 1, headers: forgery }] })
    world.log('C').appendOwn(bytes, { leaderEpoch: 1, now: 1 })
    expect(kinds(await world.merge('C', 'P'))).toEqual([['k', 'edit/edit']])
    await world.merge('C', 'P', { onConflict: 'theirs' })
    world.fork('P', 'D')
    world.write('D', ['j', '1'])
    await world.merge('P', 'C')
    await world.merge('C', 'D')
    const merged = world.records('P').at(-1)!
    expect(merged.headers.map(({ key, value }) => `${key}=${value}`)).toEqual([
      'trace=t',
      'branch.merge=m2',
      'branch.src=C:0:1',
      'branch.origin=C:0:1',
    ])
  })

  test('B63: of the source what stands behind an open transaction waits; in the target an open one is a conflict', async () => {
    const world = forked(['a', '0'], ['b', '0'])
    world.write('C', ['a', '1'])
    world.send('C', 7, 'b', '1')
    world.write('C', ['c', '1'])
    expect((await world.merge('C', 'P')).written).toBe(1)
    expect(world.state('P')).toEqual({ a: '1', b: '0' })
    world.end('C', 7, 'COMMIT')
    world.send('P', 8, 'b', '2')
    expect(kinds(await world.merge('C', 'P'))).toEqual([['b', 'open-transaction']])
    world.end('P', 8, 'ABORT')
    expect((await world.merge('C', 'P')).written).toBe(2)
    expect(world.state('P')).toEqual({ a: '1', b: '1', c: '1' })
  })

  test('what was taken back counts on neither side', async () => {
    const world = forked(['a', '0'])
    world.write('C', ['a', '1'])
    world.send('C', 7, 'a', 'x')
    world.end('C', 7, 'ABORT')
    world.send('P', 7, 'a', 'y')
    world.end('P', 7, 'ABORT')
    expect((await world.merge('C', 'P')).written).toBe(1)
    expect(world.state('P')).toEqual({ a: '1' })
  })

  test('a part of the target that is gone may have held the key', async () => {
    const world = forked(['a', '0'])
    world.write('C', ['a', '1'])
    world.write('P', ['a', '2'])
    world.log('P').roll()
    world.write('P', ['b', '2'])
    world.log('P').deleteBelow(2)
    expect(kinds(await world.merge('C', 'P'))).toEqual([['a', 'history-lost']])
  })
})

test('a plan tells of every key that it writes, of those too whose members it has put together', async () => {
  const world = forked(['a', '{"x":0,"y":0}'], ['b', '0'])
  world.write('C', ['a', '{"x":1,"y":0}'], ['b', '1'])
  const target = world.write('P', ['a', '{"x":0,"y":1}'])
  const { shown, counts } = await world.plan('C', 'P', { fields: 'json' })
  expect(counts.written).toBe(2)
  expect(shown.map(({ key, ...rest }) => ({ ...rest, key: key.toString() }))).toEqual([
    { key: 'b', kind: 'write', source: 3 },
    { key: 'a', kind: 'write', source: 2, target },
  ])
})

describe('what arrives between the plan and the moment of the merge', () => {
  test('no base is looked for through a whole log while producers wait: they write on until it is known that there is none', async () => {
    const world = forked()
    for (let i = 0; i < 100; i++) {
      world.write('P', ...Array.from({ length: 500 }, (_, j) => [`${i}-${j}`, 'v'.repeat(20)] as const))
    }
    world.write('C', ['new', '1'], ['other', '1'])
    const plan = await world.plan('C', 'P', { onConflict: 'park' })
    const read = vi.spyOn(world.log('P'), 'read')
    world.write('P', ['new', '2'])
    expect(plan.conclude(false)).toBe(false)
    expect(read.mock.calls.length).toBeLessThan(5)
    // It came once more, and with another.
    world.write('P', ['new', '3'], ['other', '2'])
    expect(plan.conclude(false)).toBe(false)
    await plan.catchUp()
    expect(read.mock.calls.length).toBeGreaterThan(50)
    read.mockClear()
    world.write('P', ['new', '4'])
    expect(plan.conclude(false)).toBe(true)
    expect(read.mock.calls.length).toBeLessThan(5)
    expect(kinds(plan)).toEqual([
      ['other', 'create/create'],
      ['new', 'create/create'],
    ])
    expect(plan.written).toBe(0)
    expect(plan.conflicts.map(({ ours }) => String(ours!.value))).toEqual(['2', '4'])
  })

  test('a key in open conflict that was written again and is decided is a record of its own all the same', async () => {
    const world = forked(['a', '0'])
    world.write('C', ['a', '1'])
    world.write('P', ['a', '2'])
    const meanwhile = () => void world.write('P', ['a', '3'])
    await world.merge('C', 'P', { onConflict: 'theirs', open: ['a'], meanwhile })
    const { value, headers, offset } = world.records('P').at(-1)!
    expect(value).toBe('1')
    expect(headers.find(({ key }) => key === 'branch.origin')!.value!.toString()).toBe(`P:0:${offset}`)
  })

  test('a key that was to be written and has changed is a conflict, and its record is taken out again', async () => {
    const world = forked(['a', '0'], ['b', '0'])
    world.write('C', ['a', '1'], ['b', '1'])
    const meanwhile = () => void world.write('P', ['a', 'late'])
    const plan = await world.merge('C', 'P', { onConflict: 'ours', meanwhile })
    expect(plan.counts).toEqual({ written: 1, same: 0, skipped: 1, conflicts: 1 })
    expect(world.state('P')).toEqual({ a: 'late', b: '1' })
  })

  test('with fail nothing is written', async () => {
    const world = forked(['a', '0'])
    world.write('C', ['a', '1'])
    const plan = await world.merge('C', 'P', { meanwhile: () => void world.write('P', ['a', 'late']) })
    expect(plan.isRefused).toBe(true)
    expect(world.state('P')).toEqual({ a: 'late' })
  })

  test('what was the same is written after all where theirs is right', async () => {
    const world = forked(['a', '0'])
    world.write('C', ['a', '1'])
    world.write('P', ['a', '1'])
    const meanwhile = () => void world.write('P', ['a', 'late'])
    const plan = await world.merge('C', 'P', { onConflict: 'theirs', meanwhile })
    expect(plan.counts).toEqual({ written: 1, same: 0, skipped: 0, conflicts: 1 })
    expect(world.state('P')).toEqual({ a: '1' })
    expect(
      world
        .records('P')
        .at(-1)!
        .headers.map(({ value }) => String(value)),
    ).toEqual(['m1', 'C:0:1', 'C:0:1'])
    expect((await world.merge('P', 'C')).written).toBe(0)
  })

  test('a composed value is composed anew', async () => {
    const world = forked(['a', '{"x":0,"y":0,"z":0}'])
    world.write('C', ['a', '{"x":1,"y":0,"z":0}'])
    world.write('P', ['a', '{"x":0,"y":1,"z":0}'])
    const meanwhile = () => void world.write('P', ['a', '{"x":0,"y":1,"z":1}'])
    await world.merge('C', 'P', { fields: 'json', meanwhile })
    expect(world.state('P')).toEqual({ a: '{"x":1,"y":1,"z":1}' })
  })
})

describe('fields=json', () => {
  test('B26: members that one side alone has changed come together, and numbers keep their letters', async () => {
    const world = forked(['k', '{"a":{"x":1.0,"y":12345678901234567890}}'])
    world.write('C', ['k', '{"a":{"x":2.50,"y":12345678901234567890}}'])
    world.write('P', ['k', '{"a":{"x":1.0,"y":12345678901234567891}}'])
    const plan = await world.merge('C', 'P', { fields: 'json' })
    expect(plan.counts).toEqual({ written: 1, same: 0, skipped: 0, conflicts: 0 })
    expect(world.state('P')).toEqual({ k: '{"a":{"x":2.50,"y":12345678901234567891}}' })
    // It is the target's own: the source has never seen it.
    const merged = world.records('P').at(-1)!
    expect(String(merged.headers.at(-1)!.value)).toBe(`P:0:${merged.offset}`)
    expect((await world.merge('P', 'C')).written).toBe(1)
    expect(world.state('C')).toEqual(world.state('P'))
    expect((await world.merge('C', 'P')).written).toBe(0)
  })

  test('B26: a member that both have changed is one conflict with its path', async () => {
    const world = forked(['k', '{"a":{"x":1}}'])
    world.write('C', ['k', '{"a":{"x":2}}'])
    world.write('P', ['k', '{"a":{"x":3}}'])
    const plan = await world.merge('C', 'P', { fields: 'json' })
    expect(plan.conflicts).toMatchObject([{ kind: 'edit/edit', paths: ['/a/x'], base: { offset: 0 } }])
    expect(world.records('P')).toHaveLength(2)
  })
})

describe('append', () => {
  test('B24: what the target does not know comes in the order of the source, also without keys', async () => {
    const world = forked(['a', '0'])
    world.write('C', [null, '1'], ['k', '2'], ['k', '3'])
    world.write('P', [null, 'p'])
    const plan = await world.merge('C', 'P', { strategy: 'append' })
    expect(plan.written).toBe(3)
    expect(world.records('P').map(({ value }) => value)).toEqual(['0', 'p', '1', '2', '3'])
    expect((await world.merge('C', 'P', { strategy: 'append' })).written).toBe(0)
    expect((await world.merge('P', 'C', { strategy: 'append' })).written).toBe(1)
    world.write('C', [null, '4'])
    expect((await world.merge('C', 'P', { strategy: 'append' })).written).toBe(1)
  })
})

describe('replay', () => {
  test('every revision of an accepted key goes over, in order; a key in conflict stays', async () => {
    const world = forked(['a', '0'], ['b', '0'])
    world.write('C', ['a', '1'], ['b', '1'], ['a', '2'], ['b', '2'])
    world.write('P', ['b', 'p'])
    const plan = await world.merge('C', 'P', { strategy: 'replay', onConflict: 'ours' })
    expect(plan.written).toBe(2)
    expect(world.records('P').map(({ key, value }) => [key, value])).toEqual([
      ['a', '0'],
      ['b', '0'],
      ['b', 'p'],
      ['a', '1'],
      ['a', '2'],
    ])
  })

  test('records without a key go over in their places, as by the other strategies, and once', async () => {
    const world = forked(['a', '0'])
    world.write('C', [null, 'first'], ['a', '1'], [null, 'second'], ['a', '2'])
    expect((await world.merge('C', 'P', { strategy: 'replay' })).counts.written).toBe(4)
    expect(world.records('P').map(({ key, value }) => [key, value])).toEqual([
      ['a', '0'],
      [null, 'first'],
      ['a', '1'],
      [null, 'second'],
      ['a', '2'],
    ])
    expect((await world.merge('C', 'P', { strategy: 'replay' })).written).toBe(0)
    expect((await world.merge('P', 'C', { strategy: 'replay' })).written).toBe(0)
  })

  test('of a key that was in open conflict each goes over once', async () => {
    const world = forked(['a', '0'])
    world.write('C', ['a', '1'], ['a', '2'])
    world.write('P', ['a', 'p'])
    const plan = await world.merge('C', 'P', { strategy: 'replay', onConflict: 'theirs', open: ['a'] })
    expect(plan.written).toBe(2)
    expect(world.records('P').map(({ value }) => value)).toEqual(['0', 'p', '1', '2'])
  })

  test('of a key that was in open conflict none goes over where the target has won at the last moment', async () => {
    const world = forked(['a', '0'])
    world.write('P', ['a', 'p'])
    world.now = 2000
    world.write('C', ['a', '1'], ['a', '2'])
    const meanwhile = () => {
      world.now = 3000
      world.write('P', ['a', 'late'])
    }
    await world.merge('C', 'P', { strategy: 'replay', onConflict: 'newest', open: ['a'], meanwhile })
    expect(world.records('P').map(({ value }) => value)).toEqual(['0', 'p', 'late'])
  })

  test('all of them are taken out again where the key has changed at the last moment', async () => {
    const world = forked(['a', '0'])
    world.write('C', ['a', '1'], ['b', '1'], ['a', '2'])
    const meanwhile = () => void world.write('P', ['a', 'late'])
    await world.merge('C', 'P', { strategy: 'replay', onConflict: 'ours', meanwhile })
    expect(world.records('P').map(({ key, value }) => [key, value])).toEqual([
      ['a', '0'],
      ['a', 'late'],
      ['b', '1'],
    ])
  })
})

describe('a choice of keys', () => {
  test('B45: brings these alone; the full merge after it the others, and what has changed since', async () => {
    const world = forked(['k1', '0'], ['k2', '0'], ['k3', '0'])
    world.write('C', ['k1', '1'], ['k2', '1'], ['k3', '1'])
    expect((await world.merge('C', 'P', { keys: ['k1'] })).written).toBe(1)
    expect(world.state('P')).toEqual({ k1: '1', k2: '0', k3: '0' })
    expect((await world.merge('C', 'P', { keys: ['k3'] })).written).toBe(1)
    world.write('P', ['k3', 'edited since'])
    world.write('C', ['k1', '2'])
    const plan = await world.merge('C', 'P')
    expect(plan.counts).toEqual({ written: 2, same: 0, skipped: 1, conflicts: 0 })
    expect(world.state('P')).toEqual({ k1: '2', k2: '1', k3: 'edited since' })
    expect((await world.merge('C', 'P')).written).toBe(0)
  })
})

describe('reads', () => {
  test('B33: a key that the decision was made on and that has changed in the target refuses the merge', async () => {
    const world = forked(['a', '1'], ['b', '1'])
    world.fork('P', 'D')
    world.write('C', ['a', '0'])
    world.write('D', ['b', '0'])
    expect((await world.merge('C', 'P', { reads: ['a', 'b'] })).isRefused).toBe(false)
    const plan = await world.merge('D', 'P', { reads: ['a', 'b'] })
    expect(plan.isRefused).toBe(true)
    expect(kinds(plan)).toEqual([['a', 'read/edit']])
    expect((await world.merge('D', 'P')).isRefused).toBe(false)
  })
})

test('a fork in the midst of a merge believes the headers of what it has of it, and knows nothing more', async () => {
  const world = forked()
  world.write('C', ['a', '1'], ['b', '1'], ['c', '1'])
  await world.merge('C', 'P')
  world.fork('P', 'D', 2)
  expect((await world.merge('D', 'C')).written).toBe(0)
  expect((await world.merge('C', 'D')).counts).toEqual({ written: 1, same: 0, skipped: 2, conflicts: 0 })
  expect(world.state('D')).toEqual({ a: '1', b: '1', c: '1' })
})

describe('beside compaction', () => {
  const json = (x: number, y: number) => JSON.stringify({ x, y })
  const values = (world: World, name: string) =>
    world
      .records(name)
      .filter(({ key }) => !key!.startsWith('filler'))
      .map(({ value }) => value)

  test('B14: what the parent has compacted away is found in the branch', async () => {
    const world = new World({ compacts: true, minCleanableDirtyRatio: 0 })
    world.root('P')
    world.write('P', ['k', json(0, 0)])
    world.fork('P', 'C')
    world.write('P', ['k', json(1, 0)])
    world.write('C', ['k', json(0, 1)])
    await world.compact('P')
    expect(values(world, 'P')).toEqual([json(1, 0)])
    expect(values(world, 'C')).toEqual([json(0, 0), json(0, 1)])
    expect((await world.merge('C', 'P', { fields: 'json' })).counts.conflicts).toBe(0)
    expect(world.state('P')).toMatchObject({ k: json(1, 1) })
  })

  test('B30: a plan tells keys in the order in which they are written, what is composed behind what is taken over', async () => {
    const world = new World({ compacts: true, minCleanableDirtyRatio: 0 })
    world.root('P')
    world.write('P', ['k', json(0, 0)])
    world.fork('P', 'C')
    world.write('P', ['k', json(1, 0)])
    // Where compaction has been, a key without a trace is asked about as well.
    await world.compact('P')
    world.write('C', ['k', json(0, 1)], ['new', '1'])
    const { shown } = await world.merge('C', 'P', { fields: 'json' })
    const written = world.records('P').slice(-2)
    expect(written.map(({ key }) => key)).toEqual(['new', 'k'])
    expect(shown.map(({ key, kind }) => `${kind} ${key}`)).toEqual(['write new', 'write k'])
  })

  test('a branch keeps the base value of what is not merged yet, and no more', async () => {
    const world = new World({ compacts: true, minCleanableDirtyRatio: 0 })
    world.root('P')
    world.fork('P', 'C')
    world.write('C', ['k', 'older'])
    world.write('C', ['k', json(0, 0)])
    await world.merge('C', 'P')
    world.write('C', ['k', json(0, 1)])
    world.write('C', ['k', json(0, 2)])
    await world.compact('C')
    expect(values(world, 'C')).toEqual([json(0, 0), json(0, 2)])
    world.write('P', ['k', json(1, 0)])
    await world.compact('P')
    await world.merge('C', 'P', { fields: 'json' })
    expect(world.state('P')).toMatchObject({ k: json(1, 2) })
  })

  test('a key that the target has deleted without a trace is a conflict, a new one is not', async () => {
    const world = new World({ compacts: true, minCleanableDirtyRatio: 0, deleteRetentionMs: 0 })
    world.root('P')
    world.write('P', ['gone', '0'], ['kept', '0'])
    world.fork('P', 'C')
    world.write('P', ['gone', null])
    for (let i = 0; i < 4; i++) {
      world.now += 1000
      await world.compact('P')
    }
    expect(world.records('P').map(({ key }) => key)).not.toContain('gone')
    world.write('C', ['gone', '1'], ['kept', '1'], ['new', '1'])
    const plan = await world.merge('C', 'P', { onConflict: 'ours' })
    expect(kinds(plan)).toEqual([['gone', 'edit/delete']])
    expect(world.state('P')).toMatchObject({ kept: '1', new: '1' })
    expect(world.state('P')).not.toHaveProperty('gone')
  })
})

test('a target that gets more with every turn than a plan looks at in one go does not keep it from ending', async () => {
  const world = forked(['k', '0'])
  world.write('C', ['k', '1'], ['mine', '1'])
  let turns = 0
  const plan = await world.plan('C', 'P', {
    onConflict: 'ours',
    atRest: () => {
      if (++turns > 1_000) throw new Error('it does not end')
      world.write('P', ...Array.from({ length: 6_000 }, (_, i) => [`p${i}`, `${turns}`] as const))
    },
  })
  expect(turns).toBeGreaterThan(2)
  world.write('P', ['k', '2'])
  plan.conclude()
  expect(plan.conflicts.map(({ key }) => key.toString())).toEqual(['k'])
  expect(plan.counts).toEqual({ written: 1, same: 0, skipped: 1, conflicts: 1 })
})
