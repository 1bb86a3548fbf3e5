// What is produced to `__branch_commands` says who produced it: the broker writes that in, and strips what clients claim.
// Only batches of that topic are written anew on their way into the log.

import type { Records } from '../../protocol/reader.ts'
import * as batch from '../../protocol/records/batch.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { codecName } from '../../protocol/records/compression.ts'
import { readRecords, type StoredRecord } from '../../protocol/records/record.ts'
import { validateProduceBatch, validateRecords } from '../../protocol/records/validate.ts'
import type { Requester } from '../auth/authorizer.ts'
import { brokersHeaders, clientHeader, enteredHeader, hostHeader, principalHeader } from '../branch/json-topics.ts'

/** Who gives a command, and in which set. */
type Giver = Requester & { readonly clientId: string | null; readonly entered: string | undefined }

/**
 * The same batch with headers of the principal, its address and client id, and of the set that he has entered, in every record, and no
 * other of ours. What is no good batch comes back as it is, for the log to say why.
 */
export function stamp(records: Records, by: Giver, produceVersion: number): Records {
  const bytes = Buffer.isBuffer(records) ? records : Buffer.concat(records)
  const limits = { messageBytesMax: Number.POSITIVE_INFINITY, produceVersion }
  if (validateProduceBatch(bytes, 0, bytes.length, limits) !== 'NONE') return bytes
  if (validateRecords(bytes, 0, {}).error !== 'NONE') return bytes
  return encodeBatch({
    records: stamped(readRecords(bytes, 0), by),
    codec: codecName(batch.codec(bytes, 0)),
    producerId: batch.producerId(bytes, 0),
    producerEpoch: batch.producerEpoch(bytes, 0),
    baseSequence: batch.baseSequence(bytes, 0),
    isTransactional: batch.isTransactional(bytes, 0),
  })
}

function* stamped(records: Iterable<StoredRecord>, { principal, host, clientId, entered }: Giver) {
  const said = [
    { key: principalHeader, value: Buffer.from(principal) },
    { key: hostHeader, value: Buffer.from(host) },
  ]
  if (clientId !== null) said.push({ key: clientHeader, value: Buffer.from(clientId) })
  if (entered !== undefined) said.push({ key: enteredHeader, value: Buffer.from(entered) })
  for (const { key, value, timestamp, headers } of records) {
    const own = headers.filter((header) => !header.key.startsWith(brokersHeaders))
    yield { key, value, timestamp, headers: [...own, ...said] }
  }
}
