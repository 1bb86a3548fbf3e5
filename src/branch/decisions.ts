// Decides about keys that both sides may have changed: fetches what the target has, and where it matters the base value, holds
// them against the table (verdict.ts) and remembers what came out, so that it can be taken back.

import type { StoredRecord } from '../../protocol/records/record.ts'
import { eachAtEase } from '../log/walk.ts'
import { Bases, type BasesFound, versionOf } from './bases.ts'
import { findBack } from './find-back.ts'
import { mergeJson } from './json-merge.ts'
import { parseJsonObject } from './json-text.ts'
import type { Place } from './knowledge.ts'
import type { PairOptions, ShownKey, Version } from './pair.ts'
import { eachBatch, Fates, keyText, noWalk, RecordReader, walkBatch } from './reading.ts'
import { type ConflictKind, judge, type Ruling, ruled, type TargetState } from './verdict.ts'

/** A key that has changed in the source. */
export type Question = {
  /** Its newest record there. */
  readonly record: StoredRecord
  readonly origin: Place
  readonly isThere: boolean
  state: TargetState
  /** Offset of its newest record in the target; -1: none that the source may not know. */
  readonly target: number
  /** That record, once it was fetched. */
  ours?: StoredRecord | undefined
}

/** `there`: the target has it; `target`: its value stays; `source` in spite of a conflict; `composed` of both. */
export type Outcome = 'write' | 'there' | 'same' | 'target' | 'source' | 'composed' | 'parked' | 'failed'

export type Conflict = {
  readonly key: Buffer
  readonly kind: ConflictKind
  /** JSON Pointers. */
  readonly paths?: readonly string[]
  readonly base?: Version
  readonly ours?: Version
  readonly theirs?: Version
}

export type Decided = { readonly question: Question; readonly outcome: Outcome; readonly conflict?: Conflict }

/** A record that is encoded last; without an origin it is the target's own. */
export type LateRecord = Pick<StoredRecord, 'offset' | 'timestamp' | 'key' | 'value' | 'headers'> & { origin?: Place }

export class Decisions {
  readonly #options: PairOptions
  readonly #bases: Bases
  readonly #sourceReader: RecordReader
  readonly #targetReader: RecordReader
  /** By offset in the source; a key that is simply written is not here. */
  readonly #outcomes = new Map<number, Outcome>()
  readonly #conflicts = new Map<number, Conflict>()
  #conflictCount = 0
  readonly #readConflicts = new Map<string, Conflict>()
  #failedCount = 0
  /** By offset in the source. */
  readonly late = new Map<number, LateRecord>()

  constructor(options: PairOptions) {
    this.#options = options
    this.#bases = new Bases(options)
    this.#sourceReader = new RecordReader(options.source.log)
    this.#targetReader = new RecordReader(options.target.log)
  }

