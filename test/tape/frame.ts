// One request or answer of a tape, read by its table.

import { codec } from '../../protocol/compile.ts'
import { responseHeader } from '../../protocol/header.ts'
import { messages } from '../../protocol/messages/index.ts'
import { Reader } from '../../protocol/reader.ts'
import { type ApiTable, type Draft, type Fields, has } from '../../protocol/schema.ts'
import { Writer } from '../../protocol/writer.ts'

const byKey = new Map<number, ApiTable>(messages.map((table) => [table.key, table as ApiTable]))

export type Ask = {
  table: ApiTable
  version: number
  correlationId: number
  clientId: string | null
  body: Record<string, unknown>
}

/** What a request says; undefined where no table fits it. */
export function readAsk(frame: Buffer): Ask | undefined {
  const reader = new Reader(frame)
  const table = byKey.get(reader.int16())
  const version = reader.int16()
  if (table === undefined || !has(table.request.versions, version)) return undefined
  const correlationId = reader.int32()
  const clientId = reader.nullableString()
  if (has(table.request.flexible, version)) {
    for (let count = reader.uvarint(); count > 0; count--) reader.unknownTag({}, reader.uvarint(), reader.uvarint())
  }
  try {
    return { table, version, correlationId, clientId, body: codec(table.request, version).read(reader) }
  } catch {
    return undefined
  }
}

/** The request as a frame, its length in front. */
export function writeAsk({ table, version, correlationId, clientId, body }: Ask): Buffer {
  const writer = new Writer(512, 4)
  writer.int16(table.key)
  writer.int16(version)
  writer.int32(correlationId)
  writer.nullableString(clientId)
  if (has(table.request.flexible, version)) writer.uvarint(0)
  codec(table.request, version).write(writer, body as Draft<Fields>)
  const frame = Buffer.concat(writer.parts())
  frame.writeInt32BE(frame.length - 4, 0)
  return frame
}

/** What an answer says; a sentence where it does not fit its table. ApiVersions may be answered in version 0. */
export function readAnswer({ table, version }: Ask, frame: Buffer): Record<string, unknown> | string {
  const flexible = has(table.request.flexible, version) && table.key !== 18 ? 1 : 0
  for (const as of table.key === 18 ? [version, 0] : [version]) {
    try {
      const reader = new Reader(frame)
      codec(responseHeader, flexible).read(reader)
      const body = codec(table.response, as).read(reader) as Record<string, unknown>
      reader.end()
      return body
    } catch {}
  }
  return `${frame.length} bytes that are no answer to ${table.name} v${version}`
}
