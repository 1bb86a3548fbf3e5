// AlterShareGroupOffsets: where a share group without members goes on. One that is not yet is made, if any of the topics is there.

import { Refusal } from '../../protocol/errors.ts'
import { alterShareGroupOffsets } from '../../protocol/messages/91-alter-share-group-offsets.ts'
import { zeroUuid } from '../../protocol/schema.ts'
import type { ShareStart } from '../group/share-requests.ts'
import { serve } from './api.ts'
import { refuseShareGroup } from './share-served.ts'

export const alterShareGroupOffsetsApi = serve(alterShareGroupOffsets, [0, 0], async (request, context) => {
  const { broker, groups } = context
  const { groupId, topics } = request
  const asked = topics.flatMap(({ topicName, partitions }) => {
    const topic = broker.topic(topicName)
    return partitions.map(({ partitionIndex: partition, startOffset }) => {
      const isThere = topic?.partitions[partition] !== undefined
      const of = topic && { id: topic.id, name: topic.name, partitionCount: topic.partitions.length }
      return {
        topicName,
        partition,
        start: isThere ? { topic: of!, partition, startOffset } : undefined,
      }
    })
  })
  const starts = asked.flatMap(({ start }): ShareStart[] => (start === undefined ? [] : [start]))
  const makes = topics.some(({ topicName }) => broker.topic(topicName) !== undefined)
  const outcome = refuseShareGroup(groupId, context) ?? (await groups.share.alterStarts(groupId, starts, makes))
  if (outcome instanceof Refusal) return { errorCode: outcome.code, errorMessage: outcome.message, responses: [] }
  const unknown = new Refusal('UNKNOWN_TOPIC_OR_PARTITION')
  const answers = new Map<string, { topicId: string; partitions: Answered[] }>()
  for (const { topicName } of topics)
    answers.set(topicName, { topicId: broker.topic(topicName)?.id ?? zeroUuid, partitions: [] })
  for (const { topicName, partition, start } of asked) {
    const refusal = start === undefined ? unknown : outcome[starts.indexOf(start)]
    answers.get(topicName)!.partitions.push({
      partitionIndex: partition,
      errorCode: refusal?.code ?? 0,
      errorMessage: refusal?.message ?? null,
    })
  }
  return { errorCode: 0, responses: [...answers].map(([topicName, of]) => ({ topicName, ...of })) }
})

type Answered = { partitionIndex: number; errorCode: number; errorMessage: string | null }
