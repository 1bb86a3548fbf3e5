// One bit turned over in one file of a broker's, of whatever kind: a client is given what was written or is told that it is not, nobody
// else notices, and whoever runs the broker is told the file.

import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Corruption } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import { Broker } from '../../src/embedded.ts'
import type { FaultyStore } from '../../src/storage/faulty-file.ts'
import { numbersFrom } from '../crash/world.ts'
import { config, type Furnished, furnish, namesIn, type Picture, pictureOf, type Told } from './furnished.ts'

const seed = Number(process.env['TWIGLOG_SEED'] ?? Date.now() % 1_000_000)
const soakSeconds = Number(process.env['TWIGLOG_SOAK_SECONDS'] ?? 0)

const said: string[] = []
beforeEach(() => {
  said.length = 0
  vi.spyOn(console, 'error').mockImplementation((...words: unknown[]) => {
    said.push(words.map((word) => (typeof word === 'string' ? word : inspect(word))).join(' '))
  })
})
afterEach(() => {
  vi.restoreAllMocks()
})

type Ending = keyof Furnished
type Flip = { readonly path: string; readonly at: number; readonly bit: number }

/** One set of files for all. */
const furnished = furnish()

const kindOf = (path: string): string =>
  path
    .replace(/^topics\/[^/]+\/\d+/, 'topic')
    .replace(/\d{20}/, 'N')
    .replace(/^topic\.N/, 'shared N')

const same = (a: Told | undefined, b: Told | undefined): boolean => JSON.stringify(a) === JSON.stringify(b)

/** What is seen after a flip, or why the broker does not start. */
async function seenAfter(base: FaultyStore, flip?: Flip): Promise<Picture | Error> {
  const store = base.after('kill')
  if (flip !== undefined) store.flip(flip.path, flip.at, flip.bit)
  let broker: Broker
  try {
    broker = await Broker.start({ storage: store, config })
  } catch (cause) {
    return cause as Error
  }
  try {
    return await pictureOf(broker.bootstrapServers)
  } finally {
    await broker.stop().catch(() => {})
  }
}

/** Whose files these are, with those who share them or show what is in them. */
function mayNotice(path: string, name: string, ids: ReadonlyMap<string, string>): boolean {
  const [, id = '', partition] = /^topics\/([^/]+)\/(\d+)/.exec(path) ?? []
  const topic = ids.get(id)
  if (topic === undefined) return false
  if (name.startsWith('group ')) return topic === '__consumer_offsets'
  const family = topic.startsWith('plain')
    ? ['plain', 'plain--try']
    : topic === 'docs'
      ? ['docs', 'docs-list']
      : [topic]
  return family.some((one) => name === `${one}-${partition}`)
}

/** After a kill a last batch that is damaged cannot be told from one that was being written. */
function looksTorn(base: FaultyStore, { path, at }: Flip): boolean {
  const logs = namesIn(base).filter((name) => name.endsWith('.log'))
  const bytes = base.load(path)!
  const folderOf = (name: string) => name.slice(0, name.lastIndexOf('/') + 1)
  const isLast = (name: string) => !logs.some((other) => folderOf(other) === folderOf(name) && other > name)
  // A branch has other names for its parent's files.
  const isOther = (name: string) => name.slice(-24) === path.slice(-24) && base.load(name)!.equals(bytes)
  return logs.some((name) => isOther(name) && isLast(name)) && at >= ([...batch.iterateBatches(bytes)].at(-1) ?? 0)
}

/**
 * Of a transaction whose last word is torn it is known that it was decided, and not that it is over: its markers are written once more,
 * as after a kill in between. They are no records, but they have offsets.
 */
function isMarkedAgain(before: Told | undefined, now: Told | undefined): boolean {
  if (before === undefined || now === undefined || !('records' in before) || !('records' in now)) return false
  return JSON.stringify(before.records.slice(1)) === JSON.stringify(now.records.slice(1))
}

