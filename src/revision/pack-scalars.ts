// The JSON index of a pack: for each pointer, which entries have which scalar there.
//
//   hashes   of all entries that have one, ascending (Float64Array)
//   entries  the entry of each (Uint32Array); ascending where hashes are equal

import { parseJson, parsePointer, scalarAt, scalarHash } from './json-scalars.ts'
import { floats, unsignedInts } from './pack-column.ts'
import type { Section } from './pack-format.ts'
import { lowerBound, sortedWithOrdinals } from './pack-sort.ts'

export class ScalarIndex {
  readonly #pointers: readonly {
    names: readonly string[]
    hashes: ReturnType<typeof floats>
    entries: ReturnType<typeof unsignedInts>
  }[]
  /** Values that are no JSON. */
  unparsed = 0

  constructor(pointers: readonly string[]) {
    this.#pointers = pointers.map((pointer) => ({
      names: parsePointer(pointer) ?? [],
      hashes: floats(),
      entries: unsignedInts(),
    }))
  }

  add(entry: number, value: Buffer): void {
    if (this.#pointers.length === 0) return
    const json = parseJson(value)
    if (json === undefined) {
      this.unparsed++
      return
    }
    for (const { names, hashes, entries } of this.#pointers) {
      const scalar = scalarAt(json, names)
      if (scalar === undefined) continue
      hashes.push(scalarHash(scalar))
      entries.push(entry)
    }
  }

  *sections(): Generator<Section, void, void> {
    for (const { hashes, entries } of this.#pointers) {
      const [sorted, order] = sortedWithOrdinals(hashes.items)
      yield sorted
      yield order.map((i) => entries.at(i))
    }
  }
}

/** Entries whose scalar has the hash. */
export function entriesWith(hashes: Float64Array, entries: Uint32Array, hash: number): Uint32Array {
  const start = lowerBound(hashes, hash)
  let end = start
  while (end < hashes.length && hashes[end] === hash) end++
  return entries.slice(start, end)
}
