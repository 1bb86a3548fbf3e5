// Time in a simulation: a queue of what is to happen, one thing after the other, on a clock that nobody waits for. While it is
// installed the timers, the clocks and the chance of the language itself are its own, so that nothing can reach around it.

import type { Clock, Timer } from '../../src/storage/clock.ts'

type Due = { at: number; order: number; task: (() => void) | undefined }

const real = { setImmediate, setTimeout, clearTimeout, clearImmediate, setInterval, clearInterval }
const realNow = Date.now
const realRandom = Math.random
const realPerformance = { now: performance.now, eventLoopUtilization: performance.eventLoopUtilization }
/** All that one thing has set off is done. */
const turn = (): Promise<void> => new Promise((resolve) => real.setImmediate(resolve))

const epochMs = 1_800_000_000_000
/** Clocks know whole milliseconds, the first of which has begun already: what waits by one may be early by less than this. */
export const grainMs = 1
const eventsMax = 5_000_000
/** Work takes no time here, but who looks at the watch finds it later by so much: long work is cut in pieces as it is outside. */
const lookMs = 0.04

/** What a simulation of one seed has come to when nothing goes on any more. */
export class Standstill extends Error {}

export class Loop {
  /** Milliseconds since the simulation began. */
  now = 0
  /** How far off the clock on the wall is; what waits, waits by another one. */
  skewMs = 0
  /** How much has happened. */
  count = 0
  readonly #queue: Due[] = []
  readonly #chance: () => number
  #order = 0
  /** Since what happens just now began. */
  #workedMs = 0

  constructor(chance: () => number) {
    this.#chance = chance
  }

  after(waitMs: number, task: () => void): Due {
    const due = { at: this.now + Math.max(0, waitMs), order: this.#order++, task }
    this.#push(due)
    return due
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve))
  }

  /** Lets things happen until the promise is settled. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    const settle = () => {
      isSettled = true
    }
    promise.then(settle, settle)
    for (await turn(); !isSettled; await turn()) {
      const due = this.#pop()
      if (due === undefined) throw new Standstill('nothing is left to happen, and somebody waits')
      if (due.task === undefined) continue
      if (++this.count > eventsMax) throw new Standstill(`more than ${eventsMax} things happen`)
      this.now = Math.max(this.now, due.at)
      this.#workedMs = 0
      due.task()
    }
    return await promise
  }

  // --- the queue: a heap by time, and by order within it

  #isBefore(a: Due, b: Due): boolean {
    return a.at < b.at || (a.at === b.at && a.order < b.order)
  }

  #push(due: Due): void {
    const queue = this.#queue
    let at = queue.push(due) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!this.#isBefore(due, queue[above]!)) break
      queue[at] = queue[above]!
      at = above
    }
    queue[at] = due
  }

  #pop(): Due | undefined {
    const queue = this.#queue
    const first = queue[0]
    const last = queue.pop()
    if (first === undefined || last === first) return first
    let at = 0
    for (;;) {
      let next = 2 * at + 1
      if (next >= queue.length) break
      if (next + 1 < queue.length && this.#isBefore(queue[next + 1]!, queue[next]!)) next++
      if (!this.#isBefore(queue[next]!, last!)) break
      queue[at] = queue[next]!
      at = next
    }
    queue[at] = last!
    return first
  }

  // --- as others know it

  get #onTheWall(): number {
    return epochMs + Math.floor(this.now + this.skewMs)
  }

  /** The clock of one process, whose timers end with it. */
  clockOf(isAlive: () => boolean): Clock {
    return {
      now: () => this.#onTheWall,
      after: (waitMs, task): Timer => {
        const due = this.after(waitMs, () => {
          if (isAlive()) task()
        })
        return { cancel: () => cancel(due) }
      },
      random: (byteCount) => Buffer.from(Array.from({ length: byteCount }, () => Math.floor(this.#chance() * 256))),
    }
  }

  /** Takes the place of the language's own timers, clocks and chance, until the returned function is called. */
  install(): () => void {
    const set = (task: (...args: unknown[]) => void, waitMs = 0, ...args: unknown[]) =>
      asTimer(this.after(Math.max(1, waitMs), () => task(...args)))
    const soon = (task: (...args: unknown[]) => void, ...args: unknown[]) => asTimer(this.after(0, () => task(...args)))
    const clear = (timer: unknown) => cancel(timer as Due | undefined)
    const refuse = () => {
      throw new Error('setInterval is not simulated: use the clock')
    }
    Object.assign(globalThis, {
      setTimeout: set,
      clearTimeout: clear,
      setImmediate: soon,
      clearImmediate: clear,
      setInterval: refuse,
      clearInterval: clear,
    })
    Date.now = () => this.#onTheWall
    Math.random = this.#chance
    performance.now = () => {
      this.#workedMs += lookMs
      return this.now + this.#workedMs
    }
    performance.eventLoopUtilization = () => ({ idle: 0, active: this.count * lookMs, utilization: 0 })
    return () => {
      Object.assign(globalThis, real)
      Date.now = realNow
      Math.random = realRandom
      Object.assign(performance, realPerformance)
    }
  }
}

function cancel(due: Due | undefined): void {
  if (due !== undefined) due.task = undefined
}

function asTimer(due: Due): Due {
  const same = () => due
  return Object.assign(due, { unref: same, ref: same, hasRef: () => true })
}
