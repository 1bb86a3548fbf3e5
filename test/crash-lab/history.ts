// What happened in a run of the crash lab, one JSON value per line: what clients asked, what they were answered, what
// was read of the broker after each kill. The judge (judge.ts) sees nothing else, so a run can be judged again.

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'

/**
 * Offset, id of the record (documents.ts), id of its producer where it is part of a transaction or -1, id of its merge or '', its key,
 * and a word that follows from its key, time and headers. Histories that are older have neither of the last two.
 */
export type Logged = readonly [
  offset: number,
  id: string,
  producerId: number,
  merge: string,
  key?: string,
  rest?: string,
]
export type MarkerSeen = readonly [offset: number, producerId: number, isCommit: boolean]
export type Place = { readonly topic: string; readonly partition: number }
export type Outcome = 'committed' | 'aborted' | 'unknown'

export type Happened =
  | { t: 'open'; seed: number; kills: number; clients: readonly string[] }
  /** Records `from`, `from + 1`, … of a producer are on their way, in this order, and may be known to be one batch. */
  | ({ t: 'sent'; call: number; producer: string; from: number; count: number; isBatch?: true } & Place)
  /** -1 where the client does not tell the offset. */
  | { t: 'acked'; call: number; offsets: readonly number[] }
  /** Nobody knows what became of it. */
  | { t: 'unknown'; call: number; error: string }
  /** All records of the transaction have been told before it ends; `offset` is the group's progress in it. */
  | ({ t: 'ending'; txn: string; count: number; group: string; offset: number } & Place)
  | { t: 'ended'; txn: string; outcome: Outcome; error?: string }
  | ({ t: 'read'; group: string; reader: string; records: readonly (readonly [offset: number, id: string])[] } & Place)
  | ({ t: 'commit'; group: string; offset: number } & Place)
  | ({ t: 'committed'; group: string; offset: number } & Place)
  /** Of a share group. */
  | ({ t: 'given'; group: string; member: string; offsets: readonly number[] } & Place)
  /** It says so to the broker, and may never hear whether it was heard. */
  | ({ t: 'accepting'; group: string; member: string; offsets: readonly number[] } & Place)
  | ({ t: 'accepted'; group: string; member: string; offsets: readonly number[] } & Place)
  /** `of`: the merge that a revert takes back. */
  | { t: 'command'; id: string; op: string; topic: string; from: string; of?: string }
  | { t: 'commanded'; id: string }
  | { t: 'kill'; n: number; upMs: number; moment: string }
  | { t: 'check'; n: number; clean: boolean; said: string }
  | { t: 'up'; n: number; ms: number }
  /** What lies between this and `audited` was read after everything before it had happened. */
  | { t: 'audit'; n: number; whole: boolean }
  /** Everything in [from, to). */
  | ({ t: 'log'; from: number; to: number; records: readonly Logged[]; markers: readonly MarkerSeen[] } & Place)
  /** A branch that could not be read. */
  | ({ t: 'absent'; error: string } & Place)
  /** As a read_committed consumer is told, from the start. */
  | ({ t: 'stable'; to: number; records: readonly (readonly [offset: number, id: string])[] } & Place)
  /** Of what stands at `from` or behind it, which older histories do not say: they have all. */
  | ({
      t: 'revisions'
      of: string
      from?: number
      records: readonly (readonly [offset: number, key: string, rev: number, id: string])[]
    } & Place)
  /** Topics of transactions are to be forked at one cut; the ids of the committed records that the branches show, which are all that is told. */
  | { t: 'cutting'; set: string }
  | { t: 'cut'; set: string; records: readonly string[] }
  | ({ t: 'offset'; group: string; offset: number } & Place)
  | { t: 'event'; offset: number; event: BranchTold }
  | { t: 'audited'; n: number }
  /** Readers had all the time they wanted. */
  | { t: 'drained'; groups: readonly string[]; shares: readonly string[] }
  | { t: 'over' }

/** What the judge looks at of an event of `__branches`. */
export type BranchTold = {
  readonly type: string
  readonly id: string
  readonly status: string
  readonly replayed?: boolean
  readonly strategy?: string
  readonly counts?: { readonly written: number }
  readonly error?: { readonly code: string; readonly message: string }
  readonly topics?: readonly {
    readonly from?: string
    readonly into?: string
    readonly partitions?: readonly {
      readonly partition: number
      readonly from?: number
      readonly to?: number
      /** Of what was written. */
      readonly first?: number
    }[]
  }[]
}

/** Where clients tell what happens. */
export type Telling = { tell(happened: Happened): void; nextCall(): number }

export class History implements Telling {
  readonly #file: number
  #isClosed = false
  #calls = 0
  readonly #listeners: ((happened: Happened) => void)[] = []
  readonly #since = performance.now()

  constructor(path: string) {
    this.#file = openSync(path, 'w')
  }

  onEach(listener: (happened: Happened) => void): void {
    this.#listeners.push(listener)
  }

  tell(happened: Happened): void {
    if (this.#isClosed) return // whoever was cut off in the midst of something
    writeSync(this.#file, `${JSON.stringify({ at: Math.round(performance.now() - this.#since), ...happened })}\n`)
    for (const listener of this.#listeners) listener(happened)
  }

  nextCall(): number {
    return ++this.#calls
  }

  close(): void {
    this.#isClosed = true
    closeSync(this.#file)
  }
}

/** What a file tells, line by line; a last line that was cut off is not there. */
export function* readHistory(path: string): Generator<Happened> {
  const bytes = readFileSync(path)
  for (let from = 0; ; ) {
    const to = bytes.indexOf(10, from)
    if (to < 0) return
    yield JSON.parse(bytes.toString('utf8', from, to)) as Happened
    from = to + 1
  }
}
