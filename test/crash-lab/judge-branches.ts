// Branches: a command has one result; a fork has everything that was acknowledged before it was asked for, shows below its cut what
// its parent shows, and above it what was written to it, once and in order; it is there until somebody asks for its end; a merge or a
// revert took place as a whole, as often as it was told, or not at all (what it must have written: judge-merges.ts).

import type { BranchTold, Happened, Logged, Place } from './history.ts'
import type { Part, Verdict } from './judge.ts'
import { JudgeOfMerges } from './judge-merges.ts'
import { Deciding } from './judge-transactions.ts'
import { type Logs, nameOf, type PartitionLog } from './logs.ts'

const isResult = ({ type }: BranchTold): boolean => !['merge-begin', 'merge-aborted', 'plan'].includes(type)

type Command = Extract<Happened, { t: 'command' }>
type Asked = { readonly command: Command; readonly acked: ReadonlyMap<string, number>; readonly ids: readonly string[] }

export class JudgeOfBranches implements Part {
  readonly #verdict: Verdict
  readonly #logs: Logs
  readonly #asked = new Map<string, Asked>()
  readonly #commanded = new Set<string>()
  readonly #results = new Map<string, BranchTold>()
  readonly #events = new Map<number, string>()
  /** How many of an audit that reads everything. */
  #again: number | undefined
  /** By partition, behind the last acknowledged record; by topic, acknowledged ids. */
  readonly #acked = new Map<string, number>()
  readonly #ackedIds = new Map<string, string[]>()
  readonly #calls = new Map<number, Extract<Happened, { t: 'sent' }>>()
  /** Of a branch and its partition: the parent, and where it was cut. */
  readonly #cuts = new Map<string, readonly [parent: string, at: number]>()
  readonly #abandoned = new Set<string>()
  /** Of what was written to branches: the places of each, and of each partition the last. */
  readonly #own = new Map<string, number>()
  readonly #last = new Map<string, readonly [turn: number, kind: number, n: number]>()

  constructor(verdict: Verdict, logs: Logs) {
    this.#verdict = verdict
    this.#logs = logs
    logs.onFresh((place, _, fresh) => this.#compare(place, fresh))
  }

  take(happened: Happened): void {
    if (happened.t === 'sent' && happened.topic.startsWith('keyed')) this.#calls.set(happened.call, happened)
    else if (happened.t === 'acked') this.#noteAcked(happened)
    else if (happened.t === 'command') {
      this.#ask(happened)
    } else if (happened.t === 'absent' && !this.#abandoned.has(happened.topic)) {
      this.#verdict.wrong(`${nameOf(happened)} cannot be read, and nobody has asked for its end: ${happened.error}`)
    } else if (happened.t === 'commanded') this.#commanded.add(happened.id)
    else if (happened.t === 'event') this.#judgeEvent(happened)
    else if (happened.t === 'audit') this.#again = happened.whole ? 0 : undefined
    else if (happened.t === 'audited') this.#judgeAgain()
    else if (happened.t === 'drained') this.#judgeAll()
  }

  /** A run has thousands of commands: of what was acknowledged each remembers what it is judged by. */
  #ask(command: Command): void {
    const ids = command.op === 'merge' ? [...(this.#ackedIds.get(command.from) ?? [])] : []
    const isFrom = (name: string) => name.slice(0, name.lastIndexOf('-')) === command.from
    const acked = new Map(command.op === 'fork' ? [...this.#acked].filter(([name]) => isFrom(name)) : [])
    this.#asked.set(command.id, { command, acked, ids })
    if (command.op === 'abandon') this.#abandon(command.topic)
  }

  /** Nobody will read it again: what it inherited need not be remembered. */
  #abandon(topic: string): void {
    this.#abandoned.add(topic)
    for (const [partition, log] of this.#logs.ofTopic(topic)) {
      const below = this.#cuts.get(nameOf({ topic, partition }))?.[1] ?? 0
      for (const offset of log.records.keys()) if (offset < below) log.records.delete(offset)
    }
  }

  #noteAcked({ call, offsets }: Extract<Happened, { t: 'acked' }>): void {
    const sent = this.#calls.get(call)
    if (sent === undefined) return
    this.#calls.delete(call)
    const behind = Math.max(...offsets) + 1
    this.#acked.set(nameOf(sent), Math.max(behind, this.#acked.get(nameOf(sent)) ?? 0))
    const ids = this.#ackedIds.get(sent.topic) ?? []
    this.#ackedIds.set(sent.topic, ids)
    for (let i = 0; i < sent.count; i++) ids.push(`${sent.producer}#${sent.from + i}`)
  }

  #judgeEvent({ offset, event }: Extract<Happened, { t: 'event' }>): void {
    const said = JSON.stringify(event)
    const before = this.#events.get(offset)
    if (before !== undefined && before !== said)
      this.#verdict.wrong(`the event at ${offset} was ${before.slice(0, 200)}, and is ${said.slice(0, 200)}`)
    if (this.#again !== undefined) this.#again++
    if (before !== undefined) return
    this.#events.set(offset, said)
    if (!isResult(event) || event.replayed === true) return
    if (this.#results.has(event.id)) this.#verdict.wrong(`${event.id} has two results`)
    this.#results.set(event.id, event)
    if (event.type === 'fork' && event.status === 'done') this.#judgeFork(event)
  }

  /** What was told once is told for ever. */
  #judgeAgain(): void {
    if (this.#again !== undefined && this.#again < this.#events.size)
      this.#verdict.wrong(`${this.#events.size} events were told, and there are ${this.#again} now`)
    else if (this.#again !== undefined) this.#verdict.right('events read again', this.#again)
    this.#again = undefined
  }

  #judgeFork({ id, topics = [] }: BranchTold): void {
    const acked = this.#asked.get(id)?.acked ?? new Map<string, number>()
    for (const { from = '', into = '', partitions = [] } of topics) {
      for (const { partition, to = -1 } of partitions) {
        this.#cuts.set(nameOf({ topic: into, partition }), [from, to])
        const least = acked.get(nameOf({ topic: from, partition })) ?? 0
        if (to < least)
          this.#verdict.wrong(
            `${into}-${partition} was cut at ${to}, and ${least} was acknowledged before it was asked for`,
          )
        else this.#verdict.right('cuts of forks')
      }
    }
  }

  /** A parent is read before its branches in every audit. */
  #compare(place: Place, fresh: readonly Logged[]): void {
    const cut = this.#cuts.get(nameOf(place))
    if (cut === undefined) return
    const [topic, at] = cut
    const parent = this.#logs.of({ topic, partition: place.partition })
    for (const [offset, id, , merge, , rest] of fresh) {
      if (offset >= at) {
        if (merge === '') this.#compareOwn(nameOf(place), offset, id)
        continue
      }
      const there = parent.records.get(offset)
      if (there?.[1] !== id)
        this.#verdict.wrong(`${nameOf(place)} has ${id} at ${offset}, where its parent has ${there?.[1]}`)
      else if (there[5] !== rest)
        this.#verdict.wrong(`${nameOf(place)} has ${id} at ${offset} with another key, time or headers than its parent`)
      else this.#verdict.right('inherited records')
    }
  }

  /** Once, and in the order of `kind.branch.turn#n`, for whoever writes waits for his answers. */
  #compareOwn(name: string, offset: number, id: string): void {
    const [, kind, turn, n] = /^(own|both)\..*\.(\d+)#(\d+)$/.exec(id) ?? []
    if (kind === undefined) return
    const before = this.#own.get(`${name} ${id}`)
    if (before !== undefined) this.#verdict.wrong(`${id} is in ${name} twice, at ${before} and ${offset}`)
    this.#own.set(`${name} ${id}`, offset)
    const place = [Number(turn), kind === 'own' ? 0 : 1, Number(n)] as const
    const last = this.#last.get(name)
    const ahead = last?.map((each, i) => place[i]! - each).find((by) => by !== 0) ?? 1
    if (ahead < 0) this.#verdict.wrong(`${id} stands in ${name} behind what was sent after it`)
    else this.#verdict.right('records of branches once and in order')
    this.#last.set(name, place)
  }

