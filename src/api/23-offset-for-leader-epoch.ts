// OffsetForLeaderEpoch: where the history of an epoch ends (KIP-101, KIP-320).

import { Refusal } from '../../protocol/errors.ts'
import { offsetForLeaderEpoch } from '../../protocol/messages/23-offset-for-leader-epoch.ts'
import { storageRefusal } from '../broker/storage-refusal.ts'
import { serve } from './api.ts'
import { checkLeader } from './leader-epoch.ts'

export const offsetForLeaderEpochApi = serve(offsetForLeaderEpoch, [2, 4], (request, { broker, node }) => ({
  topics: request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch: asked }) => {
      const refuse = (refusal: Refusal) => ({
        errorCode: refusal.code,
        partition: index,
        leaderEpoch: -1,
        endOffset: -1,
      })
      const partition = broker.topic(topic)?.partitions[index]
      if (partition === undefined) return refuse(new Refusal('UNKNOWN_TOPIC_OR_PARTITION'))
      const wrong = checkLeader(currentLeaderEpoch, partition, node)
      if (wrong !== undefined) return refuse(wrong)
      try {
        const [leaderEpoch, endOffset] = partition.epochEnd(asked)
        return { errorCode: 0, partition: index, leaderEpoch, endOffset }
      } catch (cause) {
        return refuse(storageRefusal(cause))
      }
    }),
  })),
}))
