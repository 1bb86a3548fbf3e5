// DeleteShareGroupOffsets: a share group without members forgets what it has done in a topic.

import { Refusal } from '../../protocol/errors.ts'
import { deleteShareGroupOffsets } from '../../protocol/messages/92-delete-share-group-offsets.ts'
import { zeroUuid } from '../../protocol/schema.ts'
import { serve } from './api.ts'
import { refuseShareGroup } from './share-served.ts'

export const deleteShareGroupOffsetsApi = serve(deleteShareGroupOffsets, [0, 0], async (request, context) => {
  const { broker, groups } = context
  const { groupId } = request
  const asked = request.topics.map(({ topicName }) => ({ topicName, topicId: broker.topic(topicName)?.id }))
  const topicIds = asked.flatMap(({ topicId }) => topicId ?? [])
  const outcome = refuseShareGroup(groupId, context) ?? (await groups.share.deleteStarts(groupId, topicIds))
  if (outcome instanceof Refusal) return { errorCode: outcome.code, errorMessage: outcome.message, responses: [] }
  const unknown = new Refusal('UNKNOWN_TOPIC_OR_PARTITION')
  return {
    errorCode: 0,
    responses: asked.map(({ topicName, topicId }) => {
      const refusal = topicId === undefined ? unknown : outcome[topicIds.indexOf(topicId)]
      return {
        topicName,
        topicId: refusal === undefined ? topicId! : zeroUuid,
        errorCode: refusal?.code ?? 0,
        errorMessage: refusal?.message ?? null,
      }
    }),
  }
})
