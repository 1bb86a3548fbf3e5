// The listener of a branch set's own, as far as commands know it: who comes by it has entered the set.

import type { Refusal } from '../../protocol/errors.ts'

export interface Doors {
  /**
   * Binds a listener for a set that has none; resolves with its ports, by node. `port` 0: where the last one of the set
   * was, or any that is free. Answers a refusal where the system does not let it.
   */
  open(set: string, port: number): Promise<readonly number[] | Refusal>
  /** What clients take as bootstrap.servers; undefined where the set has no listener. */
  bootstrap(set: string): string | undefined
  /** Nobody comes in any more, and who is in is cut off. */
  close(set: string): void
}

/** A broker whose sets are entered by client ids alone. */
export const noDoors: Doors = {
  open: async () => {
    throw new Error('this broker has no sockets')
  },
  bootstrap: () => undefined,
  close: () => {},
}
