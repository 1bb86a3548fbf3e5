// What a partition knows of its revisions, held against a model that remembers all of them (R6, R29, R33 and §2.1).

import { describe, expect, test } from 'vitest'
import type { CodecName } from '../../protocol/records/compression.ts'
import { hashKey, type KeyHash } from '../../src/revision/key-hash.ts'
import type { Selection } from '../../src/revision/selection.ts'
import type { ViewConfig } from '../../src/revision/view-config.ts'
import { drawing } from './delta-pairs.ts'
import { Lasting, newestOf, oddRecord, pointersOfAll, selectionIn } from './lasting.ts'
import { type Given, RevisionWorld } from './revision-world.ts'

type Draw = ReturnType<typeof drawing>

const keys = ['a', 'b', 'c', 'd', 'e', 'long'.repeat(20)]
const codecs: CodecName[] = ['none', 'none', 'none', 'gzip', 'snappy', 'lz4', 'zstd']

function recordOf(draw: Draw): { key: string | null; value: string | null } {
  const choice = draw(12)
  const value =
    choice === 0
      ? null
      : choice === 1
        ? ''
        : choice === 2
          ? 'no json'
          : JSON.stringify({ s: draw(3), pad: 'p'.repeat(draw(60)) })
  return { key: draw(15) === 0 ? null : keys[draw(keys.length)]!, value }
}

/** Two bits of the key: most keys meet. */
const poorHash: KeyHash = (bytes, start) => bytes[start]! & 3

const shown = (selection: Selection, from: number): number[] => {
  const found: number[] = []
  for (let at = selection.next(from); at !== undefined; at = selection.next(at + 1)) found.push(at)
  return found
}

function select(world: RevisionWorld, view: Partial<ViewConfig>): Selection {
  const selection = selectionIn(world.revisions, view)
  while (selection.advance(1000));
  return selection
}

function check(world: RevisionWorld, draw: Draw): void {
  const { revisions, visible } = world
  const from = world.log.logStartOffset
  for (const key of keys) {
    const own = visible.filter((of) => of.key === key)
    const told = revisions.of(Buffer.from(key))
    const expected = own.map(({ rev, offset, timestamp, value }) => {
      return { rev, offset, timestamp, size: value?.length ?? 0, isTombstone: value === null }
    })
    expect(
      told.map(({ rev, offset, timestamp, size, format }) => ({
        rev,
        offset,
        timestamp,
        size,
        isTombstone: format === 'tombstone',
      })),
    ).toEqual(expected)
    const below = draw(world.log.logEndOffset + 2)
    expect(revisions.newest(Buffer.from(key), below)?.rev).toBe(own.findLast(({ offset }) => offset < below)?.rev)
    const ofKey = select(world, { key: Buffer.from(key) })
    expect(shown(ofKey, from)).toEqual(own.map(({ offset }) => offset))
  }
  for (const { offset, key, value, timestamp } of visible) {
    const record = revisions.read(offset)
    expect({
      key: String(record?.key),
      value: record?.value?.toString() ?? null,
      timestamp: record?.timestamp,
    }).toEqual({ key, value, timestamp })
  }
  const all = select(world, {})
  expect(shown(all, from)).toEqual(visible.map(({ offset }) => offset))
  // What lies below the log start may be known yet, or not.
  const last = world.known.at(-1)?.offset ?? -1
  if (last >= from) expect(all.last).toBe(last)
  expect(shown(select(world, { kind: 'state' }), from)).toEqual(
    newestOf(world.known).filter((offset) => offset >= from),
  )
  const bound = from + draw(Math.max(1, world.stable - from + 1))
  const state = select(world, { kind: 'state', below: () => bound })
  expect(shown(state, from)).toEqual(
    newestOf(world.known.filter(({ offset }) => offset < bound)).filter((offset) => offset >= from),
  )
  const scalar = draw(3)
  const matching = visible.filter(({ value }) => value?.startsWith(`{"s":${scalar}`))
  const where = select(world, { where: { pointer: '/s', scalar } })
  expect(shown(where, from)).toEqual(matching.map(({ offset }) => offset))
}

async function play(seed: number): Promise<void> {
  const draw = drawing(seed)
  const pointers = draw(2) === 0 ? ['/s'] : []
  await live(seed, draw, 60, pointers, recordOf, () => {}, check)
}

