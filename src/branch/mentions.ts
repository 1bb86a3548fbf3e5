// Which topics know of which branches, so that one that is gone can be forgotten: a topic from which a thousand branches were
// made, merged and dropped must not carry a thousand numbers in every fork and every merge. What came from a branch that is
// gone may be forgotten where all that is left of it lies at the same offsets for everybody who has it: those offsets say
// then where it was first written. As long as two topics took it over by merges of their own they may have to tell each other.

import type { Knowledge, Span } from './knowledge.ts'
import type { RangesTold } from './merged-ranges.ts'
import type { Vector } from './vector.ts'

/** What is asked of the lineage. */
export type Kinship = {
  /** Of each partition of a topic, by index. */
  readonly knowledge: (topic: string) => ReadonlyMap<number, Knowledge>
  /** The topic that a branch was made of, as long as the branch is there. */
  readonly parent: (topic: string) => string | undefined
  readonly forget: (topic: string, branch: string) => void
}

/** What was planned before a branch was forgotten may come true a little later; no more than this much is under way. */
const forgottenMax = 1000

export class Mentions {
  readonly #kinship: Kinship
  readonly #holders = new Map<string, Set<string>>()
  readonly #held = new Map<string, Set<string>>()
  /** Branches that are gone, and that somebody still knows of. */
  readonly #gone = new Set<string>()
  /** The last ones. */
  readonly #forgotten = new Set<string>()

  constructor(kinship: Kinship) {
    this.#kinship = kinship
  }

  get hasForgotten(): boolean {
    return this.#forgotten.size > 0
  }

  note(holder: string, known: Vector, spans: readonly Span[] = [], { inherits, merged = [] }: RangesTold = {}): void {
    for (const branch of Object.keys(known)) this.#note(holder, branch)
    for (const [branch] of spans) this.#note(holder, branch)
    for (const branch of inherits?.loose ?? []) this.#note(holder, branch)
    for (const { loose = {} } of merged) for (const branch of Object.keys(loose)) this.#note(holder, branch)
  }

  #note(holder: string, branch: string): void {
    if (holder === branch) return
    const holders = this.#holders.get(branch)
    if (holders === undefined) this.#holders.set(branch, new Set([holder]))
    else holders.add(holder)
    const held = this.#held.get(holder)
    if (held === undefined) this.#held.set(holder, new Set([branch]))
    else held.add(branch)
  }

  /** What a fork or a merge says is known, without what was forgotten while it was under way. */
  readonly remembered = (known: Vector): Vector => {
    const isOld = (branch: string) => this.#forgotten.has(branch)
    if (this.#forgotten.size === 0 || !Object.keys(known).some(isOld)) return known
    return Object.fromEntries(Object.entries(known).filter(([branch]) => !isOld(branch)))
  }

  /** A topic is about to go: what only stayed known because of it is forgotten, and the topic too if nothing of it is needed. */
  removed(topic: string): void {
    const held = [...(this.#held.get(topic) ?? [])]
    // Who took something over from a topic that is still there kept nobody from forgetting it.
    const mattered = held.filter((branch) => this.#gone.has(branch) && this.#isInTheWay(topic, branch))
    this.#held.delete(topic)
    for (const branch of held) {
      const holders = this.#holders.get(branch)
      holders?.delete(topic)
      if (holders?.size === 0) this.#forget(branch)
    }
    if (this.#holders.has(topic)) this.#gone.add(topic)
    for (const branch of new Set([...mattered, ...held.filter((each) => this.#holders.get(each)?.size === 1), topic])) {
      if (this.#gone.has(branch) && this.#isAtOnePlace(branch)) this.#forget(branch)
    }
  }

  #isInTheWay(topic: string, branch: string): boolean {
    for (const partition of this.#kinship.knowledge(topic).keys()) {
      const home = this.#learner(topic, branch, partition)
      if (home === topic || !this.#holders.get(branch)!.has(home)) return true
    }
    return false
  }

  /** Where a topic has what it knows of a branch: the one of its ancestors that was told by a merge, or is there no more. */
  #learner(topic: string, branch: string, partition: number): string {
    for (let at = topic; ; ) {
      const parent = this.#kinship.parent(at)
      const knowledge = parent === undefined ? undefined : this.#kinship.knowledge(at).get(partition)
      if (parent === undefined || knowledge === undefined || knowledge.hasLearnt(branch)) return at
      at = parent
    }
  }

  /** Whether all that is left of a branch that is gone lies at the same offsets, whoever has it. */
  #isAtOnePlace(branch: string): boolean {
    const holders = [...this.#holders.get(branch)!]
    const learners = new Map<number, string>()
    for (const holder of holders) {
      for (const [partition, knowledge] of this.#kinship.knowledge(holder)) {
        if (knowledge.isHome(branch)) return false
        if (holders.length === 1) continue
        if (knowledge.isLoose(branch)) return false
        if (knowledge.known[branch] === undefined) continue
        const learner = this.#learner(holder, branch, partition)
        if ((learners.get(partition) ?? learner) !== learner) return false
        learners.set(partition, learner)
      }
    }
    return true
  }

  #forget(branch: string): void {
    for (const holder of this.#holders.get(branch) ?? []) {
      this.#held.get(holder)?.delete(branch)
      this.#kinship.forget(holder, branch)
    }
    this.#holders.delete(branch)
    if (!this.#gone.delete(branch)) return
    this.#forgotten.add(branch)
    if (this.#forgotten.size > forgottenMax) this.#forgotten.delete(this.#forgotten.values().next().value!)
  }
}
