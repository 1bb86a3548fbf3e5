// Peers that send what no client sends, over real sockets: each gets Kafka's error or a closed connection, the memory stays
// where it was, and a stock client beside them notices nothing.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { type ErrorName, errors } from '../../protocol/errors.ts'
import { produce } from '../../protocol/messages/00-produce.ts'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { apiVersions } from '../../protocol/messages/18-api-versions.ts'
import { createTopics } from '../../protocol/messages/19-create-topics.ts'
import * as batch from '../../protocol/records/batch.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { codecs, compress } from '../../protocol/records/compression.ts'
import { Writer } from '../../protocol/writer.ts'
import { Broker } from '../../src/embedded.ts'
import { framed, readAnswer, requestFrame, Wire } from './wire.ts'
import { heldBytes, settled, Witness } from './witness.ts'

const mebibyte = 1024 * 1024
const allowedBytes = 64 * mebibyte

let broker: Broker
let witness: Witness
let heldBefore: number
let open: Wire[] = []
const said: string[] = []

beforeAll(async () => {
  vi.spyOn(console, 'error').mockImplementation((...words: unknown[]) => {
    said.push(words.map(String).join(' '))
  })
  const topics = [{ name: 'witness' }, { name: 't' }, { name: 'large', config: { 'max.message.bytes': 16 * mebibyte } }]
  broker = await Broker.start({ topics })
  witness = await Witness.start(broker.bootstrapServers, 'witness')
  heldBefore = await heldBytes()
})

afterEach(async () => {
  expect(await witness.isUnharmed()).toBe(true)
  expect((await heldBytes()) - heldBefore).toBeLessThan(allowedBytes)
  for (const wire of open) wire.drop()
  open = []
  expect(said.filter((words) => words.includes('mistake of ours'))).toEqual([])
})

afterAll(async () => {
  await witness.stop()
  await broker.stop()
  vi.restoreAllMocks()
})

async function wireTo(of: Broker = broker, options = {}): Promise<Wire> {
  const wire = await Wire.open(of.bootstrapServers, options)
  open.push(wire)
  return wire
}

const ask = (version = 9) => requestFrame(metadata, version, { topics: [] })
/** Bytes of a header, then of anything. */
const request = (key: number, version: number, rest: Buffer = Buffer.alloc(0)): Buffer => {
  const writer = new Writer()
  writer.int16(key)
  writer.int16(version)
  writer.int32(77)
  writer.raw(rest)
  return framed(writer.bytesWritten())
}
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const length = (byteCount: number): Buffer => {
  const prefix = Buffer.alloc(4)
  prefix.writeInt32BE(byteCount)
  return prefix
}
/** Bytes that look like nothing, the same each time. */
const noise = (byteCount: number, seed: number): Buffer => {
  let state = seed
  return Buffer.from(
    Array.from({ length: byteCount }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
      return state >> 16
    }),
  )
}

test('what was asked before the bytes that break the protocol is answered, then the connection ends', async () => {
  const wire = await wireTo()
  const parked = requestFrame(fetch, 12, {
    replicaId: -1,
    maxWaitMs: 300,
    minBytes: 1,
    topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }],
  })
  wire.send(Buffer.concat([ask(), parked, ask(), framed(noise(40, 4)), ask()]))
  expect(readAnswer(metadata, 9, (await wire.frame()) as Buffer).brokers.length).toBe(1)
  expect(readAnswer(fetch, 12, (await wire.frame()) as Buffer).errorCode).toBe(0)
  expect(readAnswer(metadata, 9, (await wire.frame()) as Buffer).brokers.length).toBe(1)
  expect(await wire.frame()).toBe('closed')
})

