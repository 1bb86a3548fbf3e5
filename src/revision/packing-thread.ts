// Packs in a thread of its own, of low priority, where the store is a folder: whoever produces does not feel it.

import { Worker } from 'node:worker_threads'
import { Corruption, DamagedRecords, StorageError } from '../../protocol/errors.ts'
import { type Packed, PackTooLarge } from './pack-job.ts'
import type { PackingJob } from './packing-job.ts'

/** What the thread answers. */
export type PackingAnswer = { packed: Packed } | { failed: { kind: string; message: string; code?: string } }

/** Where the thread's code lies once it is built; from the sources no thread can be started. */
const entry = new URL('./packing-worker.js', import.meta.url)
const isBuilt = /\.c?js$/.test(import.meta.url)

export class PackingThread {
  readonly #root: string
  #worker: Worker | undefined

  /** `root`: of the store. */
  constructor(root: string) {
    this.#root = root
  }

  static get canRun(): boolean {
    return isBuilt
  }

  /** One job at a time. Rejects as `runPacking` does, and where the thread ends in the midst of it. */
  run(job: PackingJob): Promise<Packed> {
    const worker = this.#worker ?? this.#start()
    return new Promise<Packed>((resolve, reject) => {
      const settle = () => worker.off('message', answered).off('error', failed).off('exit', ended)
      const answered = (answer: PackingAnswer) => {
        settle()
        if ('packed' in answer) resolve(answer.packed)
        else reject(errorOf(answer.failed))
      }
      const failed = (cause: Error) => {
        settle()
        reject(cause)
      }
      const ended = () => failed(new Error('the thread that packs has ended'))
      worker.on('message', answered).on('error', failed).on('exit', ended)
      // The numbers are not copied: both threads have them.
      worker.postMessage(job)
    })
  }

  #start(): Worker {
    const worker = new Worker(entry, { workerData: this.#root })
    worker.unref()
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined
    })
    this.#worker = worker
    return worker
  }

  /** Nothing is left to do for now: a thread that waits takes memory. What is under way is given up. */
  async end(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }
}

function errorOf({ kind, message, code = 'EIO' }: { kind: string; message: string; code?: string }): Error {
  if (kind === 'StorageError') return new StorageError(code, message)
  if (kind === 'Corruption') return new Corruption(message)
  if (kind === 'DamagedRecords') return new DamagedRecords(message)
  return kind === 'PackTooLarge' ? new PackTooLarge(message) : new Error(message)
}
