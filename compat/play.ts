// Plays the list of scenarios: with a hand (any client in any language), or with the parts that a driver brings.
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import tap from 'tap'
import { type BrokerUnderTest, startBroker } from './broker.ts'
import { Cannot, type Hand } from './hand.ts'
import { HandProcess } from './hand-process.ts'
import { Broken, leavingNothing, missing } from './process.ts'
import { type Outcome, Results } from './results.ts'
import { type ApplicationId, applications, type ScenarioId, scenarioIds, scenarios } from './scenarios.ts'
import { type Elsewhere, Stage } from './stage.ts'

const msPerScenario = 90_000
const msPerApplication = 600_000
/** A real Kafka is slow to come back after kill -9. */
const msPerForeignRestart = 240_000
const { COMPAT_BOOTSTRAP: foreign, COMPAT_ONLY: only, COMPAT_CLIENT_MINUTES } = process.env
/** A client that has taken so long begins nothing more. */
const minutesPerClient = Number(COMPAT_CLIENT_MINUTES ?? (foreign ? 30 : 10))
const msPerClient = minutesPerClient * 60_000
/** For tap, which cannot stop what it gives up: the scenario's own limit comes first. */
const msBesides = 30_000
/** For tap, which would cut what is being played: what was begun in time comes to its own end. */
export const msOfAll = msPerClient + (foreign ? msPerForeignRestart : msPerScenario) + 2 * msBesides

export interface Client {
  /** As in `npm run compat -- NAME`. */
  readonly name: string
  /** Programs without which it is skipped. */
  readonly needs: readonly string[]
  /** Makes the program ready (downloads, compiles; quick when that was done before) and gives its command line. */
  readonly prepare: () => Promise<readonly string[]>
  /** import.meta.url of the driver: where the program runs. */
  readonly from: string
}

/** A test, or the reason why this program cannot play the scenario. */
export type Part = ((t: Test) => Promise<void>) | string
export type Parts = Partial<Record<ScenarioId, Part>>

/** A whole driver: skipped with a word where something is missing. */
export async function playClient({ from, ...client }: Client): Promise<void> {
  const ready = await makeReady(client)
  if (ready === undefined) return
  const { broker, command } = ready
  const cwd = fileURLToPath(new URL('.', from))
  const cast = new Cast(broker, ({ bootstrap = broker.bootstrap, clientId } = {}) =>
    HandProcess.start(command, bootstrap, cwd, clientId),
  )
  tap.teardown(() => cast.end())
  await cast.ready()
  const program = new Results(client.name, cast.hand.hello.version)
  planned(tap, chosen().length)
  for (const id of chosen()) {
    if (isLate()) await notBegun(tap, titleOf(id))
    else if (scenarios[id].restarts && broker.restartSkip) {
      program.note(id, { result: 'skip', word: broker.restartSkip })
      await tap.test(titleOf(id), { skip: broker.restartSkip }, async () => {})
    } else
      await tap.test(titleOf(id), { timeout: timeoutOf(id) + msBesides }, async (t) =>
        program.note(id, await playOne(t, id, cast)),
      )
  }
  await program.write()
}

/** Undefined where something is missing; tap has been told. */
async function makeReady({ name, needs, prepare }: Omit<Client, 'from'>) {
  tap.setTimeout(msOfAll)
  const absent = missing(...needs)
  if (absent) return give(absent)
  const command = await prepare().catch((problem: Error) => {
    if (problem instanceof Broken) throw problem
    console.error(problem) // no network, for one
    return undefined
  })
  if (command === undefined) return give(`${name} could not be made ready (no network?)`)
  const broker = await startBroker(name)
  tap.teardown(() => broker.stop())
  return { broker, command }
}

function give(reason: string): undefined {
  tap.plan(0, reason)
  return undefined
}

/** The hand in use, and those that a scenario has started besides. */
class Cast {
  readonly #broker: BrokerUnderTest
  readonly #start: (elsewhere?: Elsewhere) => Promise<HandProcess>
  readonly #others: HandProcess[] = []
  #hand: HandProcess | undefined

  constructor(broker: BrokerUnderTest, start: (elsewhere?: Elsewhere) => Promise<HandProcess>) {
    this.#broker = broker
    this.#start = start
  }

  get hand(): Hand {
    return this.#hand!
  }