describe('bytes that break the protocol', () => {
  const good = ask()
  const attacks: [what: string, bytes: Buffer][] = [
    ['a negative length', length(-1)],
    ['the smallest length there is', length(-0x8000_0000)],
    ['a length of 2 GiB', length(0x7fff_ffff)],
    ['a length just beyond socket.request.max.bytes', length(104_857_601)],
    ['a length of zero', length(0)],
    ['a length that has no room for a header', Buffer.concat([length(7), Buffer.alloc(7)])],
    ['a request of HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: kafka\r\n\r\n')],
    ['a hello of TLS', hex('16 03 01 02 00 01 00 01 fc 03 03'.concat('ab'.repeat(600)))],
    ['64 KiB of noise', noise(65_536, 1)],
    ['noise behind a good length', framed(noise(500, 2))],
    ['noise behind a good key and version', request(3, 9, noise(200, 3))],
    ['noise between two good requests', Buffer.concat([good, framed(noise(40, 4)), good])],
    ['a good request with a byte too few', framed(good.subarray(4, -1))],
    ['a client id longer than the frame', request(3, 1, hex('7fff 61'))],
    ['a client id of a negative length', request(3, 1, hex('fffe 61'))],
    ['a client id that is not UTF-8', request(3, 1, hex('0002 c328 00000000'))],
    ['a header of 4 billion tags', request(3, 9, hex('ffff ff ff ff ff 0f'))],
    ['a header with a tag of 4 GiB', request(3, 9, hex('ffff 01 05 ff ff ff ff 0f'))],
    ['an array of 2^31-1 topics', request(3, 1, hex('ffff 7fffffff'))],
    ['a compact array of 2^32-2 topics', request(3, 9, hex('ffff 00 ff ff ff ff 0f'))],
    ['a key that no API has', request(999, 0)],
    ['a negative key', request(-1, 0)],
    ['a key that only brokers use among each other', request(27, 0)],
    ['a version that is not served', request(3, 99)],
    ['a version that was removed', request(1, 0)],
    ['a negative version', request(3, -1)],
  ]
  for (const [what, bytes] of attacks) {
    test(`${what}: the connection is closed`, async () => {
      const wire = await wireTo()
      wire.send(bytes)
      let outcome = await wire.frame()
      while (Buffer.isBuffer(outcome)) outcome = await wire.frame() // the good request in front is answered
      expect(outcome).toBe('closed')
    })
  }

  test('bytes behind a good request are nothing: librdkafka 2.15 asks for all topics with three too many', async () => {
    const wire = await wireTo()
    // Metadata v13: a null list in one byte, then what was meant to be its other three.
    wire.send(hex('00000019 0003 000d 00000003 0007 72646b61666b61 00 00 000000 01 00 00'))
    const answer = await wire.frame()
    if (typeof answer === 'string') throw new Error(answer)
    expect(readAnswer(metadata, 13, answer).topics.map(({ name }) => name)).toContain('witness')
  })

  test('a frame of 90 MB that is all empty elements costs no more than it weighs, and is closed on', async () => {
    const count = 45_000_000
    const writer = new Writer()
    writer.nullableString(null)
    writer.uvarint(0)
    writer.uvarint(count + 1)
    const wire = await wireTo()
    await wire.sent(request(20, 5, Buffer.concat([writer.bytesWritten(), Buffer.alloc(2 * count, 1)])))
    expect(await wire.frame()).toBe('closed')
  })

  test('ApiVersions in a version that nobody knows is answered in version 0, with the one range that counts', async () => {
    for (const version of [6, 99, 0x7fff, -1]) {
      const wire = await wireTo()
      wire.send(request(18, version, noise(30, 5)))
      const frame = await wire.frame()
      if (typeof frame === 'string') throw new Error(frame)
      expect(frame.readInt32BE(0)).toBe(77)
      expect(readAnswer(apiVersions, 0, frame)).toMatchObject({
        errorCode: errors.UNSUPPORTED_VERSION.code,
        apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 5 }],
      })
      expect((await wire.ask(apiVersions, 0, {})).errorCode).toBe(0)
    }
  })
})

