// What a walk does next: the same for both sides, and again for the same seed.

import { chanceFrom } from '../../crash-lab/chance.ts'
import type { Side } from '../side.ts'

const seed = Number(process.env['TWIGLOG_SEED'] ?? 1)
/** Walks of each kind; a walk begins with nothing of its own. */
const walkCount = Number(process.env['TWIGLOG_WALKS'] ?? 3)

export class Chance {
  /** Part of the names of all that a walk makes, so that the same brokers may be walked over again. */
  readonly walk: string
  readonly #next: () => number

  constructor(walk: string, run: string) {
    this.walk = `${walk}-${run}`
    this.#next = chanceFrom(seed, walk)
  }

  below(count: number): number {
    return Math.floor(this.#next() * count)
  }

  often(part: number): boolean {
    return this.#next() < part
  }

  one<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  /** As `one`; what stands first is drawn about as often as all the rest. */
  mostly<T>(first: T, ...rest: readonly T[]): T {
    return rest.length === 0 || this.often(0.5) ? first : this.one(rest)
  }

  /** In the order of the list. */
  some<T>(list: readonly T[], part = 0.5): T[] {
    return list.filter(() => this.often(part))
  }

  /** As `some`, now and then one of them twice. */
  several<T>(list: readonly T[], part = 0.5): T[] {
    const drawn = this.some(list, part)
    return drawn.length > 0 && this.often(0.05) ? [...drawn, drawn[0]!] : drawn
  }
}

/** Walks of one kind, one after the other. */
export async function walks(kind: string, { run }: Side, walk: (chance: Chance) => Promise<void>): Promise<void> {
  for (let n = 0; n < walkCount; n++) await walk(new Chance(`${kind}-${seed}-${n}`, run))
}
