// What ShareFetch and ShareAcknowledge have in common: who asks, and what is said about records that were acquired.

import { errors, Refusal } from '../../protocol/errors.ts'
import type { AcknowledgeBatch } from '../share/acknowledgement.ts'
import type { SessionPartition, SessionRequest } from '../share/sessions.ts'
import type { Context } from './api.ts'
import { currentLeader, endpointsOf } from './leader-epoch.ts'

type Asked = {
  readonly groupId: string | null
  readonly memberId: string | null
  readonly shareSessionEpoch: number
  readonly topics: readonly {
    readonly topicId: string
    readonly partitions: readonly {
      readonly partitionIndex: number
      readonly acknowledgementBatches: readonly AcknowledgeBatch[]
    }[]
  }[]
}

export type Acknowledgement = { readonly of: SessionPartition; readonly batches: readonly AcknowledgeBatch[] }

export type ShareRequest = {
  readonly member: SessionRequest
  readonly wanted: readonly SessionPartition[]
  readonly acknowledgements: readonly Acknowledgement[]
}

/** As many as an id with dashes has; the real broker looks no closer. */
const memberIdCharactersMax = 36

export function readShareRequest(
  { groupId, memberId, shareSessionEpoch, topics }: Asked,
  { node }: Context,
): ShareRequest | Refusal {
  if (groupId === null || memberId === null || memberId === '') return new Refusal('INVALID_REQUEST')
  if (memberId.length > memberIdCharactersMax) return new Refusal('INVALID_REQUEST')
  const all = topics.flatMap(({ topicId, partitions }) =>
    partitions.map(({ partitionIndex: partition, acknowledgementBatches: batches }) => ({
      of: { topicId, partition },
      batches,
    })),
  )
  return {
    member: { node, groupId, memberId, epoch: shareSessionEpoch },
    wanted: all.map(({ of }) => of),
    acknowledgements: all.filter(({ batches }) => batches.length > 0),
  }
}

export type Acknowledged = { readonly of: SessionPartition; readonly refusal: Refusal | undefined }

export function acknowledgeAll(
  member: SessionRequest,
  acknowledgements: readonly Acknowledgement[],
  renews: boolean,
  context: Context,
): Promise<Acknowledged[]> {
  return Promise.all(
    acknowledgements.map(async ({ of, batches }) => ({
      of,
      refusal: refuseToRead(of, context) ?? (await context.shares.acknowledge(member, of, batches, renews)),
    })),
  )
}

/** Why the client may have nothing to do with records of a partition. */
export function refuseToRead({ topicId }: SessionPartition, { broker, rights }: Context): Refusal | undefined {
  if (rights === undefined) return undefined
  const topic = broker.topicById(topicId)
  if (topic === undefined || rights.topic('READ', topic.name)) return undefined
  return new Refusal('TOPIC_AUTHORIZATION_FAILED')
}

/** What is said beside the code: nothing where the real broker says nothing. */
export const told = ({ error, message }: Refusal): string | null =>
  message === errors[error].sentence ? null : message

/** Where somebody who asked the wrong node should have asked (KIP-951). */
export function leaderTold(of: SessionPartition, refusal: Refusal | undefined, { shares }: Context) {
  const partition = refusal?.error === 'NOT_LEADER_OR_FOLLOWER' ? shares.leaderOf(of) : undefined
  return partition === undefined ? { leaderId: 0, leaderEpoch: 0 } : currentLeader(partition)
}

type Answered = {
  readonly partitions: readonly {
    readonly errorCode: number
    readonly acknowledgeErrorCode?: number
    readonly currentLeader: { readonly leaderId: number }
  }[]
}

/** The addresses of the leaders that an answer names. */
export function endpointsTold(responses: readonly Answered[], context: Context) {
  const { code } = errors.NOT_LEADER_OR_FOLLOWER
  const named = responses
    .flatMap(({ partitions }) => partitions)
    .filter(({ errorCode, acknowledgeErrorCode }) => errorCode === code || acknowledgeErrorCode === code)
  return named.length === 0
    ? []
    : endpointsOf(
        named.map(({ currentLeader: of }) => of.leaderId),
        context,
      )
}