  async ready(): Promise<void> {
    if (this.#hand === undefined || this.#hand.isOver) this.#hand = await this.#start()
  }

  stage(): Stage {
    const another = async (elsewhere?: Elsewhere) => {
      const hand = await this.#start(elsewhere)
      this.#others.push(hand)
      return hand
    }
    return new Stage({ broker: this.#broker, hand: this.hand, another })
  }

  /** After a scenario that did not end well nobody knows what the hand still holds. */
  async clear(endedWell: boolean): Promise<void> {
    for (const other of this.#others.splice(0)) await other.kill()
    if (!endedWell) await this.#hand?.kill()
  }

  async end(): Promise<void> {
    await this.clear(true)
    await this.#hand?.close()
  }
}

async function playOne(t: Test, id: ScenarioId, cast: Cast): Promise<Outcome> {
  let endedWell = false
  try {
    await cast.ready()
    const why = cast.hand.hello.cannot[id]
    if (why !== undefined) throw new Cannot(why)
    const stage = cast.stage()
    await within(timeoutOf(id), async () => {
      await scenarios[id].play(stage)
      await stage.closeAll()
    })
    endedWell = true
    if (stage.claimCount === 0) t.fail(`${id} ran and claimed nothing`)
    else t.pass(`${stage.claimCount} claims hold`)
    return { result: t.passing() ? 'pass' : 'fail' }
  } catch (problem) {
    if (problem instanceof Cannot) {
      t.plan(0, problem.message)
      return { result: 'skip', word: problem.message }
    }
    t.fail((problem as Error).message, problem as Error)
    return { result: 'fail', word: (problem as Error).message.slice(0, 300) }
  } finally {
    await cast.clear(endedWell)
  }
}

/** What does not end in time is left alone; it ends by itself when its hand is killed. */
async function within(ms: number, work: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took longer than ${ms} ms`)), ms)
  })
  await Promise.race([work(), late]).finally(() => clearTimeout(timer))
}

/** For a program that no hand can be: it says for each scenario how it plays it, or why not. */
export async function playParts(
  t: Test,
  name: string,
  version: string,
  parts: Parts,
  otherwise: string,
): Promise<void> {
  const program = new Results(name, version)
  planned(t, chosen().length)
  for (const id of chosen()) {
    if (isLate()) {
      await notBegun(t, titleOf(id))
      continue
    }
    const part = parts[id] ?? otherwise
    if (typeof part === 'string') {
      program.note(id, { result: 'skip', word: part })
      await t.test(titleOf(id), { skip: part }, async () => {})
      continue
    }
    const checked = async (inner: Test) => {
      await part(inner)
      if (inner.count === 0) inner.fail(`${id} ran and checked nothing`) // tap would call it passed
    }
    const played = await leavingNothing(() => t.test(titleOf(id), { timeout: msPerScenario }, checked))
    program.note(id, { result: played?.ok ? 'pass' : 'fail' })
  }
  await program.write()
}

/** A program that is no client to be told what to do, but lives on one: Streams, Connect. */
export async function playApplication(
  { name, version, needs, prepare }: Omit<Client, 'from'> & { readonly version: string },
  parts: (broker: BrokerUnderTest, command: readonly string[]) => Promise<{ readonly [id in ApplicationId]?: Part }>,
): Promise<void> {
  const ready = await makeReady({ name, needs, prepare })
  if (ready === undefined) return
  const results = new Results(name, version)
  const all = Object.entries(await parts(ready.broker, ready.command))
  const asked = all.filter(([id]) => (only ?? '').split(',').some((start) => id.startsWith(start)))
  tap.setTimeout(msOfAll + msPerApplication)
  planned(tap, asked.length)
  for (const [id, part] of asked) {
    const title = `${id}: ${applications[id as ApplicationId]}`
    if (isLate()) {
      await notBegun(tap, title)
      continue
    }
    if (typeof part === 'string') {
      results.note(id, { result: 'skip', word: part })
      await tap.test(title, { skip: part }, async () => {})
      continue
    }
    const played = await leavingNothing(() => tap.test(title, { timeout: msPerApplication }, part))
    results.note(id, { result: played?.ok ? 'pass' : 'fail' })
  }
  await results.write()
}

/** Said before anything is played: a driver that ends early, however it ends, has then not done what it said. */
function planned(t: Test, count: number): void {
  t.plan(count, count === 0 ? 'nothing of it was asked for' : '')
}

function isLate(): boolean {
  return performance.now() > msPerClient
}

/** Neither passed nor failed, and no result: the matrix keeps saying that it was not run. */
async function notBegun(t: Test, title: string): Promise<void> {
  const skip = `not begun: the client had taken its ${minutesPerClient} minutes (COMPAT_CLIENT_MINUTES)`
  await t.test(title, { skip }, async () => {})
}

function timeoutOf(id: ScenarioId): number {
  return scenarios[id].restarts && foreign ? msPerForeignRestart : msPerScenario
}

/** COMPAT_ONLY=txn.,share.accept plays what begins with one of these. */
function chosen(): readonly ScenarioId[] {
  return only ? scenarioIds.filter((id) => only.split(',').some((start) => id.startsWith(start))) : scenarioIds
}

function titleOf(id: ScenarioId): string {
  return `${id}: ${scenarios[id].title}`
}
