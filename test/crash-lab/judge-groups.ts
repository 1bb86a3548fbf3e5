// What consumers saw: nothing that is not in the log, nor, where they read committed records alone, what was taken back or not yet to
// be committed; in the end everything that is; committed offsets never go back; and what a share group has accepted is never
// given out to be accepted again.

import type { Happened, Place } from './history.ts'
import type { Part, Verdict } from './judge.ts'
import { Deciding } from './judge-transactions.ts'
import { type Logs, nameOf } from './logs.ts'

/** Of a group in a partition. */
class Progress {
  readonly place: Place
  readonly seen = new Set<number>()
  /** Not in the log when they were read: the next audit must find them. */
  ahead: (readonly [offset: number, id: string])[] = []
  /** Acknowledged before the audit began, and since. */
  floor = -1
  next = -1
  /** The furthest that anybody has asked for. */
  most = -1
  last = -1

  constructor({ topic, partition }: Place) {
    this.place = { topic, partition }
  }
}

/** `asked`: may have been accepted; whoever is given one of them again knows that it was not. */
type Accepting = { readonly place: Place; readonly accepted: Map<number, string>; readonly asked: Set<number> }

export class JudgeOfGroups implements Part {
  readonly #verdict: Verdict
  readonly #logs: Logs
  readonly #groups = new Map<string, Map<string, Progress>>()
  readonly #shares = new Map<string, Map<string, Accepting>>()
  /** Transactions that somebody has begun to end. */
  readonly #ending = new Set<string>()

  constructor(verdict: Verdict, logs: Logs) {
    this.#verdict = verdict
    this.#logs = logs
  }