describe('peers that dawdle', () => {
  test('a frame that is cut in the middle and then closed, in both ways there are, leaves nothing behind', async () => {
    const bytes = ask()
    for (let cut = 1; cut < bytes.length; cut += 3) {
      const [ended, reset] = [await wireTo(), await wireTo()]
      ended.send(bytes.subarray(0, cut))
      ended.socket.end()
      await reset.sent(bytes.subarray(0, cut))
      reset.socket.resetAndDestroy()
      expect(await ended.frame()).toBe('closed')
    }
  })

  test('two hundred peers that announce 100 MB each and then say nothing cost what they sent', async () => {
    const wires = await Promise.all(Array.from({ length: 200 }, () => wireTo()))
    await Promise.all(wires.map((wire) => wire.sent(Buffer.concat([length(104_857_600), noise(3000, 6)]))))
    expect(await witness.isUnharmed()).toBe(true)
    expect((await heldBytes()) - heldBefore).toBeLessThan(16 * mebibyte)
  })

  test('a sender of single bytes is served like any other', async () => {
    const records = encodeBatch({ records: [{ value: Buffer.from('slow'), timestamp: Date.now() }] })
    const topicData = [{ name: 't', partitionData: [{ index: 0, records }] }]
    const bytes = requestFrame(produce, 9, { acks: -1, timeoutMs: 1000, topicData })
    const wire = await wireTo()
    for (const byte of bytes) {
      await wire.sent(Buffer.of(byte))
      await new Promise((resolve) => setImmediate(resolve))
    }
    const frame = await wire.frame()
    const { responses } = readAnswer(produce, 9, frame as Buffer)
    expect(responses[0]!.partitionResponses[0]!.errorCode).toBe(0)
  })

  test('a thousand connections that are opened and dropped, some in the middle of a word, are forgotten', async () => {
    const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind.startsWith('TCPSocket')).length
    const before = sockets()
    for (let round = 0; round < 10; round++) {
      const wires = await Promise.all(Array.from({ length: 100 }, () => wireTo()))
      wires.forEach((wire, i) => {
        if (i % 3 === 1) wire.send(ask().subarray(0, i % 20))
        if (i % 3 === 2) wire.send(ask())
        if (i % 2 === 0) wire.drop()
        else wire.socket.resetAndDestroy()
      })
      await Promise.all(wires.map((wire) => wire.closed))
    }
    expect(await settled(sockets)).toBeLessThanOrEqual(before + 2)
  })
})

