// What `twiglog check` says of records that are gone with all that lay around them. A folder that is not there looks like that of a
// partition that was never written; but forks, merges, promotions and commits tell how far others have come in it.

import { ProtocolViolation } from '../../protocol/errors.ts'
import { commandsTopic } from '../branch/json-topics.ts'
import type { Lineage } from '../branch/lineage.ts'
import type { MetadataState } from '../broker/metadata-log.ts'
import { topicFolder } from '../broker/topic-folders.ts'
import { type Remembered, remembered } from '../group/records.ts'
import type { Finding } from '../log/check.ts'
import { mergedPartitions } from './check-branches.ts'

/** That a partition had records below `end`. */
type Trace = {
  readonly topicId: string
  readonly partition: number
  readonly end: number
  /** Below it they are there whatever became of the machine: they were flushed, or it has not been down since. */
  readonly sure: number
  readonly what: string
  /** Who has them, too. */
  readonly sharer?: string
}

export type Missing = { readonly topicId: string; readonly finding: Finding }

/** One for each partition that ends in front of what others have seen of it. `boot`: this life of the machine. */
export function missingRecords(
  state: MetadataState,
  boot: string,
  commits: Iterable<Trace>,
  endOf: (topicId: string, partition: number) => number,
): Missing[] {
  const worst = new Map<string, Trace>()
  const findings: Missing[] = []
  const isBeyond = ({ topicId, partition, end }: Trace) => end > endOf(topicId, partition)
  for (const trace of [...tracesOf(state, boot), ...commits]) {
    const topic = state.topics.get(trace.topicId)
    // A view shows the records of another topic.
    if (topic === undefined || 'view.of' in topic.configs || trace.partition >= topic.partitions || !isBeyond(trace))
      continue
    const place = `${trace.topicId} ${trace.partition}`
    const other = worst.get(place)
    if (other === undefined || trace.sure > other.sure || (trace.sure === other.sure && trace.end > other.end))
      worst.set(place, trace)
  }
  for (const { topicId, partition, sure, what, sharer } of worst.values()) {
    const end = endOf(topicId, partition)
    const file = `${topicFolder(topicId)}/${partition}`
    const also = sharer === undefined ? '' : `, or fork ${sharer}, which has them, too`
    const seen = `${what}, but records end at ${end} (${state.topics.get(topicId)!.name}-${partition})`
    const finding: Finding =
      sure > end
        ? {
            kind: 'damage',
            file,
            message: `${seen}; those that were acknowledged are gone: put this folder of a copy in its place${also}`,
          }
        : { kind: 'note', file, message: `${seen}; they are gone, unless nobody was promised them` }
    findings.push({ topicId, finding })
  }
  return findings
}

function* tracesOf(state: MetadataState, boot: string): Generator<Trace> {
  const { lineage, topics } = state
  for (const { name, fromId, partitions } of lineage.branches.values()) {
    for (const [partition, { offset, flushedOffset, boot: then }] of partitions.entries()) {
      const sure = then === boot ? offset : flushedOffset
      const what = `${name} was forked of it at offset ${offset}`
      yield { topicId: fromId, partition, end: offset, sure, what, sharer: name }
    }
  }
  for (const { id, partitions } of topics.values()) {
    for (let partition = 0; partition < partitions; partition++) {
      const { offset = 0, open = [] } = lineage.inheritedOf(id, partition) ?? {}
      // What a fork writes itself is flushed before it is true.
      const end = offset + open.length
      if (end > 0)
        yield { topicId: id, partition, end, sure: end, what: `it was made with what lies in front of offset ${end}` }
    }
  }
  yield* mergeTraces(state, boot)
  yield* promotionTraces(state, boot)
  const [commands] = [...topics.values()].filter(({ name }) => name === commandsTopic)
  for (const { id, command = -1, topics: forked } of lineage.forks()) {
    const isOfNow = forked.some((topic) => isForkedIn(boot, topic.id, lineage))
    const end = command + 1
    const what = `fork ${id} was commanded at its offset ${command}`
    if (commands !== undefined) yield { topicId: commands.id, partition: 0, end, sure: isOfNow ? end : 0, what }
  }
}

/** What was done with a branch that was forked in this life of the machine was done in it, too. */
const isForkedIn = (boot: string, topicId: string | undefined, { branches }: Lineage): boolean =>
  branches.get(topicId ?? '')?.partitions.some((partition) => partition.boot === boot) === true

function* mergeTraces(state: MetadataState, boot: string): Generator<Trace> {
  const { lineage } = state
  for (const { what, op, intoId, fromId, told } of mergedPartitions(state)) {
    const { partition, to = 0, last = -1 } = told
    // What a merge wrote was on stable storage before it was noted.
    yield { topicId: intoId, partition, end: last + 1, sure: last + 1, what: `${what} wrote up to offset ${last}` }
    if (op !== 'merge' || fromId === undefined) continue
    const isOfNow = [fromId, intoId].some((id) => isForkedIn(boot, id, lineage))
    yield {
      topicId: fromId,
      partition,
      end: to,
      sure: isOfNow ? to : 0,
      what: `${what} read up to offset ${to - 1} of it`,
    }
  }
  for (const { id, topics } of lineage.begun.values()) {
    for (const { fromId, intoId, partitions } of topics) {
      const isOfNow = [fromId, intoId].some((each) => isForkedIn(boot, each, lineage))
      for (const { partition, end } of partitions) {
        const what = `merge ${id} began when it ended at offset ${end}`
        yield { topicId: intoId, partition, end, sure: isOfNow ? end : 0, what }
      }
    }
  }
}

function* promotionTraces({ lineage, topics }: MetadataState, boot: string): Generator<Trace> {
  for (const { id, namedFrom = [] } of topics.values()) {
    const isOfNow = [id, lineage.successor(id)].some((each) => isForkedIn(boot, each, lineage))
    for (const [partition, end] of namedFrom.entries()) {
      const what = `a promotion gave it its name when it ended at offset ${end}`
      yield { topicId: id, partition, end, sure: isOfNow ? end : 0, what }
    }
  }
}

/** Reads groups' commits as their records are walked. A client may commit what it likes, so none of them is proof. */
export class CommitCheck {
  readonly findings: Finding[] = []
  readonly #file: string
  readonly #traces = new Map<string, Trace>()

  constructor(file: string) {
    this.#file = file
  }

  take(offset: number, key: Buffer | null, value: Buffer | null): void {
    try {
      const said = key === null ? undefined : remembered(key, value)
      if (said?.kind === 'offset') this.#note(said)
    } catch (cause) {
      if (!(cause instanceof ProtocolViolation)) throw cause
      const message = `the record at offset ${offset} is nothing that groups remember`
      this.findings.push({ kind: 'damage', file: this.#file, message })
    }
  }

  #note({ group, topic, partition, committed }: Remembered & { kind: 'offset' }): void {
    const place = `${group} ${partition} ${topic}`
    if (committed === null) this.#traces.delete(place)
    else if (committed.topicId !== null) {
      const { offset: end, topicId } = committed
      this.#traces.set(place, { topicId, partition, end, sure: 0, what: `group ${group} has committed offset ${end}` })
    }
  }

  get traces(): Iterable<Trace> {
    return this.#traces.values()
  }
}
