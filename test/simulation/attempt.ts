// Whoever of the simulation asks for something comes as far as the broker lives: what ends with a connection is no mistake.

import { isOfTheConnection } from '../crash-lab/log-reader.ts'
import { type Caller, Lost } from './caller.ts'

/** Does the work, as far as it comes; the connection goes with what was lost. `mayFail`: what else is no mistake of the broker's. */
export async function attempt(
  caller: Caller,
  work: () => Promise<void>,
  mayFail: (problem: unknown) => boolean = () => false,
): Promise<void> {
  try {
    await work()
  } catch (problem) {
    if (!(problem instanceof Lost) && !mayFail(problem) && !isOfTheConnection(problem)) throw problem
    caller.close()
  }
}
