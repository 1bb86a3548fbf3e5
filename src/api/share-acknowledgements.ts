// What ShareFetch and ShareAcknowledge have in common: who asks, and what is said about records that were acquired.

import { errors, Refusal } from '../../protocol/errors.ts'
import type { AcknowledgeBatch } from '../share/acknowledgement.ts'
import type { SessionPartition, SessionRequest } from '../share/sessions.ts'
import type { Shares } from '../share/shares.ts'

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

export function readShareRequest({ groupId, memberId, shareSessionEpoch, topics }: Asked): ShareRequest | Refusal {
  if (groupId === null || memberId === null || memberId === '') return new Refusal('INVALID_REQUEST')
  const all = topics.flatMap(({ topicId, partitions }) =>
    partitions.map(({ partitionIndex: partition, acknowledgementBatches: batches }) => ({
      of: { topicId, partition },
      batches,
    })),
  )
  return {
    member: { groupId, memberId, epoch: shareSessionEpoch },
    wanted: all.map(({ of }) => of),
    acknowledgements: all.filter(({ batches }) => batches.length > 0),
  }
}

export type Acknowledged = { readonly of: SessionPartition; readonly refusal: Refusal | undefined }

export function acknowledgeAll(
  member: SessionRequest,
  acknowledgements: readonly Acknowledgement[],
  renews: boolean,
  shares: Shares,
): Promise<Acknowledged[]> {
  return Promise.all(
    acknowledgements.map(async ({ of, batches }) => ({
      of,
      refusal: await shares.acknowledge(member, of, batches, renews),
    })),
  )
}

/** What is said beside the code: nothing where the real broker says nothing. */
export const told = ({ error, message }: Refusal): string | null =>
  message === errors[error].sentence ? null : message
