// The newest records of some keys below an offset, looked for from there backwards: what was written last is found first, so
// the cost follows how old the answer is and not how long the log.

import type { StoredRecord } from '../../protocol/records/record.ts'
import type { Log } from '../log/log.ts'
import { eachBatch, eachBatchAtOnce, Fates, kept, keyText, noWalk, recordOf, type Turns, walkBatch } from './reading.ts'

/** Offsets that are looked at in one go, at first and at most. */
const windowMin = 512
const windowMax = 16_384

export type Search = {
  readonly log: Log
  readonly below: number
  /** What lies before is not looked at. */
  readonly downTo?: number
  /** As keyText gives them. */
  readonly keys: ReadonlySet<string>
  /** Whether a committed record is one of those that are looked for. */
  readonly accepts: (record: StoredRecord) => boolean
  /** Filled with the offset of each key's next record behind the one that is found, or of its oldest where none is. */
  readonly above?: Map<string, number>
}

/** What is to be looked at next, by whoever knows whether others are to have their turn on the way: values may be large. */
type Window = { readonly from: number; readonly to: number; readonly visit: Parameters<typeof eachBatchAtOnce>[3] }

/** One window after the other, each to be looked into before the next is asked for. */
function* windows({
  log,
  below,
  downTo = 0,
  keys,
  accepts,
  above,
}: Search): Generator<Window, Map<string, StoredRecord>> {
  const found = new Map<string, StoredRecord>()
  const fates = new Fates(log, Math.max(downTo, log.logStartOffset), below)
  const start = () => Math.max(downTo, log.logStartOffset)
  let size = windowMin
  for (let to = below; to > start() && found.size < keys.size; ) {
    const from = Math.max(start(), to - size)
    const here = new Map<string, StoredRecord>()
    const next = new Map<string, number>()
    const visit: Window['visit'] = (bytes, position, first) => {
      if (fates.of(bytes, position) !== 'committed') return noWalk
      return walkBatch(bytes, position, first, to, (cursor) => {
        const key = cursor.key()
        if (key === null) return
        const text = keyText(key)
        if (!keys.has(text) || found.has(text)) return
        const record = recordOf(bytes, position, cursor)
        if (accepts(record)) {
          here.set(text, kept(record))
          next.delete(text)
        } else if (above !== undefined && !next.has(text)) next.set(text, record.offset)
      })
    }
    yield { from, to, visit }
    for (const [key, record] of here) found.set(key, record)
    for (const [key, offset] of next) above!.set(key, offset)
    to = from
    size = Math.min(windowMax, 2 * size)
  }
  return found
}

export async function findBack(search: Search, turns: Turns): Promise<Map<string, StoredRecord>> {
  if (search.keys.size === 0) return new Map()
  const steps = windows(search)
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return step.value
    const { from, to, visit } = step.value
    await eachBatch(search.log, from, to, turns, visit)
    if (turns.isOver()) return new Map()
  }
}

/** The same without a pause: for few keys, at a moment when nothing may happen in between. */
export function findBackAtOnce(search: Search): Map<string, StoredRecord> {
  if (search.keys.size === 0) return new Map()
  const steps = windows(search)
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return step.value
    const { from, to, visit } = step.value
    eachBatchAtOnce(search.log, from, to, visit)
  }
}
