// Many at once, and those that ask for much: crowds, churn, floods, readers that take nothing, requests whose answers would be
// thousands of times their size. Each costs bounded memory, and a stock client beside them is served.

import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { produce } from '../../protocol/messages/00-produce.ts'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { listOffsets } from '../../protocol/messages/02-list-offsets.ts'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { offsetFetch } from '../../protocol/messages/09-offset-fetch.ts'
import { findCoordinator } from '../../protocol/messages/10-find-coordinator.ts'
import { describeGroups } from '../../protocol/messages/15-describe-groups.ts'
import { apiVersions } from '../../protocol/messages/18-api-versions.ts'
import { describeConfigs } from '../../protocol/messages/32-describe-configs.ts'
import { describeTopicPartitions } from '../../protocol/messages/75-describe-topic-partitions.ts'
import * as batch from '../../protocol/records/batch.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import type { ApiTable } from '../../protocol/schema.ts'
import { Broker } from '../../src/embedded.ts'
import { framed, readAnswer, requestFrame, Wire } from './wire.ts'
import { heldBytes, settled, Witness } from './witness.ts'

const mebibyte = 1024 * 1024
let broker: Broker
let witness: Witness
let heldBefore: number
let open: Wire[] = []
const said: string[] = []

beforeAll(async () => {
  vi.spyOn(console, 'error').mockImplementation((...words: unknown[]) => {
    said.push(words.map((word) => (word instanceof Error ? (word.stack ?? '') : String(word))).join(' '))
  })
  const config = { 'socket.request.max.bytes': 8 * mebibyte, 'queued.max.request.bytes': 16 * mebibyte }
  broker = await Broker.start({ topics: ['witness', 't', { name: 'wide', partitions: 1000 }], config })
  witness = await Witness.start(broker.bootstrapServers, 'witness')
  heldBefore = await heldBytes()
})

afterEach(async () => {
  expect(await witness.isUnharmed()).toBe(true)
  for (const wire of open) wire.drop()
  open = []
  expect(said.filter((words) => words.includes('mistake of ours'))).toEqual([])
})

afterAll(async () => {
  await witness.stop()
  await broker.stop()
  vi.restoreAllMocks()
})

async function wires(count: number, options = {}): Promise<Wire[]> {
  const made: Wire[] = []
  while (made.length < count) {
    const some = Math.min(100, count - made.length)
    made.push(...(await Promise.all(Array.from({ length: some }, () => Wire.open(broker.bootstrapServers, options)))))
  }
  open.push(...made)
  return made
}
const one = async (options = {}): Promise<Wire> => (await wires(1, options))[0]!
const cost = async (): Promise<number> => (await heldBytes()) - heldBefore
const small = (acks: number, value = 'v') => ({
  acks,
  timeoutMs: 1000,
  topicData: [
    {
      name: 't',
      partitionData: [{ index: 0, records: encodeBatch({ records: [{ value: Buffer.from(value), timestamp: 1 }] }) }],
    },
  ],
})

describe('crowds', () => {
  test('two thousand connections that say nothing cost little, and go without a trace', async () => {
    const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind.startsWith('TCPSocket')).length
    const before = sockets()
    const crowd = await wires(2000)
    expect(await witness.isUnharmed()).toBe(true)
    // Both ends of each are in this process.
    expect(await cost()).toBeLessThan(100 * mebibyte)
    for (const wire of crowd) wire.drop()
    expect(await settled(sockets)).toBeLessThanOrEqual(before + 2)
  })

  test('two thousand that stop in the middle of a request of megabytes hold what they sent, and no more is taken for them', async () => {
    const crowd = await wires(2000)
    const begin = Buffer.concat([Buffer.from('00700000', 'hex'), Buffer.alloc(2000)])
    await Promise.all(crowd.map((wire) => wire.sent(begin)))
    expect(await witness.isUnharmed()).toBe(true)
    expect(await cost()).toBeLessThan(150 * mebibyte)
  })

  test('a thousand that ask together are all answered', async () => {
    const crowd = await wires(1000)
    await Promise.all(crowd.map((wire) => wire.ask(metadata, 9, { topics: [{ name: 't' }] })))
  })

  test('churn: two thousand come, send anything, and go, whole or torn off', async () => {
    const whole = requestFrame(produce, 9, small(-1))
    for (let round = 0; round < 20; round++) {
      const some = await wires(100)
      some.forEach((wire, i) => {
        wire.send(whole.subarray(0, (i * 13 + round) % (whole.length + 1)))
        if (i % 3 === 0) wire.socket.resetAndDestroy()
        else if (i % 3 === 1) wire.socket.end()
        else wire.drop()
      })
      await Promise.all(some.map((wire) => wire.closed))
    }
    expect(await cost()).toBeLessThan(64 * mebibyte)
  })
})

