// Takes back what stands in a range of one partition: for every key the value that it had before, unless it has changed since.
// Nothing is erased; what is written is a change like any other, and may itself be taken back.

import type { StoredRecord } from '../../protocol/records/record.ts'
import type { Log } from '../log/log.ts'
import { versionOf } from './bases.ts'
import type { ConflictRule } from './commands.ts'
import type { Conflict } from './decisions.ts'
import { Rejection } from './events.ts'
import { findBack } from './find-back.ts'
import { gapsWithin } from './gaps.ts'
import { MergeWriter, type WriterOptions } from './merge-writer.ts'
import type { ShownKey } from './pair.ts'
import {
  eachBatch,
  eachBatchAtOnce,
  Fates,
  kept,
  keyText,
  noWalk,
  RecordReader,
  recordOf,
  type Turns,
  walkBatch,
} from './reading.ts'
import { ruled } from './verdict.ts'

/** Offsets that are looked at in one go while others wait. */
const sliceOffsets = 4096

export type RevertOptions = {
  readonly log: Log
  /** Topic id. */
  readonly branch: string
  /** Both included. */
  readonly first: number
  readonly last: number
  readonly mode: 'net' | 'replay'
  readonly onConflict: ConflictRule
  readonly wants: ((key: Buffer) => boolean) | undefined
  /** The number of a revision, by its offset, where keep rules may have taken others: they leave older ones and take newer ones. */
  readonly revAt?: ((offset: number) => number | undefined) | undefined
  readonly turns: Turns
  readonly writer: Omit<WriterOptions, 'covers'>
}

/** A key that the range has changed. */
type Change = {
  readonly key: Buffer
  /** Its records in the range, oldest first. */
  readonly records: { readonly offset: number; readonly timestamp: number; readonly value: Buffer | null }[]
  before: StoredRecord | undefined
  /** What stood before is gone. */
  isLost: boolean
  /** Its newest record behind the range; -1: none. */
  since: number
}

export class RevertPlan {
  readonly #options: RevertOptions
  readonly #changes = new Map<string, Change>()
  readonly #reader: RecordReader
  /** Everything behind the range up to here was looked at. */
  #end: number

  constructor(options: RevertOptions) {
    this.#options = options
    this.#reader = new RecordReader(options.log)
    this.#end = options.last + 1
  }

  /** Throws a Rejection where a record has no key. */
  async prepare(): Promise<void> {
    const { log, first, last, turns } = this.#options
    const fates = new Fates(log, first, last + 1)
    await eachBatch(log, first, last + 1, turns, (bytes, position, from) => {
      if (fates.of(bytes, position) !== 'committed') return noWalk
      return walkBatch(bytes, position, from, last + 1, (cursor) => this.#note(kept(recordOf(bytes, position, cursor))))
    })
    const keys = new Set(this.#changes.keys())
    for (const [key, record] of await findBack({ log, below: first, keys, accepts: () => true }, turns)) {
      this.#changes.get(key)!.before = record
    }
    // Whether a key that is not found was never there is known only where nothing is gone.
    const mayBeLost = log.logStartOffset > 0 || log.compactedOffset > first
    const stale = await this.#stale()
    for (const change of this.#changes.values()) {
      const byPlace = change.before === undefined ? mayBeLost : stale(change, change.before.offset)
      change.isLost = this.#leavesOut(change) ?? byPlace
    }
    await this.catchUp()
    this.conclude()
  }

  /** Whether there was another value between the one found and what the range made of it; undefined where no numbers tell. */
  #leavesOut({ before, records }: Change): boolean | undefined {
    const { revAt } = this.#options
    const made = revAt?.(records[0]!.offset)
    if (revAt === undefined || made === undefined) return undefined
    return made !== 1 + (before === undefined ? 0 : (revAt(before.offset) ?? Number.NaN))
  }

  /**
   * Whether what was found is perhaps not what stood there last. Compaction leaves what a branch shares, and what its parent knows,
   * when it has taken what came behind it.
   */
  async #stale(): Promise<(change: Change, before: number) => boolean> {
    const { log, last, turns } = this.#options
    const isCompacted = ({ records }: Change): boolean => records[0]!.offset < log.compactedOffset
    const found = [...this.#changes.values()].flatMap((change) =>
      change.before !== undefined && isCompacted(change) ? change.before.offset : [],
    )
    if (found.length === 0) return () => false
    const oldest = found.reduce((one, other) => Math.min(one, other))
    const gaps = await gapsWithin(log, oldest, last + 1, turns)
    return (change, before) => {
      const next = gaps.at(firstAbove(gaps, before)) ?? Number.POSITIVE_INFINITY
      return isCompacted(change) && next < change.records[0]!.offset
    }
  }

