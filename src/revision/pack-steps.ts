// Finds what a number belongs to among many that begin at ascending numbers: in which block an entry is stored, which key it is of.
// A search by halving through all of them looks in a dozen places far apart; one through those near by in one or two.

const stepLength = 8

export class Steps {
  readonly #firsts: ArrayLike<number>
  readonly #count: number
  readonly #end: number
  /** For each step the last that does not begin behind its start, and for the end the last of all: made when first asked. */
  #places: Int32Array | undefined

  /** `firsts`: what each begins with, ascending from 0 on, equal ones are empty; `end`: behind the last number. */
  constructor(firsts: ArrayLike<number>, count: number, end: number) {
    this.#firsts = firsts
    this.#count = count
    this.#end = end
  }

  /** The last that does not begin behind the number, which is below the end. */
  find(number: number): number {
    this.#places ??= this.#made()
    const step = Math.floor(number / stepLength)
    const firsts = this.#firsts
    let low = this.#places[step]!
    for (let high = this.#places[step + 1]!; low < high; ) {
      const middle = (low + high + 1) >> 1
      if (firsts[middle]! <= number) low = middle
      else high = middle - 1
    }
    return low
  }

  #made(): Int32Array {
    const steps = Math.ceil(this.#end / stepLength)
    const places = new Int32Array(steps + 1)
    for (let step = 0, place = 0; step < steps; step++) {
      while (place + 1 < this.#count && this.#firsts[place + 1]! <= step * stepLength) place++
      places[step] = place
    }
    places[steps] = this.#count - 1
    return places
  }
}