describe('peers that take no answers', () => {
  const storages = [['memory'], ['plain'], ['mapped']] as const
  for (const [storage] of storages) {
    test(`forty fetches of 8 MB that nobody reads wait where they are (${storage} store), and are answered in order when somebody does`, async () => {
      const data = mkdtempSync(join(tmpdir(), 'twiglog-test-'))
      let taken = 0
      const place = storage === 'memory' ? {} : { data }
      const other = await Broker.start({ storage, ...place, topics: ['big'], onRequest: () => taken++ })
      const filler = await wireTo(other)
      for (let i = 0; i < 8; i++) {
        const records = encodeBatch({ records: [{ value: Buffer.alloc(1_000_000, i), timestamp: Date.now() }] })
        const topicData = [{ name: 'big', partitionData: [{ index: 0, records }] }]
        await filler.ask(produce, 9, { acks: 1, timeoutMs: 1000, topicData })
      }
      const before = await heldBytes()
      taken = 0
      const wire = await wireTo(other, { reads: false })
      const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 50 * mebibyte }]
      const body = { maxWaitMs: 0, minBytes: 1, maxBytes: 0x7fff_ffff, topics: [{ topic: 'big', partitions }] }
      for (let i = 0; i < 40; i++) wire.send(requestFrame(fetch, 12, body, i))
      const first = await settled(() => taken)
      expect(first).toBeGreaterThan(0)
      expect(first).toBeLessThan(10)
      expect((await heldBytes()) - before).toBeLessThan(allowedBytes)
      expect(await witness.isUnharmed()).toBe(true)

      const ids: number[] = []
      await countAnswers(wire, 40, (id) => ids.push(id))
      expect(ids).toEqual(Array.from({ length: 40 }, (_, i) => i))
      expect(taken).toBe(40)
      await other.stop()
      rmSync(data, { recursive: true, force: true })
    })
  }

  test('fetches that are parked for more bytes than there will ever be hold none meanwhile', async () => {
    const data = mkdtempSync(join(tmpdir(), 'twiglog-test-'))
    const other = await Broker.start({ storage: 'plain', data, topics: ['big'] })
    const wire = await wireTo(other)
    for (let i = 0; i < 4; i++) {
      const records = encodeBatch({ records: [{ value: Buffer.alloc(1_000_000, i), timestamp: Date.now() }] })
      const topicData = [{ name: 'big', partitionData: [{ index: 0, records }] }]
      await wire.ask(produce, 9, { acks: 1, timeoutMs: 1000, topicData })
    }
    const before = await heldBytes()
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 50 * mebibyte }]
    const body = {
      maxWaitMs: 60_000,
      minBytes: 0x7fff_ffff,
      maxBytes: 0x7fff_ffff,
      topics: [{ topic: 'big', partitions }],
    }
    for (let i = 0; i < 100; i++) wire.send(requestFrame(fetch, 12, body, i))
    const asker = await wireTo(other)
    await asker.ask(metadata, 9, { topics: [] })
    expect((await heldBytes()) - before).toBeLessThan(16 * mebibyte)
    wire.drop()
    asker.drop()
    await other.stop()
    rmSync(data, { recursive: true, force: true })
  })

  test('answers keep the order of the requests though a parked Fetch stands in front of them', async () => {
    const wire = await wireTo()
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
    const { topics } = await wire.ask(createTopics, 5, { topics: [topicOf('empty')], timeoutMs: 1000 })
    expect(topics[0]!.errorCode).toBe(0)
    const parked = { maxWaitMs: 300, minBytes: 1, maxBytes: 1000, topics: [{ topic: 'empty', partitions }] }
    const frames = [requestFrame(fetch, 12, parked, 1000)]
    for (let i = 1; i <= 300; i++) frames.push(requestFrame(metadata, 9, { topics: [] }, 1000 + i))
    wire.send(Buffer.concat(frames))
    for (let i = 0; i <= 300; i++) expect(((await wire.frame()) as Buffer).readInt32BE(0)).toBe(1000 + i)
  })
})

/** Takes answers without keeping them: their ids, in the order of their coming. */
function countAnswers(wire: Wire, count: number, seen: (correlationId: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let head = Buffer.alloc(0)
    let skip = 0
    let left = count
    wire.socket.once('close', () => reject(new Error(`closed, ${left} answers short`)))
    wire.socket.on('data', (chunk: Buffer) => {
      for (let at = 0; at < chunk.length; ) {
        if (skip > 0) {
          const step = Math.min(skip, chunk.length - at)
          skip -= step
          at += step
        } else {
          const step = Math.min(8 - head.length, chunk.length - at)
          head = Buffer.concat([head, chunk.subarray(at, at + step)])
          at += step
          if (head.length === 8) {
            seen(head.readInt32BE(4))
            skip = head.readInt32BE(0) - 4
            head = Buffer.alloc(0)
          }
        }
        if (skip === 0 && head.length === 0 && --left === 0) resolve()
      }
    })
  })
}

const topicOf = (name: string) => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] })

async function produceTo(topic: string, records: Buffer | null, version = 9): Promise<ErrorName | undefined> {
  const wire = await wireTo()
  const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
  const { responses } = await wire.ask(produce, version, { acks: -1, timeoutMs: 1000, topicData })
  const { errorCode } = responses[0]!.partitionResponses[0]!
  return (Object.keys(errors) as ErrorName[]).find((name) => errors[name].code === errorCode)
}

