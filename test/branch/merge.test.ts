// Merges over the wire, as a stock client asks for them and sees what comes of them (extensions §1.4, B24 to B34).

import { describe, expect, test } from 'vitest'
import * as batch from '../../protocol/records/batch.ts'
import { readRecords } from '../../protocol/records/record.ts'
import { eventually } from '../eventually.ts'
import { numbered, type Read, Stage } from './stage.ts'

const compacted = { 'cleanup.policy': 'compact' }

/** A value by key, or a list of them in order. */
type State = Readonly<Record<string, string | null>>

const messagesOf = (state: State) => Object.entries(state).map(([key, value]) => ({ key, value }))

async function write(stage: Stage, topic: string, state: State, partition = 0): Promise<void> {
  await stage.send(topic, messagesOf(state), partition)
}

const stateOf = (records: readonly Read[]): Record<string, string | null> =>
  Object.fromEntries(records.map(({ key, value }) => [String(key), value === null ? null : String(value)]))

/** `count`: records that a reader of committed data is given. */
const state = async (stage: Stage, topic: string, count: number) => stateOf(await stage.read(topic, count))

const headersOf = ({ headers = {} }: Read) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))

describe('append', () => {
  test('B24: what the branch has comes in its order, once, and later only what is new', async () => {
    await using stage = await Stage.open()
    await stage.create('P')
    await stage.send('P', ['before'])
    await stage.fork('P', 'P--b')
    await stage.send('P--b', numbered(10, 'b'))
    await stage.send('P', numbered(5, 'p'))
    const merge = { op: 'merge', id: 'm1', from: 'P--b', into: 'P' }
    const event = await stage.run(merge)
    expect(event).toMatchObject({
      type: 'merge',
      status: 'committed',
      counts: { written: 10, same: 0, skipped: 0, conflicts: 0 },
      topics: [{ from: 'P--b', into: 'P', partitions: [{ partition: 0, from: 1, to: 11, first: 6, last: 15 }] }],
    })
    expect(event.gateMs).toBeGreaterThan(0)
    const records = await stage.read('P', 16)
    expect(records.map(({ value }) => String(value))).toEqual(['before', ...numbered(5, 'p'), ...numbered(10, 'b')])
    const { fromId } = event.topics![0]!
    expect(records.slice(6).map(headersOf)).toEqual(
      Array.from({ length: 10 }, (_, i) => ({
        'branch.merge': 'm1',
        'branch.src': `P--b:0:${1 + i}`,
        'branch.origin': `${fromId}:0:${1 + i}`,
      })),
    )
    const { high } = (await stage.ends('P'))[0]!
    await stage.command(merge)
    await stage.run({ op: 'plan', id: 'p1', from: 'P--b', into: 'P' })
    expect((await stage.ends('P'))[0]!.high).toBe(high)
    const told = await stage.events((await stage.ends('__branches'))[0]!.high)
    expect(told.filter(({ id, type }) => id === 'm1' && type === 'merge')).toEqual([
      event,
      { ...event, replayed: true },
    ])
    await stage.send('P--b', numbered(3, 'c'))
    expect(await stage.run({ ...merge, id: 'm2' })).toMatchObject({ counts: { written: 3 } })
    expect(await stage.values('P', 19)).toEqual([
      'before',
      ...numbered(5, 'p'),
      ...numbered(10, 'b'),
      ...numbered(3, 'c'),
    ])
    // Behind the first merge: three records and the marker, nothing else.
    expect((await stage.ends('P'))[0]!.high).toBe(high + 4)
    expect((await stage.run({ ...merge, id: 'm3' })).counts).toMatchObject({ written: 0 })
    expect((await stage.ends('P'))[0]!.high).toBe(high + 4)
  })
})

