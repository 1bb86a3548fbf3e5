// Some records of a view as a Fetch takes them: plain batches at the offsets of the source, holes in front of records only.

import { DamagedRecords } from '../../protocol/errors.ts'
import * as batch from '../../protocol/records/batch.ts'
import type { BatchRecord } from '../../protocol/records/builder.ts'
import { BatchBuilder } from '../../protocol/records/builder.ts'
import { sizeOfRecordBody } from '../../protocol/records/record.ts'
import type { Selection } from './selection.ts'
import type { ViewRecords } from './view-records.ts'

/** A batch, and what is looked at for one page, grow no larger: others wait meanwhile. */
const pageBytesMax = 1024 * 1024
const costMax: Readonly<Record<string, number>> = { state: 2 * pageBytesMax, history: pageBytesMax }
const costMaxElse = 512 * 1024
/** What is not cached takes a hundred times as long as what is: so bytes alone do not say how long others wait. */
const pageMsMax = 5
/** In front of a record: its length. */
const lengthBytesMax = 5

export type PageRequest = {
  readonly from: number
  /** Nothing from here on. */
  readonly end: number
  readonly bytesMax: number
  /** The first record comes, however large. */
  readonly wholeFirst: boolean
  readonly kind: string
  readonly epochAt: (offset: number) => number
}

export function readPage(selection: Selection, records: ViewRecords, request: PageRequest): Buffer {
  const { end, bytesMax, wholeFirst, kind } = request
  const finished: Buffer[] = []
  let builder: BatchBuilder | undefined
  let epoch = 0
  let size = 0
  let cost = 0
  const limit = Math.min(bytesMax, pageBytesMax)
  const until = performance.now() + pageMsMax
  for (let from = request.from; ; ) {
    const offset = selection.next(from)
    if (offset === undefined || offset >= end || cost > (costMax[kind] ?? costMaxElse)) break
    if (size > 0 && performance.now() > until) break
    from = offset + 1
    const found = recordAt(records, offset, size > 0)
    if (found === 'damaged' || found === 'later') break
    if (found === undefined) continue
    cost += found.cost
    const ownEpoch = request.epochAt(offset)
    const byteCount = sizeOf(found.record) + (builder === undefined || ownEpoch !== epoch ? batch.headerBytes : 0)
    const isFirst = size === 0
    if (isFirst ? byteCount > bytesMax && !wholeFirst : size + byteCount > limit) break
    if (builder === undefined || ownEpoch !== epoch) {
      if (builder !== undefined) finished.push(builder.build())
      epoch = ownEpoch
      builder = new BatchBuilder({ baseOffset: offset, partitionLeaderEpoch: epoch })
    }
    builder.append(found.record)
    size += byteCount
  }
  if (builder !== undefined) finished.push(builder.build())
  return finished.length === 1 ? finished[0]! : Buffer.concat(finished)
}

/** Whoever reads on meets the damage; what lies in front of it is told first. */
function recordAt(records: ViewRecords, offset: number, isLater: boolean) {
  try {
    return records.at(offset)
  } catch (cause) {
    if (!(isLater && cause instanceof DamagedRecords)) throw cause
    return 'damaged'
  }
}

/** Deltas of offsets and times take a few bytes; these are the most. */
const sizeOf = (record: BatchRecord): number => sizeOfRecordBody(record, 0x7fff_ffff, 2 ** 50) + lengthBytesMax
