// Facts of the metadata log as the history tells them.

import type { BranchEvent, EventPartition, EventTopic } from './events.ts'
import type { DeletedRecord, ForkedPartition, ForkedTopic, ForkRecord, LostRecord, PromoteRecord } from './lineage.ts'

/** The event of a fact. */
export function eventOf(record: ForkRecord | DeletedRecord | PromoteRecord | LostRecord): BranchEvent {
  switch (record.type) {
    case 'fork':
      return forked(record)
    case 'promote':
      return promoted(record)
    case 'lost':
      return lost(record)
    default:
      return deleted(record)
  }
}

/** The range is that of the branch; at the same offsets its parent has lost them too, and may have others there since. */
function lost({ id, at, by, topicId: intoId, name: into, partition, from, to }: LostRecord): BranchEvent {
  const topics = [{ into, intoId, partitions: [{ partition, from, to }] }]
  return { v: 1, type: 'lost', id, at, by, status: 'done', topics }
}

function forked({ id, at, by, set, isReset, topics }: ForkRecord): BranchEvent {
  return {
    v: 1,
    type: isReset ? 'reset' : 'fork',
    id,
    at,
    by,
    status: 'done',
    ...(set === undefined ? {} : { set }),
    topics: topics.map(forkedTopic),
    copied: topics.reduce((sum, { copiedBytes }) => sum + copiedBytes, 0),
  }
}

const forkedTopic = ({ id, name, inside, from, fromId, groups, partitions }: ForkedTopic): EventTopic => ({
  from,
  into: name,
  fromId,
  intoId: id,
  ...(inside === undefined ? {} : { inside }),
  groups,
  partitions: partitions.map(forkedPartition),
})

/** Its first own records are the markers of the transactions that the cut went through. */
function forkedPartition(of: ForkedPartition, partition: number): EventPartition {
  const { offset, logStartOffset, known, open } = of
  const written = open.length === 0 ? {} : { first: offset, last: offset + open.length - 1 }
  return { partition, from: logStartOffset, to: offset, ...written, known }
}

function deleted({ id, at, by, set, topics }: DeletedRecord): BranchEvent {
  const told = topics.map(
    ({ id: intoId, name: into, from, fromId }): EventTopic => ({
      into,
      intoId,
      ...(from === undefined ? {} : { from }),
      ...(fromId === undefined ? {} : { fromId }),
    }),
  )
  return { v: 1, type: 'delete', id, at, by, status: 'done', ...(set === undefined ? {} : { set }), topics: told }
}

/** `from` is what a branch was called, `into` the name that it took; `kept` is what became of the topic that had it. */
function promoted({ id, at, by, set, topics }: PromoteRecord): BranchEvent {
  const told = topics.map(({ id: fromId, name: into, was: from, over }): EventTopic => {
    return { from, fromId, into, ...(over === undefined ? {} : { kept: over.name, keptId: over.id }) }
  })
  return { v: 1, type: 'promote', id, at, by, status: 'done', ...(set === undefined ? {} : { set }), topics: told }
}