describe('batches that lie', () => {
  const three = () =>
    encodeBatch({
      records: ['a', 'b', 'c'].map((value) => ({ key: Buffer.from('k'), value: Buffer.from(value), timestamp: 1000 })),
    })
  /** A batch with one thing changed, and its checksum right. */
  const changed = (change: (bytes: Buffer) => void, checksum = true): Buffer => {
    const bytes = three()
    change(bytes)
    if (checksum) batch.writeCrc(bytes, 0)
    return bytes
  }
  const counting = (records: number, lastOffsetDelta: number): Buffer =>
    changed((bytes) => {
      bytes.writeInt32BE(records, 57)
      bytes.writeInt32BE(lastOffsetDelta, 23)
    })
  const lies: [what: string, bytes: Buffer | null, error: ErrorName][] = [
    ['a checksum that is wrong', changed((b) => b.writeUInt8(b[70]! ^ 1, 70), false), 'CORRUPT_MESSAGE'],
    ['a count of one record too many', changed((b) => b.writeInt32BE(4, 57)), 'INVALID_RECORD'],
    ['a count of one record too many, and offsets to go with it', counting(4, 3), 'INVALID_RECORD'],
    ['a count of one record too few, and offsets to go with it', counting(2, 1), 'INVALID_RECORD'],
    ['a count of 2^31-1 records', counting(0x7fff_ffff, 0x7fff_fffe), 'INVALID_RECORD'],
    ['a negative count', changed((b) => b.writeInt32BE(-1, 57)), 'INVALID_RECORD'],
    ['no records at all', changed((b) => b.writeInt32BE(0, 57)), 'INVALID_RECORD'],
    ['a record longer than the batch', changed((b) => b.writeUInt8(0x7e, 61)), 'INVALID_RECORD'],
    ['a key longer than its record', changed((b) => b.writeUInt8(0x7e, 65)), 'INVALID_RECORD'],
    [
      'a length of the batch that is beyond the request',
      changed((b) => b.writeInt32BE(0x7fff_fff0, 8), false),
      'INVALID_RECORD',
    ],
    ['a negative length of the batch', changed((b) => b.writeInt32BE(-1, 8), false), 'CORRUPT_MESSAGE'],
    ['a codec that does not exist', changed((b) => b.writeInt16BE(7, 21)), 'UNSUPPORTED_COMPRESSION_TYPE'],
    ['packed records that are not packed', changed((b) => b.writeInt16BE(1, 21)), 'INVALID_RECORD'],
    ['half a batch', three().subarray(0, 65), 'INVALID_RECORD'],
    ['a header without its records', three().subarray(0, 61), 'INVALID_RECORD'],
    ['noise', noise(300, 9), 'CORRUPT_MESSAGE'],
    ['nothing', Buffer.alloc(0), 'INVALID_RECORD'],
    ['null', null, 'INVALID_RECORD'],
  ]
  for (const [what, bytes, error] of lies) {
    test(`${what}: ${error}`, async () => {
      expect(await produceTo('t', bytes)).toBe(error)
    })
  }

  test('of all that nothing is in the log, and what is sent next is', async () => {
    const wire = await wireTo()
    await wire.ask(createTopics, 5, { topics: [topicOf('clean')], timeoutMs: 1000 })
    for (const [, bytes] of lies) await produceTo('clean', bytes)
    expect(await produceTo('clean', three())).toBe('NONE')
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 10_000 }]
    const body = { maxWaitMs: 100, minBytes: 1, maxBytes: 10_000, topics: [{ topic: 'clean', partitions }] }
    const { responses } = await wire.ask(fetch, 12, body)
    expect(responses[0]!.partitions[0]!.highWatermark).toBe(3)
    expect((responses[0]!.partitions[0]!.records as Buffer).length).toBe(three().length)
  })
})

