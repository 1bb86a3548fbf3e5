// Records what clients and a broker say to each other, and plays it to two brokers whose answers must be the same:
//
//   node dist/test/tape.js record FILE [--set key=value]… -- COMMAND…     $BOOTSTRAP in COMMAND is the recorded broker
//   node dist/test/tape.js play FILE KAFKA OURS [--mutants N] [--seed S]  both HOST:PORT, fresh, with node.id 1
//
// What is not to differ must not be set otherwise: give Kafka compat/broker.ts's settings, group.initial.rebalance.delay.ms=0,
// group.(consumer|share).assignment.interval.ms=0 and group.(consumer|share).assignor.offload.enable=false; both the same
// number of partitions of internal topics. Two Kafkas played against each other show what is chance.
//
// Ends with `N answers, N differences, N accepted`, and a status of 1 where a difference is not accepted.

import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'
import { Broker } from '../src/index.ts'
import { accepted } from './differential/accepted.ts'
import { type Difference, gathered } from './differential/compare.ts'
import { pause } from './differential/side.ts'
import { acceptedOfTapes } from './tape/accepted.ts'
import { compareOutcomes } from './tape/compare.ts'
import type { Ask } from './tape/frame.ts'
import { mutants } from './tape/mutate.ts'
import { play } from './tape/play.ts'
import { freePort, Recorder } from './tape/recorder.ts'
import { PlayedSide } from './tape/side.ts'
import { readTape } from './tape/tape.ts'

const mutantPatienceMs = 1500
const slowMs = 8000
const settleMs = 250
const changes = /^(Create|Delete|Alter|IncrementalAlter|Update)/

async function record(path: string, settings: readonly string[], command: readonly string[]): Promise<number> {
  const recorder = await Recorder.start(path)
  const port = await freePort()
  recorder.passTo(port)
  const listener = {
    name: 'PLAINTEXT',
    host: '127.0.0.1',
    port,
    protocol: 'PLAINTEXT',
    advertisedHost: '127.0.0.1',
    advertisedPort: recorder.port,
    role: 'client',
  } as const
  const config = Object.fromEntries(settings.map((setting) => setting.split(/=(.*)/s).slice(0, 2)))
  const broker = await Broker.start({ listeners: [listener], config })
  const bootstrap = `127.0.0.1:${recorder.port}`
  const [program = '', ...args] = command.map((word) => word.replaceAll('$BOOTSTRAP', bootstrap))
  const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, BOOTSTRAP: bootstrap } })
  const code = await new Promise<number>((resolve) => child.on('close', (status) => resolve(status ?? 1)))
  await recorder.stop()
  await broker.stop()
  return code
}

/** Numbers from 0 to 1 that follow from a seed (mulberry32). */
function drawing(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Every word and number that the tape's clients used. */
function wordsOf(asks: readonly Ask[]): ReadonlySet<unknown> {
  const words = new Set<unknown>()
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) words.add(value)
    else if (!Buffer.isBuffer(value)) for (const inner of Object.values(value)) visit(inner)
  }
  for (const { body } of asks) visit(body)
  return words
}

/** Asks both the same altered request, each time on a connection of its own. */
async function askMutants(asks: readonly Ask[], count: number, seed: number, sides: readonly [PlayedSide, PlayedSide]) {
  const found: Difference[] = []
  const known = wordsOf(asks)
  let answers = 0
  for (const { ask, what } of mutants(asks, count, drawing(seed))) {
    const connection = -1 - answers
    const outcomes = await Promise.all(
      sides.map(async (side) => {
        await side.open(connection)
        try {
          side.ask(connection, ask)
          return await side.answer(connection, ask, undefined, mutantPatienceMs)
        } catch (cause) {
          return `not sent: ${(cause as Error).message}`
        }
      }),
    )
    // Where the other one has answered, this one may only be slow.
    const silent = outcomes.filter((outcome) => outcome === 'silence')
    if (silent.length === 1) {
      const at = outcomes.indexOf('silence')
      outcomes[at] = await sides[at]!.answer(connection, ask, undefined, slowMs)
    }
    for (const side of sides) side.close(connection)
    answers++
    // Kafka answers a change before all of it sees the change.
    if (changes.test(ask.table.name)) await pause(settleMs)
    found.push(
      ...compareOutcomes(what, ask, outcomes[0]!, outcomes[1]!, (id) => id !== '' && id !== 0 && !known.has(id)),
    )
  }
  return { answers, found }
}

async function playTape(path: string, kafka: string, twiglog: string, mutantCount: number, seed: number) {
  const sides = [new PlayedSide(kafka), new PlayedSide(twiglog)] as const
  const played = await play(readTape(path), ...sides)
  for (const side of sides) side.closeAll()
  console.log(`${played.answers} answers of the tape; seed of the mutants: ${seed}`)
  const { answers, found } = await askMutants(played.asks, mutantCount, seed, sides)
  const known = [...acceptedOfTapes, ...accepted]
  const expected = new Map<string, number>()
  const unexpected = [...played.differences, ...found].filter((difference) => {
    const why = known.find(({ matches }) => matches(difference))?.why
    if (why !== undefined) expected.set(why, (expected.get(why) ?? 0) + 1)
    return why === undefined
  })
  const lines = gathered(unexpected)
  for (const line of lines) console.log(line)
  for (const [why, count] of expected) console.log(`accepted ${count} ×: ${why}`)
  const acceptedCount = [...expected.values()].reduce((sum, count) => sum + count, 0)
  console.log(`${played.answers + answers} answers, ${lines.length} differences, ${acceptedCount} accepted`)
  return lines.length > 0 ? 1 : 0
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    set: { type: 'string', multiple: true, default: [] },
    mutants: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})
const [what, file, ...rest] = positionals
if (what === 'record' && file !== undefined && rest.length > 0) process.exitCode = await record(file, values.set, rest)
else if (what === 'play' && file !== undefined && rest.length === 2) {
  process.exitCode = await playTape(file, rest[0]!, rest[1]!, Number(values.mutants), Number(values.seed))
} else {
  console.error(
    'usage: tape record FILE [--set key=value]… -- COMMAND… | tape play FILE KAFKA OURS [--mutants N] [--seed S]',
  )
  process.exitCode = 2
}
