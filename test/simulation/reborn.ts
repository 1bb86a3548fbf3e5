// A topic that is deleted and made again under its name, with a branch that lives on without its parent (B12).

import type { Lists } from './lists.ts'

export const phoenix = 'phoenix'

export class Reborn {
  readonly #lists: Lists

  constructor(lists: Lists) {
    this.#lists = lists
    lists.set(phoenix, [])
  }

  async live(): Promise<void> {
    const lists = this.#lists
    await lists.live(async (n) => {
      // A life that was cut off left it deleted.
      if (!lists.names.includes(phoenix)) await lists.create(phoenix)
      const branch = `${phoenix}--o${n}`
      await lists.write(phoenix)
      if ((await lists.order(`reborn-fork-${n}`, { op: 'fork', from: phoenix, to: branch })) === 'done')
        lists.set(branch, lists.of(phoenix))
      for (const name of lists.names) await lists.write(name)
      await lists.delete(phoenix)
      await lists.look()
      await lists.create(phoenix)
      await lists.look()
      for (const name of lists.names) await lists.write(name)
      await lists.look()
      for (const name of lists.names) if (name !== phoenix && lists.isLess(0.7)) await lists.delete(name)
    })
  }
}
