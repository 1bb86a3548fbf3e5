// Random histories of a log with kills, power cuts and restarts anywhere in them, each held against what clients were told.

import fc from 'fast-check'
import { test } from 'vitest'
import type { CodecName } from '../../protocol/records/compression.ts'
import { numbersFrom, World } from './world.ts'

type Step =
  | { do: 'append'; producer: number; sizes: number[]; codec: CodecName; epoch: number }
  | { do: 'end'; producer: number; marker: 'COMMIT' | 'ABORT' }
  | { do: 'refuse' | 'flush' | 'roll' | 'restart' }
  | { do: 'delete'; share: number }
  | { do: 'retain'; passMs: number }
  /** In the middle of an append: `torn` of its bytes are there. */
  | { do: 'kill'; torn: number; ahead: number }
  /** In the middle of something else: at the n-th change of the disk. */
  | { do: 'kill at'; change: number }
  | { do: 'power cut'; seed: number; kept: number }

/** Producers from here on write in transactions. */
const firstTransactional = 3

const append: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('append' as const),
  producer: fc.nat({ max: 5 }),
  sizes: fc.array(fc.nat({ max: 90 }), { minLength: 1, maxLength: 4 }),
  codec: fc.constantFrom('none', 'none', 'gzip', 'zstd', 'lz4', 'snappy'),
  epoch: fc.nat({ max: 5 }),
})
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 14, arbitrary: append },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      producer: fc.integer({ min: firstTransactional, max: 5 }),
      marker: fc.constantFrom('COMMIT', 'ABORT'),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('refuse', 'flush', 'flush', 'roll', 'restart') }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('delete' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('retain' as const), passMs: fc.nat({ max: 8000 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('kill' as const), torn: fc.nat({ max: 400 }), ahead: fc.nat({ max: 200 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill at' as const), change: fc.nat({ max: 6 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('power cut' as const),
      seed: fc.nat(),
      kept: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
)

class Killed extends Error {}

/** Runs a task and dies in it. */
async function dieIn(
  world: World,
  at: (operation: string) => boolean,
  task: () => Promise<void> | void,
): Promise<void> {
  const { store } = world
  let died = false
  store.fault = (operation) => {
    died ||= operation !== 'read' && at(operation)
    if (died) throw new Killed()
    return undefined
  }
  try {
    await task()
  } catch (cause) {
    if (!(cause instanceof Killed)) throw cause
  }
  if (!died) store.fault = () => undefined
}

async function take(world: World, next: Step): Promise<void> {
  switch (next.do) {
    case 'append': {
      world.now += 500
      const isTransactional = next.producer >= firstTransactional
      world.append({ ...next, isTransactional, values: next.sizes.map((size) => world.value(size)) })
      return
    }
    case 'end':
      world.now += 100
      return world.end(next.producer, next.marker)
    case 'refuse':
      return world.refuse()
    case 'flush':
      return world.flush()
    case 'roll':
      world.log.roll()
      return
    case 'restart':
      return world.restart()
    case 'delete':
      return world.deleteBelow(world.model.start + Math.round(next.share * (world.model.end - world.model.start)))
    case 'retain':
      world.now += next.passMs
      return world.retain(world.now)
    case 'kill':
      await dieIn(
        world,
        (operation) => operation === (next.torn % 2 === 0 ? 'commit' : 'staged'),
        () => {
          const producer = next.torn % 6
          const isTransactional = producer >= firstTransactional
          if (next.ahead % 3 === 0) world.end(producer, next.torn % 4 < 2 ? 'ABORT' : 'COMMIT')
          world.append({ values: [world.value(next.torn % 90), 'x'], producer, isTransactional })
        },
      )
      return world.kill(next.torn, next.ahead)
    case 'kill at': {
      let left = next.change
      const isDue = (operation: string) => operation !== 'stage' && operation !== 'flush' && left-- <= 0
      world.now += 6000
      await dieIn(world, isDue, () => world.retain(world.now))
      await dieIn(world, isDue, () => world.restart())
      return world.kill()
    }
    case 'power cut': {
      const chance = numbersFrom(next.seed)
      return world.powerCut(() => chance() < next.kept)
    }
  }
}

const { TWIGLOG_SEED, TWIGLOG_SOAK_SECONDS } = process.env
const seed = Number(TWIGLOG_SEED ?? Date.now() % 1_000_000_000)
const soakMs = TWIGLOG_SOAK_SECONDS === undefined ? undefined : Number(TWIGLOG_SOAK_SECONDS) * 1000

const noted = (producer: number, ...sizes: number[]): Step => ({
  do: 'append',
  producer,
  sizes,
  codec: 'none',
  epoch: 0,
})
const kill: Step = { do: 'kill', torn: 0, ahead: 0 }
const powerCut: Step = { do: 'power cut', seed: 0, kept: 0 }

/** What was found once, played first every time. */
const found: Step[][] = [
  // The last files went at a start after a kill, on the word of a note that no power cut leaves.
  [noted(0, 0), { do: 'retain', passMs: 5001 }, kill, { do: 'restart' }, powerCut],
  // The same, where the name of that note had not come to stable storage before the kill.
  [noted(0, 0), { do: 'roll' }, kill, { do: 'kill at', change: 5 }, { do: 'restart' }, powerCut, noted(0, 0)],
  // A snapshot that had come there told of a transaction whose end had gone with the files behind it.
  [noted(3, 3, 5, 76, 6), noted(0, 15, 0, 27), noted(4, 7, 50, 39, 13)].concat(
    [{ do: 'kill at', change: 3 }, powerCut, { do: 'kill at', change: 1 }, noted(0, 0), powerCut, { do: 'refuse' }],
    [noted(0, 0), { do: 'delete', share: 0 }],
  ),
]

/** As many histories as ever, or as many as there is time for. */
const extent =
  soakMs === undefined ? { numRuns: 1500 } : { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: soakMs }

// The seed stands in the name: a run that takes too long tells nothing else.
test(`random histories with kills and power cuts keep every promise, seed ${seed}`, {
  timeout: (soakMs ?? 0) + 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
      const world = new World({ segmentBytes: 800, indexIntervalBytes: 150, retentionMs: 5000 })
      for (const next of steps) await take(world, next)
      await world.restart()
    }),
    { ...extent, seed, examples: found.map((steps): [Step[]] => [steps]) },
  )
})