describe('three-way', () => {
  test('B25: changed on one side, on both alike, on both otherwise, deleted', async () => {
    await using stage = await Stage.open()
    await stage.create('P', 1, compacted)
    await write(stage, 'P', { c: '0', p: '0', same: '0', both: '0', gone: '0', goneToo: '0' })
    await stage.fork('P', 'C')
    await write(stage, 'C', { c: '1', same: '1', both: 'c', gone: null, goneToo: null, made: 'c' })
    await write(stage, 'P', { p: '1', same: '1', both: 'p', goneToo: null })
    const refused = await stage.run({ op: 'merge', id: 'm1', from: 'C', into: 'P' })
    expect(refused).toMatchObject({ type: 'merge', status: 'conflicts', counts: { written: 0, same: 2, conflicts: 1 } })
    expect(refused['keys']).toEqual([{ topic: 'P', partition: 0, key: 'both', kind: 'edit/edit', from: 8, into: 8 }])
    expect((await stage.ends('P'))[0]!.high).toBe(10)
    const event = await stage.run({ op: 'merge', id: 'm2', from: 'C', into: 'P', onConflict: 'theirs' })
    expect(event).toMatchObject({ status: 'committed', counts: { written: 4, same: 2, skipped: 0, conflicts: 1 } })
    expect(await state(stage, 'P', 14)).toEqual({
      c: '1',
      p: '1',
      same: '1',
      both: 'c',
      gone: null,
      goneToo: null,
      made: 'c',
    })
    const written = (await stage.read('P', 14)).slice(10).map(({ key, value }) => [String(key), value && String(value)])
    expect(written).toEqual([
      ['c', '1'],
      ['gone', null],
      ['made', 'c'],
      ['both', 'c'],
    ])
  })

  test('B25: a deletion on one side and another value on the other, and a key that both have made, are conflicts', async () => {
    await using stage = await Stage.open()
    await stage.create('P', 1, compacted)
    await write(stage, 'P', { theirs: '0', ours: '0' })
    await stage.fork('P', 'C')
    await write(stage, 'C', { theirs: null, ours: 'c', made: 'c' })
    await write(stage, 'P', { theirs: 'p', ours: null, made: 'p' })
    const kinds = [
      { topic: 'P', partition: 0, key: 'theirs', kind: 'delete/edit', from: 2, into: 2 },
      { topic: 'P', partition: 0, key: 'ours', kind: 'edit/delete', from: 3, into: 3 },
      { topic: 'P', partition: 0, key: 'made', kind: 'create/create', from: 4, into: 4 },
    ]
    const refused = await stage.run({ op: 'merge', id: 'm1', from: 'C', into: 'P' })
    expect(refused).toMatchObject({ status: 'conflicts', counts: { written: 0, same: 0, skipped: 0, conflicts: 3 } })
    expect(refused['keys']).toEqual(kinds)
    expect((await stage.ends('P'))[0]!.high).toBe(5)
    const kept = await stage.run({ op: 'merge', id: 'm2', from: 'C', into: 'P', onConflict: 'ours' })
    expect(kept).toMatchObject({ status: 'committed', counts: { written: 0, skipped: 3, conflicts: 3 } })
    expect(await state(stage, 'P', 5)).toEqual({ theirs: 'p', ours: null, made: 'p' })
  })

  test('B25: what the target has by another way already, be it edited since, is not written', async () => {
    await using stage = await Stage.open()
    await stage.create('P', 1, compacted)
    await stage.fork('P', 'C')
    await write(stage, 'C', { picked: '1', other: '1' })
    await stage.run({ op: 'merge', id: 'm1', from: 'C', into: 'P', keys: ['picked'] })
    await write(stage, 'P', { picked: 'edited since' })
    expect(await stage.run({ op: 'merge', id: 'm2', from: 'C', into: 'P' })).toMatchObject({
      status: 'committed',
      counts: { written: 1, same: 0, skipped: 1, conflicts: 0 },
    })
    expect(await state(stage, 'P', 3)).toEqual({ picked: 'edited since', other: '1' })
  })

  test('B25: what the target may have lost is a conflict, be it that nobody knows what, or that a deletion has left no trace', async () => {
    await using stage = await Stage.open({ config: { 'log.cleaner.backoff.ms': 20 } })
    await stage.create('lost', 1, { 'cleanup.policy': 'compact,delete' })
    await write(stage, 'lost', { k: '0' })
    await stage.fork('lost', 'lost--c')
    await write(stage, 'lost', { k: 'p' })
    await write(stage, 'lost--c', { k: 'c', other: 'c' })
    await stage.admin.deleteTopicRecords({ topic: 'lost', partitions: [{ partition: 0, offset: '2' }] })
    const refused = await stage.run({ op: 'merge', id: 'm1', strategy: 'three-way', from: 'lost--c', into: 'lost' })
    expect(refused).toMatchObject({ status: 'conflicts', counts: { written: 0, conflicts: 2 } })
    expect((refused['keys'] as { key: string; kind: string }[]).map(({ key, kind }) => `${key} ${kind}`)).toEqual([
      'k history-lost',
      'other history-lost',
    ])
    // A segment for each write, and no time in which a deletion is told.
    const forgetful = {
      'delete.retention.ms': 0,
      'min.cleanable.dirty.ratio': 0,
      'segment.ms': 1,
    }
    await stage.create('gone', 1, { ...compacted, ...forgetful })
    await write(stage, 'gone', { k: '0', stays: '0' })
    await stage.fork('gone', 'gone--c', { 'segment.ms': 604_800_000 })
    await write(stage, 'gone', { k: null })
    await eventually(async () => {
      const { high } = (await stage.ends('gone'))[0]!
      await write(stage, 'gone', { filler: `${high}` })
      const { bytes } = await stage.fetched('gone', 0)
      const offsets = [...batch.iterateBatches(bytes)].flatMap((at) =>
        [...readRecords(bytes, at)].map((one) => one.offset),
      )
      expect(offsets).not.toContain(2)
    })
    await write(stage, 'gone--c', { k: 'c', stays: 'c' })
    const event = await stage.run({ op: 'merge', id: 'm2', from: 'gone--c', into: 'gone' })
    expect(event['keys']).toMatchObject([{ key: 'k', kind: 'edit/delete' }])
  })

  test('B26: members that one side alone has changed come together; one that both have changed is told by its path', async () => {
    await using stage = await Stage.open()
    await stage.create('P', 1, compacted)
    const numbers = '"one":1.0,"n":12345678901234567890,"e":1E+2,"m":-0.0'
    await write(stage, 'P', { k: `{"a":{"x":1,"y":1.0},${numbers}}`, j: '{"a":{"x":1}}' })
    await stage.fork('P', 'C')
    // Made on either side, and there all along.
    await write(stage, 'C', { k: `{"a":{"x":2.0,"y":1.0},${numbers},"c":98765432109876543210}`, j: '{"a":{"x":2}}' })
    await write(stage, 'P', { k: `{"a":{"x":1,"y":2.50},${numbers},"p":1.10}`, j: '{"a":{"x":3}}' })
    const json = { from: 'C', into: 'P', fields: 'json' }
    expect(await stage.run({ op: 'merge', id: 'm1', ...json, onConflict: 'park' })).toMatchObject({
      status: 'parked',
      counts: { written: 1, conflicts: 1 },
    })
    expect(await state(stage, 'P', 5)).toEqual({
      k: `{"a":{"x":2.0,"y":2.50},${numbers},"p":1.10,"c":98765432109876543210}`,
      j: '{"a":{"x":3}}',
    })
    const [parked] = await stage.read('__branch_conflicts', 1)
    expect(JSON.parse(String(parked!.value))).toMatchObject({ key: 'j', kind: 'edit/edit', paths: ['/a/x'] })
    // A record and the marker of its transaction.
    expect((await stage.ends('__branch_conflicts'))[0]!.high).toBe(2)
  })

  test('a resolution of members is about these: what else one side has changed stays', async () => {
    await using stage = await Stage.open()
    await stage.create('P', 1, compacted)
    const sides = { theirs: '{"x":1,"mine":1,"yours":0}', ours: '{"x":2,"mine":0,"yours":1}' }
    await write(stage, 'P', { a: '{"x":0,"mine":0,"yours":0}', b: '{"x":0,"mine":0,"yours":0}' })
    await stage.fork('P', 'C')
    await write(stage, 'C', { a: sides.theirs, b: sides.theirs })
    await write(stage, 'P', { a: sides.ours, b: sides.ours })
    await stage.run({ op: 'merge', id: 'm1', from: 'C', into: 'P', fields: 'json', onConflict: 'park' })
    const resolve = { op: 'resolve', merge: 'm1', topic: 'P', partition: 0 }
    await stage.run({ ...resolve, id: 'r1', key: 'a', take: 'theirs' })
    await stage.run({ ...resolve, id: 'r2', key: 'b', take: 'ours' })
    expect(await state(stage, 'P', 6)).toEqual({
      a: '{"x":1,"mine":1,"yours":1}',
      b: '{"x":2,"mine":1,"yours":1}',
    })
  })

  test('B27: a plan says what the merge will say, and writes nothing', async () => {
    await using stage = await Stage.open()
    await stage.create('P', 2, compacted)
    await stage.fork('P', 'C')
    for (const partition of [0, 1]) {
      await write(stage, 'C', { a: 'c', b: 'c' }, partition)
      await write(stage, 'P', { a: 'p' }, partition)
    }
    const ends = [await stage.ends('P'), await stage.ends('C')]
    const plan = await stage.run({ op: 'plan', id: 'p1', from: 'C', into: 'P' })
    expect(plan).toMatchObject({ type: 'plan', status: 'conflicts', counts: { written: 2, conflicts: 2 } })
    const found = (plan['keys'] as { partition: number; key: string; kind: string }[]).map(
      ({ partition, key, kind }) => `${partition} ${key} ${kind}`,
    )
    expect(found).toEqual(['0 a create/create', '1 a create/create', '0 b write', '1 b write'])
    const dry = await stage.run({ op: 'merge', id: 'm0', from: 'C', into: 'P', dryRun: true })
    expect(dry).toMatchObject({ type: 'plan', status: 'conflicts', counts: plan.counts, keys: plan['keys'] })
    expect([await stage.ends('P'), await stage.ends('C')]).toEqual(ends)
    const merge = await stage.run({ op: 'merge', id: 'm1', from: 'C', into: 'P' })
    expect(merge).toMatchObject({ type: 'merge', status: 'conflicts', counts: { written: 0, conflicts: 2 } })
    const conflicts = (plan['keys'] as { kind: string }[]).filter(({ kind }) => kind !== 'write')
    expect(conflicts).toHaveLength(2)
    expect(merge['keys']).toEqual(conflicts)
    expect([await stage.ends('P'), await stage.ends('C')]).toEqual(ends)
    // The same where they are parked, key by key with both offsets.
    await stage.run({ op: 'merge', id: 'm2', from: 'C', into: 'P', onConflict: 'park' })
    const parked = (await stage.read('__branch_conflicts', 2)).map(({ value }) => JSON.parse(String(value)))
    const told = parked.map(({ into, partition, key, kind, ours, theirs }) => {
      return { topic: into, partition, key, kind, from: theirs.offset, into: ours.offset }
    })
    expect(told).toEqual(conflicts)
  })

  test('B28: clean keys go over, conflicts stay open until they are resolved, each once', async () => {
    await using stage = await Stage.open()
    await stage.create('P', 1, compacted)
    await write(stage, 'P', { k1: '0', k2: '0' })
    await stage.fork('P', 'C')
    await write(stage, 'C', Object.fromEntries([...numbered(98, 'n'), 'k1', 'k2'].map((key) => [key, 'c'])))
    await write(stage, 'P', { k1: 'p', k2: 'p' })
    const event = await stage.run({ op: 'merge', id: 'm1', from: 'C', into: 'P', onConflict: 'park' })
    expect(event).toMatchObject({ status: 'parked', counts: { written: 98, conflicts: 2 } })
    const parked = await stage.read('__branch_conflicts', 2)
    expect(parked.map(({ key }) => String(key)).sort()).toEqual(
      ['k1', 'k2'].map((key) => `m1|P|0|${Buffer.from(key).toString('base64')}`),
    )
    const values = parked.map(({ value }) => JSON.parse(String(value)))
    expect(values.sort((a, b) => a.theirs.offset - b.theirs.offset)).toMatchObject(
      ['k1', 'k2'].map((key, i) => ({
        ...{ into: 'P', partition: 0, key, kind: 'edit/edit' },
        base: { offset: i, value: '0' },
        ours: { offset: 2 + i, value: 'p' },
        theirs: { offset: 100 + i, value: 'c' },
      })),
    )
    const merged = await state(stage, 'P', 102)
    expect(merged).toEqual({ k1: 'p', k2: 'p', ...Object.fromEntries(numbered(98, 'n').map((key) => [key, 'c'])) })
    const end = (await stage.ends('P'))[0]!.high
    const resolve = { op: 'resolve', merge: 'm1', topic: 'P', partition: 0, key: 'k1', take: 'theirs' }
    expect(await stage.run({ ...resolve, id: 'r1' })).toMatchObject({
      type: 'resolve',
      status: 'done',
      counts: { written: 1 },
    })
    expect(await stage.run({ ...resolve, id: 'r2' })).toMatchObject({
      status: 'rejected',
      error: { code: 'NO_SUCH_CONFLICT' },
    })
    // One record and one marker.
    expect((await stage.ends('P'))[0]!.high).toBe(end + 2)
    expect(await state(stage, 'P', 103)).toMatchObject({ k1: 'c', k2: 'p' })
    await stage.command({ ...resolve, id: 'r1' })
    const told = await stage.read('__branch_conflicts', 3)
    expect(told.at(-1)).toMatchObject({ value: null })
    expect(String(told.at(-1)!.key)).toBe(`m1|P|0|${Buffer.from('k1').toString('base64')}`)
    // What stands open counts as changed on both sides, in either direction.
    expect(await stage.run({ op: 'plan', id: 'p1', from: 'C', into: 'P' })).toMatchObject({
      counts: { conflicts: 1, written: 0 },
    })
    expect(await stage.run({ op: 'plan', id: 'p2', from: 'P', into: 'C' })).toMatchObject({
      counts: { conflicts: 1, written: 0 },
    })
    // Nor has the same id written anything again.
    expect((await stage.ends('P'))[0]!.high).toBe(end + 2)
    expect((await stage.ends('__branch_conflicts'))[0]!.high).toBe(5)
  })

  test('B64: a key that was written since is not resolved unseen', async () => {
    await using stage = await Stage.open()
    await stage.create('P', 1, compacted)
    await write(stage, 'P', { k: '0' })
    await stage.fork('P', 'C')
    await write(stage, 'C', { k: 'c' })
    await write(stage, 'P', { k: 'p' })
    await stage.run({ op: 'merge', id: 'm1', from: 'C', into: 'P', onConflict: 'park' })
    await write(stage, 'P', { k: 'p2' })
    const resolve = { op: 'resolve', merge: 'm1', topic: 'P', partition: 0, key: 'k', take: 'base' }
    const { high } = (await stage.ends('P'))[0]!
    const moved = await stage.run({ ...resolve, id: 'r1' })
    expect(moved).toMatchObject({ status: 'rejected', error: { code: 'MOVED' } })
    expect(moved.error!.message).toMatch(/offset 2.*"force":true/)
    expect((await stage.ends('P'))[0]!.high).toBe(high)
    expect(await stage.run({ ...resolve, id: 'r2', force: true })).toMatchObject({ counts: { written: 1 } })
    expect(await state(stage, 'P', 4)).toEqual({ k: '0' })
    const again = await stage.run({ ...resolve, id: 'r3', force: true })
    expect(again).toMatchObject({ status: 'rejected', error: { code: 'NO_SUCH_CONFLICT' } })
    // One record and its marker, whoever asks once more.
    expect((await stage.ends('P'))[0]!.high).toBe(high + 2)
  })

  test('a key of which members are in conflict, and that was deleted since, is resolved by force without what is deleted', async () => {
    await using stage = await Stage.open()
    await stage.create('P', 1, compacted)
    await write(stage, 'P', { k: '{"x":0,"y":0}' })
    await stage.fork('P', 'C')
    await write(stage, 'C', { k: '{"x":1,"y":0}' })
    await write(stage, 'P', { k: '{"x":2,"y":2}' })
    await stage.run({ op: 'merge', id: 'm1', from: 'C', into: 'P', onConflict: 'park', fields: 'json' })
    await write(stage, 'P', { k: null })
    const resolve = { op: 'resolve', merge: 'm1', topic: 'P', partition: 0, key: 'k', take: 'theirs', force: true }
    expect(await stage.run({ ...resolve, id: 'r1' })).toMatchObject({ status: 'done', counts: { written: 1 } })
    expect(await state(stage, 'P', 4)).toEqual({ k: '{"x":1,"y":0}' })
  })

  test('B45: one key alone, then the others', async () => {
    await using stage = await Stage.open()
    await stage.create('P', 1, compacted)
    await stage.fork('P', 'C')
    await write(stage, 'C', { k1: '1', k2: '1', k3: '1' })
    expect(await stage.run({ op: 'merge', id: 'm1', from: 'C', into: 'P', keys: ['k1'] })).toMatchObject({
      counts: { written: 1 },
    })
    expect(await state(stage, 'P', 1)).toEqual({ k1: '1' })
    expect(await stage.run({ op: 'merge', id: 'm2', from: 'C', into: 'P', keyPrefix: 'k3' })).toMatchObject({
      counts: { written: 1 },
    })
    await write(stage, 'C', { k1: '2' })
    expect(await stage.run({ op: 'merge', id: 'm3', from: 'C', into: 'P' })).toMatchObject({
      counts: { written: 2, skipped: 1 },
    })
    expect(await state(stage, 'P', 4)).toEqual({ k1: '2', k2: '1', k3: '1' })
  })
})

