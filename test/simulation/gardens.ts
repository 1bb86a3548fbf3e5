// Those who look after topics of their own, each with its model, and by which deed of a plan they are called.

import type { Telling } from '../crash-lab/history.ts'
import { Orders } from '../crash-lab/orders.ts'
import type { Connect } from '../wire-client.ts'
import type { Caller } from './caller.ts'
import { Cutter } from './cutter.ts'
import { Distiller } from './distiller.ts'
import { Gardener } from './gardener.ts'
import { Grafter } from './grafter.ts'
import { Lists } from './lists.ts'
import type { Deed } from './plan.ts'
import { Reborn } from './reborn.ts'
import { topics } from './scene.ts'
import { Seeker } from './seeker.ts'
import { Sweeper } from './sweeper.ts'
import { Switcher } from './switcher.ts'

type World = {
  readonly connect: Connect
  readonly history: Telling
  caller(name: string): Caller
  chance(whose: string): () => number
  wrong(what: string): void
  right(what: string): void
}

export class Gardens {
  /** What is promised to outlive a kill alone need not be there. */
  readonly powerCut: () => void
  readonly #lookers: readonly { lookAnew(): Promise<void> }[]
  readonly #lives: Partial<Readonly<Record<Deed, () => Promise<void>>>>

  constructor({ connect, history, caller, chance, wrong, right }: World) {
    const orders = (name: string) => new Orders(connect, name)
    const lists = (name: string, what: string) =>
      new Lists(caller(name), orders(name), chance(name), wrong, () => right(`looks at ${what}`))
    const [life, graft, reborn] = [
      lists('gardener', 'promoted and reset branches'),
      lists('grafter', 'branches of topics without keys'),
      lists('reborn', 'a topic that is made again'),
    ]
    const sweeper = new Sweeper(caller('sweeper'), lists('sweeper', ''), chance('sweeper'), wrong, () =>
      right('looks at topics of which something goes'),
    )
    const transacting = topics.filter(({ name }) => name.startsWith('txn'))
    const cutter = new Cutter(transacting, orders('cutter'), caller('cutter'), history)
    const looking = (what: string) => [chance(what), wrong, () => right(`looks at ${what}`)] as const
    const seeker = new Seeker(caller('seeker'), ...looking('records by their times'))
    const distiller = new Distiller(caller('distiller'), ...looking('compacted transactions'))
    const switcher = new Switcher(caller('switcher'), ...looking('a topic that is switched'))
    const [gardener, grafter, phoenix] = [new Gardener(life), new Grafter(graft), new Reborn(reborn)]
    this.powerCut = () => sweeper.powerCut()
    this.#lookers = [life, graft, reborn, sweeper, cutter, seeker, distiller, switcher]
    this.#lives = {
      garden: () => gardener.live(),
      graft: () => grafter.live(),
      rebirth: () => phoenix.live(),
      sweep: () => sweeper.sweep(),
      seek: () => seeker.seek(),
      distil: () => distiller.distil(),
      switch: () => switcher.live(),
      'fork transactions': () => cutter.cut(),
    }
  }

  /** What is done then; undefined where it is nothing of theirs. The same each time. */
  life(deed: Deed): (() => Promise<void>) | undefined {
    return this.#lives[deed]
  }

  /** By new connections. Throws where nobody answers. */
  async lookAnew(): Promise<void> {
    for (const each of this.#lookers) await each.lookAnew()
  }
}
