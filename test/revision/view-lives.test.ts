// What is known of revisions outlives packs, starts, retention and forks; and what a view reads of packs is no more than it shows.

import { expect, test, vi } from 'vitest'
import { DamagedRecords } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { readRecords } from '../../protocol/records/record.ts'
import { LongDeltas } from '../../src/revision/long-deltas.ts'
import { WholeSelection } from '../../src/revision/selection.ts'
import { readPage } from '../../src/revision/view-page.ts'
import { ViewRecords } from '../../src/revision/view-records.ts'
import { selectionOf } from '../../src/revision/view-selection.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import { CountingStore } from './counting-store.ts'
import { Packs } from './packs.ts'
import { RevisionWorld } from './revision-world.ts'
import { type Read, Stage, trim, view } from './stage.ts'

const text = (of: unknown) => (of === null || of === undefined ? null : String(of))
const revsOf = (records: readonly Read[]) => records.map(({ headers, value }) => [text(headers?.['rev']), text(value)])
const values = (from: number, to: number, what = 'v') =>
  Array.from({ length: to - from + 1 }, (_, i) => ({ key: 'k', value: `${what}${from + i}` }))
const told = (from: number, to: number, what = 'v') =>
  Array.from({ length: to - from + 1 }, (_, i) => [`${from + i}`, `${what}${from + i}`])

test('R21: a view of one key reads the blocks of that key, and of no other', async () => {
  const store = new CountingStore()
  const world = new RevisionWorld({ segmentBytes: 1 << 24 }, undefined, [], { store })
  // Nothing in them repeats, so that they take as much as they are.
  const noise = () => Array.from({ length: 500 }, () => Math.random().toString(36).slice(2)).join('')
  for (let i = 0; i < 40; i++) {
    world.write(Array.from({ length: 20 }, (_, key) => ({ key: `key-${key}`, value: `${key}:${i}:${noise()}` })))
  }
  world.log.roll()
  world.write([{ key: 'last', value: '' }])
  await world.log.flush()
  await world.pack(world.log.packable)
  await world.reopen()
  const { revisions } = world
  const size = store.sizeOf(
    store.list('topics/t/0').flatMap((name) => (name.endsWith('.pack') ? [`topics/t/0/${name}`] : []))[0]!,
  )
  store.packBytesRead = 0
  const found = revisions
    .of(Buffer.from('key-7'))
    .map(({ offset }) => String(revisions.read(offset)!.value).slice(0, 4))
  expect(found).toHaveLength(40)
  expect(found.every((value) => value.startsWith('7:'))).toBe(true)
  expect(size).toBeGreaterThan(2_000_000)
  // A twentieth of the values is the key's; blocks are cut at 64 KiB.
  expect(store.packBytesRead).toBeLessThan(size / 5)
})

test('R29: keys whose hashes are equal never mix, in packs and beside them', async () => {
  const world = new RevisionWorld({ segmentBytes: 400 }, () => 7)
  const keys = ['one', 'two', 'three', 'four']
  const check = () => {
    for (const key of keys) {
      const expected = world.visible.filter((of) => of.key === key)
      const { revisions } = world
      expect(revisions.of(Buffer.from(key)).map(({ rev, offset }) => [rev, offset])).toEqual(
        expected.map(({ rev, offset }) => [rev, offset]),
      )
      for (const { offset, value } of expected) expect(text(revisions.read(offset)!.value)).toBe(value)
      expect(revisions.newest(Buffer.from('nobody'))).toBe(undefined)
    }
  }
  for (let i = 0; i < 60; i++) world.write([{ key: keys[(i * 7) % 4]!, value: `${i}` }])
  check()
  await world.log.flush()
  await world.pack(world.log.packable.slice(0, 3))
  check()
  await world.reopen()
  check()
  for (let i = 60; i < 80; i++) world.write([{ key: keys[i % 3]!, value: `${i}` }])
  check()
})

test('numbers never restart: after retention, a start and in a branch they go on where they were', async () => {
  await using stage = await Stage.open({ onDisk: true })
  await stage.create('docs', 1, { 'revision.diff': true, 'segment.ms': 1 })
  await stage.send('docs', values(1, 5))
  await stage.send('docs', values(6, 10))
  await stage.send('docs', [{ key: 'other', value: 'x' }])
  await stage.send('docs', [{ key: 'last', value: 'y' }])
  await trim(stage, 'docs', 11)
  await stage.fork('docs', 'docs--try')
  await stage.send('docs', values(11, 12))
  await stage.send('docs--try', values(11, 11, 'child '))
  await stage.restart()
  await stage.send('docs', values(13, 13))
  await view(stage, 'docs', 'history', 'docs-k', { 'view.key': 'k' })
  expect(revsOf(await stage.read('docs-k', 3))).toEqual(told(11, 13))
  await view(stage, 'docs--try', 'history', 'docs--try-k', { 'view.key': 'k' })
  expect(revsOf(await stage.read('docs--try-k', 1))).toEqual(told(11, 11, 'child '))
})

