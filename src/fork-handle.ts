// A fork as a program holds it: made at one instant, looked at, merged or dropped. What commands do over the wire, as methods.

import type { ConflictRule, Strategy } from './branch/commands.ts'
import type { BranchEvent, EventCounts, EventTopic, PlannedKey } from './branch/events.ts'
import type { GroupRule } from './branch/lineage.ts'
import type { Branches } from './command/branches.ts'

export type ForkOptions = {
  /** A topic, several, `*` for all that are neither internal nor branches, or `set:T` for what is in the set T. */
  from: string | readonly string[]
  /** What the branches are called together: `orders` becomes `orders--t1` in the set `t1`. */
  set: string
  /** Where it is cut: `latest` (the default), `earliest`, `offset:N`, `timestamp:<ms or ISO-8601>`, `group:G`. */
  at?: string
  /** What becomes of the commits of groups; `copy` by default for `*` and sets, else `none`. */
  groups?: GroupRule
  /** Laid over the configuration of each parent. */
  config?: Readonly<Record<string, string | number | boolean>>
}

export type MergeOptions = {
  /** By default `three-way` for compacted topics and `append` for all others. */
  strategy?: Strategy
  /** JSON objects that were changed on both sides are merged member by member. */
  fields?: 'json'
  /** What becomes of keys that were changed on both sides; by default nothing is merged (`fail`). */
  onConflict?: ConflictRule
  /** Only these keys. */
  keys?: readonly string[]
  /** Keys that a decision was made on: if they have changed in the parent it is a conflict, too. */
  reads?: readonly { readonly topic: string; readonly key: string }[]
}

export type DiffOptions = MergeOptions & {
  /** How many keys are told one by one. */
  limit?: number
}

/** What a merge would do, and what would stand against it. */
export type Diff = {
  readonly status: 'clean' | 'conflicts'
  readonly counts: EventCounts
  readonly keys: readonly PlannedKey[]
}

export type MergeResult = {
  /** What a revert takes. */
  readonly id: string
  /** `conflicts`: nothing was written. */
  readonly status: 'committed' | 'conflicts' | 'parked'
  readonly counts: EventCounts
  readonly topics: readonly EventTopic[]
}

/** What the broker has refused, with its code and a sentence that says what to change. */
export class BranchError extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.name = 'BranchError'
    this.code = code
  }
}

/** Who asks, where no client does. */
const program = 'User:ANONYMOUS'

export class Fork implements AsyncDisposable {
  readonly set: string
  /** What each topic is called inside, and the name of the branch that it stands for. */
  readonly topics: Readonly<Record<string, string>>
  /** The set's own listener: whoever connects there is inside, where topics bear their own names and nothing else exists. */
  readonly bootstrapServers: string
  /** The same for every node. */
  readonly brokers: readonly string[]
  readonly #branches: Branches

  private constructor(branches: Branches, made: Pick<Fork, 'set' | 'topics' | 'brokers'>) {
    this.#branches = branches
    this.set = made.set
    this.topics = made.topics
    this.brokers = made.brokers
    this.bootstrapServers = made.brokers[0]!
  }

  /** Forks all of it at one instant, or nothing. Rejects with BranchError. */
  static async make(branches: Branches, options: ForkOptions): Promise<Fork> {
    const { from, set, config: configs, ...rest } = options
    const source =
      typeof from === 'string' && isMany(from) ? { from } : { topics: [from].flat().map((from) => ({ from })) }
    const made = await ask(branches, {
      op: 'fork',
      set,
      ...source,
      ...rest,
      ...(configs === undefined ? {} : { configs }),
    })
    const topics = (made.topics ?? []).map(({ from, into, inside }) => [inside ?? from!, into!] as const)
    try {
      const { bootstrap } = await ask(branches, { op: 'listen', set })
      const brokers = String(bootstrap).split(',')
      return new Fork(branches, { set, topics: Object.fromEntries(topics), brokers })
    } catch (cause) {
      await drop(branches, set)
      throw cause
    }
  }

  /** A client id that enters the set by the broker's ordinary listener: inside, topics bear their own names. */
  clientId(application: string): string {
    return clientIdOf(application, this.set)
  }

  /** What a merge would do now; writes nothing. Rejects with BranchError. */
  async diff(options: DiffOptions = {}): Promise<Diff> {
    const { status, counts, keys } = await ask(this.#branches, { op: 'plan', set: this.set, ...options })
    return { status, counts, keys: keys ?? [] } as Diff
  }

  /** Brings what was written inside into the parents: all topics or none. Rejects with BranchError. */
  async merge(options: MergeOptions = {}): Promise<MergeResult> {
    const { id, status, counts, topics } = await ask(this.#branches, { op: 'merge', set: this.set, ...options })
    return { id, status, counts, topics: topics ?? [] } as MergeResult
  }

  /** Deletes the branches and whatever was made inside. May be called more than once. Rejects with BranchError. */
  drop(): Promise<void> {
    return drop(this.#branches, this.set)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drop()
  }
}

const clientIdOf = (application: string, set: string): string => `${application}--branch--${set}--`

const isMany = (from: string): boolean => from === '*' || from.startsWith('set:')

async function drop(branches: Branches, set: string): Promise<void> {
  try {
    await ask(branches, { op: 'abandon', set })
  } catch (cause) {
    if (!(cause instanceof BranchError) || cause.code !== 'UNKNOWN_SET') throw cause
  }
}

async function ask(branches: Branches, command: object): Promise<BranchEvent> {
  const event = await branches.ask(command, program)
  if (event.error !== undefined) throw new BranchError(event.error.code, event.error.message)
  return event
}