describe('decompression bombs', () => {
  const packedBatch = (codec: number, packed: Buffer): Buffer => {
    const bytes = Buffer.concat([Buffer.alloc(batch.headerBytes), packed])
    const fields = { codec, lastOffsetDelta: 0, recordCount: 1, baseTimestamp: 1000, maxTimestamp: 1000 }
    batch.writeHeader(bytes, 0, bytes.length, fields)
    return bytes
  }
  for (const [codec, name] of codecs.entries()) {
    if (codec === 0) continue
    test(`${name}: a hundred and one MiB of zeros in a small batch are refused each time`, async () => {
      const bomb = packedBatch(codec, compress(codec, Buffer.alloc(101 * mebibyte)))
      expect(bomb.length).toBeLessThan(6 * mebibyte)
      const before = process.resourceUsage().maxRSS
      for (let i = 0; i < 5; i++) expect(await produceTo('large', bomb)).toBe('MESSAGE_TOO_LARGE')
      // Kilobytes. Five that are not let go would be half a gigabyte.
      expect(process.resourceUsage().maxRSS - before).toBeLessThan(400 * 1024)
    })
  }

  const xerial = '82 53 4e 41 50 50 59 00 00000001 00000001'
  const declared: [what: string, codec: number, packed: string][] = [
    ['gzip, a trailer that says 4 GiB', 1, '1f8b0800000000000003 0300 00000000 ffffffff'],
    ['gzip, cut after its header', 1, '1f8b0800000000000003'],
    ['snappy, a block that says it becomes 4 GiB', 2, 'ff ff ff ff 0f 00 61'],
    ['snappy in frames, a block of 2 GiB', 2, `${xerial} 7fffffff 05 10 68656c6c`],
    ['snappy in frames, a block of a negative length', 2, `${xerial} ffffffff 05 10 68656c6c`],
    ['snappy in frames, a block that says it becomes 4 GiB', 2, `${xerial} 00000007 ff ff ff ff 0f 00 61`],
    ['lz4, a block of 2 GiB', 3, '04224d18 60 40 82 ffffff7f 00'],
    ['lz4, a frame that says it becomes 2^63 bytes', 3, '04224d18 68 40 ffffffffffffff7f 82 01000080 61 00000000'],
    ['zstd, a frame that says it becomes 2^63 bytes', 4, '28b52ffd e0 ffffffffffffff7f 010000'],
    ['zstd, a window of 1 TiB', 4, '28b52ffd 00 f8 010000'],
    ['zstd, a frame that says it becomes 2 GiB, in runs', 4, '28b52ffd a0 00000080 0b000000 0b0000'],
  ]
  for (const [what, codec, packed] of declared) {
    test(`${what}: refused, and never believed`, async () => {
      const before = process.resourceUsage().maxRSS
      const answer = await produceTo('t', packedBatch(codec, hex(packed)))
      expect(['INVALID_RECORD', 'MESSAGE_TOO_LARGE']).toContain(answer)
      expect(process.resourceUsage().maxRSS - before).toBeLessThan(200 * 1024)
    })
  }
})

describe('names that no topic may bear', () => {
  const names = [
    '..',
    '.',
    '/',
    '../../etc/passwd',
    '',
    'x'.repeat(250),
    'x'.repeat(300),
    'a\0b',
    '\0',
    'ä',
    'a b',
    '%2e%2e',
  ]
  const invalid = errors.INVALID_TOPIC_EXCEPTION.code

  test('CreateTopics refuses each of them and makes the good ones beside', async () => {
    const wire = await wireTo()
    const topics = [...names, 'good'].map(topicOf)
    const answer = await wire.ask(createTopics, 5, { topics, timeoutMs: 1000 })
    expect(answer.topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ...names.map((name) => [name, invalid]),
      ['good', 0],
    ])
  })

  test('Metadata refuses to make any of them', async () => {
    const wire = await wireTo()
    for (const version of [0, 1, 4, 9, 12]) {
      const asked = { topics: names.map((name) => ({ name })), allowAutoTopicCreation: true }
      const { topics } = await wire.ask(metadata, version, asked)
      expect(topics.map(({ name, errorCode }) => [name, errorCode])).toEqual(names.map((name) => [name, invalid]))
    }
  })

  test('Produce knows no topic of such a name, and makes none', async () => {
    for (const name of names) {
      const records = encodeBatch({ records: [{ value: Buffer.from('v'), timestamp: 1000 }] })
      expect(await produceTo(name, records)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    }
    const wire = await wireTo()
    const { topics } = await wire.ask(metadata, 9, { topics: null })
    expect(topics.filter(({ name }) => names.includes(name!))).toEqual([])
  })
})
