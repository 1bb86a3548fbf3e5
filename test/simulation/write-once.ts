// A batch that is written once, however often it has to be sent: it has a producer of its own.

import { produce } from '../../protocol/messages/00-produce.ts'
import { initProducerId } from '../../protocol/messages/22-init-producer-id.ts'
import type { CodecName } from '../../protocol/records/compression.ts'
import { batchOf } from '../wire-client.ts'
import type { Caller } from './caller.ts'

/** Throws Lost where nobody knows what became of it. */
export async function writeOnce(
  caller: Caller,
  name: string,
  values: Parameters<typeof batchOf>[0],
  codec: CodecName = 'none',
): Promise<void> {
  const asked = { transactionalId: null, transactionTimeoutMs: 10_000 }
  const { producerId, producerEpoch } = await caller.insist(initProducerId, 4, asked, (told) => [told.errorCode])
  const records = batchOf(values, { producerId, producerEpoch, baseSequence: 0, codec })
  const body = { acks: -1, timeoutMs: 5000, topicData: [{ name, partitionData: [{ index: 0, records }] }] }
  const known = ['DUPLICATE_SEQUENCE_NUMBER']
  await caller.insist(
    produce,
    9,
    body,
    ({ responses }) => responses.flatMap((of) => of.partitionResponses.map(({ errorCode }) => errorCode)),
    known,
  )
}
