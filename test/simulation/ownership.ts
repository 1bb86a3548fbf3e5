// Who of a group may believe to own a partition: never two. Ten lines of truth beside what members are told.

export class Ownership {
  readonly #owners = new Map<string, { member: string; until: number }>()
  readonly #wrong: (what: string) => void
  readonly #right: () => void

  constructor(wrong: (what: string) => void, right: () => void) {
    this.#wrong = wrong
    this.#right = right
  }

  /** `until`: as long as the coordinator cannot have given it up, whatever becomes of its heartbeats. */
  take(partition: string, member: string, now: number, until: number): void {
    if (until <= now) return // the word came too late to mean anything
    const owner = this.#owners.get(partition)
    if (owner !== undefined && owner.member !== member && owner.until > now)
      this.#wrong(`${partition} was given to ${member} while ${owner.member} had it`)
    else this.#right()
    this.#owners.set(partition, { member, until })
  }

  give(partition: string, member: string): void {
    if (this.#owners.get(partition)?.member === member) this.#owners.delete(partition)
  }
}