describe('pipelining', () => {
  test('ten thousand requests in one write are answered in their order', async () => {
    const wire = await one()
    const count = 10_000
    wire.send(Buffer.concat(Array.from({ length: count }, (_, i) => requestFrame(apiVersions, 0, {}, i))))
    for (let i = 0; i < count; i++) expect(((await wire.frame()) as Buffer).readInt32BE(0)).toBe(i)
  })

  test('five thousand Produce without an answer, then a question: all are in the log when it is answered', async () => {
    const wire = await one()
    const ends = async () => {
      const topics = [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -1 }] }]
      return (await wire.ask(listOffsets, 4, { replicaId: -1, topics })).topics[0]!.partitions[0]!.offset
    }
    const before = await ends()
    wire.send(Buffer.concat(Array.from({ length: 5000 }, () => requestFrame(produce, 9, small(0)))))
    expect((await ends()) - before).toBe(5000)
  })

  test('what stands behind a request that breaks the protocol is not served', async () => {
    const [wire, other] = [await one(), await one()]
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -1 }] }]
    const end = async () =>
      (await other.ask(listOffsets, 4, { replicaId: -1, topics })).topics[0]!.partitions[0]!.offset
    const before = await end()
    const good = requestFrame(metadata, 9, { topics: [] })
    wire.send(Buffer.concat([good, framed(Buffer.alloc(8, 0xff)), requestFrame(produce, 9, small(-1, 'behind'))]))
    await wire.closed
    expect(await end()).toBe(before)
  })

  test('a peer that ends its half after a question gets an answer or the end, and is forgotten', async () => {
    for (const request of [requestFrame(metadata, 9, { topics: [] }), requestFrame(produce, 9, small(-1))]) {
      const wire = await one()
      wire.send(request)
      wire.socket.end()
      await wire.closed
    }
    const partitions = [{ partition: 0, fetchOffset: 1_000_000_000, partitionMaxBytes: 1000 }]
    const parked = {
      maxWaitMs: 600_000,
      minBytes: 1000,
      maxBytes: 1000,
      topics: [{ topic: 'witness', partitions: [{ ...partitions[0], fetchOffset: 0 }] }],
    }
    const wire = await one()
    wire.send(requestFrame(fetch, 12, { ...parked, minBytes: 50_000_000, maxBytes: 60_000_000 }))
    wire.socket.end()
    await wire.closed
  })
})

describe('readers that take nothing', () => {
  test('forty that ask for megabytes each and read none of it cost bounded memory', async () => {
    const crowd = await wires(40, { reads: false })
    // About 30 KB an answer: 40 × 200 of them are 240 MB, and take twice that.
    const questions = Buffer.concat(
      Array.from({ length: 200 }, () => requestFrame(metadata, 9, { topics: [{ name: 'wide' }] })),
    )
    await Promise.all(crowd.map((wire) => wire.sent(questions)))
    await settled(() => Math.round(process.memoryUsage().external / mebibyte))
    expect(await witness.isUnharmed()).toBe(true)
    expect(await cost()).toBeLessThan(250 * mebibyte)
  })

  test('who reads late gets all of it, in order', async () => {
    const wire = await one({ reads: false })
    const count = 500
    await wire.sent(
      Buffer.concat(
        Array.from({ length: count }, (_, i) => requestFrame(metadata, 9, { topics: [{ name: 'wide' }] }, i)),
      ),
    )
    expect(await witness.isUnharmed()).toBe(true)
    const ids: number[] = []
    let rest = Buffer.alloc(0)
    await new Promise<void>((resolve) => {
      wire.socket.on('data', (chunk: Buffer) => {
        rest = Buffer.concat([rest, chunk])
        while (rest.length >= 8 && rest.length >= 4 + rest.readInt32BE(0)) {
          ids.push(rest.readInt32BE(4))
          rest = rest.subarray(4 + rest.readInt32BE(0))
        }
        if (ids.length === count) resolve()
      })
    })
    expect(ids).toEqual(Array.from({ length: count }, (_, i) => i))
  })
})

describe('a flood', () => {
  test('of large Produce from forty connections is held back in its sockets, and acknowledged to the last', async () => {
    const crowd = await wires(40)
    const records = encodeBatch({ records: [{ value: Buffer.alloc(900_000, 'x'), timestamp: 1 }] })
    const body = { acks: -1, timeoutMs: 1000, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] }
    const frame = requestFrame(produce, 9, body)
    const acknowledged = crowd.map(async (wire) => {
      for (let i = 0; i < 4; i++) wire.send(frame)
      for (let i = 0; i < 4; i++) {
        const answer = await wire.frame()
        if (typeof answer === 'string') throw new Error(answer)
        expect(readAnswer(produce, 9, answer).responses[0]!.partitionResponses[0]!.errorCode).toBe(0)
      }
    })
    expect(await witness.isUnharmed()).toBe(true)
    await Promise.all(acknowledged)
  })
})

