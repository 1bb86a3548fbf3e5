// Random writes and merges by a stock client, between a topic and its branches, held against the model that remembers the whole
// ancestry of every value (ancestry-model.ts). Fifty games go on at once on one broker, in lock-step: what all of them write is sent in
// one go, and so are their commands.

import type { Consumer, EachMessagePayload } from 'kafkajs'
import { expect, test } from 'vitest'
import type { BranchEvent } from '../../src/branch/events.ts'
import { AncestryModel, drawing } from './ancestry-model.ts'
import { Stage } from './stage.ts'

const { TWIGLOG_SEED } = process.env
const seedFirst = Number(TWIGLOG_SEED ?? 1)
const seedCount = 500
const atOnce = 50
const rounds = 14
const keys = ['a', 'b', 'c', 'd']

type Command = { readonly id: string; readonly [field: string]: unknown }

/** What a consumer of the history has been given, by id. */
class Told {
  readonly #events = new Map<string, BranchEvent>()
  readonly #consumer: Consumer
  /** Who waits, by id. */
  readonly #waiting = new Map<string, (event: BranchEvent) => void>()

  constructor({ kafka }: Stage) {
    this.#consumer = kafka.consumer({ groupId: 'told', maxWaitTimeInMs: 50 })
  }

  async begin(): Promise<void> {
    await this.#consumer.connect()
    await this.#consumer.subscribe({ topic: '__branches', fromBeginning: true })
    await this.#consumer.run({
      autoCommit: false,
      eachMessage: async ({ message }) => {
        const event = JSON.parse(String(message.value)) as BranchEvent
        if (event.type === 'merge-begin') return
        this.#events.set(event.id, event)
        this.#waiting.get(event.id)?.(event)
      },
    })
  }

  of(id: string): BranchEvent | Promise<BranchEvent> {
    return this.#events.get(id) ?? new Promise((resolve) => this.#waiting.set(id, resolve))
  }

  end(): Promise<void> {
    return this.#consumer.disconnect()
  }
}

/** Ids of a plan and a merge, and what the model says of both. */
type Judged = {
  readonly plan: string
  readonly merge: string
  readonly what: string
  readonly expected: ReturnType<AncestryModel['merge']>
  readonly isReplay: boolean
}
type Written = { readonly topic: string; readonly key: string; readonly value: string | null }

/** One seed. */
class Game {
  readonly seed: number
  readonly model = new AncestryModel()
  readonly topics: string[]
  readonly #draw: (below: number) => number
  /** Of this turn: what is written first, then what is asked for. */
  written: Written[] = []
  commands: Command[] = []
  forks: string[] = []
  merges: Judged[] = []
  #count = 0

  constructor(seed: number) {
    this.seed = seed
    this.#draw = drawing(seed)
    this.topics = [`P${seed}`]
    this.model.root(this.topics[0]!)
  }

  turn(): void {
    const draw = this.#draw
    this.written = []
    this.commands = []
    this.forks = []
    this.merges = []
    for (let i = draw(4); i > 0; i--) {
      const topic = this.topics[draw(this.topics.length)]!
      const key = keys[draw(keys.length)]!
      // Few values, so that both sides often come to the same one.
      const value = draw(6) === 0 ? null : `v${draw(4)}`
      this.written.push({ topic, key, value })
      this.model.write(topic, key, value)
    }
    if (this.topics.length < 4 && (this.topics.length === 1 || draw(4) === 0)) this.#fork()
    else this.#merge()
  }

  #fork(): void {
    const from = this.topics[this.#draw(this.topics.length)]!
    const to = `C${this.topics.length}-${this.seed}`
    this.topics.push(to)
    this.forks.push(to)
    this.commands.push({ op: 'fork', id: to, from, to })
    this.model.note(from, this.topics.length)
    this.model.fork(from, to, this.topics.length)
  }

  #merge(): void {
    const draw = this.#draw
    const from = this.topics[draw(this.topics.length)]!
    const others = this.topics.filter((topic) => topic !== from)
    const into = others[draw(others.length)]!
    const onConflict = (['fail', 'ours', 'theirs'] as const)[draw(3)]!
    const isReplay = draw(4) === 0
    const asked = { from, into, onConflict, strategy: isReplay ? 'replay' : 'three-way', limit: 100 }
    const turn = this.#count++
    const [plan, merge] = [`p${turn}-${this.seed}`, `m${turn}-${this.seed}`]
    this.commands.push({ op: 'plan', id: plan, ...asked }, { op: 'merge', id: merge, ...asked })
    const expected = this.model.merge(from, into, onConflict)
    this.merges.push({ plan, merge, what: `seed ${this.seed}: ${JSON.stringify(asked)}`, expected, isReplay })
  }
}

/** What stock clients are asked for, and what they are given. */
class Table implements AsyncDisposable {
  readonly #stage: Stage
  readonly #told: Told

