// A disk that takes nothing more: producers are told by an error code that names no cause, so whoever runs the broker is told here.

import { StorageError } from '../../protocol/errors.ts'
import type { Log } from '../log/log.ts'
import { hasPassed } from '../storage/clock.ts'

/** Every batch that is sent may be refused: one line in so long is enough to see that it goes on. */
const quietMs = 60_000

const whenWell = 'writes go on by themselves then.'
/** By the code of the system: what whoever runs the broker can do. */
const remedies: Readonly<Record<string, string>> = {
  ENOSPC: `Make room on the disk, or delete topics or records: ${whenWell}`,
  EDQUOT: `Make room within the quota, or delete topics or records: ${whenWell}`,
  EROFS: `Make the disk writable again: ${whenWell}`,
}

export class RefusedWrites {
  #saidAt = Number.NEGATIVE_INFINITY

  /** Answers the error. A partition that has no log is offline, and a log that failed for good has said so: no line for those. */
  say(cause: unknown, log: Log | undefined, now: number): unknown {
    if (!(cause instanceof StorageError) || log === undefined || cause === log.failure) return cause
    if (!hasPassed(quietMs, this.#saidAt, now)) return cause
    this.#saidAt = now
    const remedy = remedies[cause.code] ?? `Look at the disk: ${whenWell}`
    console.error(
      `Partition ${log.folder} refuses what it cannot write, and goes on reading: ${cause.message}. ${remedy}`,
    )
    return cause
  }
}