describe('sets', () => {
  test('B30: three topics of four partitions come together or not at all', async () => {
    await using stage = await Stage.open()
    const topics = ['a', 'b', 'c']
    for (const topic of topics) {
      await stage.create(topic, 4, compacted)
      for (const partition of [0, 1, 2, 3]) await write(stage, topic, { json: '{"x":0,"y":0}' }, partition)
    }
    await stage.run({ op: 'fork', id: 'f1', set: 's', topics: topics.map((from) => ({ from })) })
    for (const topic of topics) {
      for (const partition of [0, 1, 2, 3]) {
        const state = { z: '1', k: `${topic}${partition}`, a: '1', json: '{"x":1,"y":0}', b: '1' }
        await write(stage, `${topic}--s`, state, partition)
        // Composed of both sides, it goes behind what is taken over as it stands.
        await write(stage, topic, { json: '{"x":0,"y":1}' }, partition)
      }
    }
    const merge = { op: 'merge', set: 's', onConflict: 'fail', fields: 'json' }
    const plan = await stage.run({ ...merge, op: 'plan', id: 'p1', limit: 100 })
    const event = await stage.run({ ...merge, id: 'm1' })
    expect(event).toMatchObject({ status: 'committed', set: 's', counts: { written: 60 } })
    const planned = plan['keys'] as { topic: string; partition: number; key: string }[]
    for (const topic of topics) {
      const records = (await stage.read(topic, 28, true)).filter(({ headers }) => headers?.['branch.merge'])
      const found = records.map(({ partition, key }) => `${topic} ${partition} ${key}`)
      const ours = planned
        .filter((one) => one.topic === topic)
        .map(({ partition, key }) => `${topic} ${partition} ${key}`)
      expect(found).toEqual(ours)
      expect(ours).toHaveLength(20)
    }
    await write(stage, 'a--s', { k: 'a again' }, 1)
    await write(stage, 'b--s', { k: 'b again' }, 1)
    await write(stage, 'b', { k: 'in between' }, 1)
    const endsOf = () => Promise.all(topics.map((topic) => stage.ends(topic)))
    const ends = await endsOf()
    const refused = await stage.run({ op: 'merge', id: 'm2', set: 's' })
    expect(refused).toMatchObject({ status: 'conflicts', counts: { written: 0, conflicts: 1 } })
    expect(refused['keys']).toMatchObject([{ topic: 'b', partition: 1, key: 'k', kind: 'edit/edit' }])
    expect(await endsOf()).toEqual(ends)
  })

  test('B33: two sets read both and write one each; with reads the second is refused, without them both pass', async () => {
    for (const reads of [true, false]) {
      await using stage = await Stage.open()
      await stage.create('t', 1, compacted)
      await write(stage, 't', { a: '1', b: '1' })
      for (const set of ['s1', 's2']) await stage.run({ op: 'fork', id: `f-${set}`, set, from: 't' })
      await write(stage, 't--s1', { a: '0' })
      await write(stage, 't--s2', { b: '0' })
      const keys = ['a', 'b'].map((key) => ({ topic: 't', key }))
      const merge = { op: 'merge', onConflict: 'fail', ...(reads ? { reads: keys } : {}) }
      expect(await stage.run({ ...merge, id: 'm1', set: 's1' })).toMatchObject({ status: 'committed' })
      const second = await stage.run({ ...merge, id: 'm2', set: 's2' })
      expect(second.status).toBe(reads ? 'conflicts' : 'committed')
      if (reads) expect(second['keys']).toMatchObject([{ topic: 't', partition: 0, key: 'a', kind: 'read/edit' }])
      expect(await state(stage, 't', reads ? 3 : 4)).toEqual({ a: '0', b: reads ? '1' : '0' })
    }
  })
})

