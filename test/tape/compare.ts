// What of two answers to a tape's request must be the same: all but times, addresses, sentences, and how much of a log
// had been written when a fetch came by.

import * as batch from '../../protocol/records/batch.ts'
import { type Difference, differences } from '../differential/compare.ts'
import type { Ask } from './frame.ts'
import type { Outcome } from './side.ts'

const hidden = new Set([
  ...['throttleTimeMs', 'host', 'port', 'unknownTags', 'totalBytes', 'usableBytes', 'finalizedFeaturesEpoch'],
  ...[
    'replicaDirectoryId',
    'clientHost',
    'logDir',
    'size',
    'lastTimestamp',
    'transactionStartTimeMs',
    'acquisitionLockTimeoutMs',
  ],
])
/** Of a fetch: depends on the moment, not on the broker. */
const momentary = new Set(['highWatermark', 'lastStableOffset', 'records', 'abortedTransactions', 'acquiredRecords'])
/** Whether a word of an answer is unknown to the tape. */
type IsNew = (value: unknown) => boolean
/** 2001 and later, in ms: read from a clock, or a time that a client wrote just now. */
const firstTime = 1_000_000_000_000

function plain(value: unknown, name: string, isFetch: boolean, isNew: IsNew): unknown {
  if (Array.isArray(value)) return value.map((element) => plain(element, name, isFetch, isNew))
  if (Buffer.isBuffer(value)) return name === 'records' ? batchesOf(value) : value.toString('base64')
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([key]) => !hidden.has(key) && !(isFetch && momentary.has(key)))
    return Object.fromEntries(entries.map(([key, inner]) => [key, plain(inner, key, isFetch, isNew)]))
  }
  if (typeof value === 'string' && /[mM]essage$/.test(name)) return value === '' ? '' : '<a sentence>'
  // Still there although the tape's words were put in: made for this very request.
  if ((name === 'memberId' || name === 'leader') && isNew(value)) return '<a new member>'
  if (name === 'sessionId' && isNew(value)) return '<a new session>'
  if (typeof value === 'number' && value > firstTime && value < 10 * firstTime) return '<time>'
  return value
}

function batchesOf(bytes: Buffer): unknown {
  try {
    return [...batch.iterateBatches(bytes)].map((at) => [batch.baseOffset(bytes, at), batch.recordCount(bytes, at)])
  } catch {
    return `${bytes.length} bytes`
  }
}

/**
 * Where two outcomes of the same request differ. `label`: what the request was, for whoever reads it. `isNew` tells ids
 * that the tape does not know.
 */
export function compareOutcomes(
  label: string,
  { table, version }: Ask,
  theirs: Outcome,
  ours: Outcome,
  isNew: IsNew = () => false,
): Difference[] {
  const isFetch = table.name === 'Fetch' || table.name === 'ShareFetch'
  const asked = (answer: Outcome) => [{ label, api: table.name, version, answer: plain(answer, '', isFetch, isNew) }]
  return differences(asked(theirs), asked(ours))
}
