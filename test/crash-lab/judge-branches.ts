// Branches: a command has one result; a fork has everything that was acknowledged before it was asked for, and shows below
// its cut what its parent shows; a merge or a revert took place as a whole, as often as it was told, or not at all.

import type { BranchTold, Happened, Logged, Place } from './history.ts'
import type { Part, Verdict } from './judge.ts'
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
  #eventEnd = 0
  /** By partition, behind the last acknowledged record; by topic, acknowledged ids. */
  readonly #acked = new Map<string, number>()
  readonly #ackedIds = new Map<string, string[]>()
  readonly #calls = new Map<number, Extract<Happened, { t: 'sent' }>>()
  /** Of a branch and its partition: the parent, and where it was cut. */
  readonly #cuts = new Map<string, readonly [parent: string, at: number]>()

  constructor(verdict: Verdict, logs: Logs) {
    this.#verdict = verdict
    this.#logs = logs
    logs.onFresh((place, _, fresh) => this.#compare(place, fresh))
  }

  take(happened: Happened): void {
    if (happened.t === 'sent' && happened.topic.startsWith('keyed')) this.#calls.set(happened.call, happened)
    else if (happened.t === 'acked') this.#noteAcked(happened)
    else if (happened.t === 'command') {
      const ids = [...(this.#ackedIds.get(happened.from) ?? [])]
      this.#asked.set(happened.id, { command: happened, acked: new Map(this.#acked), ids })
    } else if (happened.t === 'commanded') this.#commanded.add(happened.id)
    else if (happened.t === 'event') this.#judgeEvent(happened)
    else if (happened.t === 'drained') this.#judgeAll()
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
    if (offset < this.#eventEnd) return // read again
    this.#eventEnd = offset + 1
    if (!isResult(event) || event.replayed === true) return
    if (this.#results.has(event.id)) this.#verdict.wrong(`${event.id} has two results`)
    this.#results.set(event.id, event)
    if (event.type === 'fork' && event.status === 'done') this.#judgeFork(event)
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
    for (const [offset, id] of fresh) {
      if (offset >= at) continue
      const there = parent.records.get(offset)?.[1]
      if (there !== id) this.#verdict.wrong(`${nameOf(place)} has ${id} at ${offset}, where its parent has ${there}`)
      else this.#verdict.right('inherited records')
    }
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
    for (const [id, result] of this.#results) this.#judgeWritten(id, result, written)
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