test('views of a packed topic show what they showed before, also when it is packed under a reader', async () => {
  await using packs = await Packs.open()
  const { stage } = packs
  await packs.create('docs', { 'revision.index.json': '/rev' })
  await view(stage, 'docs', 'history', 'docs-history')
  await view(stage, 'docs', 'diff', 'docs-diff')
  await view(stage, 'docs', 'state', 'docs-state')
  await view(stage, 'docs', 'list', 'docs-five', { 'view.where': '/rev=5' })
  await packs.revise('docs', 'a', 120, { atOnce: 10 })
  await packs.revise('docs', 'b', 60, { atOnce: 10 })
  const shot = async () => ({
    history: revsOf(await stage.read('docs-history', 180)),
    diff: (await stage.read('docs-diff', 180)).map(({ offset, value, headers }) => [
      offset,
      text(value),
      text(headers?.['rev.base']),
    ]),
    state: (await stage.read('docs-state', 2)).map(({ offset, value }) => [offset, text(value)]),
    five: (await stage.read('docs-five', 2)).map(({ offset }) => offset),
  })
  const before = await shot()
  await packs.packed()
  expect(await shot()).toEqual(before)
})

test('a view of a compacted topic reads to its end, whatever compaction takes', async () => {
  await using stage = await Stage.open()
  await stage.create('compacted', 1, { 'cleanup.policy': 'compact' })
  await stage.send('compacted', [
    { key: 'a', value: '1' },
    { key: 'b', value: '1' },
    { key: 'a', value: '2' },
  ])
  for (const kind of ['state', 'history', 'list']) await view(stage, 'compacted', kind, `compacted-${kind}`)
  expect((await stage.read('compacted-state', 2)).map(({ offset, value }) => [offset, text(value)])).toEqual([
    ['1', '1'],
    ['2', '2'],
  ])
  expect(revsOf(await stage.read('compacted-history', 3))).toEqual([
    ['1', '1'],
    ['1', '1'],
    ['2', '2'],
  ])
  expect(await stage.ends('compacted-list')).toEqual([{ low: 0, high: 3 }])
})

test('R28: a start leaves the index to those who ask for it, and the hot end is read without it', async () => {
  const world = new RevisionWorld({ segmentBytes: 1 << 22 })
  for (let i = 0; i < 200; i++) {
    world.write(Array.from({ length: 100 }, (_, key) => ({ key: `key-${i * 100 + key}`, value: 'v'.repeat(50) })))
  }
  await world.reopen()
  const index = world.index
  // Nothing was looked at for the sake of a start, or of a read of the log.
  world.log.read(world.log.logEndOffset - 1, 1000, world.log.logEndOffset, true).release()
  const first = index.indexedOffset
  expect(first).toBe(0)
  let slices = 0
  for (let before = -1; index.catchUp(); slices++) {
    expect(index.indexedOffset).toBeGreaterThan(before)
    before = index.indexedOffset
  }
  // Many small looks, between which others have their turn.
  expect(slices).toBeGreaterThan(5)
  expect(index.newest(Buffer.from('key-19999'))?.rev).toBe(1)
})

test('an index that compaction has made old is replaced by one that knows what is left', async () => {
  const world = new RevisionWorld({ segmentBytes: 300, compacts: true, deletes: false, needsKeys: false })
  for (let i = 0; i < 60; i++) world.write([{ key: `k${i % 3}`, value: `${i}` }])
  const before = world.revisions
  expect(before.of(Buffer.from('k0')).length).toBe(20)
  await world.log.flush()
  await world.log.compact(world.now)
  expect(before.isOutdated).toBe(true)
  while (world.revisions === before) await new Promise((resolve) => setImmediate(resolve))
  const { revisions, log } = world
  const left = revisions.of(Buffer.from('k0')).map(({ offset }) => offset)
  expect(left.length).toBeLessThan(20)
  expect(left.every((offset) => revisions.read(offset) !== undefined)).toBe(true)
  expect(revisions.newest(Buffer.from('k0'))?.offset).toBe(57)
  expect(log.compactedOffset).toBeGreaterThan(0)
})

