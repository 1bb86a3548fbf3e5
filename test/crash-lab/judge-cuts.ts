// Forks at one cut of topics that transactions write to: each transaction is in the cut with all of its records or with none, those that
// were committed before with all of them, those that were taken back never, and the cut is the same whenever it is looked at.

import type { Happened, Outcome } from './history.ts'
import type { Part, Verdict } from './judge.ts'

export class JudgeOfCuts implements Part {
  readonly #verdict: Verdict
  /** How many records a transaction had when it was to end. */
  readonly #counts = new Map<string, number>()
  readonly #outcomes = new Map<string, Outcome>()
  /** By set, what was committed before it was asked for. */
  readonly #before = new Map<string, readonly string[]>()
  readonly #shown = new Map<string, readonly string[]>()

  constructor(verdict: Verdict) {
    this.#verdict = verdict
  }

  take(happened: Happened): void {
    if (happened.t === 'ending') this.#counts.set(happened.txn, happened.count)
    else if (happened.t === 'ended') this.#outcomes.set(happened.txn, happened.outcome)
    else if (happened.t === 'cutting') {
      const committed = [...this.#outcomes].filter(([, outcome]) => outcome === 'committed')
      this.#before.set(
        happened.set,
        committed.map(([txn]) => txn),
      )
    } else if (happened.t === 'cut') this.#judge(happened.set, happened.records)
    else if (happened.t === 'drained') for (const [set, records] of this.#shown) this.#judgeOutcomes(set, records)
  }

  #judge(set: string, records: readonly string[]): void {
    const before = this.#shown.get(set)
    if (before !== undefined && before.join() !== records.join())
      this.#verdict.wrong(
        `the cut of ${set} showed ${before.length} records, and shows ${records.length} now, or others`,
      )
    if (before !== undefined) return
    this.#shown.set(set, records)
    const by = byTransaction(records)
    for (const [txn, ids] of by) {
      const count = this.#counts.get(txn)
      if (count === undefined) this.#verdict.wrong(`${set} shows ${txn}, which nobody has asked to commit yet`)
      else if (ids.size !== count) this.#verdict.wrong(`${set} shows ${ids.size} of the ${count} records of ${txn}`)
      else this.#verdict.right('transactions in cuts')
    }
    for (const txn of this.#before.get(set) ?? [])
      if (!by.has(txn)) this.#verdict.wrong(`${set} lacks ${txn}, which was committed before it was asked for`)
    if (records.length !== new Set(records).size) this.#verdict.wrong(`${set} shows a record twice`)
  }

  #judgeOutcomes(set: string, records: readonly string[]): void {
    for (const txn of byTransaction(records).keys())
      if (this.#outcomes.get(txn) === 'aborted') this.#verdict.wrong(`${set} shows ${txn}, which was taken back`)
  }
}

function byTransaction(records: readonly string[]): Map<string, Set<string>> {
  const by = new Map<string, Set<string>>()
  for (const id of records) {
    const txn = id.split('#')[0]!
    by.set(txn, (by.get(txn) ?? new Set()).add(id))
  }
  return by
}