/** What a `state` view of P shows. */
async function shown(stage: Stage, at: string, count: number) {
  const topic = `P-${at.replace(':', '-')}`
  const configs = { 'view.of': 'P', 'view.kind': 'state', 'view.at': at }
  await stage.create(topic, -1, configs)
  return await state(stage, topic, count)
}

describe('revert', () => {
  test('of what has written nothing has nothing to do, and of what nobody knows is refused', async () => {
    await using stage = await Stage.open()
    await stage.create('P', 1, compacted)
    await write(stage, 'P', { a: '0' })
    await stage.fork('P', 'C')
    const nothing = { status: 'committed', counts: { written: 0, same: 0, skipped: 0, conflicts: 0 } }
    expect(await stage.run({ op: 'merge', id: 'm1', from: 'C', into: 'P' })).toMatchObject(nothing)
    expect(await stage.run({ op: 'revert', id: 'v1', merge: 'm1' })).toMatchObject({ type: 'revert', ...nothing })
    expect(await stage.run({ op: 'revert', id: 'v2', merge: 'v1', topic: 'P' })).toMatchObject({ status: 'rejected' })
    expect(await stage.run({ op: 'revert', id: 'v3', merge: 'v1' })).toMatchObject(nothing)
    const unknown = { error: { code: 'UNKNOWN_MERGE' } }
    expect(await stage.run({ op: 'revert', id: 'v4', merge: 'm2' })).toMatchObject(unknown)
    expect(await stage.run({ op: 'revert', id: 'v5', merge: 'm1', topic: 'C' })).toMatchObject(unknown)
    // What a merge has taught has written nothing either.
    await write(stage, 'C', { a: '1' })
    await write(stage, 'P', { a: '1' })
    expect(await stage.run({ op: 'merge', id: 'm3', from: 'C', into: 'P' })).toMatchObject({ counts: { same: 1 } })
    expect(await stage.run({ op: 'revert', id: 'v6', merge: 'm3' })).toMatchObject(nothing)
    expect(await stage.ends('P')).toEqual([{ low: 0, high: 2 }])
  })

  test('B34: the state is that from before the merge, except where it has changed since; a revert of the revert restores', async () => {
    await using stage = await Stage.open()
    await stage.create('P', 1, compacted)
    await write(stage, 'P', { a: '0', b: '0', c: '0', gone: '0' })
    await stage.fork('P', 'C')
    await write(stage, 'C', { a: '1', b: '1', new: '1', gone: null })
    await stage.run({ op: 'merge', id: 'm1', from: 'C', into: 'P' })
    const merged = { a: '1', b: '1', c: '0', new: '1', gone: null }
    expect(await state(stage, 'P', 8)).toEqual(merged)
    expect(await stage.run({ op: 'revert', id: 'v1', topic: 'P', merge: 'm1' })).toMatchObject({
      type: 'revert',
      status: 'committed',
      counts: { written: 4 },
    })
    expect(await state(stage, 'P', 12)).toEqual({ a: '0', b: '0', c: '0', new: null, gone: '0' })
    // As the view shows it: the merge began at offset 4.
    expect(await shown(stage, 'offset:4', 4)).toEqual({ a: '0', b: '0', c: '0', gone: '0' })
    expect(await shown(stage, 'latest', 5)).toEqual({ a: '0', b: '0', c: '0', new: null, gone: '0' })
    expect(await stage.run({ op: 'revert', id: 'v2', merge: 'v1' })).toMatchObject({ counts: { written: 4 } })
    expect(await state(stage, 'P', 16)).toEqual(merged)
    await write(stage, 'P', { b: 'since' })
    const refused = await stage.run({ op: 'revert', id: 'v3', merge: 'v2' })
    expect(refused).toMatchObject({ type: 'revert', status: 'conflicts', counts: { written: 0, conflicts: 1 } })
    const told = refused['keys'] as { key: string; kind: string }[]
    expect(told.filter(({ kind }) => kind !== 'write').map(({ key, kind }) => `${key} ${kind}`)).toEqual([
      'b changed-since',
    ])
    const partly = await stage.run({ op: 'revert', id: 'v4', merge: 'v2', onConflict: 'ours' })
    expect(partly).toMatchObject({ status: 'committed', counts: { written: 3, skipped: 1, conflicts: 1 } })
    expect(await state(stage, 'P', 20)).toEqual({ a: '0', b: 'since', c: '0', new: null, gone: '0' })
    // The branch hears of it as of any change.
    expect(await stage.run({ op: 'merge', id: 'm2', from: 'P', into: 'C' })).toMatchObject({
      counts: { written: 4, conflicts: 0 },
    })
  })

  test('a range is undone record by record, newest first, with mode=replay; what is not about keys has no inverse', async () => {
    await using stage = await Stage.open()
    await stage.create('P', 1, compacted)
    await write(stage, 'P', { a: '0' })
    for (const value of ['1', '2', '3']) await write(stage, 'P', { a: value })
    await stage.run({ op: 'revert', id: 'v1', topic: 'P', range: { 0: [1, 2] }, mode: 'replay', onConflict: 'theirs' })
    expect(await stage.values('P', 6)).toEqual(['0', '1', '2', '3', '1', '0'])
    await stage.create('plain')
    await stage.send('plain', ['x'])
    const rejected = await stage.run({ op: 'revert', id: 'v2', topic: 'plain', range: { 0: [0, 0] } })
    expect(rejected).toMatchObject({ status: 'rejected', error: { code: 'NOT_INVERTIBLE' } })
  })
})

