// Branches of topics whose past is packed: forks, what each packs for itself, merges that find their bases in packs.

import { expect, test } from 'vitest'
import * as batch from '../../protocol/records/batch.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { checkStore } from '../../src/cli/check.ts'
import { OutlivingStore } from './counting-store.ts'
import { type Packs as Opened, Packs, revisionOf, type Seen } from './packs.ts'
import { trim, view } from './stage.ts'

const state = (records: readonly Seen[]) => Object.fromEntries(records.map(({ key, value }) => [key, value]))

/** A document of several fields, so that both sides can change it without a conflict. */
const document = (fields: Readonly<Record<string, unknown>>) => JSON.stringify({ text: 'lorem '.repeat(20), ...fields })

async function write(packs: Opened, topic: string, values: Readonly<Record<string, string | null>>): Promise<void> {
  for (const [key, value] of Object.entries(values)) await packs.send(topic, [{ key, value }])
}

const highOf = async (packs: Opened, topic: string) => (await packs.stage.ends(topic))[0]!.high

test('R23: a branch that is forked in the midst of a pack goes on with numbers and values of its own, packed by each side', async () => {
  await using packs = await Packs.open()
  await packs.create('P')
  const sent = await packs.revise('P', 'k', 10, { atOnce: 1 })
  await packs.packed()
  await packs.stage.fork('P', 'C', { 'branch.at': 'offset:5' })
  const own = await packs.revise('C', 'k', 5, { from: 100, atOnce: 1 })
  const theirs = await packs.revise('P', 'k', 5, { from: 200, atOnce: 1 })
  await packs.packed(2)
  const files = await packs.files()
  expect(files.filter((path) => path.endsWith('.pack')).length).toBeGreaterThanOrEqual(2)
  expect(await packs.read('C', 10)).toEqual([...sent.slice(0, 5), ...own])
  expect(await packs.read('P', 15)).toEqual([...sent, ...theirs])
  for (const [topic, values] of [
    ['C', [...sent.slice(0, 5), ...own]],
    ['P', [...sent, ...theirs]],
  ] as const) {
    await view(packs.stage, topic, 'history', `${topic}-history`, { 'view.key': 'k' })
    const told = await packs.read(`${topic}-history`, values.length)
    // The header of the record's own, then ours.
    const revOf = ({ headers }: Seen) => (JSON.parse(headers) as { rev: [string, string] }).rev[1]
    expect(told.map((one) => [revOf(one), one.offset, one.value])).toEqual(
      values.map(({ offset, value }, i) => [`${i + 1}`, offset, value]),
    )
  }
})

test('R24: a three-way merge finds its bases in packs, its records are the next revisions, and a revert gives the inverse', async () => {
  await using packs = await Packs.open()
  await packs.create('P')
  const base = {
    both: document({ a: 0, b: 0 }),
    left: document({ n: 0 }),
    right: document({ n: 0 }),
    gone: document({}),
  }
  for (let i = 0; i < 5; i++) await packs.revise('P', 'noise', 20, { from: 1 + 20 * i, atOnce: 20 })
  await write(packs, 'P', base)
  await packs.send('P', [{ key: 'noise', value: 'closes the last' }])
  await packs.packed()
  await packs.stage.fork('P', 'C')
  await write(packs, 'C', { both: document({ a: 1, b: 0 }), left: document({ n: 1 }), gone: null, closes: 'x' })
  await write(packs, 'P', { both: document({ a: 0, b: 1 }), right: document({ n: 1 }), closes: 'x' })
  await packs.packed(2)
  const end = await highOf(packs, 'P')
  const merged = await packs.stage.run({ op: 'merge', id: 'm1', from: 'C', into: 'P', fields: 'json' })
  expect(merged).toMatchObject({ status: 'committed', counts: { written: 3, conflicts: 0 } })
  const after = { both: document({ a: 1, b: 1 }), left: document({ n: 1 }), right: document({ n: 1 }), gone: null }
  expect(state(await packs.read('P', end + 3))).toMatchObject(after)
  await write(packs, 'P', { closes: 'y' })
  await packs.packed(2)
  expect(state(await packs.read('P', end + 4))).toMatchObject(after)
  // Numbers go on from the target's last.
  await packs.stage.create('P-list', -1, { 'view.of': 'P', 'view.kind': 'list', 'view.key': 'both' })
  const revs = (await packs.read('P-list', 3)).map(({ value }) => (JSON.parse(value!) as { rev: number }).rev)
  expect(revs).toEqual([1, 2, 3])
  const reverted = await packs.stage.run({ op: 'revert', id: 'v1', topic: 'P', merge: 'm1' })
  expect(reverted).toMatchObject({ status: 'committed', counts: { written: 3 } })
  expect(state(await packs.read('P', end + 7))).toMatchObject({
    both: document({ a: 0, b: 1 }),
    left: base.left,
    gone: base.gone,
    right: document({ n: 1 }),
  })
})

