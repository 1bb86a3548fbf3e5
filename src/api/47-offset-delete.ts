// OffsetDelete: forgets offsets of topics that nobody in the group reads any more (KIP-496).

import { type ErrorName, errors } from '../../protocol/errors.ts'
import { offsetDelete } from '../../protocol/messages/47-offset-delete.ts'
import { serve } from './api.ts'
import { groupElsewhere } from './coordinator.ts'

export const offsetDeleteApi = serve(offsetDelete, [0, 0], async (request, context) => {
  const { broker, groups } = context
  const asked = request.topics.flatMap(({ name: topic, partitions }) =>
    partitions.map(({ partitionIndex: partition }) => ({ topic, partition })),
  )
  const isHere = asked.map(({ topic, partition }) => broker.topic(topic)?.partitions[partition] !== undefined)
  const known = asked.filter((_, i) => isHere[i])
  const outcomes = groupElsewhere(request.groupId, context) ?? (await groups.offsets.delete(request.groupId, known))
  if (typeof outcomes === 'string') return { errorCode: errors[outcomes].code, throttleTimeMs: 0, topics: [] }
  const rest = outcomes.values()
  const answers = isHere.map((here): ErrorName => (here ? rest.next().value! : 'UNKNOWN_TOPIC_OR_PARTITION')).values()
  return {
    errorCode: 0,
    throttleTimeMs: 0,
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: errors[answers.next().value!].code,
      })),
    })),
  }
})
