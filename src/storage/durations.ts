// How long something took, many times over: counted by size, four steps to a doubling, so that noting one costs a few
// instructions and no memory, and any quantile is known to a quarter of itself.

const steps = 120
const longestUs = 2 ** 31 - 1

/** Of whole microseconds: 0, 1, 2, 3, then the octave and the two bits below its highest one. */
function stepOf(us: number): number {
  if (us < 4) return us
  const octave = 31 - Math.clz32(us)
  return 4 * (octave - 1) + ((us >> (octave - 2)) & 3)
}

/** Where a step ends, ms. */
const endOf = (step: number): number => (step < 4 ? step + 1 : (5 + (step & 3)) * 2 ** ((step >> 2) - 1)) / 1000

/** Powers of two of a microsecond, ms: where steps end, and what `countBelow` can be asked. */
export const durationBounds: readonly number[] = Array.from({ length: 10 }, (_, i) => 2 ** (6 + 2 * i) / 1000)

export class Durations {
  readonly #counts = new Float64Array(steps)
  count = 0
  sumMs = 0
  maxMs = 0

  note(ms: number): void {
    this.count++
    this.sumMs += ms
    if (ms > this.maxMs) this.maxMs = ms
    const step = stepOf(ms < 0 ? 0 : Math.min(longestUs, Math.floor(ms * 1000)))
    this.#counts[step] = this.#counts[step]! + 1
  }

  /** In `part` of all cases, 0 to 1, it took no longer, ms; 0 where there was none. */
  quantile(part: number): number {
    const wanted = part * this.count
    let sum = 0
    for (const [step, count] of this.#counts.entries()) {
      sum += count
      if (count > 0 && sum >= wanted) return Math.min(endOf(step), this.maxMs)
    }
    return 0
  }

  /** How many took less, of `durationBounds`. */
  countBelow(boundMs: number): number {
    let sum = 0
    for (const [step, count] of this.#counts.entries()) if (endOf(step) <= boundMs) sum += count
    return sum
  }
}
