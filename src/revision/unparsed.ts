// Values that the JSON index was to know and could not: counted when they are packed, summed when somebody asks.

import { DamagedRecords } from '../../protocol/errors.ts'
import type { Segment } from '../log/segment.ts'
import { Pack } from './pack.ts'

/** Of all packs among these; one that is damaged tells nothing. */
export function unparsedValues(segments: readonly Segment[]): number {
  let count = 0
  for (const segment of segments) {
    try {
      if (segment.isPacked && segment.packed instanceof Pack) count += segment.packed.unparsed
    } catch (cause) {
      if (!(cause instanceof DamagedRecords)) throw cause
    }
  }
  return count
}
