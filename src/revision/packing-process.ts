// Packs in a process of its own, of low priority and with one thread, where the store is a folder, so that
// whoever produces waits for as little of it as can be.

import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { Corruption, DamagedRecords, StorageError } from '../../protocol/errors.ts'
import { type Packed, PackTooLarge } from './pack-job.ts'
import type { PackNumbers } from './pack-numbers.ts'
import type { PackingJob } from './packing-job.ts'

/** What the process is sent for a job: this, and then its numbers piece by piece, until it has `count` of them. */
export type PackingOrder = {
  readonly job: Omit<PackingJob, 'numbers'>
  readonly count: number
  readonly leftOut: number
}
export type NumbersPiece = Omit<PackNumbers, 'leftOut'>
/** What it answers. */
export type PackingAnswer = { packed: Packed } | { failed: { kind: string; message: string; code?: string } }

/** It could not be started, or ended in the midst of a job, which says nothing about what was to be packed. */
export class PackerGone extends Error {}

/** Where its code lies once it is built; from the sources no process can be started. */
const entry = new URL('./packing-child.js', import.meta.url)
const isBuilt = /\.c?js$/.test(import.meta.url)

/** Numbers that are copied in one turn of the event loop: half a megabyte. */
const pieceCount = 32 * 1024

/**
 * V8 compiles and collects garbage with threads beside the one that works. Two that compute at once leave nobody a core where there are
 * two, and the kernel lets them go on for milliseconds, however low their priority.
 */
const ofNode = ['--single-threaded']

export class PackingProcess {
  /** Part of the name of what it writes: one that has outlived its broker for a moment must not meet the files of the next. */
  readonly token = `.${randomBytes(6).toString('hex')}`
  readonly #root: string
  #child: ChildProcess | undefined
  #isRefused = false

  /** `root`: of the store. */
  constructor(root: string) {
    this.#root = root
  }

  /** Not from the sources, and not where the system lets us have no process. */
  get isAvailable(): boolean {
    return isBuilt && !this.#isRefused
  }

  /** One job at a time. Rejects as `runPacking` does, and with PackerGone. */
  async run(job: PackingJob): Promise<Packed> {
    const child = this.#child ?? this.#start()
    const answer = this.#answerOf(child)
    const { numbers, ...rest } = job
    const sent = sendJob(child, rest, numbers)
    // Whoever is gone says so itself.
    sent.catch(() => {})
    const told = await answer
    if ('packed' in told) return told.packed
    throw errorOf(told.failed)
  }

  #answerOf(child: ChildProcess): Promise<PackingAnswer> {
    return new Promise<PackingAnswer>((resolve, reject) => {
      const settle = () => child.off('message', answered).off('error', failed).off('exit', ended)
      const answered = (answer: unknown) => {
        settle()
        resolve(answer as PackingAnswer)
      }
      const failed = (cause: Error) => {
        settle()
        this.#isRefused ||= child.pid === undefined
        reject(new PackerGone(`the process that packs cannot be had: ${cause.message}`))
      }
      const ended = (code: number | null, signal: NodeJS.Signals | null) => {
        settle()
        reject(new PackerGone(`the process that packs has ended: ${signal ?? `exit code ${code}`}`))
      }
      child.on('message', answered).on('error', failed).on('exit', ended)
    })
  }

  #start(): ChildProcess {
    const { NODE_OPTIONS: _, ...env } = process.env
    let child: ChildProcess
    try {
      child = fork(fileURLToPath(entry), [this.#root], {
        execArgv: ofNode,
        env,
        serialization: 'advanced',
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      })
    } catch (cause) {
      this.#isRefused = true
      throw new PackerGone(`the process that packs cannot be had: ${(cause as Error).message}`)
    }
    child.unref()
    child.channel?.unref()
    const forget = () => {
      if (this.#child === child) this.#child = undefined
    }
    child.on('exit', forget).on('error', forget)
    this.#child = child
    return child
  }

  /** Nothing is left to do for now: a process that waits takes memory. What is under way is given up. */
  async end(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    child.ref()
    child.kill('SIGKILL')
    await ended
  }
}

async function sendJob(
  child: ChildProcess,
  job: PackingOrder['job'],
  { offsets, revs, leftOut }: PackNumbers,
): Promise<void> {
  await send(child, { job, count: offsets.length, leftOut } satisfies PackingOrder)
  for (let from = 0; from < offsets.length; from += pieceCount) {
    const to = from + pieceCount
    await send(child, { offsets: offsets.subarray(from, to), revs: revs.subarray(from, to) } satisfies NumbersPiece)
  }
}

const send = (child: ChildProcess, message: PackingOrder | NumbersPiece): Promise<void> =>
  new Promise((resolve, reject) => {
    child.send(message, (cause) => (cause === null ? resolve() : reject(cause)))
  })

function errorOf({ kind, message, code = 'EIO' }: { kind: string; message: string; code?: string }): Error {
  if (kind === 'StorageError') return new StorageError(code, message)
  if (kind === 'Corruption') return new Corruption(message)
  if (kind === 'DamagedRecords') return new DamagedRecords(message)
  return kind === 'PackTooLarge' ? new PackTooLarge(message) : new Error(message)
}
