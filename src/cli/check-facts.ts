// What `twiglog check` says of the metadata log's word on promotions, sets' listeners and merges that have begun. Each record is held
// against those before it: of what is not there a record has no effect, so that what replay gives does not show it.

import type { MergeBeginRecord } from '../branch/merge-records.ts'
import type { MetadataRecord, MetadataState } from '../broker/metadata-log.ts'
import type { Finding } from '../log/check.ts'

const damage = (message: string): Finding => ({ kind: 'damage', file: 'metadata', message })

/** For records by which the broker would do the wrong thing. */
const restore = 'put the folder metadata of a copy in its place'
const compare = 'compare the names of topics with what `twiglog branch log` tells'

/**
 * A record, and what those before it have told. `isRetold`: it stands in a snapshot, so that what it names may have been deleted
 * long ago.
 */
export function* checkRecord(state: MetadataState, record: MetadataRecord, isRetold: boolean): Generator<Finding> {
  const { lineage, topics } = state
  switch (record.type) {
    case 'promoted':
      if (lineage.promotions.has(record.id)) return
      yield damage(`promotion ${record.id} is told to be over, and none of that id has begun; ${compare}`)
      return
    case 'merge-aborted':
      if (lineage.begun.has(record.id)) return
      yield damage(`merge ${record.id} is told to be given up, and none of that id has begun; ${restore}`)
      return
    case 'promote':
      if (isRetold) return
      for (const [id, name] of record.topics.flatMap(({ id, name, over }) => [[id, name], ...named(over)] as const)) {
        const called = topics.get(id)?.name
        if (called === undefined)
          yield damage(`promotion ${record.id} names ${name}, whose topic ${id} is not there; ${compare}`)
        else if (called !== name)
          yield damage(`promotion ${record.id} names ${name}, which is called ${called}; ${compare}`)
      }
      return
    case 'set-listener':
      yield* checkListener(record, lineage.sets.has(record.set))
      return
    case 'merge-begin':
      if (isRetold) return
      for (const { into, intoId } of record.topics) {
        if (topics.has(intoId) || state.removed.has(intoId)) continue
        yield damage(`merge ${record.id} has begun into ${into}, whose topic ${intoId} is not there; ${restore}`)
      }
      return
    default:
  }
}

const named = (over: { id: string; name: string } | undefined) =>
  over === undefined ? [] : ([[over.id, over.name]] as const)

function* checkListener(
  { set, ports }: MetadataRecord & { type: 'set-listener' },
  isThere: boolean,
): Generator<Finding> {
  const again = `\`twiglog branch serve ${set} --port N\` gives it others`
  if (!isThere)
    yield damage(`set ${set} has a listener at ${ports.join(', ')}, and is not there; fork it again to enter it`)
  const bad = ports.find((port) => !Number.isInteger(port) || port < 1 || port > 65_535)
  if (bad !== undefined) yield damage(`the listener of set ${set} has port ${bad}, which is none; ${again}`)
  else if (ports.length === 0 || new Set(ports).size < ports.length)
    yield damage(`the listener of set ${set} has ports [${ports.join(', ')}], not one for each node; ${again}`)
}

/** What all of the records have told, in the end. */
export function* checkState(state: MetadataState): Generator<Finding> {
  yield* checkNames(state)
  for (const begin of state.lineage.begun.values()) {
    const problems = [...problemsOf(begin, state)]
    yield* problems.map((problem) => damage(`merge ${begin.id} ${problem}; ${restore}`))
    if (problems.length > 0) continue
    // A disk that refused its end leaves it so after a clean stop, too.
    yield {
      kind: 'note',
      file: 'metadata',
      message: `merge ${begin.id} has begun and is not over; the next start ends it`,
    }
  }
}

function* problemsOf(begin: MergeBeginRecord, { lineage, topics, nextProducerId }: MetadataState): Generator<string> {
  const { id, producerId } = begin
  // A start would end it once more, and tell so.
  if (lineage.merges.has(id)) yield 'has begun after it was over'
  if (producerId < 0 || producerId >= nextProducerId)
    yield `is written by producer ${producerId}, an id that was never given out`
  for (const { intoId, partitions } of begin.topics) {
    const topic = topics.get(intoId)
    if (topic === undefined) continue
    for (const { partition, from = 0, to = from, end } of partitions) {
      const isGood = partition < topic.partitions && from <= to && end >= 0
      if (!isGood) yield `has begun with offsets that cannot be (${topic.name}-${partition})`
    }
  }
}

/** Whose name a topic has, and whether it counts as one of its own: only a promotion makes that other than a fork does. */
function* checkNames({ lineage, topics }: MetadataState): Generator<Finding> {
  // What takes the place of a promoted branch has its standing.
  const remade = new Set(
    [...lineage.forks()].flatMap(({ isReset, topics }) => (isReset ? topics : [])).map(({ id }) => id),
  )
  const successors = new Map<string, string>()
  for (const record of lineage.besideForks()) {
    if (record.type === 'successor') {
      const { id, by } = record
      successors.set(id, by)
      const topic = topics.get(id)
      const taker = topics.get(by)?.name ?? by
      if (topic === undefined)
        yield damage(`${taker} is told to have the name of topic ${id}, which is not there; ${restore}`)
      else if (topic.namedFrom === undefined)
        yield damage(`${taker} is told to have the name of ${topic.name}, which never gave it up; ${restore}`)
    } else if (record.type === 'standing') {
      const { id, standsForItself } = record
      const topic = topics.get(id)
      const isMade = lineage.branches.has(id) ? 'a branch' : 'none of a fork'
      const itself = standsForItself ? 'for itself' : 'for another'
      if (topic === undefined) yield damage(`topic ${id} is told to stand ${itself}, and is not there; ${restore}`)
      else if (topic.namedFrom === undefined && !remade.has(id))
        yield damage(`${topic.name}, ${isMade} and never promoted, is told to stand ${itself}; ${restore}`)
    }
  }
  for (const id of successors.keys()) {
    if (isOnRing(id, successors))
      yield damage(`${topics.get(id)?.name ?? id} is told to have its own name from itself; ${restore}`)
  }
}

/** Whoever takes a name has nobody to whom he gave his own. */
function isOnRing(id: string, successors: ReadonlyMap<string, string>): boolean {
  const seen = new Set<string>()
  for (let at = successors.get(id); at !== undefined && !seen.has(at); at = successors.get(at)) {
    if (at === id) return true
    seen.add(at)
  }
  return false
}
