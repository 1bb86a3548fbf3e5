// Transactions: all of a committed one, in every partition, once; nothing of an aborted one; of one whose end nobody knows
// all or nothing; and the group's progress that was sent with the last one that took place.

import type { Happened, Logged, Outcome, Place } from './history.ts'
import type { Part, Verdict } from './judge.ts'
import { type Logs, nameOf, type PartitionLog } from './logs.ts'

type Ending = Extract<Happened, { t: 'ending' }>

/** Which records of a partition are committed, read as a consumer does: by the markers behind them. */
export class Deciding {
  readonly committed = new Map<number, string>()
  readonly #open = new Map<number, (readonly [offset: number, id: string])[]>()
  #next = 0

  /** Goes on to where the log ends. */
  follow(log: PartitionLog): { committed: string[]; aborted: string[] } {
    const decided = { committed: [] as string[], aborted: [] as string[] }
    for (; this.#next < log.end; this.#next++) {
      const record = log.records.get(this.#next)
      const marker = log.markers.get(this.#next)
      if (record !== undefined && record[2] < 0) this.committed.set(record[0], record[1])
      else if (record !== undefined) {
        const open = this.#open.get(record[2])
        if (open === undefined) this.#open.set(record[2], [[record[0], record[1]]])
        else open.push([record[0], record[1]])
      } else if (marker !== undefined) {
        for (const [offset, id] of this.#open.get(marker[1]) ?? []) {
          if (marker[2]) this.committed.set(offset, id)
          decided[marker[2] ? 'committed' : 'aborted'].push(id)
        }
        this.#open.delete(marker[1])
      }
    }
    return decided
  }
}

export class JudgeOfTransactions implements Part {
  readonly #verdict: Verdict
  readonly #logs: Logs
  /** Of a partition and whoever writes: the number of his last transaction, and of its last record there. */
  readonly #last = new Map<string, readonly [txn: number, n: number]>()
  readonly #deciding = new Map<string, Deciding>()
  readonly #endings = new Map<string, Ending>()
  readonly #outcomes = new Map<string, Outcome>()
  /** Ids of committed and of aborted records, by transaction. */
  readonly #committed = new Map<string, Set<string>>()
  readonly #aborted = new Map<string, number>()
  #told: string[] = []
  readonly #late = new Set<string>()
  #due: string[] = []
  readonly #progress = new Map<string, number>()
  #isWhole = false
  #isOver = false

  constructor(verdict: Verdict, logs: Logs) {
    this.#verdict = verdict
    this.#logs = logs
    logs.onFresh((place, log, fresh) => {
      if (!place.topic.startsWith('txn')) return
      this.#judgeOrder(nameOf(place), fresh)
      this.#follow(place, log)
    })
  }

  take(happened: Happened): void {
    if (happened.t === 'ending') this.#endings.set(happened.txn, happened)
    else if (happened.t === 'ended') {
      this.#outcomes.set(happened.txn, happened.outcome)
      this.#told.push(happened.txn)
    } else if (happened.t === 'audit') {
      this.#due = this.#told.splice(0)
      this.#isWhole = happened.whole
    } else if (happened.t === 'audited') {
      for (const txn of this.#due.splice(0)) this.#judge(txn)
      if (this.#isWhole) this.#judgeAll()
    } else if (happened.t === 'offset') this.#judgeProgress(happened)
    else if (happened.t === 'stable') this.#judgeStable(happened)
    else if (happened.t === 'drained') this.#isOver = true
  }

  /** One transaction after the other, whatever becomes of them, and within each its records as they were sent. */
  #judgeOrder(name: string, fresh: readonly Logged[]): void {
    for (const [, id] of fresh) {
      const [, whose, number, n] = /^txn\.([^.#]+)\.(?:\d+\.)?(\d+)#(\d+)$/.exec(id) ?? []
      if (whose === undefined) continue
      const by = `${name} ${whose}`
      const [txn, last] = this.#last.get(by) ?? [-1, -1]
      if (Number(number) < txn || (Number(number) === txn && Number(n) <= last))
        this.#verdict.wrong(`${id} stands behind #${last} of transaction ${txn} in ${name}`)
      else this.#last.set(by, [Number(number), Number(n)])
    }
  }

  #follow(place: Place, log: PartitionLog): void {
    const name = nameOf(place)
    const deciding = this.#deciding.get(name) ?? new Deciding()
    this.#deciding.set(name, deciding)
    const { committed, aborted } = deciding.follow(log)
    for (const id of committed) {
      const txn = id.split('#')[0]!
      const ids = this.#committed.get(txn) ?? new Set()
      this.#committed.set(txn, ids)
      if (ids.has(id)) this.#verdict.wrong(`${id} was committed twice, the second time in ${name}`)
      ids.add(id)
    }
    for (const id of aborted) {
      const txn = id.split('#')[0]!
      this.#aborted.set(txn, (this.#aborted.get(txn) ?? 0) + 1)
    }
  }

  #judge(txn: string): void {
    const outcome = this.#outcomes.get(txn)!
    const count = this.#endings.get(txn)?.count ?? 0
    const committed = this.#committed.get(txn)?.size ?? 0
    const aborted = this.#aborted.get(txn) ?? 0
    if (outcome === 'committed' && committed < count && aborted === 0 && !this.#late.has(txn)) {
      // Decided, and its markers are on their way: a start writes what is missing of them. The next look must find them.
      this.#late.add(txn)
      this.#told.push(txn)
    } else if (outcome === 'committed' && committed !== count) {
      this.#verdict.wrong(
        `${txn} was committed with ${count} records, of which ${committed} are there (${aborted} taken back)`,
      )
    } else if (outcome === 'aborted' && committed > 0) {
      this.#verdict.wrong(`${txn} was never committed, and ${committed} of its records are there`)
    } else if (outcome === 'unknown' && committed > 0 && aborted > 0) {
      this.#verdict.wrong(`of ${txn} ${committed} records are there and ${aborted} are not`)
    } else this.#verdict.right(`transactions ${outcome === 'unknown' ? 'of unknown end' : outcome}`)
  }

  /** When nothing is open any more. */
  #judgeAll(): void {
    for (const [txn, outcome] of this.#outcomes) {
      const count = this.#endings.get(txn)?.count ?? 0
      const committed = this.#committed.get(txn)?.size ?? 0
      if (outcome !== 'unknown' || committed === 0 || committed === count) continue
      this.#verdict.wrong(`of ${txn}, whose end nobody knows, ${committed} of ${count} records are there`)
    }
  }

  #judgeProgress({ group, offset }: Extract<Happened, { t: 'offset' }>): void {
    if (!group.startsWith('progress')) return
    const before = this.#progress.get(group) ?? -1
    if (offset < before) this.#verdict.wrong(`the progress of ${group} went back from ${before} to ${offset}`)
    else this.#verdict.right('progress of transactions')
    this.#progress.set(group, offset)
    const least = this.#newest(group, (txn) => this.#outcomes.get(txn) === 'committed' && !this.#told.includes(txn))
    const most = this.#newest(group, (txn) => this.#outcomes.get(txn) !== 'aborted')
    const exactly = this.#isOver ? this.#newest(group, (txn) => (this.#committed.get(txn)?.size ?? 0) > 0) : undefined
    if (offset < least || offset > most) {
      this.#verdict.wrong(`the progress of ${group} is ${offset}, and lies between ${least} and ${most}`)
    } else if (exactly !== undefined && offset !== exactly) {
      this.#verdict.wrong(
        `the progress of ${group} is ${offset}, and its last transaction that took place had ${exactly}`,
      )
    }
  }

  #newest(group: string, counts: (txn: string) => boolean): number {
    let newest = -1
    for (const [txn, ending] of this.#endings) {
      if (ending.group === group && ending.offset > newest && counts(txn)) newest = ending.offset
    }
    return newest
  }

  /** What the broker's list of aborted transactions leaves is what the markers say. */
  #judgeStable({ records, to, ...place }: Extract<Happened, { t: 'stable' }>): void {
    const name = nameOf(place)
    const log = this.#logs.of(place)
    const deciding = this.#deciding.get(name) ?? new Deciding()
    deciding.follow(log)
    const { committed } = deciding
    if (to < log.end) this.#verdict.wrong(`${name} ends at ${log.end}, and who reads committed records comes to ${to}`)
    const wanted = [...committed].filter(([offset]) => offset < to)
    if (wanted.length !== records.length) {
      this.#verdict.wrong(`${name} has ${wanted.length} committed records below ${to}, and shows ${records.length}`)
    }
    for (const [offset, id] of records) {
      if (committed.get(offset) !== id)
        this.#verdict.wrong(`${name} shows ${id} at ${offset} as committed, which is not`)
      else this.#verdict.right('records as committed ones')
    }
  }
}