describe('refusals', () => {
  test.each([
    [{ from: 'nobody', into: 'P' }, 'UNKNOWN_TOPIC_OR_PARTITION'],
    [{ from: 'stranger', into: 'P' }, 'NOT_RELATED'],
    [{ from: 'P', into: 'P' }, 'INVALID_COMMAND'],
    [{ from: 'C', into: 'P', strategy: 'append', keys: ['a'] }, 'INVALID_COMMAND'],
    [{ from: 'C', into: 'frozen' }, 'POLICY_VIOLATION'],
    [{ from: 'C', into: 'P', reads: [{ topic: 'stranger', key: 'a' }] }, 'INVALID_COMMAND'],
    [{ set: 'nobody' }, 'UNKNOWN_SET'],
  ])('%j: %s', async (pair, code) => {
    await using stage = await Stage.open()
    await stage.create('P', 1, compacted)
    await stage.create('stranger', 1, compacted)
    await stage.fork('P', 'C')
    await stage.fork('P', 'frozen', { 'branch.protect': 'frozen' })
    expect(await stage.run({ op: 'merge', id: 'm1', ...pair })).toMatchObject({ status: 'rejected', error: { code } })
  })

  test('B12: a parent that was deleted and made again is another topic', async () => {
    await using stage = await Stage.open()
    await stage.create('P')
    await stage.send('P', ['old'])
    await stage.fork('P', 'C')
    await stage.admin.deleteTopics({ topics: ['P'] })
    await stage.create('P')
    await stage.send('P', ['other'])
    await stage.send('C', ['own'])
    for (const [id, how] of [
      ['m1', {}],
      ['m2', { strategy: 'fast-forward' }],
      ['m3', { strategy: 'three-way', onConflict: 'theirs' }],
    ] as const) {
      const rejected = await stage.run({ op: 'merge', id, from: 'C', into: 'P', ...how })
      expect(rejected).toMatchObject({ status: 'rejected', error: { code: 'NOT_RELATED' } })
      expect(rejected.error!.message).toMatch(/'P'/)
    }
    expect(await stage.values('C', 2)).toEqual(['old', 'own'])
    expect(await stage.values('P', 1)).toEqual(['other'])
    expect(await stage.ends('P')).toEqual([{ low: 0, high: 1 }])
  })
})

