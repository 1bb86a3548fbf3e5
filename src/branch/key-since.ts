// The newest record of one key behind an offset: looked for while others have their turn, and for the last of it at once, when
// nobody may write. What lies before is not read, however long the log is.

import type { StoredRecord } from '../../protocol/records/record.ts'
import type { Log } from '../log/log.ts'
import { findBack, findBackAtOnce, type Search } from './find-back.ts'
import { keyText, type Turns } from './reading.ts'

const all = (): boolean => true

export class KeySince {
  readonly #log: Log
  readonly #key: string
  /** Everything behind the offset was looked at up to here. */
  #end: number
  #newest: StoredRecord | undefined

  /** From an offset on, this one included. */
  constructor(log: Log, key: Buffer, from: number) {
    this.#log = log
    this.#key = keyText(key)
    this.#end = from
  }

  /** Undefined where none was met. */
  get newest(): StoredRecord | undefined {
    return this.#newest
  }

  async read(turns: Turns): Promise<void> {
    const search = this.#search()
    this.#took(await findBack(search, turns), search)
  }

  readAtOnce(): void {
    const search = this.#search()
    this.#took(findBackAtOnce(search), search)
  }

  #search(): Search {
    const { logEndOffset: below } = this.#log
    return { log: this.#log, below, downTo: this.#end, keys: new Set([this.#key]), accepts: all }
  }

  #took(found: ReadonlyMap<string, StoredRecord>, { below }: Search): void {
    this.#newest = found.get(this.#key) ?? this.#newest
    this.#end = below
  }
}
