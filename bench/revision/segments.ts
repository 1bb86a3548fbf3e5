// Which segments of a topic lie packed, told by the names of its files.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

export interface Segments {
  /** Closed ones that are not packed. */
  readonly waiting: number
  readonly packs: number
  readonly bytes: number
}

/** All partitions of all topics that have at least one closed segment or pack; a bench has one such topic at a time. */
export function segmentsIn(folder: string, topicId: string): Segments {
  const topic = join(folder, 'log', 'topics', topicId)
  let [waiting, packs, bytes] = [0, 0, 0]
  for (const partition of readdirSync(topic)) {
    const names = readdirSync(join(topic, partition))
    const logs = names.filter((name) => name.endsWith('.log'))
    waiting += Math.max(0, logs.length - 1)
    packs += names.filter((name) => name.endsWith('.pack')).length
    for (const name of names) bytes += statSync(join(topic, partition, name), { throwIfNoEntry: false })?.size ?? 0
  }
  return { waiting, packs, bytes }
}
