// What a merge does to one partition: found out while both sides go on writing, and held against what arrived since in the
// moment in which nobody writes. Three passes at most: the newest record of each key on either side, then the source once more,
// key by key; what both sides have changed is decided in batches (decisions.ts). The cost follows what has changed.

import type { RecordCursor, StoredRecord } from '../../protocol/records/record.ts'
import { Changes, looseOrigins } from './changes.ts'
import { type Conflict, type Decided, Decisions, type Question } from './decisions.ts'
import { Rejection } from './events.ts'
import { findBack } from './find-back.ts'
import type { Place } from './knowledge.ts'
import { MergeWriter } from './merge-writer.ts'
import { MergeHeaders } from './origin.ts'
import type { PairOptions, ShownKey } from './pair.ts'
import { codecAt, eachBatch, Fates, kept, keyBytes, keyText, noWalk, recordOf, walkBatch } from './reading.ts'
import type { Vector } from './vector.ts'
import type { TargetState } from './verdict.ts'

/** Questions are put together up to so many bytes of records. */
const questionBytesMax = 16 * 1024 * 1024
/** Offsets of the target that are looked at in one go while others wait. */
const sliceOffsets = 4096
/** At most, where they write as fast. */
const sliceOffsetsMax = 16 * sliceOffsets

export class MergePlan {
  readonly #options: PairOptions
  readonly #sourceChanges: Changes
  readonly #targetChanges: Changes
  readonly #decisions: Decisions
  readonly #writer: MergeWriter
  /** First offset of the source that the target may not know. */
  readonly from: number
  /** What the target knows when all is written. */
  readonly known: Vector
  /** Compaction has passed where the source does not know the target: tombstones may have gone. */
  readonly #mayHaveDropped: boolean
  #loose: ReadonlySet<string> = new Set()
  #questions: Question[] = []
  #questionBytes = 0
  /** Keys that were touched, and are decided anew when there is time to look for their bases. */
  #left: Question[] = []
  readonly #shown: ShownKey[] = []
  /** By newest offset of a key: all that `replay` writes of it. */
  readonly #revisions = new Map<number, number[]>()
  readonly #readKeys: ReadonlySet<string>

