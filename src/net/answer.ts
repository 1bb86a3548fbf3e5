// A request on its way to its answer, and an answer as it goes over the wire.

import { codec } from '../../protocol/compile.ts'
import { errors, ProtocolViolation } from '../../protocol/errors.ts'
import { responseHeader } from '../../protocol/header.ts'
import { apiVersions } from '../../protocol/messages/18-api-versions.ts'
import type { Draft, Fields } from '../../protocol/schema.ts'
import { Writer } from '../../protocol/writer.ts'
import type { Api } from '../api/api.ts'

/** `parts` is set when the answer is ready. */
export type Slot = {
  parts: Buffer[] | undefined
  releases: (() => void)[]
  readonly apiKey: number
  /** When the bytes came, where somebody wants to know how long requests take. */
  readonly arrivedAt: number
}

const lengthBytes = 4

/** Room that answers lie in one behind the other; as small as it may be kept by a peer that is slow to take the last of them. */
const roomBytes = 16 * 1024
/** Less is not worth beginning in. */
const answerBytesMin = 512
let room = Buffer.allocUnsafeSlow(roomBytes)
let roomUsed = 0

/** The answer has left, or never will: leases end. */
export function release({ releases }: Slot): void {
  for (const done of releases.splice(0)) done()
}

/** Nothing where no answer is sent. */
export function encode(
  body: unknown,
  table: Api['table']['response'],
  version: number,
  headerVersion: number,
  correlationId: number,
): Buffer[] {
  if (body === undefined) return []
  if (roomUsed + answerBytesMin > roomBytes) {
    room = Buffer.allocUnsafeSlow(roomBytes)
    roomUsed = 0
  }
  const writer = new Writer(0, lengthBytes, room, roomUsed)
  codec(responseHeader, headerVersion).write(writer, { correlationId })
  codec(table, version).write(writer, body as Draft<Fields>)
  const parts = writer.parts()
  parts[0]!.writeInt32BE(writer.length - lengthBytes, 0)
  roomUsed = writer.freeFrom
  return parts
}

/** KIP-511: a client that asks for versions in a version of the future learns in version 0 which it can use. */
export function unsupportedVersion({ table: { key, name }, advertised }: Api, version: number): unknown {
  if (key !== apiVersions.key) throw new ProtocolViolation(`version ${version} of ${name} is not served`)
  const [minVersion, maxVersion] = advertised
  return { errorCode: errors.UNSUPPORTED_VERSION.code, apiKeys: [{ apiKey: key, minVersion, maxVersion }] }
}

/** Requests that are not answered yet, and answers that have not left. */
export type Queued = { requests: number; requestBytes: number; answers: number; answerBytes: number }

export function queuedIn(slots: readonly Slot[], requestBytes: number, answerBytes: number): Queued {
  const answers = slots.filter(({ parts }) => parts !== undefined).length
  return { requests: slots.length - answers, requestBytes, answers, answerBytes }
}
