// What the lab has read of every partition: what stood at an offset once stands there for ever, and every document is whole.

import type { Happened, Logged, MarkerSeen, Place } from './history.ts'
import type { Part, Verdict } from './judge.ts'

export const nameOf = ({ topic, partition }: Place): string => `${topic}-${partition}`

export class PartitionLog {
  readonly records = new Map<number, Logged>()
  readonly markers = new Map<number, MarkerSeen>()
  /** All below was read. */
  end = 0
}

export class Logs implements Part {
  readonly #verdict: Verdict
  readonly #logs = new Map<string, PartitionLog>()
  readonly #listeners: ((place: Place, log: PartitionLog, fresh: readonly Logged[]) => void)[] = []

  constructor(verdict: Verdict) {
    this.#verdict = verdict
  }

  /** Records that no one had seen before, in the order of offsets. */
  onFresh(listener: (place: Place, log: PartitionLog, fresh: readonly Logged[]) => void): void {
    this.#listeners.push(listener)
  }

  of(place: Place): PartitionLog {
    return this.named(nameOf(place))
  }

  named(name: string): PartitionLog {
    const log = this.#logs.get(name) ?? new PartitionLog()
    this.#logs.set(name, log)
    return log
  }

  *ofTopic(topic: string): Generator<readonly [partition: number, log: PartitionLog]> {
    for (let partition = 0; ; partition++) {
      const log = this.#logs.get(nameOf({ topic, partition }))
      if (log === undefined) return
      yield [partition, log]
    }
  }

  take(happened: Happened): void {
    if (happened.t !== 'log') return
    const log = this.of(happened)
    const name = nameOf(happened)
    if (happened.from > log.end) this.#verdict.wrong(`${name} was not read from ${log.end} to ${happened.from}`)
    if (happened.to < log.end && happened.from === 0) {
      this.#verdict.wrong(`${name} ended at ${log.end} once, and ends at ${happened.to} now`)
    }
    const fresh = happened.records.filter((record) => this.#isFresh(name, log, record))
    const again = happened.records.length - fresh.length
    if (happened.from < log.end) {
      this.#missing('records', happened, log.records, log.end, again)
      const markers = happened.markers.filter(([offset]) => offset < log.end)
      this.#missing('markers', happened, log.markers, log.end, markers.length)
    }
    for (const marker of happened.markers) this.#mark(name, log, marker)
    log.end = Math.max(log.end, happened.to)
    for (const record of fresh) log.records.set(record[0], record)
    if (again > 0) this.#verdict.right('records read again', again)
    for (const listener of this.#listeners) listener(happened, log, fresh)
  }

  #mark(name: string, { markers }: PartitionLog, marker: MarkerSeen): void {
    const [offset, producerId, isCommit] = marker
    const before = markers.get(offset)
    markers.set(offset, marker)
    if (before === undefined || (before[1] === producerId && before[2] === isCommit)) return
    this.#verdict.wrong(`${name} had another marker at offset ${offset}`)
  }

  #isFresh(name: string, { records, end }: PartitionLog, [offset, id, producerId, , , rest]: Logged): boolean {
    if (id.startsWith('!')) this.#verdict.wrong(`${name} has at offset ${offset} ${id}`)
    const before = records.get(offset)
    if (before === undefined && offset < end) {
      this.#verdict.wrong(`${name} has ${id} at offset ${offset}, where nothing was before`)
    }
    if (before !== undefined && before[1] !== id) {
      this.#verdict.wrong(`${name} had ${before[1]} at offset ${offset}, and has ${id} there now`)
    }
    if (before !== undefined && before[2] !== producerId)
      this.#verdict.wrong(`${name} had ${before[2]} as the producer of the transaction at ${offset}, now ${producerId}`)
    if (before?.[5] !== undefined && before[5] !== rest)
      this.#verdict.wrong(`${name} has ${id} at offset ${offset} with another key, time or headers than before`)
    return before === undefined
  }

  #missing(
    what: string,
    { from, topic, partition }: Place & { from: number },
    before: ReadonlyMap<number, unknown>,
    end: number,
    again: number,
  ): void {
    let known = 0
    for (const offset of before.keys()) if (offset >= from && offset < end) known++
    if (known > again)
      this.#verdict.wrong(`${topic}-${partition} had ${known} ${what} from ${from} to ${end}, and has ${again}`)
  }
}
