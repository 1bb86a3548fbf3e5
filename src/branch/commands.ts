// What may be asked in `__branch_commands`: each op with its fields, parsed and checked as far as words alone go. Pure: whether
// the topics exist is for whoever executes it.

import { CommandFields, isObject } from './command-fields.ts'
import { Rejection } from './events.ts'
import { type GroupRule, groupRules } from './lineage.ts'

export const strategies = ['fast-forward', 'append', 'three-way', 'replay'] as const
export type Strategy = (typeof strategies)[number]
export const conflictRules = ['fail', 'park', 'ours', 'theirs', 'newest'] as const
export type ConflictRule = (typeof conflictRules)[number]

type Common = {
  /** As given, or `c-<offset>`. */
  readonly id: string
  /** Say what would happen, and do nothing. */
  readonly dryRun: boolean
}

export type ForkEntry = {
  readonly from: string
  /** `from--set` where it is absent. */
  readonly to: string
  /** What it is called in the set, where that is not what its parent is called. */
  readonly inside?: string
  readonly at?: string
  readonly groups?: GroupRule
  readonly configs?: Readonly<Record<string, string | null>>
}

/** `*`: every topic that is not internal, no view and no branch. `set:T` is told as T's label. */
export type ForkSource =
  | { readonly kind: 'topics'; readonly topics: readonly ForkEntry[] }
  | { readonly kind: 'all' }
  | { readonly kind: 'set'; readonly set: string }

export type ForkCommand = Common & {
  readonly op: 'fork'
  readonly set?: string
  readonly source: ForkSource
  /** For every topic that says nothing else. */
  readonly at?: string
  readonly groups?: GroupRule
  readonly configs?: Readonly<Record<string, string | null>>
}

/** One pair of topics, or every member of a set and its own parent. */
export type Pair = { readonly from: string; readonly into: string } | { readonly set: string }

/** Only these keys; keyed strategies alone. */
export type KeyChoice = { readonly keys?: readonly Buffer[]; readonly keyPrefix?: Buffer }

export type MergeRules = KeyChoice & {
  readonly strategy?: Strategy
  readonly fields?: 'json'
  readonly onConflict: ConflictRule
  /** Keys that the decision was made on: they are looked at for conflicts too. */
  readonly reads: readonly { readonly topic: string; readonly key: Buffer }[]
}

export type PlanCommand = Common & MergeRules & { readonly op: 'plan'; readonly pair: Pair; readonly limit: number }
export type MergeCommand = Common & MergeRules & { readonly op: 'merge'; readonly pair: Pair; readonly limit: number }

export type ResolveCommand = Common & {
  readonly op: 'resolve'
  readonly merge: string
  readonly topic: string
  readonly partition: number
  readonly key: Buffer
  readonly take: 'ours' | 'theirs' | 'base' | 'value'
  /** With `take` = `value`; null deletes the key. */
  readonly value?: Buffer | null
  readonly force: boolean
}

export type RevertCommand = Common &
  KeyChoice & {
    readonly op: 'revert'
    /** Absent: all topics that the merge wrote to. */
    readonly topic?: string
    /** The id of a merge, a resolve or a revert; or else offsets, both included, by partition. */
    readonly merge?: string
    readonly range?: Readonly<Record<string, readonly [first: number, last: number]>>
    readonly mode: 'net' | 'replay'
    readonly onConflict: ConflictRule
    readonly limit: number
  }

/** A branch, or all members of a set. */
export type Which = { readonly branch: string } | { readonly set: string }

export type ResetCommand = Common & { readonly op: 'reset'; readonly which: Which; readonly at: string }
export type PromoteCommand = Common & { readonly op: 'promote'; readonly which: Which; readonly keep?: string }
export type AbandonCommand = Common & { readonly op: 'abandon'; readonly which: Which }
export type ListenCommand = Common & { readonly op: 'listen'; readonly set: string; readonly port: number }

export type Command =
  | ForkCommand
  | PlanCommand
  | MergeCommand
  | ResolveCommand
  | RevertCommand
  | ResetCommand
  | PromoteCommand
  | AbandonCommand
  | ListenCommand

export type Op = Command['op']

/** What was read; a rejection knows its id as far as one could be read. */
export type Parsed = { readonly id: string; readonly command: Command | Rejection }

const idLengthMax = 200
const planLimitMax = 100_000
const planLimitDefault = 100
/** Ids that the broker gives; who gives one away could meet the result of another command. */
const ownId = /^c-\d+$/

