// When topics were last used. That is seen by looking again and again, so that no record pays for it; a start of the broker
// counts as use.

import type { Topic } from '../broker/topic.ts'

type Seen = { uses: number; at: number }

export class LastUses {
  readonly #seen = new Map<string, Seen>()

  /** Looks at a topic. */
  at({ id, partitions }: Topic, now: number): number {
    const uses = partitions.reduce((sum, partition) => sum + partition.uses, 0)
    const seen = this.#seen.get(id)
    if (seen?.uses === uses) return seen.at
    this.#seen.set(id, { uses, at: now })
    return now
  }

  /** Those that are gone take no room. */
  keep(isThere: (id: string) => boolean): void {
    for (const id of this.#seen.keys()) if (!isThere(id)) this.#seen.delete(id)
  }
}
