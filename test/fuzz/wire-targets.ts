// Decoders that a peer reaches by its connection: frames, requests, and the answers that our own command line reads.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { codec } from '../../protocol/compile.ts'
import { ProtocolViolation } from '../../protocol/errors.ts'
import { requestHeader, responseHeader } from '../../protocol/header.ts'
import { interpret } from '../../protocol/interpret.ts'
import { messages } from '../../protocol/messages/index.ts'
import { ChunkReader, Reader } from '../../protocol/reader.ts'
import { type ApiTable, has } from '../../protocol/schema.ts'
import { Writer } from '../../protocol/writer.ts'
import type { Catalog } from '../../src/group/catalog.ts'
import { readSubscription } from '../../src/group/membership.ts'
import { assignmentOf, classicAssignment } from '../../src/group/migration.ts'
import { Frames } from '../../src/net/frames.ts'
import type { Target } from './fuzzing.ts'

const tables = new Map<number, ApiTable>(messages.map((table) => [table.key, table]))

type Line = { apiKey?: number; type: string; version: number; hex: string }
const goldenFolder = () => {
  // From dist/test/fuzz as from test/fuzz.
  const here = fileURLToPath(new URL('.', import.meta.url))
  return join(here.includes('/dist/') ? join(here, '../../..') : join(here, '../..'), 'test/golden')
}

export function goldenLines(file: string): Line[] {
  return gunzipSync(readFileSync(join(goldenFolder(), file)))
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
}

/** Key, version, then what `type` has of golden vectors: two of each version, the largest among them. */
function goldenMessages(type: string, header: (table: ApiTable, version: number) => Buffer): Buffer[] {
  const found: Buffer[] = []
  for (const { key, name } of messages) {
    const table = tables.get(key)!
    const lines = goldenLines(`${String(key).padStart(2, '0')}-${name}.jsonl.gz`).filter((line) => line.type === type)
    for (const version of new Set(lines.map((line) => line.version))) {
      const bodies = lines.filter((line) => line.version === version).map(({ hex }) => Buffer.from(hex, 'hex'))
      bodies.sort((a, b) => b.length - a.length)
      for (const body of bodies.filter(({ length }) => length < 3000).slice(0, 2)) {
        found.push(Buffer.concat([header(table, version), body]))
      }
    }
  }
  return found
}

function head(table: ApiTable, version: number, isAnswer: boolean): Buffer {
  const writer = new Writer()
  writer.int16(table.key)
  writer.int16(version)
  const flexible = has(table.request.flexible, version)
  if (isAnswer) codec(responseHeader, flexible && table.key !== 18 ? 1 : 0).write(writer, { correlationId: 7 })
  else {
    writer.int32(7)
    writer.nullableString('fuzz')
    if (flexible) writer.uvarint(0)
  }
  return writer.bytesWritten()
}

/** What reading came to, in a word that two ways of reading must agree on. */
function outcome(read: () => unknown): string {
  try {
    read()
    return 'read'
  } catch (cause) {
    if (!(cause instanceof ProtocolViolation)) throw cause
    return cause.message
  }
}

function tableOf(reader: Reader): { table: ApiTable; version: number } {
  const key = reader.int16()
  const version = reader.int16()
  const table = tables.get(key)
  if (table === undefined || !has(table.request.versions, version)) throw new ProtocolViolation('not served')
  return { table, version }
}

function readRequest(reader: Reader, make: typeof interpret): unknown {
  const { table, version } = tableOf(reader)
  reader.int32()
  reader.nullableString()
  if (has(table.request.flexible, version)) {
    const ignored = {}
    for (let count = reader.uvarint(); count > 0; count--)
      reader.unknownTag(ignored, reader.uvarint(), reader.uvarint())
  }
  return make(table.request, version).read(reader)
}

/** The same bytes in pieces, where the bytes themselves say. */
function chunksOf(bytes: Buffer): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + ((bytes[at]! * 7 + at) % 61)
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return chunks.length === 0 ? [bytes] : chunks
}

const label = (bytes: Buffer): string => (bytes.length < 4 ? '' : `${bytes.readInt16BE(0)} v${bytes.readInt16BE(2)}`)