  private constructor(stage: Stage) {
    this.#stage = stage
    this.#told = new Told(stage)
  }

  static async open(): Promise<Table> {
    const table = new Table(await Stage.open())
    await table.#stage.admin.fetchTopicMetadata({ topics: ['__branch_commands', '__branches'] })
    await table.#told.begin()
    return table
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#told.end()
    await this.#stage[Symbol.asyncDispose]()
  }

  async create(topics: readonly string[]): Promise<void> {
    const configEntries = [{ name: 'cleanup.policy', value: 'compact' }]
    await this.#stage.admin.createTopics({ topics: topics.map((topic) => ({ topic, configEntries })) })
  }

  async write(all: readonly Written[]): Promise<void> {
    const topics = [...new Set(all.map(({ topic }) => topic))]
    const topicMessages = topics.map((topic) => ({ topic, messages: all.filter((one) => one.topic === topic) }))
    if (topicMessages.length > 0) await this.#stage.producer.sendBatch({ topicMessages })
  }

  async command(commands: readonly Command[]): Promise<void> {
    if (commands.length > 0) await this.#stage.command(...commands)
  }

  async event(id: string): Promise<BranchEvent> {
    return await this.#told.of(id)
  }

  /** The newest values of each topic that readers of committed data are given. */
  async states(topics: readonly string[]): Promise<Map<string, Record<string, string | null>>> {
    const end = 'the end'
    await this.write(topics.map((topic) => ({ topic, key: end, value: end })))
    const states = new Map(topics.map((topic) => [topic, {} as Record<string, string | null>]))
    const left = new Set(topics)
    const consumer = this.#stage.kafka.consumer({ groupId: 'states', maxWaitTimeInMs: 50 })
    await consumer.connect()
    try {
      await consumer.subscribe({ topics: [...topics], fromBeginning: true })
      await new Promise<void>((resolve, reject) => {
        const eachMessage = async ({ topic, message: { key, value } }: EachMessagePayload) => {
          if (String(key) === end) left.delete(topic)
          else states.get(topic)![String(key)] = value === null ? null : String(value)
          if (left.size === 0) resolve()
        }
        consumer.run({ autoCommit: false, eachMessage }).catch(reject)
      })
    } finally {
      await consumer.disconnect()
    }
    return states
  }
}

type ShownKey = { readonly key: string; readonly kind: string }

/** Keys in conflict, as an event shows them. */
const conflictsOf = (event: BranchEvent): string[] =>
  ((event['keys'] ?? []) as ShownKey[]).filter(({ kind }) => kind !== 'write' && kind !== 'same').map(({ key }) => key)

async function expectJudged(table: Table, { plan, merge, what, expected, isReplay }: Judged): Promise<void> {
  const [planned, merged] = await Promise.all([table.event(plan), table.event(merge)])
  const conflicts = expected.conflicts.toSorted()
  expect({ what, conflicts: conflictsOf(planned).sort() }).toEqual({ what, conflicts })
  const { counts, status } = merged
  const isRefused = status === 'conflicts'
  if (isRefused) expect({ what, conflicts: conflictsOf(merged).sort() }).toEqual({ what, conflicts })
  // Of a key that is replayed as many revisions as there are.
  const written = isReplay && !isRefused ? expected.written : counts!.written
  expect({ what, written, conflicts: counts!.conflicts }).toEqual({
    what,
    written: expected.written,
    conflicts: conflicts.length,
  })
}

async function play(first: number): Promise<number> {
  await using table = await Table.open()
  const games = Array.from({ length: atOnce }, (_, i) => new Game(first + i))
  await table.create(games.flatMap(({ topics }) => topics))
  let mergeCount = 0
  for (let round = 0; round < rounds; round++) {
    for (const game of games) game.turn()
    await table.write(games.flatMap(({ written }) => written))
    await table.command(games.flatMap(({ commands }) => commands))
    for (const fork of games.flatMap(({ forks }) => forks))
      expect(await table.event(fork)).toMatchObject({ status: 'done' })
    const merges = games.flatMap(({ merges }) => merges)
    for (const judged of merges) await expectJudged(table, judged)
    mergeCount += merges.length
  }
  const states = await table.states(games.flatMap(({ topics }) => topics))
  for (const { seed, topics, model } of games) {
    for (const topic of topics) expect(states.get(topic), `seed ${seed}: ${topic}`).toEqual(model.state(topic))
  }
  return mergeCount
}

test(`B48: what a stock client writes and has merged in all directions comes to what the full ancestry says, seeds from ${seedFirst}`, {
  timeout: 300_000,
}, async () => {
  let merges = 0
  for (let first = seedFirst; first < seedFirst + seedCount; first += atOnce) merges += await play(first)
  expect(merges).toBeGreaterThan(8 * seedCount)
})
