// Merges, resolutions and reverts as the history tells them.

import type { BranchEvent, EventPartition, EventTopic } from './events.ts'
import type { MergeBeginRecord, MergedPartition, MergedTopic, MergeRecord } from './merge-records.ts'

/** `aborted`: of one that has begun, that nothing came of it. */
export function eventOfMerge(record: MergeBeginRecord | MergeRecord, aborted?: 'aborted'): BranchEvent {
  const { id, at, by, op, set, strategy, onConflict, status, topics, counts } = record
  const isOver = record.type === 'merge'
  return {
    v: 1,
    type: aborted === 'aborted' ? 'merge-aborted' : isOver ? op : 'merge-begin',
    id,
    at,
    by,
    status: aborted ?? (isOver ? status : 'begun'),
    ...(isOver ? {} : { op }),
    ...(set === undefined ? {} : { set }),
    ...(strategy === undefined ? {} : { strategy }),
    ...(onConflict === undefined ? {} : { onConflict }),
    topics: topics.map((topic) => topicOf(topic, isOver)),
    ...(isOver ? { counts } : {}),
    ...(isOver && record.gateMs !== undefined ? { gateMs: record.gateMs } : {}),
  }
}

function topicOf({ from, fromId, into, intoId, partitions }: MergedTopic, isOver: boolean): EventTopic {
  return {
    ...(from === undefined ? {} : { from }),
    into,
    ...(fromId === undefined ? {} : { fromId }),
    intoId,
    partitions: partitions.map((partition) => partitionOf(partition, isOver)),
  }
}

function partitionOf({ partition, from, to, first, last, known }: MergedPartition, isOver: boolean): EventPartition {
  return {
    partition,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(first === undefined || last === undefined ? {} : { first, last }),
    ...(isOver ? { known } : {}),
  }
}
