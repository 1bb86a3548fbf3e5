// What stands in front of every request, behind its key and version.

import type { Reader } from '../../protocol/reader.ts'

/** Key and version are read already. */
export function readHeader(frame: Reader, flexible: boolean): { correlationId: number; clientId: string | null } {
  const correlationId = frame.int32()
  const clientId = frame.nullableString()
  if (flexible) {
    const ignored = {}
    for (let count = frame.uvarint(); count > 0; count--) frame.unknownTag(ignored, frame.uvarint(), frame.uvarint())
  }
  return { correlationId, clientId }
}
