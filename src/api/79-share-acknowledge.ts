// ShareAcknowledge: a member says what became of records that it has acquired, without taking more.

import { Refusal } from '../../protocol/errors.ts'
import { shareAcknowledge } from '../../protocol/messages/79-share-acknowledge.ts'
import type { Element, Response } from '../../protocol/schema.ts'
import { finalEpoch } from '../share/sessions.ts'
import { type Context, serve } from './api.ts'
import {
  type Acknowledged,
  acknowledgeAll,
  endpointsTold,
  leaderTold,
  readShareRequest,
  told,
} from './share-acknowledgements.ts'
import { refuseShares } from './share-served.ts'

type ShareAcknowledgeResponse = Response<typeof shareAcknowledge>
type TopicAnswer = Element<ShareAcknowledgeResponse, 'responses'>
type PartitionAnswer = Element<TopicAnswer, 'partitions'>

const refused = (error: Refusal): ShareAcknowledgeResponse => ({
  errorCode: error.code,
  acquisitionLockTimeoutMs: 0,
  responses: [],
  nodeEndpoints: [],
})

function answer(acknowledged: readonly Acknowledged[], context: Context): TopicAnswer[] {
  const topics = new Map<string, PartitionAnswer[]>()
  for (const { of, refusal } of acknowledged) {
    const partitions = topics.get(of.topicId) ?? []
    topics.set(of.topicId, partitions)
    partitions.push({
      partitionIndex: of.partition,
      errorCode: refusal?.code ?? 0,
      errorMessage: refusal === undefined ? null : told(refusal),
      currentLeader: leaderTold(of, refusal, context),
    })
  }
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions }))
}

export const shareAcknowledgeApi = serve(shareAcknowledge, [1, 2], async (request, context) => {
  const { shares, closing } = context
  const read = refuseShares(context) ?? readShareRequest(request, context)
  if (read instanceof Refusal) return refused(read)
  const { member, acknowledgements } = read
  // Who begins a session has nothing to acknowledge yet.
  const admitted = member.epoch === 0 ? 'INVALID_SHARE_SESSION_EPOCH' : shares.sessions.admit(member, closing)
  if (admitted !== 'NONE') return refused(new Refusal(admitted))
  const acknowledged = await acknowledgeAll(member, acknowledgements, request.isRenewAck, context)
  if (member.epoch === finalEpoch) await shares.release(member)
  const responses = answer(acknowledged, context)
  return {
    errorCode: 0,
    acquisitionLockTimeoutMs: shares.settings(member.groupId).lockMs,
    responses,
    nodeEndpoints: endpointsTold(responses, context),
  }
})
