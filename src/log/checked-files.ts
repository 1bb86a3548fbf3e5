// What checks have seen of files that have not changed since, for whoever checks a folder again and again while it grows.

import * as batch from '../../protocol/records/batch.ts'

/** By position, of each batch that was whole what later checks ask for: its header, and all of one that ends a transaction. */
export type CheckedBatches = Map<number, Buffer>

export class CheckedFiles {
  readonly #identify: (path: string) => string
  #known = new Map<string, CheckedBatches>()
  #before: ReadonlyMap<string, CheckedBatches> = new Map()

  /** `identify`: the same word for all names of a file, and another once it has changed. */
  constructor(identify: (path: string) => string) {
    this.#identify = identify
  }

  /** Another check begins: what this one does not come by is forgotten. */
  begin(): void {
    this.#before = this.#known
    this.#known = new Map()
  }

  of(path: string): CheckedBatches {
    const identity = this.#identify(path)
    const found = this.#known.get(identity) ?? this.#before.get(identity) ?? new Map()
    this.#known.set(identity, found)
    return found
  }
}

/** To be kept when the bytes are let go. */
export const keptOf = (bytes: Buffer): Buffer =>
  Buffer.from(batch.isControl(bytes, 0) ? bytes : bytes.subarray(0, batch.headerBytes))
