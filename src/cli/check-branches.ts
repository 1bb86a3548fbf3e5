// What `twiglog check` says of branches: whether the facts of the metadata log fit each other and the logs, and whether the history
// and the open conflicts tell them as they are.

import { isDeepStrictEqual } from 'node:util'
import { readConflict } from '../branch/conflict-records.ts'
import type { BranchEvent, EventTopic } from '../branch/events.ts'
import type { Branch, ForkedPartition } from '../branch/lineage.ts'
import { eventOf } from '../branch/lineage-event.ts'
import { eventOfMerge } from '../branch/merge-event.ts'
import type { MetadataState } from '../broker/metadata-log.ts'
import type { Finding } from '../log/check.ts'

const damage = (file: string, message: string): Finding => ({ kind: 'damage', file, message })
const note = (file: string, message: string): Finding => ({ kind: 'note', file, message })

const facts = 'metadata'

/** Forks, merges, losses and sets against the topics that are there. */
export function* checkLineage(state: MetadataState): Generator<Finding> {
  const { lineage, topics } = state
  for (const branch of lineage.branches.values()) {
    const { id, name, partitions } = branch
    const topic = topics.get(id)
    if (topic === undefined) {
      yield damage(facts, `a fork is told of topic ${id}, which is not there (${name})`)
      continue
    }
    if (partitions.length > topic.partitions) {
      yield damage(facts, `a fork has ${partitions.length} partitions, its topic ${topic.partitions} (${topic.name})`)
    }
    if (isOwnAncestor(branch, lineage.branches)) yield damage(facts, `a branch comes from itself (${topic.name})`)
    for (const [i, partition] of partitions.entries()) {
      for (const problem of problemsOf(partition, branch)) yield damage(facts, `${problem} (${topic.name}-${i})`)
    }
  }
  yield* mergeFindings(state)
  for (const { topicId, name, partition, from, to } of lineage.losses.values()) {
    const { partitions } = topics.get(topicId) ?? { partitions: 0 }
    if (partition >= partitions || from >= to)
      yield damage(facts, `a loss is told of offsets ${from} to ${to} that cannot be (${name}-${partition})`)
  }
  for (const [set, { members }] of lineage.sets) {
    for (const [inside, id] of members) {
      if (!topics.has(id)) yield damage(facts, `set ${set} has a member ${inside} whose topic ${id} is not there`)
    }
  }
}

/** What merges have told of each partition; of the topics that they were about some may be gone by now. */
export function* mergedPartitions({ lineage, topics }: MetadataState) {
  for (const { id, op, topics: merged } of lineage.merges.values()) {
    for (const { fromId, intoId, partitions } of merged) {
      const topic = topics.get(intoId)
      if (topic === undefined) continue
      for (const told of partitions) yield { what: `${op} ${id}`, op, topic, fromId, intoId, told }
    }
  }
}

function* mergeFindings(state: MetadataState): Generator<Finding> {
  for (const { what, topic, told } of mergedPartitions(state)) {
    const { partition, from = 0, to = from, first = -1, last = first, end } = told
    const isGood = partition < topic.partitions && from <= to && first <= last && last < end
    if (!isGood) yield damage(facts, `${what} is told of offsets that cannot be (${topic.name}-${partition})`)
  }
}

function isOwnAncestor({ id, fromId }: Branch, branches: ReadonlyMap<string, Branch>): boolean {
  const seen = new Set<string>()
  for (let at: string | undefined = fromId; at !== undefined && !seen.has(at); at = branches.get(at)?.fromId) {
    if (at === id) return true
    seen.add(at)
  }
  return false
}

const ascend = (numbers: readonly number[]): boolean => numbers.every((each, i) => i === 0 || each > numbers[i - 1]!)

function* problemsOf(partition: ForkedPartition, { fromId }: Branch): Generator<string> {
  const { offset, ownFrom, logStartOffset, files, epochs, seams, known, open, spans = [], merged = [] } = partition
  const bases = files.map(([base]) => base)
  const isOrdered = ascend([...bases, ownFrom]) && ascend(epochs.map(([epoch]) => epoch)) && ascend([...seams, ownFrom])
  if (!isOrdered || ownFrom > offset || logStartOffset > offset) yield 'bounds of a fork do not ascend'
  // Of a pack that a keep rule has emptied nothing is shown.
  if (files.some(([, byteCount]) => byteCount < 0)) yield 'a fork shows less than nothing of a file that it shares'
  if (epochs.at(-1)?.[1] !== offset) yield `a fork was cut at offset ${offset}, but its epoch begins elsewhere`
  if (open.some(({ firstOffset }) => firstOffset >= offset))
    yield 'a fork goes through a transaction that began after it'
  const homes = spans.map(([, upTo]) => upTo)
  if (homes.some((upTo, i) => upTo < (homes[i - 1] ?? 0) || upTo > offset))
    yield 'a fork tells where offsets were first written that it does not have'
  if (merged.some(({ first, last }) => first > last || last >= offset))
    yield 'a fork tells of merges into offsets that it does not have'
  if (known[fromId] !== offset) yield `a fork was cut at offset ${offset}, but knows its parent up to ${known[fromId]}`
}