  get conflicts(): readonly Conflict[] {
    return [...this.#readConflicts.values(), ...this.#conflicts.values()]
  }

  get isRefused(): boolean {
    return this.#failedCount > 0 || this.#readConflicts.size > 0
  }

  get counts(): { same: number; skipped: number; conflicts: number } {
    let same = 0
    let skipped = 0
    for (const outcome of this.#outcomes.values()) {
      if (outcome === 'same') same++
      else if (outcome === 'there' || outcome === 'target') skipped++
    }
    return { same, skipped, conflicts: this.#conflictCount + this.#readConflicts.size }
  }

  /** Whether the target comes to know of records that it has no copy of, and has a value of its own instead. */
  get hasWeighed(): boolean {
    for (const outcome of this.#outcomes.values()) if (outcome !== 'there' && outcome !== 'source') return true
    return false
  }

  note(offset: number, outcome: Outcome): void {
    this.#outcomes.set(offset, outcome)
  }

  /** Whether `replay` writes a revision of the key whose newest record stands at `newest`; what is encoded last is not among them. */
  isReplayed(newest: number, offset: number): boolean {
    const outcome = this.#outcomes.get(newest)
    const isAccepted = outcome === undefined || outcome === 'source' || outcome === 'composed'
    return isAccepted && (offset < newest || !this.late.has(newest))
  }

  sourceRecord(offset: number): StoredRecord | undefined {
    return this.#sourceReader.at(offset)
  }

  /** Forgets what was decided; whether the writer has the record. */
  retract(offset: number): boolean {
    const outcome = this.#outcomes.get(offset)
    const isLate = this.late.delete(offset)
    this.#outcomes.delete(offset)
    if (this.#conflicts.delete(offset) || isConflict(outcome)) this.#conflictCount--
    if (outcome === 'failed') this.#failedCount--
    return !isLate && (outcome === undefined || outcome === 'source')
  }

  /** Keys in the order in which they come to stand in the target: what is encoded last was decided in the midst of the others. */
  asWritten(keys: readonly ShownKey[]): ShownKey[] {
    const isLate = ({ source }: ShownKey) => this.late.has(source)
    return [...keys.filter((key) => !isLate(key)), ...keys.filter(isLate)]
  }

  readKind(newest: number): ConflictKind {
    const record = newest < 0 ? undefined : this.#targetReader.at(newest)
    return record !== undefined && record.value === null ? 'read/delete' : 'read/edit'
  }

  noteRead(key: Buffer, newest: number): void {
    const record = newest < 0 ? undefined : this.#targetReader.at(newest)
    const ours = record === undefined ? {} : { ours: versionOf(record) }
    this.#readConflicts.set(keyText(key), { key, kind: this.readKind(newest), ...ours })
  }

  /** Of keys without a trace where the source may not know the target: whether a deletion has left none. */
  async findDeleted(questions: readonly Question[]): Promise<void> {
    if (questions.length === 0) return
    const { source, target, turns } = this.#options
    const wanted = new Map(questions.map((question) => [keyText(question.record.key!), question]))
    const fates = new Fates(target.log, target.log.logStartOffset, target.log.logEndOffset)
    await eachBatch(target.log, target.log.logStartOffset, target.log.logEndOffset, turns, (bytes, position, first) => {
      if (wanted.size === 0 || fates.of(bytes, position) === 'aborted') return noWalk
      return walkBatch(bytes, position, first, Infinity, (cursor) => {
        if (cursor.keyLength >= 0) wanted.delete(keyText(cursor.key()!))
      })
    })
    const search = {
      log: source.log,
      below: source.end,
      keys: new Set(wanted.keys()),
      accepts: this.#bases.isKnownToTarget,
    }
    for (const [key, { value }] of await findBack(search, turns)) {
      if (value !== null) wanted.get(key)!.state = 'deleted'
    }
  }

  /** Gives each decision as it is made: there may be a hundred thousand. */
  async decide(questions: readonly Question[], take: (decided: Decided) => void, keepsBases = false): Promise<void> {
    const { turns } = this.#options
    await eachAtEase(inOrderOfTarget(questions), turns.rest, (question) => this.#fetch(question))
    const keys = new Set<string>()
    await eachAtEase(questions, turns.rest, (question) => this.#noteForBase(question, keys))
    const bases = await this.#bases.find(keys)
    if (keepsBases) this.#bases.keep(keys, bases)
    await eachAtEase(questions, turns.rest, (question) => take(this.#remember(this.#decideOne(question, bases))))
  }

  /** The same without a pause. Where nobody asks for base values none are looked for. */
  decideAtOnce(questions: readonly Question[]): Decided[] {
    const bases = this.#bases.findAtOnce(this.#keysForBases(questions))
    return questions.map((question) => this.#remember(this.#decideOne(question, bases)))
  }

  /** Whether that would look for bases, through all of both logs where there are none. */
  looksForBases(questions: readonly Question[]): boolean {
    return !this.#bases.hasAll(this.#keysForBases(questions))
  }

  #keysForBases(questions: readonly Question[]): Set<string> {
    const { onConflict, fields } = this.#options
    for (const question of inOrderOfTarget(questions)) this.#fetch(question)
    const keys = new Set<string>()
    const needsBases = fields === 'json' || onConflict === 'park' || onConflict === 'fail'
    if (needsBases) for (const question of questions) this.#noteForBase(question, keys)
    return keys
  }

  #fetch(question: Question): void {
    question.ours = this.#targetReader.at(question.target)
  }

  #remember(decided: Decided): Decided {
    const { question, outcome, conflict } = decided
    const { offset } = question.record
    if (outcome !== 'write') this.#outcomes.set(offset, outcome)
    if (outcome === 'failed') this.#failedCount++
    if (conflict === undefined) return decided
    this.#conflictCount++
    const { onConflict, keysShown } = this.#options
    if (onConflict === 'park' || this.#conflicts.size < keysShown) this.#conflicts.set(offset, conflict)
    return decided
  }

  // --- base values

  /** Whether its base value has to be looked for. */
  #noteForBase(question: Question, keys: Set<string>): void {
    if (question.state !== 'changed' || question.isThere || isAlike(question)) return
    const key = keyText(question.record.key!)
    if (!this.#options.open.has(key)) keys.add(key)
  }

  // --- one key

  #decideOne(question: Question, bases: BasesFound): Decided {
    const { record, isThere, target, ours } = question
    // Retention was faster.
    const state = question.state === 'changed' && ours === undefined && target >= 0 ? 'lost' : question.state
    const key = keyText(record.key!)
    const open = this.#options.open.get(key)
    const { version, isLost: mayBeOld } = bases(key)
    const base = open?.base ?? version
    const verdict = judge({
      isThere,
      target: state,
      sourceDeletes: record.value === null,
      targetDeletes: ours === undefined || ours.value === null,
      isSame: isAlike(question),
      hasBase: base !== undefined && base.value !== null,
    })
    if (verdict === 'already-there') return { question, outcome: 'there' }
    if (verdict === 'write' || verdict === 'same') return { question, outcome: verdict }
    const isLost = mayBeOld && open === undefined && state === 'changed' && this.#isOfMembers(question)
    return isLost ? this.#conflict(question, 'history-lost', ours) : this.#conflict(question, verdict, ours, base)
  }

  /** Whether it is about members: these are not merged by a base that is perhaps too old. */
  #isOfMembers({ record, ours }: Question): boolean {
    return this.#options.fields === 'json' && ours !== undefined && areObjects(record, ours)
  }

  #conflict(question: Question, verdict: ConflictKind, ours: StoredRecord | undefined, base?: Version): Decided {
    const { record } = question
    const { fields, onConflict } = this.#options
    const ruling = ruled(onConflict, record.timestamp, ours?.timestamp ?? -1)
    const asJson = fields === 'json' && ours !== undefined && ours.value !== null && record.value !== null
    if (asJson && verdict === 'edit/edit') {
      const preferred = ruling === 'source' || ruling === 'target' ? ruling : undefined
      const merged = mergeJson(base!.value, record.value, ours.value, preferred)
      if (merged !== undefined) return this.#composed(question, ours, base!, ruling, merged)
    }
    return { question, outcome: outcomeOf(ruling), conflict: conflictOf(record, verdict, ours, base) }
  }

  #composed(
    question: Question,
    ours: StoredRecord,
    base: Version,
    ruling: Ruling,
    { value, paths }: { value: Buffer; paths: readonly string[] },
  ): Decided {
    const { record } = question
    const conflict = paths.length === 0 ? {} : { conflict: { ...conflictOf(record, 'edit/edit', ours, base), paths } }
    if (paths.length > 0 && (ruling === 'fail' || ruling === 'park')) {
      return { question, outcome: outcomeOf(ruling), ...conflict }
    }
    const { offset, key, headers } = record
    const timestamp = Math.max(record.timestamp, ours.timestamp)
    if (value.equals(ours.value!)) return { question, outcome: paths.length === 0 ? 'same' : 'target', ...conflict }
    this.late.set(offset, { offset, timestamp, key, value, headers })
    return { question, outcome: 'composed', ...conflict }
  }
}

/** Those of which the target has a record, as these stand: each batch is read once. No two keys have one record. */
function* inOrderOfTarget(questions: readonly Question[]): Generator<Question> {
  const byTarget = new Map<number, Question>()
  for (const question of questions) if (question.target >= 0) byTarget.set(question.target, question)
  for (const target of Float64Array.from(byTarget.keys()).sort()) yield byTarget.get(target)!
}

/** Both sides have come to the same. */
const isAlike = ({ record, ours }: Question): boolean =>
  ours !== undefined && (record.value === null ? ours.value === null : ours.value?.equals(record.value) === true)

const isConflict = (outcome: Outcome | undefined): boolean =>
  outcome === 'target' || outcome === 'source' || outcome === 'parked' || outcome === 'failed'

const outcomeOf = (ruling: Ruling): Outcome =>
  ruling === 'park' ? 'parked' : ruling === 'fail' ? 'failed' : ruling === 'source' ? 'source' : 'target'

const conflictOf = (
  theirs: StoredRecord,
  kind: ConflictKind,
  ours: StoredRecord | undefined,
  base: Version | undefined,
): Conflict => ({
  key: theirs.key!,
  kind,
  theirs: versionOf(theirs),
  ...(ours === undefined ? {} : { ours: versionOf(ours) }),
  ...(base === undefined ? {} : { base }),
})

const areObjects = (...records: readonly StoredRecord[]): boolean =>
  records.every(({ value }) => parseJsonObject(value) !== undefined)
