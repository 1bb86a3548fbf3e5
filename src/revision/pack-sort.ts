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
