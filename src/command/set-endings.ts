// What ends with a branch set: the groups and transactional ids that lived in it, what was configured for them, and its
// listener. A start looks too, since a kill may have come in between.

import { insideOf } from '../branch/set-names.ts'
import type { Doors } from './doors.ts'
import type { Rooms } from './forking.ts'

export class SetEndings {
  readonly #rooms: Rooms
  readonly #doors: Doors

  constructor(rooms: Rooms, doors: Doors) {
    this.#rooms = rooms
    this.#doors = doors
    rooms.broker.onTopicDeleted(() => void this.look())
  }

  /** At the start, when groups and transactions are known: sets of which only they are left. Never rejects. */
  async sweep(): Promise<void> {
    const { broker, groups, transactions } = this.#rooms
    const ids = [
      ...groups.list().groups.map(({ groupId }) => groupId),
      ...transactions.list().states.map(({ id }) => id),
      ...broker.groupConfigs.names(),
    ]
    await this.#end(new Set(ids.flatMap((id) => insideOf(id)?.set ?? [])))
  }

  /** Ends what belongs to sets that have gone. Never rejects. */
  async look(): Promise<void> {
    const { gone } = this.#rooms.broker.lineage
    if (gone.size === 0) return
    const labels = new Set(gone)
    gone.clear()
    await this.#end(labels)
  }

  async #end(labels: ReadonlySet<string>): Promise<void> {
    const { broker, groups, transactions } = this.#rooms
    // Another set may be called so by now: then what is in there is its own.
    const over = new Set([...labels].filter((set) => !broker.lineage.sets.has(set)))
    if (over.size === 0) return
    const isOver = (id: string) => over.has(insideOf(id)?.set ?? '')
    for (const set of over) this.#doors.close(set)
    try {
      await Promise.all([groups.end(isOver), transactions.endAll(isOver)])
      for (const name of broker.groupConfigs.names()) if (isOver(name)) await broker.groupConfigs.configure(name, {})
    } catch (cause) {
      console.error(`What is left of the sets ${[...over].join(', ')} goes with the next start: ${String(cause)}`)
    }
  }
}