/** Reads the value of a record of `__branch_commands`. */
export function parseCommand(value: Buffer | null, defaultId: string): Parsed {
  const given = json(value)
  if (!isObject(given)) {
    const what = given === undefined ? 'is not JSON' : 'is not a JSON object'
    const message = `The value ${what}. A command looks like {"op":"fork","from":"orders","to":"orders--try"}.`
    return { id: defaultId, command: new Rejection('NOT_JSON', message) }
  }
  const fields = new CommandFields(given)
  const asked = fields.text('id') ?? defaultId
  if (asked.length > idLengthMax) fields.refuse(`'id' is longer than ${idLengthMax} characters`)
  if (ownId.test(asked) && asked !== defaultId) fields.refuse(`ids such as '${asked}' are given by the broker`)
  const id = asked.length > idLengthMax || ownId.test(asked) ? defaultId : asked
  const { op } = given
  const read = typeof op === 'string' && Object.hasOwn(readers, op) ? readers[op as Op] : undefined
  if (read === undefined) {
    const named = op === undefined ? 'No op is given' : `There is no op ${JSON.stringify(op)?.slice(0, 60)}`
    const message = `${named}; there are ${Object.keys(readers).join(', ')}.`
    return { id, command: new Rejection('UNKNOWN_OP', message) }
  }
  fields.has('op')
  const command = read(fields, { id, dryRun: fields.flag('dryRun') })
  const { problem } = fields
  return { id, command: problem === undefined ? command : new Rejection('INVALID_COMMAND', `${op as Op}: ${problem}.`) }
}

function json(value: Buffer | null): unknown {
  if (value === null) return undefined
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(value))
  } catch {
    return undefined
  }
}

const readers: { readonly [O in Op]: (fields: CommandFields, common: Common) => Command } = {
  fork: readFork,
  plan: (fields, common) => ({
    op: 'plan',
    ...common,
    pair: readPair(fields),
    ...readMergeRules(fields),
    ...limit(fields),
  }),
  merge: (fields, common) => ({
    op: 'merge',
    ...common,
    pair: readPair(fields),
    ...readMergeRules(fields),
    ...limit(fields),
  }),
  resolve: readResolve,
  revert: readRevert,
  reset: (fields, common) => ({ op: 'reset', ...common, which: readWhich(fields), at: fields.text('at') ?? 'latest' }),
  promote: (fields, common) => ({
    op: 'promote',
    ...common,
    which: readWhich(fields),
    ...present('keep', fields.text('keep')),
  }),
  abandon: (fields, common) => ({ op: 'abandon', ...common, which: readWhich(fields) }),
  listen: (fields, common) => ({
    op: 'listen',
    ...common,
    set: fields.needText('set'),
    port: fields.number('port', 65_535) ?? 0,
  }),
}

export const ops = Object.keys(readers) as readonly Op[]

/** A field that is left out where there is nothing to say. */
const present = <N extends string, T>(name: N, value: T | undefined): { readonly [K in N]?: T } =>
  (value === undefined ? {} : { [name]: value }) as { readonly [K in N]?: T }

const limit = (fields: CommandFields) => ({ limit: fields.number('limit', planLimitMax) ?? planLimitDefault })

function readFork(fields: CommandFields, common: Common): ForkCommand {
  const set = fields.text('set')
  const shared = {
    ...present('set', set),
    ...present('at', fields.text('at')),
    ...present('groups', fields.oneOf('groups', groupRules)),
    ...present('configs', configs(fields)),
  }
  const topics = fields.objects('topics', (each) => ({
    ...readEntry(each, set),
    ...present('at', each.text('at')),
    ...present('groups', each.oneOf('groups', groupRules)),
    ...present('configs', configs(each)),
  }))
  const from = fields.text('from')
  const to = fields.text('to')
  if (topics !== undefined) {
    if (from !== undefined || to !== undefined) fields.refuse("'topics' has a 'from' and a 'to' for each of them")
    return { op: 'fork', ...common, ...shared, source: { kind: 'topics', topics } }
  }
  if (from === undefined) fields.refuse("'from' is missing: a topic, '*' or 'set:' and the label of a set")
  if (from === '*' || from?.startsWith('set:')) {
    if (set === undefined) fields.refuse(`'set' is missing: the label of what is made of '${from}'`)
    if (to !== undefined) fields.refuse("'to' is for a single topic; members of a set are called topic--set")
    const source: ForkSource = from === '*' ? { kind: 'all' } : { kind: 'set', set: from.slice('set:'.length) }
    return { op: 'fork', ...common, ...shared, source }
  }
  const entry = entryOf(fields, from ?? '', to, set)
  return { op: 'fork', ...common, ...shared, source: { kind: 'topics', topics: [entry] } }
}