test('a revert does not restore what stood before the value that a keep rule has taken, and does not take that for nothing', async () => {
  await using packs = await Packs.open()
  await packs.create('P', { 'revision.keep': 'last:1' })
  await write(packs, 'P', { k: 'the value before', other: '1' })
  await packs.packed()
  await packs.stage.fork('P', 'C')
  await write(packs, 'C', { k: 'merged', fresh: 'new' })
  const merged = await packs.stage.run({ op: 'merge', id: 'm', from: 'C', into: 'P' })
  expect(merged).toMatchObject({ status: 'committed', counts: { written: 2 } })
  await write(packs, 'P', { other: '2', another: '3' })
  // Until the pack of the first record has gone.
  while ((await packs.batches('P')).some((bytes) => batch.baseOffset(bytes, 0) === 0)) await packs.packed(2)
  const revert = { op: 'revert', topic: 'P', merge: 'm' }
  expect(await packs.stage.run({ ...revert, id: 'r1' })).toMatchObject({
    status: 'conflicts',
    counts: { written: 0, conflicts: 1 },
    keys: [
      { key: 'k', kind: 'history-lost' },
      { key: 'fresh', kind: 'write' },
    ],
  })
  // A key that was never there before is known not to have been.
  expect(await packs.stage.run({ ...revert, id: 'r2', keys: ['fresh'] })).toMatchObject({ counts: { written: 1 } })
  await packs.stage.create('P-now', -1, { 'view.of': 'P', 'view.kind': 'state' })
  expect(state(await packs.read('P-now', 4))).toEqual({ k: 'merged', other: '2', another: '3', fresh: null })
})

test('members are not merged by the value before the one that keep rules have taken from both sides', {
  timeout: 60_000,
}, async () => {
  await using packs = await Packs.open()
  await packs.create('P', { 'revision.keep': 'daily:1000' })
  const [hour, day] = [3_600_000, 86_400_000]
  const noon = Math.floor(Date.now() / day) * day - 5 * day + 12 * hour
  const send = (topic: string, at: number, key: string, x: number, y: number) =>
    packs.send(topic, [{ key, value: JSON.stringify({ x, y }), timestamp: String(at) }])
  for (const key of ['k', 'sound']) {
    await send('P', noon - day, key, 0, 0)
    await send('P', noon - (key === 'k' ? 0 : 20 * hour), key, 1, 0)
  }
  await packs.stage.fork('P', 'C')
  for (const key of ['k', 'sound']) {
    await send('C', noon + hour, key, 1, 1)
    await send('P', noon + hour, key, 0, 0)
  }
  for (const topic of ['P', 'C']) for (let i = 0; i < 3; i++) await send(topic, noon + i * day, 'closes', i, i)
  const has = async (topic: string, offset: number) =>
    (await packs.batches(topic)).some((bytes) => batch.baseOffset(bytes, 0) === offset)
  for (const topic of ['P', 'C']) while (await has(topic, 1)) await packs.packed(2)
  expect(await has('P', 0)).toBe(true)
  const plan = { op: 'plan', from: 'C', into: 'P', strategy: 'three-way', fields: 'json' }
  expect(await packs.stage.run({ ...plan, id: 'p1', keys: ['k'] })).toMatchObject({ keys: [{ kind: 'history-lost' }] })
  const merge = { ...plan, op: 'merge', id: 'm1', keys: ['sound'] }
  expect(await packs.stage.run(merge)).toMatchObject({ status: 'committed', counts: { written: 1 } })
  expect((await packs.batches('P')).some((bytes) => bytes.includes('{"x":0,"y":1}'))).toBe(true)
})

