// DescribeShareGroupOffsets: up to where share groups are done, and how much is left for them (KIP-1226).

import { Refusal } from '../../protocol/errors.ts'
import { describeShareGroupOffsets } from '../../protocol/messages/90-describe-share-group-offsets.ts'
import { zeroUuid } from '../../protocol/schema.ts'
import type { Partition } from '../broker/partition.ts'
import { storageRefusal } from '../broker/storage-refusal.ts'
import { each } from '../group/partitions.ts'
import type { SharePartition } from '../share/share-partition.ts'
import { type Context, serve } from './api.ts'
import { told } from './share-acknowledgements.ts'
import { refuseShareGroup } from './share-served.ts'

type AskedTopic = { readonly topicName: string; readonly partitions: readonly number[] }

export const describeShareGroupOffsetsApi = serve(describeShareGroupOffsets, [0, 1], (request, context) => ({
  groups: request.groups.map(({ groupId, topics }) => {
    const refusal = refuseShareGroup(groupId, context)
    if (refusal !== undefined) return { groupId, topics: [], errorCode: refusal.code, errorMessage: told(refusal) }
    const asked = topics ?? allOf(groupId, context)
    return { groupId, topics: asked.map((topic) => describe(groupId, topic, context)), errorCode: 0 }
  }),
}))

/** Everything that is remembered of a group; nothing of one that nobody knows. */
function allOf(groupId: string, { broker, groups, shares }: Context): AskedTopic[] {
  const topics = new Map<string, number[]>()
  const add = (topicId: string, partition: number): void => {
    const name = broker.topicById(topicId)?.name
    if (name !== undefined) topics.set(name, [...(topics.get(name) ?? []), partition])
  }
  for (const { of } of shares.states.of(groupId)) add(of.topicId, of.partition)
  for (const [topicId, partition] of each(groups.share.unreadableOf(groupId))) add(topicId, partition)
  return [...topics].map(([topicName, partitions]) => ({ topicName, partitions: partitions.sort((a, b) => a - b) }))
}

function describe(groupId: string, { topicName, partitions }: AskedTopic, { broker, shares }: Context) {
  const topic = broker.topic(topicName)
  const topicId = topic?.id ?? zeroUuid
  return {
    topicName,
    topicId,
    partitions: partitions.map((partitionIndex) => {
      const of = { groupId, topicId, partition: partitionIndex }
      if (shares.states.isUnreadable(of)) return { partitionIndex, ...unreadable }
      return { partitionIndex, ...position(shares.states.find(of), topic?.partitions[partitionIndex]) }
    }),
  }
}

const unknown = { startOffset: -1, leaderEpoch: 0, lag: -1, errorCode: 0 }
/** -1 would be the word for a group that has not begun. */
const notAvailable = new Refusal('COORDINATOR_NOT_AVAILABLE')
const unreadable = { ...unknown, errorCode: notAvailable.code, errorMessage: told(notAvailable) }

/** -1 until something was acknowledged; the lag is what is neither done nor behind the start. */
function position(share: SharePartition | undefined, partition: Partition | undefined) {
  if (share === undefined || partition === undefined || share.startOffset === -1) return unknown
  const { startOffset, doneCount } = share
  try {
    const lag = partition.highWatermark - startOffset - doneCount
    return { startOffset, leaderEpoch: partition.leaderEpoch, lag, errorCode: 0 }
  } catch (cause) {
    const refusal = storageRefusal(cause)
    return { ...unknown, errorCode: refusal.code, errorMessage: told(refusal) }
  }
}
