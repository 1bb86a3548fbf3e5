// What a member says about records that it has acquired, and what stands against it. The sentences are the real
// broker's, since members of every language show them.

import { Refusal } from '../../protocol/errors.ts'
import type { Change, InFlight, Range } from './in-flight.ts'

/** By code of AcknowledgeType. A gap is an offset without a record: nobody needs it any more. */
export const acknowledgeTypes = ['gap', 'accept', 'release', 'reject', 'renew'] as const
export type AcknowledgeType = (typeof acknowledgeTypes)[number]
const renewCode = acknowledgeTypes.indexOf('renew')

/** One type for all offsets, or one for each. */
export type AcknowledgeBatch = {
  readonly firstOffset: number
  readonly lastOffset: number
  readonly acknowledgeTypes: readonly number[]
}

/** What is wrong with the batches of a request, whatever was acquired. */
export function checkBatches(batches: readonly AcknowledgeBatch[], mayRenew: boolean): Refusal | undefined {
  let end = Number.NEGATIVE_INFINITY
  for (const { firstOffset, lastOffset, acknowledgeTypes: types } of batches) {
    const count = lastOffset - firstOffset + 1
    if (count < 1 || firstOffset < end) return new Refusal('INVALID_REQUEST')
    end = lastOffset
    if (types.length !== 1 && types.length !== count) return new Refusal('INVALID_REQUEST')
    const codeMax = mayRenew ? renewCode : renewCode - 1
    if (types.some((code) => code < 0 || code > codeMax)) return new Refusal('INVALID_REQUEST')
  }
  return undefined
}

type Limits = { readonly deliveriesMax: number; readonly lockedUntil: number }

/** What becomes of a record that is given back; one that went round as often as it may is given up. */
export const givenBack = (deliveryCount: number, deliveriesMax: number): Change =>
  deliveryCount >= deliveriesMax
    ? { state: 'archived', lockedUntil: 0, burial: 'exhausted' }
    : { state: 'available', lockedUntil: 0 }

function changeOf(type: AcknowledgeType, deliveryCount: number, { deliveriesMax, lockedUntil }: Limits): Change {
  switch (type) {
    case 'release':
      return givenBack(deliveryCount, deliveriesMax)
    case 'reject':
      return { state: 'archived', lockedUntil: 0, burial: 'rejected' }
    case 'renew':
      return { state: 'acquired', lockedUntil }
    default:
      return { state: type === 'accept' ? 'acknowledged' : 'archived', lockedUntil: 0 }
  }
}

/** Marks what the batches are about as changing; a refusal leaves no mark. */
export function claim(
  inFlight: InFlight,
  memberId: string,
  batches: readonly AcknowledgeBatch[],
  limits: Limits,
): Change[] | Refusal {
  const changes: Change[] = []
  for (const batch of batches) {
    const refusal = claimBatch(inFlight, memberId, batch, limits, changes)
    if (refusal === undefined) continue
    const mine = new Set(changes)
    for (const range of inFlight.ranges) if (range.changing !== null && mine.has(range.changing)) range.changing = null
    return refusal
  }
  return changes
}

function claimBatch(
  inFlight: InFlight,
  memberId: string,
  batch: AcknowledgeBatch,
  limits: Limits,
  changes: Change[],
): Refusal | undefined {
  const { start, frontier } = inFlight
  // Somebody said so before, or the records were deleted.
  if (batch.lastOffset < start) return undefined
  const none = 'Batch record not found. The request batch offsets are not found in the cache.'
  if (start === frontier) return new Refusal('INVALID_RECORD_STATE', none)
  const past = 'Batch record not found. The'
  if (batch.firstOffset >= frontier)
    return new Refusal('INVALID_REQUEST', `${past} first offset in request is past acquired records.`)
  if (batch.lastOffset >= frontier)
    return new Refusal('INVALID_REQUEST', `${past} last offset in request is past acquired records.`)
  for (const { first, last, type } of runsOf(batch)) {
    for (const range of inFlight.cut(first, last)) {
      const refusal = refuse(range, memberId)
      if (refusal !== undefined) return refusal
      const change = changeOf(type, range.deliveryCount, limits)
      range.changing = change
      changes.push(change)
    }
  }
  return undefined
}

function refuse({ state, member, changing }: Range, memberId: string): Refusal | undefined {
  if (state !== 'acquired' || changing !== null)
    return new Refusal(
      'INVALID_RECORD_STATE',
      'The batch cannot be acknowledged. The batch is not in the acquired state.',
    )
  return member === memberId
    ? undefined
    : new Refusal('INVALID_RECORD_STATE', 'Member is not the owner of batch record')
}

type Run = { first: number; last: number; type: AcknowledgeType }

/** Offsets of one type each. */
function runsOf({ firstOffset, lastOffset, acknowledgeTypes: codes }: AcknowledgeBatch): Run[] {
  const typeAt = (i: number): AcknowledgeType => acknowledgeTypes[codes[i]!]!
  if (codes.length === 1) return [{ first: firstOffset, last: lastOffset, type: typeAt(0) }]
  const runs: Run[] = []
  for (let i = 0; i < codes.length; i++) {
    const before = runs.at(-1)
    if (before?.type === typeAt(i)) before.last++
    else runs.push({ first: firstOffset + i, last: firstOffset + i, type: typeAt(i) })
  }
  return runs
}
