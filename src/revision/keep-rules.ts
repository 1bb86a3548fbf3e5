// Which revisions of a key stay (`revision.keep`, `revision.large.keep`): a rule is text, then numbers, then a walk from the newest back.

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** More than a rule may ask for; 2^31 hours are 245,000 years. */
const countMax = 0x7fff_ffff

/** A union: what any part of it keeps stays. 0: the part is not there. */
export type KeepRule = { all: boolean; last: number; hourly: number; daily: number }

export type KeepRules = {
  keep: KeepRule
  /** Values at least this long follow `largeKeep` instead. */
  largeBytes: number
  largeKeep: KeepRule
}

/** The rule, or what is wrong with it. */
export function parseKeepRule(text: string): KeepRule | string {
  const rule: KeepRule = { all: false, last: 0, hourly: 0, daily: 0 }
  for (const part of text.split(',').map((part) => part.trim())) {
    if (part === 'all') {
      rule.all = true
      continue
    }
    const [, kind, digits] = /^(last|hourly|daily):(\d+)$/.exec(part) ?? []
    if (kind === undefined) return `"${part}" is none of all, last:N, hourly:H, daily:D`
    const count = Number(digits)
    if (count < 1 || count > countMax) return `"${part}": the number must lie between 1 and ${countMax}`
    const name = kind as 'last' | 'hourly' | 'daily'
    if (rule[name] > 0) return `${kind} stands in it twice`
    rule[name] = count
  }
  return rule
}

/** Whether the rules ever leave something out. */
export const keepsAll = ({ keep, largeKeep }: KeepRules): boolean => keep.all && largeKeep.all

/** The last hours, or days, of which the newest revision stays: walked from the newest back, the first met in each is it. */
class Buckets {
  readonly #ms: number
  readonly #oldest: number
  readonly #met = new Set<number>()

  constructor(ms: number, count: number, now: number) {
    this.#ms = ms
    this.#oldest = Math.floor(now / ms) - count + 1
  }

  /** Times ahead of the clock have buckets of their own: they will be counted when their hour has come. */
  isFirst(timestamp: number): boolean {
    const bucket = Math.floor(timestamp / this.#ms)
    if (bucket < this.#oldest || this.#met.has(bucket)) return false
    this.#met.add(bucket)
    return true
  }

  clear(): void {
    if (this.#met.size > 0) this.#met.clear()
  }
}

class RuleWalk {
  readonly #rule: KeepRule
  readonly #hours: Buckets | undefined
  readonly #days: Buckets | undefined
  #seen = 0

  constructor(rule: KeepRule, now: number) {
    this.#rule = rule
    this.#hours = rule.hourly > 0 ? new Buckets(hourMs, rule.hourly, now) : undefined
    this.#days = rule.daily > 0 ? new Buckets(dayMs, rule.daily, now) : undefined
  }

  restart(): void {
    this.#seen = 0
    this.#hours?.clear()
    this.#days?.clear()
  }

  keeps(timestamp: number): boolean {
    // Each part looks, whatever the others say: a union of what each would keep alone.
    const ofHour = this.#hours?.isFirst(timestamp) ?? false
    const ofDay = this.#days?.isFirst(timestamp) ?? false
    return this.#rule.all || this.#seen++ < this.#rule.last || ofHour || ofDay
  }
}

/**
 * Says of one revision after the other, from a key's newest back to its oldest, whether it stays. Large values and the others are
 * counted apart, as if the key had only them; the newest of all stays whatever it is.
 */
export class KeepWalk {
  readonly #rules: KeepRules
  readonly #small: RuleWalk
  readonly #large: RuleWalk
  #isNewest = true

  /** `now`: broker time, UTC ms. */
  constructor(rules: KeepRules, now: number) {
    this.#rules = rules
    this.#small = new RuleWalk(rules.keep, now)
    this.#large = new RuleWalk(rules.largeKeep, now)
  }

  /** The next key. */
  restart(): void {
    this.#small.restart()
    this.#large.restart()
    this.#isNewest = true
  }

  /** `size`: bytes of the value, 0 for a tombstone. */
  keeps(timestamp: number, size: number): boolean {
    const isNewest = this.#isNewest
    this.#isNewest = false
    return (size >= this.#rules.largeBytes ? this.#large : this.#small).keeps(timestamp) || isNewest
  }
}
