// Numbers in ascending order, and for each which one it was: what the footer's sorted arrays are made by.

/** Equal numbers keep their order. Much cheaper than sorting pairs by a comparison. */
export function sortedWithOrdinals(numbers: Float64Array): [sorted: Float64Array, ordinals: Uint32Array] {
  const sorted = numbers.slice().sort()
  const ordinals = new Uint32Array(numbers.length)
  const taken = new Uint32Array(numbers.length)
  for (let ordinal = 0; ordinal < numbers.length; ordinal++) {
    const at = lowerBound(sorted, numbers[ordinal]!)
    ordinals[at + taken[at]!] = ordinal
    taken[at]! += 1
  }
  return [sorted, ordinals]
}

/** About a millisecond of sorting. */
const sortedAtOnce = 8192

/** The numbers in ascending order, a slice at a time: as pieces, and then two and two of them. */
export function* sorting(numbers: Float64Array): Generator<void, Float64Array> {
  let from: Float64Array = numbers
  for (let at = 0; at < from.length; at += sortedAtOnce) {
    from.subarray(at, at + sortedAtOnce).sort()
    yield
  }
  let into: Float64Array = new Float64Array(from.length)
  for (let width = sortedAtOnce; width < from.length; width *= 2) {
    for (let at = 0; at < from.length; at += 2 * width) {
      const [middle, end] = [Math.min(at + width, from.length), Math.min(at + 2 * width, from.length)]
      let [left, right] = [at, middle]
      for (let to = at; to < end; to++) {
        const isLeft = right === end || (left < middle && from[left]! <= from[right]!)
        into[to] = isLeft ? from[left++]! : from[right++]!
        if (to % sortedAtOnce === 0) yield
      }
    }
    ;[from, into] = [into, from]
  }
  return from
}

const digitBits = 11
const digitMask = (1 << digitBits) - 1
const digits = new Int32Array(1 << digitBits)
/** What is sorted at a time is hardly ever more. */
const spareMax = 8192
const spareNumbers = new Int32Array(spareMax)
const spareOthers = new Int32Array(spareMax)

/** Puts numbers that are not below 0 in ascending order, and what stands beside each along with it. */
export function sortPairs(numbers: Int32Array, others: Int32Array, count: number): void {
  const sorted = count <= spareMax ? spareNumbers : new Int32Array(count)
  const along = count <= spareMax ? spareOthers : new Int32Array(count)
  let bits = 0
  for (let i = 0; i < count; i++) bits |= numbers[i]!
  // Digit by digit, the lowest first: a tenth of what a sort by comparison takes.
  for (let shift = 0; shift < 32 && bits >>> shift > 0; shift += digitBits) {
    digits.fill(0)
    for (let i = 0; i < count; i++) digits[(numbers[i]! >>> shift) & digitMask]!++
    let before = 0
    for (let digit = 0; digit <= digitMask; digit++) {
      before += digits[digit]!
      digits[digit] = before - digits[digit]!
    }
    for (let i = 0; i < count; i++) {
      const to = digits[(numbers[i]! >>> shift) & digitMask]!++
      sorted[to] = numbers[i]!
      along[to] = others[i]!
    }
    numbers.set(sorted.subarray(0, count))
    others.set(along.subarray(0, count))
  }
}

/** Index of the first number that is not below `wanted`. */
export function lowerBound(sorted: Float64Array, wanted: number): number {
  let low = 0
  for (let high = sorted.length; low < high; ) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < wanted) low = middle + 1
    else high = middle
  }
  return low
}
