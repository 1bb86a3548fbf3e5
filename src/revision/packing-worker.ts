// The thread that packs: takes one job after the other and answers each. It reads files that nobody changes any more and writes one
// that nobody knows yet.

import { parentPort, workerData } from 'node:worker_threads'
import { Corruption, DamagedRecords, StorageError } from '../../protocol/errors.ts'
import { PlainStore } from '../storage/plain-file.ts'
import { giveWay } from './giving-way.ts'
import { PackTooLarge } from './pack-job.ts'
import { type PackingJob, runPacking } from './packing-job.ts'
import type { PackingAnswer } from './packing-thread.ts'

/** A third of what others get where there is not enough for all: beside a broker that is busy packing goes on. */
const niceness = 5
const store = new PlainStore(workerData as string, { reusesReads: true })

giveWay(niceness)

const kinds = { StorageError, Corruption, DamagedRecords, PackTooLarge }

function failure(cause: unknown): PackingAnswer {
  const { message, stack } = cause as Error
  const kind = Object.entries(kinds).find(([, type]) => cause instanceof type)?.[0]
  if (kind === undefined) return { failed: { kind: 'Error', message: stack ?? String(cause) } }
  return { failed: { kind, message, ...(cause instanceof StorageError ? { code: cause.code } : {}) } }
}

parentPort!.on('message', (job: PackingJob) => {
  runPacking(store, job).then(
    (packed) => {
      // Handed over, not copied: they are the pack's own.
      const handed = [packed.offsetEntries.buffer, packed.timeEntries.buffer] as ArrayBuffer[]
      parentPort!.postMessage({ packed } satisfies PackingAnswer, handed)
    },
    (cause: unknown) => parentPort!.postMessage(failure(cause)),
  )
})
