// Branches of any beginning of their parents, that take the parents' names (promote) and that are made anew (reset).

import type { Lists } from './lists.ts'

export const root = 'life'

export class Gardener {
  readonly #lists: Lists

  constructor(lists: Lists) {
    this.#lists = lists
    lists.set(root, [])
  }

  /** Of one branch: made, written to, put in the place of its parent or made anew, and gone. */
  async live(): Promise<void> {
    await this.#lists.live((n) => this.#live(n))
  }

  async #live(n: number): Promise<void> {
    const lists = this.#lists
    const branch = `${root}--g${n}`
    const whole = lists.of(root)
    const count = lists.isLess(0.5) ? whole.length : lists.below(whole.length + 1)
    const at = await lists.pointBehind(root, count)
    if ((await lists.order(`garden-fork-${n}`, { op: 'fork', from: root, to: branch, at })) !== 'done') return
    lists.set(branch, whole.slice(0, count))
    for (const name of [branch, root, branch]) await lists.write(name)
    await lists.look()
    if (
      lists.isLess(0.5) &&
      (await lists.order(`garden-reset-${n}`, { op: 'reset', branch, at: 'latest' })) === 'done'
    ) {
      lists.set(branch, lists.of(root))
      await lists.write(branch)
    }
    const keep = `${root}--k${n}`
    if (lists.isLess(0.6) && (await this.#promote(`garden-promote-${n}`, branch, keep))) {
      await lists.write(root)
      await lists.look()
      if (lists.isLess(0.5)) await this.#promote(`garden-back-${n}`, keep, branch)
    }
    await lists.look()
    for (const name of lists.names) if (name !== root) await lists.delete(name)
    await lists.look()
  }

  async #promote(id: string, branch: string, keep: string): Promise<boolean> {
    const lists = this.#lists
    if ((await lists.order(id, { op: 'promote', branch, keep })) !== 'done') return false
    const [before, now] = [lists.of(root), lists.of(branch)]
    lists.forget(branch)
    lists.set(root, now)
    lists.set(keep, before)
    return true
  }
}