  #note({ key, offset, timestamp, value }: StoredRecord): void {
    const { wants } = this.#options
    if (wants !== undefined && (key === null || !wants(key))) return
    if (key === null) {
      const message = `The record at offset ${offset} has no key: nothing says what stood there before. Take back the keys that are meant (keys, keyPrefix).`
      throw new Rejection('NOT_INVERTIBLE', message)
    }
    const text = keyText(key)
    const change = this.#changes.get(text)
    if (change !== undefined) change.records.push({ offset, timestamp, value })
    else
      this.#changes.set(text, {
        key,
        records: [{ offset, timestamp, value }],
        before: undefined,
        isLost: false,
        since: -1,
      })
  }

  /** Looks at what came behind the range, but for the last of it: a merge of last week has all of this week behind it. */
  async catchUp(): Promise<void> {
    const { log, turns } = this.#options
    const left = () => log.logEndOffset - this.#end
    for (let before = Number.POSITIVE_INFINITY; left() > sliceOffsets && left() < before && !turns.isOver(); ) {
      before = left()
      const to = log.logEndOffset
      await eachBatch(log, this.#end, to, turns, this.#noteBehind(to))
      this.#end = to
    }
  }

  /** Nobody writes any more: the last look. */
  conclude(): void {
    const { log } = this.#options
    const to = log.logEndOffset
    eachBatchAtOnce(log, this.#end, to, this.#noteBehind(to))
    this.#end = to
  }

  /** Visits what stands between what was looked at and an offset. */
  #noteBehind(to: number): Parameters<typeof eachBatchAtOnce>[3] {
    const from = this.#end
    const fates = new Fates(this.#options.log, from, to)
    return (bytes, position, first) => {
      if (fates.of(bytes, position) === 'aborted') return noWalk
      return walkBatch(bytes, position, first, to, (cursor, offset) => {
        const key = cursor.key()
        const change = key === null ? undefined : this.#changes.get(keyText(key))
        if (change !== undefined) change.since = offset
      })
    }
  }

  /** What is to become of a key; `same`: the range has left it as it was. */
  #rulingOf(change: Change): 'write' | 'same' | 'target' | 'parked' | 'failed' {
    const { records, before, since, isLost } = change
    if (since < 0 && !isLost) return isSame(records.at(-1)!.value, before?.value ?? null) ? 'same' : 'write'
    const now = this.#reader.at(since < 0 ? records.at(-1)!.offset : since)
    if (since >= 0 && !isLost && isSame(now?.value ?? null, before?.value ?? null)) return 'same'
    const ruling = ruled(this.#options.onConflict, before?.timestamp ?? -1, now?.timestamp ?? -1)
    if (ruling === 'source') return 'write'
    return ruling === 'target' ? 'target' : ruling === 'park' ? 'parked' : 'failed'
  }

  get #rulings() {
    return [...this.#changes.values()].map((change) => ({ change, ruling: this.#rulingOf(change) }))
  }

  get isRefused(): boolean {
    return this.#rulings.some(({ ruling }) => ruling === 'failed')
  }

  get conflicts(): readonly Conflict[] {
    return this.#rulings.filter(isConflict).map(({ change }) => this.#conflictOf(change))
  }

  #conflictOf({ key, records, before, since, isLost }: Change): Conflict {
    const ours = since < 0 ? undefined : this.#reader.at(since)
    return {
      key,
      kind: isLost ? 'history-lost' : 'changed-since',
      base: records.at(-1)!,
      ...(ours === undefined ? {} : { ours: versionOf(ours) }),
      ...(before === undefined ? {} : { theirs: versionOf(before) }),
    }
  }

  get counts(): { written: number; same: number; skipped: number; conflicts: number } {
    const counts = { written: 0, same: 0, skipped: 0, conflicts: 0 }
    for (const one of this.#rulings) {
      const { change, ruling } = one
      if (ruling === 'write') counts.written += this.#inversesOf(change).length
      if (ruling === 'same') counts.same++
      if (ruling === 'target') counts.skipped++
      if (isConflict(one)) counts.conflicts++
    }
    return counts
  }

  shown(limit: number): readonly ShownKey[] {
    return this.#rulings.slice(0, limit).map((one) => {
      const { key, records, since, isLost } = one.change
      const kind = isConflict(one) ? (isLost ? 'history-lost' : 'changed-since') : one.ruling
      return { key, kind, source: records.at(-1)!.offset, ...(since < 0 ? {} : { target: since }) }
    })
  }

  /** What undoes the records of a key, in the order in which it is written. */
  #inversesOf({
    records,
    before,
  }: Change): { readonly undoes: number; readonly value: Buffer | null; readonly timestamp: number }[] {
    const states = [{ value: before?.value ?? null }, ...records]
    const inverses = records.map(({ offset, timestamp }, i) => ({ undoes: offset, value: states[i]!.value, timestamp }))
    return this.#options.mode === 'replay' ? inverses.reverse() : [{ ...inverses[0]!, undoes: records.at(-1)!.offset }]
  }

  /** All that is written, from an offset on; newest first where every record is undone. */
  batches(from: number): readonly Buffer[] {
    const { branch, mode, writer: options } = this.#options
    const writer = new MergeWriter({ ...options, covers: () => true })
    const inverses = this.#rulings
      .filter(({ ruling }) => ruling === 'write')
      .flatMap(({ change }) => this.#inversesOf(change).map((inverse) => ({ key: change.key, ...inverse })))
    inverses.sort((a, b) => (mode === 'replay' ? b.undoes - a.undoes : a.undoes - b.undoes))
    let offset = from
    for (const { key, value, timestamp, undoes } of inverses) {
      writer.add({ key, value, timestamp, offset: undoes, headers: [] }, { branch, offset })
      offset++
    }
    return writer.batches()
  }
}

/** Index of the first of ascending numbers that is larger; their count where none is. */
function firstAbove(numbers: readonly number[], than: number): number {
  let low = 0
  for (let high = numbers.length; low < high; ) {
    const middle = (low + high) >> 1
    if (numbers[middle]! > than) high = middle
    else low = middle + 1
  }
  return low
}

const isSame = (one: Buffer | null, other: Buffer | null): boolean =>
  one === null || other === null ? one === other : one.equals(other)

const isConflict = ({ change, ruling }: { change: Change; ruling: string }): boolean =>
  ruling === 'parked' || ruling === 'failed' || ((change.since >= 0 || change.isLost) && ruling !== 'same')
