// The outside world that is not a disk: time and chance. Given in everywhere, so that a run can be simulated from a seed.

import { randomBytes } from 'node:crypto'

export type Timer = { cancel(): void }

export interface Clock {
  /** Wall clock, milliseconds since 1970. */
  now(): number
  /** Runs `task` once, `waitMs` from now, unless cancelled. A timer never keeps the process alive. */
  after(waitMs: number, task: () => void): Timer
  /** `byteCount` unpredictable bytes. */
  random(byteCount: number): Buffer
}

/** setTimeout holds 31 bits; longer waits fire and are set again. */
const timeoutMsMax = 0x7fff_ffff

export const systemClock: Clock = {
  now: () => Date.now(),
  after(waitMs, task) {
    let left = Math.max(0, waitMs)
    let handle: NodeJS.Timeout
    const set = () => {
      const step = Math.min(left, timeoutMsMax)
      left -= step
      handle = setTimeout(() => (left > 0 ? set() : task()), step)
      handle.unref()
    }
    set()
    return { cancel: () => clearTimeout(handle) }
  },
  random: (byteCount) => (byteCount > aheadBytes / 8 ? randomBytes(byteCount) : takeAhead(byteCount)),
}

/** Fetched ahead: a few bytes cost as long as these do. */
const aheadBytes = 2048
let ahead = Buffer.alloc(0)

function takeAhead(byteCount: number): Buffer {
  if (ahead.length < byteCount) ahead = randomBytes(aheadBytes)
  const taken = ahead.subarray(0, byteCount)
  ahead = ahead.subarray(byteCount)
  return taken
}

/** Whether so much time has passed. A clock that was set back does not tell: then it has. */
export const hasPassed = (ms: number, since: number, now: number): boolean => now < since || now - since >= ms

/** Runs `task` every `ms` until it is cancelled. */
export function repeat(clock: Clock, ms: number, task: () => void): Timer {
  const again = () => {
    timer = clock.after(ms, again)
    task()
  }
  let timer = clock.after(ms, again)
  return { cancel: () => timer.cancel() }
}

/** A random topic, cluster or directory id: 16 bytes as URL-safe base64, never with a leading `-` (as in Kafka's Uuid). */
export function randomId(clock: Clock): string {
  for (;;) {
    const id = clock.random(16).toString('base64url')
    if (!id.startsWith('-') && id !== 'A'.repeat(22)) return id
  }
}

/** Keeps the process alive until it is done: what waits for a timer of the clock alone would be left in the middle. */
export async function awake<T>(clock: Clock, work: Promise<T>): Promise<T> {
  // Time that is made up needs no process that waits for it.
  if (clock !== systemClock) return work
  const timer = setInterval(() => {}, timeoutMsMax)
  try {
    return await work
  } finally {
    clearInterval(timer)
  }
}