  constructor(options: PairOptions) {
    this.#options = options
    const { source, target, id, partition, producer, wants, seed } = options
    const from = source.knowledge.firstUnknownTo(target.knowledge, 0, source.end)
    const unknown = target.knowledge.firstUnknownTo(source.knowledge, 0, target.log.logEndOffset)
    const side = wants === undefined ? { seed } : { seed, wants }
    const own = { log: source.log, own: source.knowledge, other: target.knowledge, start: from }
    const other = { log: target.log, own: target.knowledge, other: source.knowledge, start: unknown }
    this.from = from
    this.#sourceChanges = new Changes({ ...own, ...side })
    this.#targetChanges = new Changes({ ...other, seed })
    this.known = options.isPick ? target.knowledge.known : target.knowledge.raisedBy(source.knowledge, source.end)
    this.#mayHaveDropped = target.log.compactedOffset > unknown
    this.#decisions = new Decisions(options)
    this.#readKeys = new Set(options.reads.map(keyText))
    this.#writer = new MergeWriter({
      headers: new MergeHeaders(id, source.topic, partition),
      producer,
      messageBytesMax: target.messageBytesMax,
      mergeBytesMax: target.mergeBytesMax,
      codec: target.codec ?? codecAt(source.log, Math.max(this.from, source.log.logStartOffset), source.end),
      counts: options.isOnlyTold ?? false,
      covers: ({ branch, offset }) => branch === target.knowledge.branch || offset < (this.known[branch] ?? 0),
    })
  }

  /** A part of the target that the source does not know is gone: by now, for retention does not wait. */
  get #hasLost(): boolean {
    return this.#targetChanges.start < this.#options.target.log.logStartOffset
  }

  /** Reads, decides and encodes. Throws a Rejection where something cannot be written at all. */
  async prepare(): Promise<void> {
    const { source, target, strategy, turns } = this.#options
    this.#loose = await looseOrigins(target.log, target.knowledge, turns)
    const isKeyed = strategy !== 'append'
    if (isKeyed) await this.#sourceChanges.read(source.end, turns)
    if (this.#looksAtTarget) await this.#targetChanges.read(target.log.logEndOffset, turns)
    if (isKeyed) await this.#sourceChanges.settleTaken({ log: target.log, end: this.#targetChanges.end }, turns)
    if (this.#looksAtTarget) await this.#targetChanges.settleTaken(source, turns)
    if (isKeyed) await this.#decideKeys()
    else await this.#eachRecord((record) => this.#append(record))
    for (const key of this.#options.reads) this.#checkRead(key)
    await this.catchUp()
  }

  /** Looks at most of what arrived meanwhile; the rest is looked at when nobody writes. */
  async catchUp(): Promise<void> {
    const { target, turns } = this.#options
    if (!this.#looksAtTarget) return
    await this.#decideAside(this.#left.splice(0))
    const left = () => target.log.logEndOffset - this.#targetChanges.end
    let slice = sliceOffsets
    for (let before = left(); before > sliceOffsets && !turns.isOver(); before = left()) {
      await this.#decideAside(this.#touched(Math.min(this.#targetChanges.end + slice, target.log.logEndOffset)))
      await turns.rest()
      const gained = before - left()
      if (gained >= slice / 2) continue
      // Writers are nearly as fast as we are: they have to wait for us longer now, or they would all wait behind the gate.
      if (slice < sliceOffsetsMax) slice *= 2
      else if (gained <= 0) return
    }
  }

  /** Nothing in the target matters to what is merely appended. */
  get #looksAtTarget(): boolean {
    return this.#options.strategy !== 'append' || this.#readKeys.size > 0
  }

  async #decideKeys(): Promise<void> {
    await this.#askOpen()
    await this.#eachNewest((record, isKeyless) => (isKeyless ? this.#append(record) : this.#consider(record)))
    await this.#ask()
    if (this.#options.strategy === 'replay') await this.#replay()
  }

  /** Committed records of the source that the target does not know by their place. */
  async #eachRecord(visit: (record: StoredRecord) => void): Promise<void> {
    await this.#eachCommitted((bytes, position, cursor) => {
      const record = recordOf(bytes, position, cursor)
      if (this.#options.wants === undefined || (record.key !== null && this.#options.wants(record.key))) visit(record)
    })
  }

  async #eachCommitted(visit: (bytes: Buffer, position: number, cursor: RecordCursor, offset: number) => void) {
    const { source, turns } = this.#options
    const { log, end } = source
    const fates = new Fates(log, this.from, end)
    const rest = async () => {
      if (this.#questionBytes > questionBytesMax) await this.#ask()
      await turns.rest()
    }
    await eachBatch(log, this.from, end, { ...turns, rest }, (bytes, at, first) => {
      if (fates.of(bytes, at) !== 'committed') return noWalk
      return walkBatch(bytes, at, first, end, (cursor, offset) => visit(bytes, at, cursor, offset))
    })
  }

  /** The newest record of every key that has changed, and those without a key, which `replay` writes in their places. */
  async #eachNewest(visit: (record: StoredRecord, isKeyless: boolean) => void): Promise<void> {
    const changes = this.#sourceChanges
    const { open, strategy, wants } = this.#options
    await this.#eachCommitted((bytes, position, cursor, offset) => {
      const { keyLength, keyStart } = cursor
      if (keyLength < 0) {
        if (wants === undefined && strategy !== 'replay') visit(recordOf(bytes, position, cursor), true)
        return
      }
      if (changes.newest(cursor.bytes, keyStart, keyStart + keyLength) !== offset || changes.isKnown(offset)) return
      // Those are asked about anyway.
      if (open.size > 0 && open.has(keyText(cursor.key()!))) return
      visit(recordOf(bytes, position, cursor), false)
    })
  }

  #originOf({ offset, headers }: Pick<StoredRecord, 'offset' | 'headers'>): Place {
    return this.#options.source.knowledge.originOf(offset, headers)
  }

  #isThere(origin: Place): boolean {
    return this.#loose.size > 0 && this.#loose.has(`${origin.branch}:${origin.offset}`)
  }

  /** What is not decided by its key: it goes over unless the target has it. */
  #append(record: StoredRecord): void {
    const { source, target } = this.#options
    const origin = this.#originOf(record)
    const place = { branch: source.knowledge.home(record.offset), offset: record.offset }
    if (target.knowledge.knows(place) || target.knowledge.knows(origin)) return
    if (record.key === null && target.needsKeys) {
      const message = `'${target.topic}' is compacted, and the record at offset ${record.offset} of '${source.topic}' has no key. Merge the keys that are meant (keys, keyPrefix).`
      throw new Rejection('INVALID_RECORD', message)
    }
    if (this.#isThere(origin)) this.#decisions.note(record.offset, 'there')
    else this.#write(record, origin)
  }

  #write(record: StoredRecord, origin = this.#originOf(record)): void {
    this.#show(record.key, 'write', record.offset)
    if (this.#options.strategy !== 'replay' || record.key === null) this.#writer.add(record, origin)
  }

  #show(key: Buffer | null, kind: string, source: number, target?: number): void {
    if (this.#shown.length >= this.#options.keysShown || key === null) return
    this.#shown.push({ key: Buffer.from(key), kind, source, ...(target === undefined ? {} : { target }) })
  }

  /** A key that has changed in the source. */
  #consider(record: StoredRecord): void {
    const newest = this.#targetChanges.newestOf(record.key!)
    const origin = this.#originOf(record)
    const isThere = this.#isThere(origin)
    const state = this.#stateOf(newest)
    if (state === 'unchanged' && !isThere && !(newest < 0 && this.#mayHaveDropped)) this.#write(record, origin)
    else this.#question({ record: kept(record), origin, isThere, state, target: newest })
  }

  #stateOf(newest: number): TargetState {
    if (newest < 0) return this.#hasLost ? 'lost' : 'unchanged'
    if (this.#targetChanges.isOpen(newest)) return 'open'
    return this.#targetChanges.isKnown(newest) ? 'unchanged' : 'changed'
  }

  #question(question: Question): void {
    this.#questions.push(question)
    this.#questionBytes += 200 + (question.record.key?.length ?? 0) + (question.record.value?.length ?? 0)
  }

  /** Decides what has gathered. */
  async #ask(): Promise<void> {
    const questions = this.#questions
    this.#questions = []
    this.#questionBytes = 0
    if (questions.length === 0) return
    const dropped = questions.filter(({ state, target }) => state === 'unchanged' && target < 0)
    await this.#decisions.findDeleted(dropped)
    await this.#decisions.decide(questions, (decided) => this.#carryOut(decided))
  }

  #carryOut({ question, outcome, conflict }: Decided): void {
    const { record, origin, target } = question
    if (conflict !== undefined) this.#show(record.key, conflict.kind, record.offset, target)
    else if (outcome === 'same') this.#show(record.key, 'same', record.offset, target)
    else if (outcome === 'composed') this.#show(record.key, 'write', record.offset, target)
    if (outcome === 'write') this.#write(record, origin)
    else if (outcome === 'source' && this.#isOpen(record)) this.#writeLate(record)
    else if (outcome === 'source' && this.#options.strategy !== 'replay') this.#writer.add(record, origin)
  }

  #isOpen({ key }: StoredRecord): boolean {
    return key !== null && this.#options.open.has(keyText(key))
  }

  /** Without an origin it is a new record: others have heard of the old one with what the target knew, and not that it is chosen. */
  #writeLate({ offset, timestamp, key, value, headers }: StoredRecord, origin?: Place): void {
    this.#decisions.late.set(offset, { offset, timestamp, key, value, headers, ...(origin && { origin }) })
  }

  /** Keys in open conflict have changed on both sides, whatever the vectors say. */
  async #askOpen(): Promise<void> {
    const { source, target, turns } = this.#options
    const keys = new Set(this.closed)
    if (keys.size === 0) return
    const all = () => true
    const theirs = await findBack({ log: source.log, below: source.end, keys, accepts: all }, turns)
    const ours = await findBack({ log: target.log, below: this.#targetChanges.end, keys, accepts: all }, turns)
    for (const key of keys) {
      const record = theirs.get(key)
      if (record === undefined) continue
      const newest = this.#targetChanges.newestOf(keyBytes(key))
      const state = newest >= 0 && this.#targetChanges.isOpen(newest) ? 'open' : 'changed'
      const origin = this.#originOf(record)
      this.#question({ record, origin, isThere: false, state, target: ours.get(key)?.offset ?? newest })
    }
    await this.#ask()
  }

  /** Every unknown revision of the keys that were accepted, and every record without a key. */
  async #replay(): Promise<void> {
    const { source, target } = this.#options
    await this.#eachRecord((record) => {
      if (record.key === null) return this.#append(record)
      const newest = this.#sourceChanges.newestOf(record.key)
      if (!this.#decisions.isReplayed(newest, record.offset) || this.#sourceChanges.isKnown(newest)) return
      const origin = this.#originOf(record)
      const place = { branch: source.knowledge.home(record.offset), offset: record.offset }
      if (target.knowledge.knows(place) || target.knowledge.knows(origin)) return
      this.#writer.add(record, origin)
      const revisions = this.#revisions.get(newest)
      if (revisions === undefined) this.#revisions.set(newest, [record.offset])
      else revisions.push(record.offset)
    })
  }

  /** Whether a key that the decision was made on has changed in the target. */
  #checkRead(key: Buffer): void {
    const newest = this.#targetChanges.newestOf(key)
    const state = newest < 0 && !this.#hasLost ? 'unchanged' : this.#stateOf(newest)
    if (state === 'unchanged') return
    this.#decisions.noteRead(key, newest)
    this.#show(key, this.#decisions.readKind(newest), -1, newest)
  }

  /** Takes in what the target got up to an offset, without a pause: what is to be decided anew. */
  #touched(to: number): Question[] {
    const touched = new Map<string, Buffer>()
    this.#targetChanges.readAtOnce(to, (key) => void touched.set(keyText(key), Buffer.from(key)))
    const questions: Question[] = []
    for (const [text, key] of touched) {
      if (this.#readKeys.has(text)) this.#checkRead(key)
      const newest = this.#sourceChanges.newestOf(key)
      const isOpen = this.#options.open.has(text)
      if (newest < 0 || (this.#sourceChanges.isKnown(newest) && !isOpen)) continue
      const record = this.#decisions.sourceRecord(newest)
      if (record === undefined) continue
      const target = this.#targetChanges.newestOf(key)
      const origin = this.#originOf(record)
      questions.push({ record, origin, isThere: this.#isThere(origin), state: this.#stateOf(target), target })
    }
    return questions
  }

  async #decideAside(questions: readonly Question[]): Promise<void> {
    if (questions.length === 0) return
    const written = this.#retracted(questions)
    const decided: Decided[] = []
    await this.#decisions.decide(questions, (one) => void decided.push(one), true)
    this.#changeTo(decided, written)
  }

  /** Whether the writer has the records. */
  #retracted(questions: readonly Question[]): boolean[] {
    return questions.map(({ record }) => this.#decisions.retract(record.offset))
  }

  #changeTo(decided: readonly Decided[], written: readonly boolean[]): void {
    const dropped = new Set<number>()
    for (const [i, { question, outcome }] of decided.entries()) {
      const { record, origin } = question
      if (outcome === 'write' || outcome === 'source') {
        if (!written[i]) this.#writeLate(record, this.#isOpen(record) ? undefined : origin)
        continue
      }
      for (const each of this.#revisions.get(record.offset) ?? (written[i] ? [record.offset] : [])) dropped.add(each)
      this.#revisions.delete(record.offset)
    }
    this.#writer.drop(dropped)
  }

  /**
   * Nobody writes into the target any more: the last look. False where it would take long, if that is said to matter: they may
   * write on, for `catchUp` has to look for bases first.
   */
  conclude(mayTakeLong = true): boolean {
    if (!this.#looksAtTarget) return true
    const all = [...this.#left.splice(0), ...this.#touched(this.#options.target.log.logEndOffset)]
    // Of a key that was touched again the last counts.
    const questions = [...new Map(all.map((question) => [question.record.offset, question])).values()]
    if (!mayTakeLong && this.#decisions.looksForBases(questions)) {
      this.#left = questions
      return false
    }
    const written = this.#retracted(questions)
    this.#changeTo(this.#decisions.decideAtOnce(questions), written)
    return true
  }

  /** The batches to put behind the target's log end. */
  batches(): readonly Buffer[] {
    return this.#writer.batches()
  }

  /** Those to put behind them, from an offset on: what was composed bears its own offset as its origin. */
  lateBatches(from: number): readonly Buffer[] {
    const { late } = this.#decisions
    if (late.size === 0) return []
    const { id, partition, source, target, producer } = this.#options
    const writer = new MergeWriter({
      headers: new MergeHeaders(id, source.topic, partition),
      producer,
      messageBytesMax: target.messageBytesMax,
      codec: target.codec,
      covers: () => true,
    })
    for (const [i, record] of [...late.values()].entries()) {
      writer.add(record, record.origin ?? { branch: target.knowledge.branch, offset: from + i })
    }
    return writer.batches()
  }

  get written(): number {
    return this.#writer.written + this.#decisions.late.size
  }

  get loose(): Vector | undefined {
    return this.#writer.loose
  }

  /** Whether the target knows more of the source after it than it has copies of. */
  get isWeighed(): boolean {
    return !this.#options.isPick && (this.#decisions.hasWeighed || this.closed.length > 0)
  }

  get counts() {
    return { written: this.written, ...this.#decisions.counts }
  }

  get conflicts(): readonly Conflict[] {
    return this.#decisions.conflicts
  }

  /** Conflicts of before that this merge decides. */
  get closed(): readonly string[] {
    const { open, wants } = this.#options
    return [...open.keys()].filter((key) => wants === undefined || wants(keyBytes(key)))
  }

  /** Nothing is to be written, and nothing to be learnt. */
  get isIdle(): boolean {
    const { knowledge } = this.#options.target
    const isNew = Object.entries(this.known).some(([branch, offset]) => offset > (knowledge.known[branch] ?? 0))
    return !isNew && this.written === 0 && this.closed.length === 0 && this.#decisions.counts.conflicts === 0
  }

  /** Whether nothing at all may be written. */
  get isRefused(): boolean {
    return this.#decisions.isRefused
  }

  get shown(): readonly ShownKey[] {
    return this.#decisions.asWritten(this.#shown)
  }
}