/** At which offset a batch stands is outside of its checksum, as in Kafka; it is looked at only where a read begins (docs/guarantees.md). */
function isOutsideOfChecksum(base: FaultyStore, { path, at }: Flip): boolean {
  if (!path.endsWith('.log')) return false
  const starts = [...batch.iterateBatches(base.load(path)!)]
  return starts.some((start) => start > 0 && at >= start && at < start + baseOffsetBytes)
}
const baseOffsetBytes = 8

type Case = { readonly ending: Ending; readonly base: FaultyStore; readonly whole: Picture }

async function judge({ ending, base, whole }: Case, flip: Flip): Promise<string | undefined> {
  said.length = 0
  const seen = await seenAfter(base, flip)
  const { path } = flip
  const isTorn = ending === 'killed' && path.endsWith('.log') && looksTorn(base, flip)
  const isUnchecked = isOutsideOfChecksum(base, flip)
  if (seen instanceof Error) {
    const isNamed = seen instanceof Corruption && seen.message.includes('metadata')
    return path.startsWith('metadata/') && isNamed ? undefined : `does not start: ${seen.stack}`
  }
  if (isTorn && path.startsWith('metadata/')) return undefined
  for (const name of new Set([...whole.told.keys(), ...seen.told.keys()])) {
    const told = seen.told.get(name)
    if (same(whole.told.get(name), told)) continue
    const isOfTransactions = whole.ids.get(path.split('/')[1] ?? '') === '__transaction_state'
    if (isTorn && isOfTransactions && isMarkedAgain(whole.told.get(name), told)) continue
    if (!mayNotice(path, name, whole.ids)) return `${name} noticed it: ${JSON.stringify(told)}`
    if (isUnchecked) continue
    if (told === undefined || 'stuck' in told) return `${name}: ${JSON.stringify(told)}`
    if ('damaged' in told && path.endsWith('.log')) continue
    if ('refused' in told) {
      if (!/^(KAFKA_STORAGE_ERROR|CORRUPT_MESSAGE|COORDINATOR_NOT_AVAILABLE)$/.test(told.refused)) return told.refused
      // A branch names the same file by its own name of it.
      const file = path.slice(path.lastIndexOf('/') + 1).replace(/^\d+\.(?=\d{20})/, '')
      if (!said.some((words) => words.includes(file))) return `${name}: ${told.refused}, and nobody says why: ${said}`
      continue
    }
    if (!isTorn) return `${name} shows something else: ${JSON.stringify(told)}`
  }
  return undefined
}

function* drawn(base: FaultyStore, draw: () => number): Generator<Flip> {
  const byKind = new Map<string, string[]>()
  for (const path of namesIn(base)) byKind.set(kindOf(path), [...(byKind.get(kindOf(path)) ?? []), path])
  const whole = (below: number) => Math.floor(draw() * below)
  for (const [kind, paths] of byKind) {
    // Headers are where most can go wrong.
    for (let i = 0; i < (kind.endsWith('.log') ? 6 : 2); i++) {
      const path = paths[whole(paths.length)]!
      const size = base.sizeOf(path)
      yield { path, at: whole(i % 2 === 0 ? Math.min(size, 61) : size), bit: whole(8) }
    }
  }
}

describe.each(['stopped', 'killed'] as const)('a bit that is turned over in a broker that was %s', (ending) => {
  test('is not seen, or told to those who ask for just that, with the file named', {
    timeout: 600_000 + soakSeconds * 1000,
  }, async () => {
    const { [ending]: base } = await furnished
    const whole = await seenAfter(base)
    if (whole instanceof Error) throw whole
    expect(whole.told.size).toBeGreaterThan(8)
    const end = performance.now() + (soakSeconds * 1000) / 2
    let count = 0
    for (let round = 0; round === 0 || performance.now() < end; round++) {
      const draw = numbersFrom(seed + round)
      for (const flip of drawn(base, draw)) {
        const problem = await judge({ ending, base, whole }, flip)
        count++
        expect.soft(problem, `TWIGLOG_SEED=${seed + round}: ${JSON.stringify(flip)}`).toBeUndefined()
      }
    }
    expect(count).toBeGreaterThan(30)
  })
})