/** The same with views that stay while it goes on. */
async function playLasting(seed: number): Promise<void> {
  const draw = drawing(seed)
  const pointers = pointersOfAll.filter(() => draw(3) > 0)
  const views = new Map<RevisionWorld, Lasting>()
  const viewsOf = (world: RevisionWorld): Lasting => {
    const known = views.get(world) ?? new Lasting(world, draw)
    views.set(world, known)
    return known
  }
  const look = (world: RevisionWorld) => viewsOf(world).look()
  await live(seed, draw, 25, pointers, oddRecord, look, (world) => viewsOf(world).check())
}

async function live(
  seed: number,
  draw: Draw,
  steps: number,
  pointers: readonly string[],
  recordOf: (draw: Draw) => Given,
  look: (world: RevisionWorld) => void,
  check: (world: RevisionWorld, draw: Draw) => void,
): Promise<void> {
  const root = new RevisionWorld({ segmentBytes: 300 + draw(1500) }, seed % 2 === 0 ? hashKey : poorHash, pointers)
  const codec = codecs[draw(codecs.length)]!
  const worlds = [root]
  let nextProducer = 1
  for (let step = 0; step < steps; step++) {
    const choice = draw(21)
    const world = worlds[draw(worlds.length)]!
    const open = world.openProducers
    if (choice === 20 && worlds.length < 4) {
      const { logStartOffset, logEndOffset } = world.log
      const at = logStartOffset + draw(logEndOffset - logStartOffset + 1)
      // What is deleted was decided.
      const deletable = Math.max(0, Math.min(at, world.stable) - logStartOffset)
      worlds.push(world.fork(at, draw(3) === 0 ? logStartOffset + draw(deletable + 1) : 0))
      continue
    }
    if (choice < 11)
      world.write(
        Array.from({ length: 1 + draw(4) }, () => recordOf(draw)),
        codec,
      )
    else if (choice < 13) {
      const producer = open.length > 0 && draw(2) === 0 ? open[draw(open.length)]! : nextProducer++
      world.write(
        Array.from({ length: 1 + draw(3) }, () => recordOf(draw)),
        codec,
        producer,
      )
    } else if (choice < 16 && open.length > 0) world.end(open[draw(open.length)]!, draw(2) === 0 ? 'COMMIT' : 'ABORT')
    else if (choice === 16)
      world.trim(
        world.log.logStartOffset + draw(Math.max(1, Math.floor((world.stable - world.log.logStartOffset) / 2))),
      )
    else if (choice === 17) await world.reopen()
    else if (choice === 18) {
      await world.log.flush()
      const { packable } = world.log
      if (packable.length > 0) {
        const first = draw(packable.length)
        await world.pack(packable.slice(first, first + 1 + draw(3)), () => draw(4) === 0)
      }
    } else world.revisions.catchUp()
    look(world)
    if (draw(5) === 0) check(world, draw)
  }
  for (const world of worlds) check(world, draw)
  for (const world of worlds) {
    await world.reopen()
    check(world, draw)
  }
}

async function eachSeed(count: number, run: (seed: number) => Promise<void>): Promise<void> {
  const soakMs = 1000 * Number(process.env['TWIGLOG_SOAK_SECONDS'] ?? 0)
  const until = Date.now() + soakMs
  const first = Number(process.env['TWIGLOG_SEED'] ?? Math.floor(Math.random() * 2 ** 30))
  console.log(`seed ${first}`)
  for (let seed = first; seed < first + count || Date.now() < until; seed++) {
    try {
      await run(seed)
    } catch (cause) {
      throw new Error(`seed ${seed}`, { cause })
    }
  }
}

/**
 * A fork at the log start that cut a batch in two: its first file went with the next start, and what it counted with it. And a log
 * that was forked, took what it had counted for the fork for gone, and packed without it. And a note of a cut that said less than the
 * one in front of it, and counted as the newest on a fork between the two. And a note of what a keep rule had taken, which went with
 * what was deleted below it. And the target of a fast-forward, whose past was deleted.
 */
const failedOnce = [390754038, 675718, 752338828, 418188084, 418187756]

const soaks = 1000 * Number(process.env['TWIGLOG_SOAK_SECONDS'] ?? 0)

describe('the index of a partition', () => {
  test(
    'R6, R23, R29, R33: knows what a model knows: transactions, packs, keep rules, retention, starts, forks, keys whose hashes meet',
    async () => {
      for (const seed of failedOnce) await play(seed)
      await eachSeed(500, play)
    },
    300_000 + 2 * soaks,
  )

  test(
    'is shown as it is by views that have looked at it before: what was packed, thinned and deleted since, and JSON however it is written',
    () => eachSeed(500, playLasting),
    300_000 + 2 * soaks,
  )
})
