// Numbers of revisions as plans ask for them: where keep rules have taken records, numbers tell between which.

import type { Partition } from '../broker/partition.ts'
import type { Topic } from '../broker/topic.ts'

/** The number of a revision, by its offset; undefined where none is missing, or nothing is numbered. */
export async function numbersOf(
  { config }: Topic,
  partition: Partition,
): Promise<((offset: number) => number | undefined) | undefined> {
  if (config.revision === undefined || partition.log.compactedOffset === 0) return undefined
  const { revisions } = partition
  await revisions.ready()
  return (offset) => {
    const place = revisions.known.at(offset)
    return place?.part.revOf(place.entry)
  }
}
