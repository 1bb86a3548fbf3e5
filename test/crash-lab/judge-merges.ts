// What a merge must have brought and what a revert must have put back, by the tables of extensions §1.4 and §1.6, as far as the lab's
// commander uses them: what is in conflict is the branch's with a merge, and the topic's with a revert.

import { deleted } from './documents.ts'
import type { BranchTold } from './history.ts'
import type { Verdict } from './judge.ts'
import { Deciding } from './judge-transactions.ts'
import { type Logs, nameOf } from './logs.ts'

type Written = { readonly offset: number; readonly id: string; readonly key: string; readonly merge: string }

export class JudgeOfMerges {
  readonly #verdict: Verdict
  readonly #logs: Logs
  /** Of a branch and its partition: the parent, and where it was cut. */
  readonly #cuts: ReadonlyMap<string, readonly [parent: string, at: number]>
  readonly #committed = new Map<string, readonly Written[]>()

  /** Of logs that nobody writes to any more. */
  constructor(verdict: Verdict, logs: Logs, cuts: ReadonlyMap<string, readonly [parent: string, at: number]>) {
    this.#verdict = verdict
    this.#logs = logs
    this.#cuts = cuts
  }

  /** `undone`: the merge that is taken back. */
  judge(id: string, told: BranchTold, undone: string | undefined): void {
    if (told.status !== 'committed') return
    for (const { from, into = '', partitions = [] } of told.topics ?? []) {
      for (const { partition, to = 0, first } of partitions) {
        const target = { topic: into, partition }
        if (told.type === 'merge' && from !== undefined) {
          this.#judgeBrought(id, told.strategy, this.#ownOf(nameOf({ topic: from, partition }), to), target)
        } else if (told.type === 'revert' && undone !== undefined) this.#judgeUndone(id, undone, target, first)
      }
    }
  }

  #committedIn(name: string): readonly Written[] {
    const known = this.#committed.get(name)
    if (known !== undefined) return known
    const log = this.#logs.named(name)
    const deciding = new Deciding()
    deciding.follow(log)
    const written = [...deciding.committed.keys()]
      .sort((a, b) => a - b)
      .map((offset) => {
        const [, id, , merge, key = ''] = log.records.get(offset)!
        return { offset, id, key, merge }
      })
    this.#committed.set(name, written)
    return written
  }

  /** What a branch has of its own below an offset; undefined where it was gone before anybody had read as far, or knows no keys. */
  #ownOf(name: string, to: number): readonly Written[] | undefined {
    const at = this.#cuts.get(name)?.[1]
    if (at === undefined || this.#logs.named(name).end < to) return undefined
    const own = this.#committedIn(name).filter(({ offset }) => offset >= at && offset < to)
    return own.some(({ key }) => key === '') ? undefined : own
  }

  #judgeBrought(
    id: string,
    strategy: string | undefined,
    own: readonly Written[] | undefined,
    target: { topic: string; partition: number },
  ): void {
    if (own === undefined) return
    const name = nameOf(target)
    const brought = this.#committedIn(name).filter(({ merge }) => merge === id)
    const isReplay = strategy === 'replay'
    const newest = new Map(own.map((record) => [record.key, record]))
    const wanted = isReplay ? own : [...newest.values()]
    const [has, due] = [brought, wanted].map((of) => {
      const ids = of.map((record) => record.id)
      return (isReplay ? ids : ids.sort()).join(' ')
    })
    if (has === due) this.#verdict.right('partitions of merges')
    else this.#verdict.wrong(`${id} (${strategy}) has brought ${has} to ${name}, where ${due} was due`)
  }

  #judgeUndone(
    id: string,
    undone: string,
    target: { topic: string; partition: number },
    first: number | undefined,
  ): void {
    const name = nameOf(target)
    const all = this.#committedIn(name)
    const keys = new Set(all.filter(({ merge }) => merge === undone).map(({ key }) => key))
    keys.delete('')
    for (const key of keys) {
      const of = all.filter((record) => record.key === key)
      const began = of.findIndex(({ merge }) => merge === undone)
      const before = began === 0 ? deleted : of[began - 1]!.id
      const since = of.slice(began).filter(({ merge }) => merge !== undone && merge !== id)
      if (first === undefined && since.length > 0) continue // nobody knows which came first
      const isChanged = since.some(({ offset }) => offset < first!)
      const put = of.filter(({ merge }) => merge === id).map((record) => record.id)
      const due = isChanged ? '' : before
      if (put.join(' ') === due) this.#verdict.right('keys of reverts')
      else this.#verdict.wrong(`${id} has put ${put.join(' ')} into ${name} for ${key}, where ${due} was due`)
    }
  }
}