const readEntry = (fields: CommandFields, set: string | undefined) =>
  entryOf(fields, fields.needText('from'), fields.text('to'), set)

function entryOf(fields: CommandFields, from: string, to: string | undefined, set: string | undefined) {
  if (to === undefined && set === undefined) fields.refuse("'to' is missing: the name of the branch")
  return { from, to: to ?? `${from}--${set}` }
}

const isConfig = (value: unknown): value is string | number | boolean | null =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value)

/** Values of a configuration are texts; a number or a boolean is meant as one. */
function configs(fields: CommandFields): Record<string, string | null> | undefined {
  const given = fields.record('configs', 'an object of texts', isConfig)
  if (given === undefined) return undefined
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value === null ? null : String(value)]))
}

function readPair(fields: CommandFields): Pair {
  const set = fields.text('set')
  const from = fields.text('from')
  const into = fields.text('into')
  if (set !== undefined) {
    if (from !== undefined || into !== undefined)
      fields.refuse("'set' merges every member into its own parent: no from, no into")
    return { set }
  }
  if (from === undefined || into === undefined) fields.refuse("either 'from' and 'into' or 'set' is needed")
  return { from: from ?? '', into: into ?? '' }
}

function readKeys(fields: CommandFields): KeyChoice {
  const keys = fields.bytesList('keys')
  const keyPrefix = fields.bytes('keyPrefix')
  if (keys !== undefined && keyPrefix !== undefined) fields.refuse("'keys' and 'keyPrefix' exclude each other")
  return { ...present('keys', keys), ...present('keyPrefix', keyPrefix ?? undefined) }
}

function readMergeRules(fields: CommandFields): MergeRules {
  return {
    ...readKeys(fields),
    ...present('strategy', fields.oneOf('strategy', strategies)),
    ...present('fields', fields.oneOf('fields', ['json'])),
    onConflict: fields.oneOf('onConflict', conflictRules) ?? 'fail',
    reads: fields.objects('reads', (each) => ({ topic: each.needText('topic'), key: each.needBytes('key') })) ?? [],
  }
}

function readResolve(fields: CommandFields, common: Common): ResolveCommand {
  const take = fields.oneOf('take', ['ours', 'theirs', 'base', 'value'])
  const value = fields.bytes('value', 'nullable')
  if (take === undefined) fields.refuse("'take' is missing: ours, theirs, base or value")
  if ((take === 'value') !== (value !== undefined)) fields.refuse("'value' belongs to take=value, and to nothing else")
  return {
    op: 'resolve',
    ...common,
    merge: fields.needText('merge'),
    topic: fields.needText('topic'),
    partition: fields.number('partition') ?? missing(fields, 'partition'),
    key: fields.needBytes('key'),
    take: take ?? 'ours',
    ...present('value', value),
    force: fields.flag('force'),
  }
}

function missing(fields: CommandFields, name: string): number {
  fields.refuse(`'${name}' is missing`)
  return 0
}

const isRange = (value: unknown, partition: string): value is readonly [number, number] =>
  /^\d{1,9}$/.test(partition) &&
  Array.isArray(value) &&
  value.length === 2 &&
  value.every((offset) => Number.isSafeInteger(offset) && offset >= 0) &&
  value[0] <= value[1]

function readRevert(fields: CommandFields, common: Common): RevertCommand {
  const merge = fields.text('merge')
  const range = fields.record('range', 'like {"0":[120,180]}: first and last offset by partition', isRange)
  const topic = fields.text('topic')
  if ((merge === undefined) === (range === undefined)) fields.refuse("either 'merge' or 'range' is needed")
  if (range !== undefined && topic === undefined) fields.refuse("'topic' is missing: a range is one of its own")
  return {
    op: 'revert',
    ...common,
    ...readKeys(fields),
    ...present('topic', topic),
    ...present('merge', merge),
    ...present('range', range),
    mode: fields.oneOf('mode', ['net', 'replay']) ?? 'net',
    onConflict: fields.oneOf('onConflict', conflictRules) ?? 'fail',
    ...limit(fields),
  }
}

function readWhich(fields: CommandFields): Which {
  const set = fields.text('set')
  const branch = fields.text('branch')
  if ((set === undefined) === (branch === undefined)) fields.refuse("either 'branch' or 'set' is needed")
  return set === undefined ? { branch: branch ?? '' } : { set }
}
