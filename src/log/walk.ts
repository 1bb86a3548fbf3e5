// Long work in pieces: a generator that stops whenever others may have their turn. A batch may hold a hundred thousand
// records, and who waits for an acknowledgement should not wait for all of them.

/**
 * A process that works without a pause is the last that the system gives its turn to: who rests for longer than he works is
 * not noticed by those who wait for an answer.
 */
export const shortRest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1))

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