test('R20: what a pack says of a filter is looked at a slice at a time, also when the pack is packed anew meanwhile', async () => {
  const world = new RevisionWorld({ segmentBytes: 1 << 24 }, undefined, ['/s'])
  for (let i = 0; i < 50; i++) {
    world.write(Array.from({ length: 20 }, (_, n) => ({ key: `k${n}`, value: `{"s":${n % 2},"i":${i}}` })))
  }
  world.log.roll()
  world.write([{ key: 'last', value: '{}' }])
  await world.log.flush()
  await world.pack(world.log.packable)
  const config = { of: 't', kind: 'history', below: () => Infinity, key: undefined, ttlMs: -1 } as const
  const selection = selectionOf(world.revisions, { ...config, where: { pointer: '/s', scalar: 1 } }, 0)
  let slices = 0
  for (; selection.advance(10_000); slices++) {
    if (slices === 3) await world.pack(world.log.packable)
  }
  expect(slices).toBeGreaterThan(5)
  const found: number[] = []
  for (let at = selection.next(0); at !== undefined; at = selection.next(at + 1)) found.push(at)
  expect(found).toEqual(Array.from({ length: 1000 }, (_, i) => i).filter((i) => i % 2 === 1))
})

test('a view of deltas reads no more the tenth time than the first', () => {
  const world = new RevisionWorld({ segmentBytes: 1 << 25 })
  for (let i = 0; i < 5; i++) world.write([{ key: 'k', value: `${i}`.repeat(250_000) }])
  const { revisions } = world
  const reads = vi.spyOn(revisions, 'read')
  const records = new ViewRecords(revisions, 'diff', () => 1 << 24)
  const counts = Array.from({ length: 10 }, () => {
    reads.mockClear()
    for (let offset = 0; offset < 5; offset++) records.at(offset)
    return reads.mock.calls.length
  })
  expect(counts).toEqual(counts.map(() => 5))
})

test('a delta of long values is made when somebody asked for it, and again where the value before it is gone', async () => {
  const world = new RevisionWorld({ segmentBytes: 1 << 25 })
  for (let i = 0; i < 4; i++) world.write([{ key: 'k', value: `${i}:`.padEnd(600_000, 'some text ') }])
  const records = new ViewRecords(world.revisions, 'diff', () => 1 << 24)
  const format = (offset: number) => {
    const found = records.at(offset)
    if (typeof found !== 'object') return found
    return text(found.record.headers!.find(({ key }) => key === 'rev.format')!.value as Buffer)
  }
  expect(format(0)).toBe('full')
  expect([format(3), format(2)]).toEqual(['later', 'later'])
  // Who asked first is served first; he may come for it as often as he likes.
  await records.long.make(() => false)
  expect([format(3), format(3), format(2)]).toEqual(['vcdiff', 'vcdiff', 'later'])
  await records.long.make(() => true)
  expect(format(2)).toBe('later')
  await records.long.make(() => false)
  expect([format(2), format(3)]).toEqual(['vcdiff', 'vcdiff'])
  expect(records.long.get(3, 2)?.delta).toBeInstanceOf(Buffer)
  expect(records.long.get(3, 1)).toBeUndefined()
})

test('deltas of long values that nobody has come for make way for those of other views', async () => {
  const bytes = 20 * 1024 * 1024
  const longDeltas = () =>
    new LongDeltas(function* (offset) {
      yield
      return { base: offset - 1, delta: Buffer.alloc(bytes) }
    })
  const [some, others] = [longDeltas(), longDeltas()]
  const make = async (of: LongDeltas, offset: number) => {
    of.want(offset)
    await of.make(() => false)
    return of.get(offset, offset - 1)?.delta?.length
  }
  expect(await make(some, 7)).toBe(bytes)
  expect(await make(others, 7)).toBe(bytes)
  expect(some.get(7, 6)?.delta?.length).toBeUndefined()
  expect(others.get(7, 6)?.delta?.length).toBe(bytes)
})