  take(happened: Happened): void {
    if (happened.t === 'read') this.#read(happened)
    else if (happened.t === 'ending') this.#ending.add(happened.txn)
    else if (happened.t === 'over') this.#judgeAhead()
    else if (happened.t === 'commit') {
      const progress = this.#of(happened)
      progress.most = Math.max(progress.most, happened.offset)
    } else if (happened.t === 'committed') {
      const progress = this.#of(happened)
      progress.next = Math.max(progress.next, happened.offset)
    } else if (happened.t === 'audit') for (const each of this.#all()) each.floor = each.next
    else if (happened.t === 'offset') this.#judgeOffset(happened)
    else if (happened.t === 'audited')
      for (const [group, ofGroup] of this.#groups) this.#compare(group, ofGroup.values())
    else if (happened.t === 'given') {
      const { asked } = this.#accepting(happened)
      for (const offset of happened.offsets) asked.delete(offset)
    } else if (happened.t === 'accepting') {
      const { asked } = this.#accepting(happened)
      for (const offset of happened.offsets) asked.add(offset)
    } else if (happened.t === 'accepted') {
      this.#judgeAccepting(happened)
    } else if (happened.t === 'drained') {
      for (const group of happened.groups) this.#judgeWhole(group)
      for (const group of happened.shares) this.#judgeAccepted(group)
    }
  }

  /** What these have not read or accepted yet, in a word; '' when they have all. */
  behind(groups: readonly string[], shares: readonly string[]): string {
    for (const group of groups) {
      for (const [place, missed] of this.#missed(group)) if (missed.length > 0) return `${group} in ${nameOf(place)}`
      if (!this.#groups.has(group)) return group
    }
    for (const group of shares) {
      for (const [place, missed] of this.#unaccepted(group))
        if (missed.length > 0) return `${group} in ${nameOf(place)}`
    }
    return ''
  }

  *#all(): Generator<Progress> {
    for (const ofGroup of this.#groups.values()) yield* ofGroup.values()
  }

  #of({ group, ...place }: { group: string } & Place): Progress {
    const ofGroup = this.#groups.get(group) ?? new Map()
    this.#groups.set(group, ofGroup)
    const progress = ofGroup.get(nameOf(place)) ?? new Progress(place)
    ofGroup.set(nameOf(place), progress)
    return progress
  }

  #accepting({ group, topic, partition }: { group: string } & Place): Accepting {
    const ofGroup = this.#shares.get(group) ?? new Map()
    this.#shares.set(group, ofGroup)
    const name = nameOf({ topic, partition })
    const accepting = ofGroup.get(name) ?? { place: { topic, partition }, accepted: new Map(), asked: new Set() }
    ofGroup.set(name, accepting)
    return accepting
  }

  #read(told: Extract<Happened, { t: 'read' }>): void {
    this.#of(told).ahead.push(...told.records)
    if (!readsCommitted(told.group)) return
    for (const [offset, id] of told.records) {
      const txn = id.split('#')[0]!
      if (txn.startsWith('txn') && !this.#ending.has(txn))
        this.#verdict.wrong(`${told.group} was shown ${id} at ${offset} of ${nameOf(told)} before ${txn} was to end`)
    }
  }

  /** What was read at the very end is there, too. */
  #judgeAhead(): void {
    for (const [group, ofGroup] of this.#groups)
      for (const { ahead, place } of ofGroup.values())
        for (const [offset, id] of ahead)
          this.#verdict.wrong(`${group} read ${id} at ${offset} of ${nameOf(place)}, which ends before it`)
  }

  #compare(group: string, all: Iterable<Progress>): void {
    for (const progress of all) {
      const { records, end } = this.#logs.of(progress.place)
      progress.ahead = progress.ahead.filter(([offset, id]) => {
        if (offset >= end) return true // came after the audit had looked
        const found = records.get(offset)?.[1]
        if (found === id) this.#verdict.right('records read by groups')
        else this.#verdict.wrong(`${group} read ${id} at ${offset} of ${nameOf(progress.place)}, where ${found} is`)
        progress.seen.add(offset)
        return false
      })
    }
  }

  #judgeOffset(told: Extract<Happened, { t: 'offset' }>): void {
    if (told.group.startsWith('progress')) return // of transactions
    const progress = this.#of(told)
    const { floor, most, last } = progress
    const what = `the offset of ${told.group} in ${nameOf(told)} is ${told.offset}`
    if (told.offset < floor) this.#verdict.wrong(`${what}, and ${floor} was committed before`)
    else if (told.offset < last) this.#verdict.wrong(`${what}, and was ${last} before`)
    else if (told.offset > most) this.#verdict.wrong(`${what}, and nobody has committed more than ${most}`)
    else this.#verdict.right('committed offsets')
    progress.last = told.offset
  }

  /**
   * Clients give their applications what they have held for long, so being given a record again says nothing; accepting it does, unless
   * it is the same member: it may have been given the record twice before it accepted it, as its lock had run out, and what lies below
   * the beginning of what a group has left is no error then, as in Kafka.
   */
  #judgeAccepting(told: Extract<Happened, { t: 'accepted' }>): void {
    const { accepted } = this.#accepting(told)
    const isAgain = (by: string | undefined) => by !== undefined && by !== told.member
    const again = told.offsets.filter((offset) => isAgain(accepted.get(offset)))
    for (const offset of told.offsets) accepted.set(offset, told.member)
    if (again.length === 0) this.#verdict.right('share acceptances', told.offsets.length)
    else
      this.#verdict.wrong(
        `${told.group} has accepted ${again.join(', ')} of ${nameOf(told)} twice, ${told.member} as the second`,
      )
  }

  #judgeWhole(group: string): void {
    if (!this.#groups.has(group)) this.#verdict.wrong(`${group} has read nothing`)
    if (readsCommitted(group)) this.#judgeCommitted(group)
    for (const [place, [first, ...others]] of this.#missed(group)) {
      if (first === undefined) this.#verdict.right('partitions read to the end by groups')
      else
        this.#verdict.wrong(
          `${group} never read ${1 + others.length} records of ${nameOf(place)}, the one at ${first} first`,
        )
    }
  }

  #judgeCommitted(group: string): void {
    for (const { place, seen } of this.#groups.get(group)?.values() ?? []) {
      const deciding = new Deciding()
      deciding.follow(this.#logs.of(place))
      for (const offset of seen) {
        if (deciding.committed.has(offset)) this.#verdict.right('records read as committed ones')
        else this.#verdict.wrong(`${group} was shown the record at ${offset} of ${nameOf(place)}, which was taken back`)
      }
    }
  }

  /** Committed records that no member has read. */
  *#missed(group: string): Generator<readonly [Place, number[]]> {
    const topics = new Set([...(this.#groups.get(group)?.values() ?? [])].map(({ place }) => place.topic))
    for (const topic of topics) {
      for (const [partition, log] of this.#logs.ofTopic(topic)) {
        const deciding = new Deciding()
        deciding.follow(log)
        const { seen } = this.#of({ group, topic, partition })
        yield [{ topic, partition }, [...deciding.committed.keys()].filter((offset) => !seen.has(offset))]
      }
    }
  }

  #judgeAccepted(group: string): void {
    if (!this.#shares.has(group)) this.#verdict.wrong(`${group} was given nothing`)
    for (const [place, [first, ...others]] of this.#unaccepted(group)) {
      if (first === undefined) this.#verdict.right('partitions accepted to the end by share groups')
      else
        this.#verdict.wrong(
          `${group} accepted all of ${nameOf(place)} but ${1 + others.length}, the one at ${first} first`,
        )
    }
  }

  *#unaccepted(group: string): Generator<readonly [Place, number[]]> {
    const topics = new Set([...(this.#shares.get(group)?.values() ?? [])].map(({ place }) => place.topic))
    for (const topic of topics) {
      for (const [partition, log] of this.#logs.ofTopic(topic)) {
        const { accepted, asked } = this.#accepting({ group, topic, partition })
        const isLeft = (offset: number) => !accepted.has(offset) && !asked.has(offset)
        yield [{ topic, partition }, [...log.records.keys()].filter(isLeft)]
      }
    }
  }
}

/**
 * By their names. KafkaJS goes on to the next aborted transaction with each record, as if they were in the order in which they began, so
 * it shows some of those that stand between others' records; what the broker tells of them is read beside it.
 */
const readsCommitted = (group: string): boolean => group.startsWith('committed') && !group.endsWith('-kafkajs')