test('a branch whose parent is gone reads what it shares of its packs', async () => {
  await using packs = await Packs.open()
  await packs.create('P')
  const sent = await packs.revise('P', 'k', 50, { atOnce: 5 })
  await packs.packed()
  await packs.stage.fork('P', 'C', { 'branch.at': 'offset:33' })
  await packs.stage.admin.deleteTopics({ topics: ['P'] })
  expect(await packs.read('C', 33)).toEqual(sent.slice(0, 33))
  const value = revisionOf('k', 99)
  expect(await packs.produce('C', encodeBatch({ records: [{ key: 'k', value, timestamp: 1 }] }))).toMatchObject({
    baseOffset: 33,
  })
  expect((await packs.read('C', 34)).at(-1)).toMatchObject({ offset: 33, value })
})

test('a branch that is cut behind revisions that the keep rule took ends with its last record, and consumers reach its end', async () => {
  await using packs = await Packs.open(new OutlivingStore())
  await packs.create('P', { 'revision.keep': 'last:1' })
  for (let i = 0; i < 10; i++) await packs.send('P', [{ key: i < 3 ? `once-${i}` : 'often', value: `${i}` }])
  while ((await packs.batches('P')).length > 4) await packs.packed()
  // Of 0 to 9 there are 0, 1, 2 and 9, so 7 is behind a hole.
  await packs.stage.commit('g', 'P', 5)
  await packs.stage.fork('P', 'C', { 'branch.at': 'offset:7', 'branch.groups': 'copy' })
  expect(await packs.stage.ends('C')).toEqual([{ low: 0, high: 3 }])
  expect((await packs.stage.branchConfigs('C'))['branch.offsets']).toBe('0=3')
  const [committed] = await packs.stage.admin.fetchOffsets({ groupId: 'g', topics: ['C'] })
  expect(committed!.partitions).toMatchObject([{ offset: '3' }])
  const planned = await packs.stage.run({ op: 'fork', id: 'f1', from: 'P', to: 'D', at: 'offset:7', dryRun: true })
  expect(planned.topics![0]!.partitions).toMatchObject([{ from: 0, to: 3 }])
  const keys = ['once-0', 'once-1', 'once-2', 'own', 'own']
  for (const own of [3, 4]) {
    expect(await packs.stage.send('C', [{ key: 'own', value: `${own}` }])).toBe(own)
    expect((await packs.read('C', own + 1)).map(({ key }) => key)).toEqual(keys.slice(0, own + 1))
    await packs.stage.restart()
  }
  await packs.stage.fork('C', 'E', { 'branch.at': 'offset:4' })
  await packs.stage.restart()
  expect(await packs.stage.ends('E')).toEqual([{ low: 0, high: 4 }])
  expect((await packs.read('E', 4)).map(({ key }) => key)).toEqual(keys.slice(0, 4))
  expect(checkStore(packs.store).findings.filter(({ kind }) => kind === 'damage')).toEqual([])
})

test('numbers go on where a fast-forward comes to a target that has let its first records go', async () => {
  await using packs = await Packs.open()
  // Every record in a file of its own, and none of them packed.
  await packs.create('P', { 'revision.pack.lag.ms': 3_600_000 })
  await packs.revise('P', 'k', 5, { atOnce: 1 })
  await packs.stage.fork('P', 'C')
  await trim(packs.stage, 'P', 3)
  await packs.revise('C', 'k', 1, { from: 6 })
  const forward = { op: 'merge', id: 'm1', from: 'C', into: 'P', strategy: 'fast-forward' }
  expect(await packs.stage.run(forward)).toMatchObject({ status: 'committed' })
  expect((await packs.stage.ends('P'))[0]).toEqual({ low: 3, high: 6 })
  await packs.stage.create('P-list', -1, { 'view.of': 'P', 'view.kind': 'list', 'view.key': 'k' })
  const told = await packs.read('P-list', 3)
  expect(told.map(({ value }) => (JSON.parse(value!) as { rev: number }).rev)).toEqual([4, 5, 6])
})