/** Reads the history as its records are walked, and holds it against the facts afterwards. */
export class HistoryCheck {
  readonly #file: string
  readonly #findings: Finding[] = []
  /** The first result of each id counts. */
  readonly #events = new Map<string, BranchEvent>()

  constructor(file: string) {
    this.#file = file
  }

  take(offset: number, _key: Buffer | null, value: Buffer | null): void {
    try {
      const event = JSON.parse(String(value)) as BranchEvent
      if (typeof event.id !== 'string' || typeof event.type !== 'string') throw new SyntaxError()
      const isResult = event.type !== 'plan' && event.type !== 'merge-begin' && event.type !== 'merge-aborted'
      if (isResult && event['dryRun'] !== true && !this.#events.has(event.id)) this.#events.set(event.id, event)
    } catch {
      this.#findings.push(damage(this.#file, `the record at offset ${offset} is no event`))
    }
  }

  /** `isWhole`: all of the history was read. */
  finish({ lineage }: MetadataState, isWhole: boolean): Finding[] {
    const facts = [
      ...lineage.tellable.map((record) => [record, eventOf(record)] as const),
      ...[...lineage.merges.values()].map((record) => [record, eventOfMerge(record)] as const),
    ]
    for (const [{ id, type }, fact] of facts) {
      const told = this.#events.get(id)
      if (told === undefined) {
        if (isWhole) this.#findings.push(note(this.#file, `${type} ${id} is not told; the next start does`))
      } else if (told.type !== fact.type || told.set !== fact.set || !tellsAll(told.topics, fact.topics)) {
        this.#findings.push(damage(this.#file, `${type} ${id} is told otherwise than the metadata log has it`))
      }
    }
    return this.#findings
  }

  /** What the history tells of topics that are there, and the metadata log knows nothing of. */
  forgottenBy({ lineage, topics: known }: MetadataState): Finding[] {
    const isForgotten = ({ id, type, status, counts, topics = [] }: BranchEvent) => {
      const there = topics.flatMap(({ intoId = '' }) => known.get(intoId) ?? [])
      if (type === 'fork' || type === 'reset')
        return status === 'done' && there.some((topic) => !lineage.branches.has(topic.id))
      const isMerge = type === 'merge' || type === 'resolve' || type === 'revert'
      return isMerge && (counts?.written ?? 0) > 0 && there.length > 0 && !lineage.merges.has(id)
    }
    const forgotten = [...this.#events.values()].filter(isForgotten)
    return forgotten.map(({ id, type }) =>
      damage(this.#file, `${type} ${id} is told, and the metadata log knows nothing of it`),
    )
  }
}

/** Reads the open conflicts as their records are walked. */
export class ConflictCheck {
  readonly findings: Finding[] = []
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  take(offset: number, key: Buffer | null, value: Buffer | null): void {
    const isGood = key !== null && (value === null || readConflict(key, value) !== undefined)
    if (!isGood) this.findings.push(damage(this.#file, `the record at offset ${offset} is no conflict`))
  }
}

/** The facts of topics that are gone may be forgotten, those of the others are told as they are. */
function tellsAll(told: readonly EventTopic[] = [], facts: readonly EventTopic[] = []): boolean {
  // What a promotion is about has a name from then on that it goes into, and no topic.
  const idsOf = ({ fromId, intoId }: EventTopic) => `${fromId} ${intoId}`
  const byIds = new Map(told.map((topic) => [idsOf(topic), topic]))
  return facts.every((fact) => {
    const topic = byIds.get(idsOf(fact))
    return topic !== undefined && isDeepStrictEqual(asTold(topic), asTold(JSON.parse(JSON.stringify(fact))))
  })
}

/** What a merge made known is forgotten with the branches that it was known of. */
function asTold(topic: EventTopic): EventTopic {
  const partitions = topic.partitions?.map(({ known: _, ...partition }) => partition)
  return { ...topic, ...(partitions === undefined ? {} : { partitions }) }
}
