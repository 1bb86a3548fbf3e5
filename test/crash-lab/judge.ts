// Reads a history and says what in it must not have happened. One judge for a run that goes on and for its file.

import type { Happened } from './history.ts'
import { JudgeOfBranches } from './judge-branches.ts'
import { JudgeOfCuts } from './judge-cuts.ts'
import { JudgeOfGroups } from './judge-groups.ts'
import { JudgeOfLogs } from './judge-logs.ts'
import { JudgeOfTransactions } from './judge-transactions.ts'
import { Logs } from './logs.ts'

/** Says what is wrong; how often something was found to be right. */
export type Verdict = {
  wrong(what: string): void
  right(what: string, times?: number): void
}

export interface Part {
  take(happened: Happened): void
}

const wrongMax = 200

export class Judge implements Verdict {
  readonly found: string[] = []
  readonly checked = new Map<string, number>()
  readonly #groups: JudgeOfGroups
  readonly #parts: readonly Part[]

  constructor() {
    const logs = new Logs(this)
    this.#groups = new JudgeOfGroups(this, logs)
    const ofBranches = new JudgeOfBranches(this, logs)
    const ofTransactions = [new JudgeOfTransactions(this, logs), new JudgeOfCuts(this)]
    this.#parts = [logs, new JudgeOfLogs(this, logs), ...ofTransactions, this.#groups, ofBranches]
  }

  /** What groups have not read, or share groups not accepted, of what is there; '' when they have all. */
  behind(groups: readonly string[], shares: readonly string[]): string {
    return this.#groups.behind(groups, shares)
  }

  take(happened: Happened): void {
    if (happened.t === 'check') {
      if (happened.clean) this.right('clean folders')
      else this.wrong(`after kill ${happened.n} \`twiglog check\` says: ${happened.said}`)
    }
    for (const part of this.#parts) part.take(happened)
  }

  wrong(what: string): void {
    if (this.found.length < wrongMax && !this.found.includes(what)) this.found.push(what)
  }

  right(what: string, times = 1): void {
    this.checked.set(what, (this.checked.get(what) ?? 0) + times)
  }

  get summary(): string {
    return [...this.checked].map(([what, times]) => `${times} ${what}`).join(', ')
  }
}
