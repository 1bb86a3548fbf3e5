// Long work in pieces: a generator that stops whenever others may have their turn. A batch may hold a hundred thousand
// records, and who waits for an acknowledgement should not wait for all of them.

/**
 * A process that works without a pause is the last that the system gives its turn to: who rests for longer than he works is
 * not noticed by those who wait for an answer.
 */
export const shortRest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1))

/** Who has worked for less than this, ms, works on: a rest takes longer. */
const workMs = 1
/** Work of others within one rest that is worth noticing, ms, and for how long after it they are taken to be there. */
const noticedMs = 0.05
const thereForMs = 20

/**
 * Rests as long as others need: where nobody else has anything to do, only to see whether that is still so, and where there
 * are others as `shortRest`.
 */
export class Considerate {
  #thereUntil = 0
  #restedAt = 0

  readonly rest = async (): Promise<void> => {
    if (performance.now() - this.#restedAt < workMs) return
    const before = performance.eventLoopUtilization().active
    await (performance.now() < this.#thereUntil ? shortRest() : turn())
    this.#restedAt = performance.now()
    const others = performance.eventLoopUtilization().active - before
    if (others > noticedMs) this.#thereUntil = this.#restedAt + thereForMs
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/**
 * Whoever has sent something by now is served first. What a socket or a file calls back has its immediates in the same round of the
 * event loop, before it looks at the others again; only those of immediates come behind that.
 */
export const afterOthers = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

/** So much of light work is done before anybody asks for the time. */
const lightCount = 64

/** Visits one after the other, and rests in between. */
export async function eachAtEase<T>(
  items: Iterable<T>,
  rest: () => Promise<void>,
  visit: (item: T) => void,
): Promise<void> {
  let visited = 0
  for (const item of items) {
    visit(item)
    if (++visited % lightCount === 0) await rest()
  }
}

/** Goes on to the next stop with every call. */
export type Walk<T = void> = Generator<void, T>

/** Walks to the end, and lets `rest` decide how long others have their turn; undefined where it was given up. */
export async function atEase<T>(
  walk: Iterator<void, T>,
  rest: () => Promise<void>,
  isOver: () => boolean,
): Promise<T | undefined> {
  for (let step = walk.next(); ; step = walk.next()) {
    if (step.done) return step.value
    if (isOver()) return undefined
    await rest()
  }
}

/** Walks to the end without a stop. */
export function atOnce<T>(walk: Iterator<void, T>): T {
  let step = walk.next()
  while (!step.done) step = walk.next()
  return step.value
}