describe('questions whose answers are bombs', () => {
  const times = <T>(count: number, element: T): T[] => Array.from({ length: count }, () => element)
  const bombs: readonly [what: string, table: ApiTable, version: number, body: unknown][] = [
    [
      'Metadata of a topic of 1,000 partitions, named 100,000 times',
      metadata,
      9,
      { topics: times(100_000, { name: 'wide' }) },
    ],
    [
      'DescribeTopicPartitions of the same, named 50,000 times',
      describeTopicPartitions,
      0,
      { topics: times(50_000, { name: 'wide' }), responsePartitionLimit: 2_000_000_000 },
    ],
    [
      'DescribeConfigs of the broker, asked for 20,000 times',
      describeConfigs,
      4,
      {
        resources: times(20_000, { resourceType: 4, resourceName: '1' }),
        includeSynonyms: true,
        includeDocumentation: true,
      },
    ],
    ['DescribeGroups of one group, 100,000 times', describeGroups, 5, { groups: times(100_000, 'g') }],
    [
      'FindCoordinator of one key, 100,000 times',
      findCoordinator,
      4,
      { keyType: 0, coordinatorKeys: times(100_000, 'g') },
    ],
    [
      'OffsetFetch of one group, 50,000 times',
      offsetFetch,
      8,
      { groups: times(50_000, { groupId: 'g', topics: null }) },
    ],
    [
      'Fetch of one partition, named 100,000 times',
      fetch,
      12,
      {
        maxWaitMs: 0,
        minBytes: 0,
        maxBytes: 0x7fff_ffff,
        topics: [
          { topic: 't', partitions: times(100_000, { partition: 0, fetchOffset: 0, partitionMaxBytes: 0x7fff_ffff }) },
        ],
      },
    ],
    [
      'ListOffsets of one partition, 100,000 times',
      listOffsets,
      4,
      { replicaId: -1, topics: [{ name: 't', partitions: times(100_000, { partitionIndex: 0, timestamp: 5 }) }] },
    ],
  ]
  for (const [what, table, version, body] of bombs) {
    test(`${what}: answered or refused, with no more memory than a request may cost`, async () => {
      const before = process.memoryUsage().rss
      const wire = await one()
      wire.send(requestFrame(table, version, body))
      await wire.frame()
      expect(process.memoryUsage().rss - before).toBeLessThan(700 * mebibyte)
      expect(await witness.isUnharmed()).toBe(true)
    })
  }
})

describe('records that hold who unpacks them', () => {
  const packed = (codec: number, hex: string): Buffer => {
    const bytes = Buffer.concat([Buffer.alloc(batch.headerBytes), Buffer.from(hex.replaceAll(' ', ''), 'hex')])
    const fields = { codec, lastOffsetDelta: 0, recordCount: 1, baseTimestamp: 1, maxTimestamp: 1 }
    batch.writeHeader(bytes, 0, bytes.length, fields)
    return bytes
  }
  const holds: readonly [what: string, codec: number, hex: string][] = [
    ['snappy, a literal of minus four bytes', 2, '64 0c 61626364 fc faffffff'],
    ['snappy, the same in frames', 2, '82534e4150505900 00000001 00000001 0000000b 64 0c 61626364 fc faffffff'],
    ['snappy, a copy from where nothing is', 2, '05 01 09'],
    ['snappy, a copy from no distance', 2, '09 00 61 0d 00'],
    ['snappy, frames without an end of headers', 2, '82534e4150505900 00000001 00000001'.repeat(50)],
    ['snappy, blocks of nothing', 2, `82534e4150505900 00000001 00000001 ${'00000001 00'.repeat(5000)}`],
    ['lz4, a frame that never ends', 3, '04224d18 60 40 82'],
    ['lz4, blocks of nothing', 3, `04224d18 60 40 82 ${'00000080'.repeat(3)}`],
    ['lz4, a block that copies from before its begin', 3, '04224d18 60 40 82 05000000 1061ffff00 00000000'],
    ['gzip, members of nothing, one behind the other', 1, '1f8b0800000000000003 0300 00000000 00000000'.repeat(200)],
    ['gzip, a name without an end', 1, `1f8b0808000000000003 ${'61'.repeat(500)}`],
    ['zstd, frames that are skipped, one behind the other', 4, '502a4d18 00000000'.repeat(500)],
    ['zstd, a frame that is skipped and says 4 GiB', 4, '502a4d18 ffffffff 00'],
    ['zstd, a dictionary that nobody has', 4, '28b52ffd 23 05000000 00 010000'],
  ]
  for (const [what, codec, hex] of holds) {
    test(`${what}: refused at once`, async () => {
      const wire = await one()
      const topicData = [{ name: 't', partitionData: [{ index: 0, records: packed(codec, hex) }] }]
      const { responses } = await wire.ask(produce, 9, { acks: -1, timeoutMs: 1000, topicData })
      expect(responses[0]!.partitionResponses[0]!.errorCode).not.toBe(0)
    })
  }
})
