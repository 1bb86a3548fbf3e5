// Which topics know of which branches, so that one that is gone can be forgotten: a topic from which a thousand branches were
// made, merged and dropped must not carry a thousand numbers in every fork. As long as two know of it they may still have to
// tell each other what came from there; one alone has the only copies, and they are as good as its own.

import type { MergedRange, Span } from './knowledge.ts'
import type { Vector } from './vector.ts'

export class Mentions {
  readonly #holders = new Map<string, Set<string>>()
  readonly #held = new Map<string, Set<string>>()
  /** Branches that are gone, and that somebody still knows of. */
  readonly #gone = new Set<string>()

  note(holder: string, known: Vector, spans: readonly Span[], merged: readonly MergedRange[]): void {
    for (const branch of Object.keys(known)) this.#note(holder, branch)
    for (const [branch] of spans) this.#note(holder, branch)
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

  /** A topic is gone: answers the branches of before that one topic alone still knows of. */
  removed(topic: string): [branch: string, holder: string][] {
    const held = [...(this.#held.get(topic) ?? [])]
    this.#held.delete(topic)
    for (const branch of held) {
      const holders = this.#holders.get(branch)
      holders?.delete(topic)
      if (holders?.size === 0) {
        this.#holders.delete(branch)
        this.#gone.delete(branch)
      }
    }
    if (this.#holders.has(topic)) this.#gone.add(topic)
    return [...held, topic].flatMap((branch): [string, string][] => {
      const holders = this.#holders.get(branch)
      return this.#gone.has(branch) && holders?.size === 1 ? [[branch, [...holders][0]!]] : []
    })
  }

  /** Nobody knows of it any more. */
  forgotten(branch: string): void {
    for (const holder of this.#holders.get(branch) ?? []) this.#held.get(holder)?.delete(branch)
    this.#holders.delete(branch)
    this.#gone.delete(branch)
  }
}