const requests: Target = {
  name: 'requests',
  weight: 8,
  seeds: () => goldenMessages('request', (table, version) => head(table, version, false)),
  run: (bytes) => {
    const compiled = outcome(() => readRequest(new Reader(bytes), codec as typeof interpret))
    // Every way of reading comes to the same end; the words may differ where the bytes run out.
    if (bytes.length % 4 === 0) {
      const pieces = outcome(() => readRequest(new ChunkReader(chunksOf(bytes)), codec as typeof interpret))
      const walked = outcome(() => readRequest(new Reader(bytes), interpret))
      const isRead = compiled === 'read'
      if ((pieces === 'read') !== isRead || (walked === 'read') !== isRead) {
        throw new Error(`compiled: ${compiled}; in pieces: ${pieces}; interpreted: ${walked}`)
      }
    }
    if (compiled === 'read') return `read ${label(bytes)}`
    throw new ProtocolViolation(`${label(bytes)} ${compiled.replace(/\d+ bytes/, 'bytes')}`)
  },
}

const answers: Target = {
  name: 'answers',
  weight: 3,
  seeds: () => goldenMessages('response', (table, version) => head(table, version, true)),
  run: (bytes) => {
    const reader = new Reader(bytes)
    const { table, version } = tableOf(reader)
    codec(responseHeader, has(table.request.flexible, version) && table.key !== 18 ? 1 : 0).read(reader)
    codec(table.response, version).read(reader)
    return `read ${label(bytes)}`
  },
}

const headers: Target = {
  name: 'headers',
  seeds: () =>
    goldenLines('headers.jsonl.gz').map(({ hex, version }) =>
      Buffer.concat([Buffer.of(version), Buffer.from(hex, 'hex')]),
    ),
  run: (bytes) => {
    const version = (bytes[0] ?? 0) % 3
    codec(requestHeader, Math.max(1, version)).read(new Reader(bytes.subarray(1)))
    return `read v${version}`
  },
}

const framesMax = 64 * 1024
const frames: Target = {
  name: 'frames',
  seeds: () => [
    Buffer.from('0000000c00120003000000070000000000000008000000000000000a', 'hex'),
    Buffer.concat([Buffer.from('00000800', 'hex'), Buffer.alloc(2048, 1), Buffer.from('0000000800120000', 'hex')]),
  ],
  run: (bytes) => {
    const cut = new Frames(framesMax)
    let seen = 0
    let count = 0
    for (const chunk of chunksOf(bytes)) {
      cut.push(chunk)
      for (let frame = cut.next(); frame !== undefined; frame = cut.next()) {
        seen += 4 + frame.remaining
        count++
      }
      if (cut.comingBytes > framesMax) throw new Error(`a frame of ${cut.comingBytes} bytes is waited for`)
    }
    if (seen + cut.keptBytes > bytes.length) throw new Error('more bytes came out than went in')
    return `${Math.min(count, 4)} frames`
  },
}

const subscriptions: Target = {
  name: 'subscriptions',
  seeds: () => [
    Buffer.from('00000000000100017400000000', 'hex'),
    Buffer.from('0003000000010001740000000000000000000100017400000001000000000000000500046b', 'hex'),
  ],
  run: (bytes) => (readSubscription(bytes) === undefined ? 'none' : `read v${bytes.readInt16BE(0)}`),
}

const topics = ['t', 'orders'].map((name) => ({ id: `id of ${name}`, name, partitionCount: 3 }))
const catalog: Catalog = {
  version: 1,
  byName: (wanted) => topics.find(({ name }) => name === wanted),
  byId: (wanted) => topics.find(({ id }) => id === wanted),
  names: () => topics.map(({ name }) => name),
}
/** What the leader of a classic group gives to a member, read when the group changes its type. */
const assignments: Target = {
  name: 'assignments',
  seeds: () =>
    [0, 1, 3].map((version) =>
      classicAssignment(new Map(topics.map(({ id }) => [id, new Set([0, 2])])), version, catalog),
    ),
  run: (bytes) => {
    const assigned = assignmentOf(bytes, catalog)
    for (const id of assigned.keys()) if (catalog.byId(id) === undefined) throw new Error(`${id} is no topic`)
    return [...assigned.values()].map(({ size }) => Math.min(3, size)).join()
  },
}

export const wireTargets: readonly Target[] = [requests, answers, headers, frames, subscriptions, assignments]
