// What each API is told in its newest version that is not so: nothing, half of it, more tags than there are bytes, only ones, only
// zeros. What cannot be read ends its connection, everything else is answered, and whoever is beside notices nothing.

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { ProtocolViolation } from '../../protocol/errors.ts'
import { interpret } from '../../protocol/interpret.ts'
import { produce } from '../../protocol/messages/00-produce.ts'
import { Reader } from '../../protocol/reader.ts'
import { type ApiTable, has } from '../../protocol/schema.ts'
import { Writer } from '../../protocol/writer.ts'
import { apis } from '../../src/api/apis.ts'
import { Broker } from '../../src/embedded.ts'
import { goldenLines } from '../fuzz/wire-targets.ts'
import { framed, Wire } from './wire.ts'
import { heldBytes, Witness } from './witness.ts'

const allowedBytes = 64 * 1024 * 1024
/** Who waits longer is parked, as a Fetch may be. */
const parkedMs = 60

let broker: Broker
let witness: Witness
let heldBefore: number
const said: string[] = []

beforeAll(async () => {
  vi.spyOn(console, 'error').mockImplementation((...words: unknown[]) => {
    said.push(words.map((word) => (word instanceof Error ? (word.stack ?? '') : String(word))).join(' '))
  })
  broker = await Broker.start({ topics: ['witness', 't'], config: { 'delete.topic.enable': false } })
  witness = await Witness.start(broker.bootstrapServers, 'witness')
  heldBefore = await heldBytes()
})

afterAll(async () => {
  await witness.stop()
  await broker.stop()
  vi.restoreAllMocks()
})

function frameOf(table: ApiTable, version: number, body: Buffer): Buffer {
  const writer = new Writer()
  writer.int16(table.key)
  writer.int16(version)
  writer.int32(77)
  writer.nullableString('siege')
  if (has(table.request.flexible, version)) writer.uvarint(0)
  writer.raw(body)
  return framed(writer.bytesWritten())
}

/** Whether the slow way of reading, which serves as oracle, finds a message in it. */
function isReadable(table: ApiTable, version: number, body: Buffer): boolean {
  try {
    interpret(table.request, version).read(new Reader(body))
    return true
  } catch (cause) {
    if (cause instanceof ProtocolViolation) return false
    throw cause
  }
}

/** The largest message that a real client wrote for this version. */
function goldenBody({ key, name }: ApiTable, version: number): Buffer {
  const lines = goldenLines(`${String(key).padStart(2, '0')}-${name}.jsonl.gz`)
  const bodies = lines.filter((line) => line.type === 'request' && line.version === version)
  return bodies.map(({ hex }) => Buffer.from(hex, 'hex')).sort((a, b) => b.length - a.length)[0] ?? Buffer.alloc(0)
}

const manyTags = Buffer.from('ffffffff0f', 'hex')
const attacks: readonly [what: string, body: (whole: Buffer, flexible: boolean) => Buffer][] = [
  ['no body at all', () => Buffer.alloc(0)],
  ['half a body', (whole) => whole.subarray(0, whole.length >> 1)],
  ['a body without its last byte', (whole) => whole.subarray(0, -1)],
  [
    '4 billion tags behind a good body',
    (whole, flexible) => (flexible ? Buffer.concat([whole.subarray(0, -1), manyTags]) : whole.subarray(0, -2)),
  ],
  ['nothing but ones', () => Buffer.alloc(64, 0xff)],
  ['nothing but zeros', () => Buffer.alloc(64)],
]

for (const { table, versions } of apis.values()) {
  const version = versions[1]
  describe(`${table.name} v${version}`, () => {
    for (const [what, make] of attacks) {
      test(what, async () => {
        const body = make(goldenBody(table, version), has(table.request.flexible, version))
        const wire = await Wire.open(broker.bootstrapServers)
        wire.send(frameOf(table, version, body))
        const isWhole = isReadable(table, version, body)
        const outcome = await wire.frame(isWhole ? parkedMs : undefined)
        if (!isWhole) expect(outcome).toBe('closed')
        // With acks=0 the end of the connection is the answer, and so it is for an ACL of no known kind, as in Kafka.
        else if (table.key !== produce.key && !/Acls$/.test(table.name)) expect(outcome).not.toBe('closed')
        wire.drop()
        expect(await witness.isUnharmed()).toBe(true)
        expect(said.filter((words) => words.includes('mistake of ours'))).toEqual([])
      })
    }
  })
}

test('all of it has cost no memory', async () => {
  expect((await heldBytes()) - heldBefore).toBeLessThan(allowedBytes)
})