test('B29: after a refused merge a reader of committed data sees nothing of it, and the history says conflicts', async () => {
  await using stage = await Stage.open()
  await stage.create('P', 1, compacted)
  await stage.fork('P', 'C')
  await write(stage, 'C', { a: 'c', b: 'c' })
  await write(stage, 'P', { a: 'p' })
  const event = await stage.run({ op: 'merge', id: 'm1', from: 'C', into: 'P', onConflict: 'fail' })
  expect(event).toMatchObject({ type: 'merge', status: 'conflicts', counts: { written: 0, conflicts: 1 } })
  expect((await stage.ends('P'))[0]).toEqual({ low: 0, high: 1 })
  // Not that anything is there and not shown: whoever reads on is given the next record at the next offset.
  expect(await stage.fetched('P', 0)).toMatchObject({ highWatermark: 1, lastStableOffset: 1 })
  await write(stage, 'P', { after: 'p' })
  expect((await stage.read('P', 2)).map(({ offset, key }) => [offset, String(key)])).toEqual([
    ['0', 'a'],
    ['1', 'after'],
  ])
})

test('merges outlive a restart: what was merged is known, conflicts are open, ids are used up', async () => {
  await using stage = await Stage.open({ onDisk: true })
  await stage.create('P', 1, compacted)
  await write(stage, 'P', { k: '0' })
  await stage.fork('P', 'C')
  await write(stage, 'C', { k: 'c', a: '1' })
  await write(stage, 'P', { k: 'p' })
  const merge = { op: 'merge', from: 'C', into: 'P', onConflict: 'park' }
  const first = await stage.run({ ...merge, id: 'm1' })
  const known = (await stage.branchConfigs('C'))['branch.known']
  await stage.restart()
  expect((await stage.branchConfigs('C'))['branch.known']).toEqual(known)
  expect(await stage.run({ op: 'plan', id: 'p1', from: 'C', into: 'P' })).toMatchObject({
    counts: { written: 0, conflicts: 1 },
  })
  const { high } = (await stage.ends('P'))[0]!
  await stage.command({ ...merge, id: 'm1' })
  await stage.run({ op: 'resolve', id: 'r1', merge: 'm1', topic: 'P', partition: 0, key: 'k', take: 'theirs' })
  expect((await stage.ends('P'))[0]!.high).toBe(high + 2)
  const events = await stage.events(6)
  expect(events.filter(({ id, type }) => id === 'm1' && type === 'merge')).toEqual([
    first,
    { ...first, replayed: true },
  ])
  expect(await stage.run({ op: 'revert', id: 'v1', merge: 'm1' })).toMatchObject({ counts: { written: 1 } })
})