test('R26: a view gives what lies in front of a damaged block, says so there, and goes on behind it', async () => {
  const store = new MemoryStore()
  const world = new RevisionWorld({ segmentBytes: 1 << 24 }, undefined, [], { store })
  const noise = () => Array.from({ length: 500 }, () => Math.random().toString(36).slice(2)).join('')
  for (let i = 0; i < 60; i++) world.write([{ key: `key-${i}`, value: `${i}:${noise()}` }])
  world.log.roll()
  world.write([{ key: 'last', value: '' }])
  await world.log.flush()
  await world.pack(world.log.packable)
  const [path] = store.list('topics/t/0').flatMap((name) => (name.endsWith('.pack') ? [`topics/t/0/${name}`] : []))
  const bytes = Buffer.from(store.load(path!)!)
  bytes[Math.floor(bytes.length / 2)]! ^= 1
  await world.log.close()
  store.save(path!, bytes, true)
  await world.reopen()
  const { revisions } = world
  const selection = new WholeSelection(revisions)
  const records = new ViewRecords(revisions, 'history', () => 1 << 20)
  const end = world.log.logEndOffset
  const found: number[] = []
  const damaged: number[] = []
  for (let from = 0; from < end; ) {
    const request = { from, end, bytesMax: 1 << 20, wholeFirst: true, kind: 'history', epochAt: () => 0 }
    try {
      const page = readPage(selection, records, request)
      for (const position of batch.iterateBatches(page)) {
        for (const { offset, value } of readRecords(page, position)) {
          found.push(offset)
          expect(text(value)).toBe(world.known[offset]!.value)
          from = offset + 1
        }
      }
    } catch (cause) {
      expect(cause).toBeInstanceOf(DamagedRecords)
      damaged.push(from++)
    }
  }
  expect(damaged.length).toBeGreaterThan(0)
  expect(damaged.length).toBeLessThan(30)
  expect([...found, ...damaged].sort((a, b) => a - b)).toEqual(world.known.map(({ offset }) => offset))
})

test('R26: a delta whose base is damaged is told as the whole value: who reads on has lost the base alone', async () => {
  const store = new MemoryStore()
  const world = new RevisionWorld({ segmentBytes: 1 << 24 }, undefined, [], { store })
  const noise = () => Array.from({ length: 200 }, () => Math.random().toString(36).slice(2)).join('')
  const bodies = Array.from({ length: 60 }, noise)
  const packAll = async (edition: string) => {
    for (const [i, body] of bodies.entries()) world.write([{ key: `key-${i}`, value: `${edition} ${body}` }])
    world.log.roll()
    world.write([{ key: 'last', value: '' }])
    await world.log.flush()
    await world.pack(world.log.packable.slice(-1))
  }
  await packAll('first')
  await packAll('second')
  const older = store
    .list('topics/t/0')
    .sort()
    .find((name) => name.endsWith('.pack'))
  const bytes = Buffer.from(store.load(`topics/t/0/${older}`)!)
  bytes[Math.floor(bytes.length / 2)]! ^= 1
  await world.log.close()
  store.save(`topics/t/0/${older}`, bytes, true)
  await world.reopen()
  const { revisions } = world
  const isThere = (offset: number): boolean => {
    try {
      return revisions.read(offset) !== undefined
    } catch {
      return false
    }
  }
  const records = new ViewRecords(revisions, 'diff', () => 1 << 20)
  const formats = new Map<boolean, Set<string>>([true, false].map((isBaseThere) => [isBaseThere, new Set()]))
  for (const { offset, value, key } of world.known.filter(({ value }) => value?.startsWith('second'))) {
    const { record } = records.at(offset) as Exclude<ReturnType<typeof records.at>, 'later' | undefined>
    const base = world.known.find((of) => of.key === key)!
    const format = String(record.headers?.find(({ key }) => key === 'rev.format')?.value)
    formats.get(isThere(base.offset))!.add(format)
    if (format === 'full') expect(text(record.value as Buffer)).toBe(value)
  }
  expect([...formats]).toEqual([
    [true, new Set(['vcdiff'])],
    [false, new Set(['full'])],
  ])
})

test('keep rules spare the record with which a view ends, so that its end never goes back', async () => {
  await using packs = await Packs.open()
  const { stage } = packs
  await packs.create('docs', { 'revision.keep': 'last:2', 'revision.index.json': '/state' })
  await view(stage, 'docs', 'history', 'docs-paid', { 'view.where': '/state=paid' })
  const send = (state: string, i: number) => packs.send('docs', [{ key: 'k', value: JSON.stringify({ state, i }) }])
  await send('paid', 0)
  await send('paid', 1)
  for (let i = 2; i < 20; i++) await send('open', i)
  await packs.send('docs', [{ key: 'end', value: '{}' }])
  const offsets = async () => (await packs.batches('docs')).map((one) => batch.baseOffset(one, 0))
  while ((await offsets()).length > 4) await packs.packed()
  expect(await offsets()).toEqual([1, 18, 19, 20])
  expect(await stage.ends('docs-paid')).toEqual([{ low: 0, high: 2 }])
  expect(revsOf(await stage.read('docs-paid', 1))).toEqual([['2', '{"state":"paid","i":1}']])
})