  #judgeAll(): void {
    for (const [id, { command }] of this.#asked) {
      const result = this.#results.get(id)
      if (result !== undefined) this.#verdict.right('commands with one result')
      else if (this.#commanded.has(id)) this.#verdict.wrong(`${command.op} ${id} was acknowledged and has no result`)
    }
    const written = new Map<string, { committed: number; ids: Map<string, number> }>()
    const targets = [...this.#asked.values()].filter(({ command: { op } }) => op === 'merge' || op === 'revert')
    for (const topic of new Set(targets.map(({ command }) => command.topic))) {
      for (const [, log] of this.#logs.ofTopic(topic)) this.#count(log, written)
    }
    const merges = new JudgeOfMerges(this.#verdict, this.#logs, this.#cuts)
    for (const [id, result] of this.#results) {
      const asked = this.#asked.get(id)
      if (asked === undefined) continue // somebody else's, who has a model of his own
      this.#judgeWritten(id, result, written)
      merges.judge(id, result, asked.command.of)
    }
    for (const id of written.keys()) {
      if (!this.#results.has(id)) this.#verdict.wrong(`${id} has written, and nobody was told of it`)
    }
  }

  /** What merges have written that is committed. */
  #count(log: PartitionLog, written: Map<string, { committed: number; ids: Map<string, number> }>): void {
    const deciding = new Deciding()
    deciding.follow(log)
    for (const [offset, id] of deciding.committed) {
      const merge = log.records.get(offset)![3]
      if (merge === '') continue
      const of = written.get(merge) ?? { committed: 0, ids: new Map() }
      written.set(merge, of)
      of.committed++
      of.ids.set(id, (of.ids.get(id) ?? 0) + 1)
    }
  }

  #judgeWritten(
    id: string,
    { type, status, counts }: BranchTold,
    written: ReadonlyMap<string, { committed: number; ids: ReadonlyMap<string, number> }>,
  ): void {
    if (type !== 'merge' && type !== 'revert') return
    const found = written.get(id)?.committed ?? 0
    const wanted = status === 'committed' ? (counts?.written ?? 0) : 0
    if (found !== wanted)
      this.#verdict.wrong(`${type} ${id} (${status}) tells of ${wanted} records, and ${found} are there`)
    else this.#verdict.right('merges and reverts as a whole')
    if (type !== 'merge' || status !== 'committed') return
    for (const own of this.#asked.get(id)?.ids ?? []) {
      if (!own.startsWith('own')) continue // another branch may have changed the same key
      const times = written.get(id)?.ids.get(own) ?? 0
      if (times !== 1) this.#verdict.wrong(`${own} was acknowledged before ${id}, which has brought it ${times} times`)
      else this.#verdict.right('records brought by merges')
    }
  }
}
