// Merges of topics without keys (extensions §1.4): fast-forwards, what is appended in either direction, over two generations, and of a
// set of two topics. Whoever knows all values of another has nothing to be told by it.

import type { Lists } from './lists.ts'

export const roots = ['graft', 'scion'] as const
const [root] = roots

export class Grafter {
  readonly #lists: Lists

  constructor(lists: Lists) {
    this.#lists = lists
    for (const name of roots) lists.set(name, [])
  }

  /** Of one branch, or a set of two: made, merged, and gone. */
  async live(): Promise<void> {
    const lists = this.#lists
    await lists.live(async (n) => {
      // Left over from a life that was cut off.
      for (const name of lists.names) if (name.includes('--')) await lists.delete(name)
      if (lists.isLess(0.3)) await this.#liveAsSet(n)
      else await this.#liveAlone(n, lists.isLess(0.4))
      await lists.look()
      for (const name of lists.names) if (name.includes('--')) await lists.delete(name)
      await lists.look()
    })
  }

  async #liveAlone(n: number, isForward: boolean): Promise<void> {
    const lists = this.#lists
    const branch = `${root}--b${n}`
    if (!(await this.#fork(`graft-fork-${n}`, root, branch))) return
    await lists.write(branch)
    const isTouched = lists.isLess(0.4)
    if (isTouched) await lists.write(root)
    await lists.write(branch)
    if (isForward) await this.#forward(`graft-forward-${n}`, branch, isTouched)
    else if (lists.isLess(0.5)) await this.#append(`graft-back-${n}`, root, branch)
    await lists.look()
    await lists.write(branch)
    if (lists.isLess(0.5)) await this.#liveBelow(n, branch)
    await this.#append(`graft-append-${n}`, branch, root)
    await lists.look()
    for (const name of [root, branch]) await lists.write(name)
    await this.#append(`graft-again-${n}`, branch, root)
  }

  async #liveBelow(n: number, branch: string): Promise<void> {
    const lists = this.#lists
    const twig = `${branch}-twig`
    if (!(await this.#fork(`graft-twig-${n}`, branch, twig))) return
    for (const name of [twig, branch]) await lists.write(name)
    await this.#append(`graft-up-${n}`, twig, lists.isLess(0.5) ? branch : root)
    await lists.write(twig)
  }

  async #liveAsSet(n: number): Promise<void> {
    const lists = this.#lists
    const set = `s${n}`
    const topics = roots.map((from) => ({ from }))
    if ((await lists.order(`graft-set-${n}`, { op: 'fork', set, topics })) !== 'done') return
    for (const from of roots) lists.set(`${from}--${set}`, lists.of(from))
    for (const from of roots) for (const name of [`${from}--${set}`, from]) await lists.write(name)
    if ((await lists.order(`graft-merge-${n}`, { op: 'merge', set, strategy: 'append' })) !== 'committed') return
    for (const from of roots) this.#brought(`${from}--${set}`, from)
  }

  async #fork(id: string, from: string, to: string): Promise<boolean> {
    if ((await this.#lists.order(id, { op: 'fork', from, to })) !== 'done') return false
    this.#lists.set(to, this.#lists.of(from))
    return true
  }

  /** Of a target that somebody has written to since nothing comes. */
  async #forward(id: string, from: string, isTouched: boolean): Promise<void> {
    const status = await this.#lists.order(id, { op: 'merge', from, into: root, strategy: 'fast-forward' })
    if (status === 'committed' && isTouched) this.#lists.wrong(`${id} has brought ${from} over what it does not know`)
    if (status === 'conflicts' && !isTouched) this.#lists.wrong(`${id} was refused, and nobody had touched ${root}`)
    if (status === 'committed') this.#lists.set(root, this.#lists.of(from))
  }

  async #append(id: string, from: string, into: string): Promise<void> {
    const status = await this.#lists.order(id, { op: 'merge', from, into, strategy: 'append' })
    if (status === 'committed') this.#brought(from, into)
    else if (status === 'conflicts') this.#lists.wrong(`${id} found conflicts between records without keys`)
  }

  #brought(from: string, into: string): void {
    const known = new Set(this.#lists.of(into))
    this.#lists.set(into, [...this.#lists.of(into), ...this.#lists.of(from).filter((value) => !known.has(value))])
  }
}
