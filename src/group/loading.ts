// Reads one partition of the offsets topic back: for each key the last value counts.

import { ConsumerState } from './consumer-state.ts'
import { Offsets } from './offsets.ts'
import type { OffsetsLog } from './offsets-log.ts'
import type { GroupMetadata, Remembered } from './records.ts'
import { remembered } from './records.ts'
import { ShareState } from './share-state.ts'

/** Of the memories at most one says anything; none does for a group that has only ever committed offsets. */
export type LoadedGroup = {
  metadata: GroupMetadata | null
  readonly consumer: ConsumerState
  readonly share: ShareState
  readonly offsets: Offsets
}

export async function loadPartition(log: OffsetsLog, partition: number): Promise<Map<string, LoadedGroup>> {
  const groups = new Map<string, LoadedGroup>()
  await log.replay(
    partition,
    (key, value, _, producerId) => {
      const found = remembered(key, value)
      if (found !== undefined) learn(groups, found, producerId)
    },
    (producerId, outcome) => {
      for (const { offsets } of groups.values()) offsets.settle(producerId, outcome)
    },
  )
  for (const [id, { metadata, consumer, share, offsets }] of groups)
    if (metadata === null && consumer.epoch === 0 && share.epoch === 0 && offsets.isEmpty) groups.delete(id)
  return groups
}

function learn(groups: Map<string, LoadedGroup>, found: Remembered, producerId: number | undefined): void {
  let group = groups.get(found.group)
  if (group === undefined) {
    group = { metadata: null, consumer: new ConsumerState(), share: new ShareState(), offsets: new Offsets() }
    groups.set(found.group, group)
  }
  if (found.kind === 'group') group.metadata = found.metadata && owned(found.metadata)
  else if (found.kind === 'consumer') group.consumer.apply(found.record)
  else if (found.kind === 'share') group.share.apply(found.record)
  else if (found.committed === null) group.offsets.delete(found.topic, found.partition)
  else if (producerId === undefined) group.offsets.set(found.topic, found.partition, found.committed)
  else group.offsets.stage(producerId, [{ topic: found.topic, partition: found.partition, committed: found.committed }])
}

/** The bytes that a visitor is shown are borrowed. */
const owned = (metadata: GroupMetadata): GroupMetadata => ({
  ...metadata,
  members: metadata.members.map((member) => ({
    ...member,
    subscription: Buffer.from(member.subscription),
    assignment: Buffer.from(member.assignment),
  })),
})
