// The process that packs: takes one job after the other and answers each. It reads files that nobody changes any more and writes one
// that nobody knows yet. It ends with the broker.

import { Corruption, DamagedRecords, StorageError } from '../../protocol/errors.ts'
import { PlainStore } from '../storage/plain-file.ts'
import { giveWay } from './giving-way.ts'
import { PackTooLarge } from './pack-job.ts'
import { type PackingJob, runPacking } from './packing-job.ts'
import type { NumbersPiece, PackingAnswer, PackingOrder } from './packing-process.ts'

/** What nobody else wants: where there is not enough for all, one part of seventy, so that packing falls behind (which metrics tell) but goes on. */
const niceness = 19
/** How often it looks in the midst of a job whether its broker is still there, ms. */
const lookEveryMs = 50

giveWay(niceness)
process.on('disconnect', () => process.exit())
// Whoever stops the broker by its terminal stops all of its group at once; the broker ends this one when it has no use for it.
process.on('SIGINT', () => {})

const store = new PlainStore(process.argv[2]!, { reusesReads: true })
const kinds = { StorageError, Corruption, DamagedRecords, PackTooLarge }

function failure(cause: unknown): PackingAnswer {
  const { message, stack } = cause as Error
  const kind = Object.entries(kinds).find(([, type]) => cause instanceof type)?.[0]
  if (kind === undefined) return { failed: { kind: 'Error', message: stack ?? String(cause) } }
  return { failed: { kind, message, ...(cause instanceof StorageError ? { code: cause.code } : {}) } }
}

let lookedAt = performance.now()
async function look(): Promise<void> {
  if (performance.now() - lookedAt < lookEveryMs) return
  await new Promise((resolve) => setImmediate(resolve))
  lookedAt = performance.now()
}

const pack = (job: PackingJob): Promise<PackingAnswer> =>
  runPacking(store, job, look).then((packed) => ({ packed }), failure)

/** The job whose numbers come in. */
let order: { told: PackingOrder; offsets: Float64Array; revs: Float64Array; count: number } | undefined

function begin(told: PackingOrder): void {
  order = { told, offsets: new Float64Array(told.count), revs: new Float64Array(told.count), count: 0 }
}

function take({ offsets, revs }: NumbersPiece): void {
  order!.offsets.set(offsets, order!.count)
  order!.revs.set(revs, order!.count)
  order!.count += offsets.length
}

process.on('message', (message: PackingOrder | NumbersPiece) => {
  if ('job' in message) begin(message)
  else take(message)
  const { told, offsets, revs, count } = order!
  if (count < told.count) return
  order = undefined
  const { job, leftOut } = told
  void pack({ ...job, numbers: { offsets, revs, leftOut } }).then((answer) => process.send!(answer))
})
