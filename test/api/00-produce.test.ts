// Produce: what is taken, what is refused and how, and what the answer says about where it went.

import { describe, expect, test } from 'vitest'
import { produce } from '../../protocol/messages/00-produce.ts'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import * as batch from '../../protocol/records/batch.ts'
import { readAnswer } from '../net/wire.ts'
import { batchOf } from '../wire-client.ts'
import { errorOf, Line, unknownId } from './line.ts'

const timeoutMs = 1000

function changed(bytes: Buffer, change: (b: Buffer) => void): Buffer {
  change(bytes)
  batch.writeCrc(bytes, 0)
  return bytes
}

describe('the place in the log', () => {
  test.each([3, 5, 8, 9, 12])(
    'v%i: base offsets follow each other, and there is no time of the broker',
    async (version) => {
      await using line = await Line.open(['t'])
      expect(await line.send('t', batchOf(['a', 'b', 'c']), { version })).toMatchObject({ errorCode: 0, baseOffset: 0 })
      expect(await line.send('t', batchOf(['d']), { version })).toMatchObject({
        errorCode: 0,
        baseOffset: 3,
        logAppendTimeMs: -1,
        logStartOffset: version < 5 ? -1 : 0,
        recordErrors: [],
        errorMessage: null,
      })
    },
  )

  test('version 13 knows topics by their ids', async () => {
    await using line = await Line.open(['t'])
    const partitionData = [{ index: 0, records: batchOf(['a']) }]
    const known = { topicId: await line.id('t'), partitionData }
    const topicData = [known, { topicId: unknownId, partitionData: [{ index: 0, records: batchOf(['a']) }] }]
    const { responses } = await line.ask(produce, 13, { acks: 1, timeoutMs, topicData })
    expect(responses.map(({ topicId, partitionResponses }) => [topicId, errorOf(partitionResponses[0]!)])).toEqual([
      [known.topicId, 'NONE'],
      [unknownId, 'UNKNOWN_TOPIC_ID'],
    ])
  })

  test('a topic with log-append time answers the time of the broker', async () => {
    await using line = await Line.open([{ name: 't', config: { 'message.timestamp.type': 'LogAppendTime' } }])
    const before = Date.now()
    const { logAppendTimeMs } = await line.append('t', 0, [{ value: 'a', timestamp: 5 }])
    expect(logAppendTimeMs).toBeGreaterThanOrEqual(before)
    expect(logAppendTimeMs).toBeLessThanOrEqual(Date.now())
  })

  test('partitions are answered each by itself, in the order of the request', async () => {
    await using line = await Line.open([{ name: 't', partitions: 2 }])
    const partitionData = [7, 1, -1, 0].map((index) => ({ index, records: batchOf(['a']) }))
    const { responses } = await line.ask(produce, 9, { acks: -1, timeoutMs, topicData: [{ name: 't', partitionData }] })
    expect(responses[0]!.partitionResponses.map((one) => [one.index, errorOf(one), one.logStartOffset])).toEqual([
      [7, 'UNKNOWN_TOPIC_OR_PARTITION', -1],
      [1, 'NONE', 0],
      [-1, 'UNKNOWN_TOPIC_OR_PARTITION', -1],
      [0, 'NONE', 0],
    ])
  })

  test('a topic that is not there is made, unless its name cannot be', async () => {
    await using line = await Line.open()
    expect(errorOf(await line.append('made', 0, ['a']))).toBe('NONE')
    expect(errorOf(await line.append('a/b', 0, ['a']))).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  })

  test('what is sent behind the batch that makes its topic stays behind it', async () => {
    await using line = await Line.open()
    const frames = [0, 1, 2].map((sequence) => {
      const records = batchOf(['a'], { producerId: 5, producerEpoch: 0, baseSequence: sequence })
      const topicData = [{ name: 'made', partitionData: [{ index: 0, records }] }]
      return line.client.frame(produce, 9, { acks: 1, timeoutMs, topicData })
    })
    line.client.send(Buffer.concat(frames))
    for (const baseOffset of [0, 1, 2]) {
      const { responses } = readAnswer(produce, 9, (await line.client.receive()) as Buffer)
      expect(responses[0]!.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset })
    }
  })

  test('where topics are not made by use, an unknown one stays unknown', async () => {
    await using line = await Line.open([], { 'auto.create.topics.enable': false })
    expect(errorOf(await line.append('made', 0, ['a']))).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  })
})

describe('acks', () => {
  test('of what is not there that is said first', async () => {
    await using line = await Line.open(['t'])
    const partitionData = [9, 0].map((index) => ({ index, records: batchOf(['a']) }))
    const { responses } = await line.ask(produce, 9, { acks: 2, timeoutMs, topicData: [{ name: 't', partitionData }] })
    expect(responses[0]!.partitionResponses.map(errorOf)).toEqual([
      'UNKNOWN_TOPIC_OR_PARTITION',
      'INVALID_REQUIRED_ACKS',
    ])
  })

  test.each([2, -2, 32767])('%i is refused', async (acks) => {
    await using line = await Line.open(['t'])
    expect(await line.send('t', batchOf(['a']), { acks })).toMatchObject({ errorCode: 21, baseOffset: -1 })
  })

  test('0 gets no answer; the next request gets its own', async () => {
    await using line = await Line.open(['t'])
    const topicData = [{ name: 't', partitionData: [{ index: 0, records: batchOf(['a']) }] }]
    line.client.send(line.client.frame(produce, 9, { acks: 0, timeoutMs, topicData }))
    expect(await line.append('t', 0, ['b'])).toMatchObject({ errorCode: 0, baseOffset: 1 })
  })

  test('0 and a refusal: the connection ends, so that the producer looks again', async () => {
    await using line = await Line.open(['t'])
    const topicData = [{ name: 't', partitionData: [{ index: 9, records: batchOf(['a']) }] }]
    line.client.send(line.client.frame(produce, 9, { acks: 0, timeoutMs, topicData }))
    expect(await line.client.closed).toBe('closed')
  })
})

describe('batches that are refused', () => {
  const good = () => batchOf(['a', 'b', 'c'])
  const cases: [what: string, error: string, bytes: () => Buffer | null][] = [
    ['nothing', 'INVALID_RECORD', () => Buffer.alloc(0)],
    ['null', 'INVALID_RECORD', () => null],
    ['two batches', 'INVALID_RECORD', () => Buffer.concat([good(), good()])],
    ['a batch cut short', 'INVALID_RECORD', () => good().subarray(0, 70)],
    [
      'a wrong checksum',
      'CORRUPT_MESSAGE',
      () => {
        const b = good()
        b.writeInt32BE(1, 17)
        return b
      },
    ],
    ['a base offset', 'INVALID_RECORD', () => batchOf(['a'], { baseOffset: 5 })],
    [
      'a control batch',
      'INVALID_RECORD',
      () => batchOf(['a'], { isControl: true, producerId: 1, producerEpoch: 0, baseSequence: 0 }),
    ],
    ['no records', 'INVALID_RECORD', () => batchOf([])],
    ['a count too high', 'INVALID_RECORD', () => changed(good(), (b) => b.writeInt32BE(4, 57))],
    ['a delta too high', 'INVALID_RECORD', () => changed(good(), (b) => b.writeInt32BE(3, 23))],
    ['a transactional batch', 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED', () => batchOf(['a'], { isTransactional: true })],
    [
      'a producer without a sequence',
      'INVALID_RECORD',
      () => batchOf(['a'], { producerId: 1, producerEpoch: 0, baseSequence: -1 }),
    ],
  ]
  test.each(cases)('%s: %s, and nothing is appended', async (_what, error, bytes) => {
    await using line = await Line.open(['t'])
    const answer = await line.send('t', bytes())
    expect([errorOf(answer), answer.baseOffset]).toEqual([error, -1])
    expect(await line.append('t', 0, ['next'])).toMatchObject({ errorCode: 0, baseOffset: 0 })
  })

  test('a transactional id without a transactional batch means nothing', async () => {
    await using line = await Line.open(['t'])
    const ask = (records: Buffer) =>
      line.ask(produce, 9, {
        transactionalId: 'tx',
        acks: -1,
        timeoutMs,
        topicData: [{ name: 't', partitionData: [{ index: 0, records }] }],
      })
    expect(errorOf((await ask(batchOf(['a']))).responses[0]!.partitionResponses[0]!)).toBe('NONE')
    const inTransaction = batchOf(['a'], { isTransactional: true, producerId: 1, producerEpoch: 0, baseSequence: 0 })
    expect(errorOf((await ask(inTransaction)).responses[0]!.partitionResponses[0]!)).toBe('INVALID_PRODUCER_ID_MAPPING')
  })

  test('a batch larger than the topic allows is refused before it is looked at', async () => {
    await using line = await Line.open([{ name: 't', config: { 'max.message.bytes': 200 } }])
    expect(await line.append('t', 0, ['x'.repeat(300)])).toMatchObject({ errorCode: 10, logStartOffset: -1 })
    expect(await line.append('t', 0, ['x'.repeat(300)], { codec: 'gzip' })).toMatchObject({ errorCode: 0 })
  })

  test('records without keys are named one by one where the topic is compacted', async () => {
    await using line = await Line.open([{ name: 't', config: { 'cleanup.policy': 'compact' } }])
    const answer = await line.append('t', 0, [{ key: 'k', value: 'a' }, { value: 'b' }, { value: 'c' }])
    expect([errorOf(answer), answer.logStartOffset]).toEqual(['INVALID_RECORD', 0])
    expect(answer.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([1, 2])
    expect(answer.recordErrors.every(({ batchIndexErrorMessage }) => batchIndexErrorMessage !== null)).toBe(true)
    expect(answer.errorMessage).not.toBeNull()
  })

  test('records out of time are named one by one', async () => {
    const config = { 'message.timestamp.before.max.ms': 60_000, 'message.timestamp.after.max.ms': 60_000 }
    await using line = await Line.open([{ name: 't', config }])
    const times = [0, -120_000, 0, 120_000].map((away) => ({ value: 'v', timestamp: Date.now() + away }))
    const answer = await line.append('t', 0, times)
    expect([errorOf(answer), answer.recordErrors.map(({ batchIndex }) => batchIndex)]).toEqual([
      'INVALID_TIMESTAMP',
      [1, 3],
    ])
  })

  test('zstd is refused to clients from before it, and lz4 is not', async () => {
    await using line = await Line.open(['t'])
    const zstd = await line.send('t', batchOf(['a'], { codec: 'zstd' }), { version: 6 })
    const lz4 = await line.send('t', batchOf(['a'], { codec: 'lz4' }), { version: 6 })
    expect([errorOf(zstd), errorOf(lz4)]).toEqual(['UNSUPPORTED_COMPRESSION_TYPE', 'NONE'])
  })

  test('the topics of the broker are not for clients', async () => {
    await using line = await Line.open()
    expect(errorOf(await line.append('__consumer_offsets', 0, ['a']))).toBe('INVALID_TOPIC_EXCEPTION')
  })
})

describe('idempotent producers', () => {
  type Send = (epoch: number, sequence: number, count?: number) => Promise<{ errorCode: number; baseOffset: number }>
  async function producer(): Promise<{ line: Line; send: Send }> {
    const line = await Line.open(['t'])
    const send: Send = (producerEpoch, baseSequence, count = 2) => {
      const values = Array.from({ length: count }, (_, i) => `${i}`)
      return line.append('t', 0, values, { producerId: 7, producerEpoch, baseSequence })
    }
    return { line, send }
  }

  test('a duplicate is answered with the offset it got, as long as it is one of the last five', async () => {
    const { line, send } = await producer()
    await using _ = line
    for (let n = 0; n < 6; n++) expect(await send(0, n * 2)).toMatchObject({ errorCode: 0, baseOffset: n * 2 })
    expect(await send(0, 2)).toMatchObject({ errorCode: 0, baseOffset: 2 })
    expect(errorOf(await send(0, 0))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(await send(0, 12)).toMatchObject({ errorCode: 0, baseOffset: 12 })
  })

  test('gaps and overlaps are refused', async () => {
    const { line, send } = await producer()
    await using _ = line
    await send(0, 0)
    for (const [sequence, count] of [
      [3, 2],
      [0, 1],
      [1, 2],
    ] as const) {
      expect(errorOf(await send(0, sequence, count))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    }
  })

  test('a new epoch begins at 0 and ends the old one', async () => {
    const { line, send } = await producer()
    await using _ = line
    await send(0, 0)
    expect(errorOf(await send(2, 5))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(errorOf(await send(2, 0))).toBe('NONE')
    expect(errorOf(await send(0, 2))).toBe('INVALID_PRODUCER_EPOCH')
  })

  test('a producer that nobody knows may begin anywhere, and sequences go on at 0 after the largest', async () => {
    const { line, send } = await producer()
    await using _ = line
    expect(errorOf(await send(0, 0x7fff_fffe))).toBe('NONE')
    expect(errorOf(await send(0, 0))).toBe('NONE')
  })
})

test('what was produced is what is fetched, byte for byte but for its place', async () => {
  await using line = await Line.open(['t'])
  await line.append('t', 0, ['first'])
  const sent = batchOf(['a', 'b'], { codec: 'snappy' })
  await line.send('t', Buffer.from(sent))
  const partitions = [{ partition: 0, fetchOffset: 1, partitionMaxBytes: 1000 }]
  const topics = [{ topic: 't', partitions }]
  const { responses } = await line.ask(fetch, 12, {
    maxWaitMs: 0,
    minBytes: 0,
    isolationLevel: 0,
    topics,
    forgottenTopicsData: [],
  })
  const got = responses[0]!.partitions[0]!.records as Buffer
  expect(batch.baseOffset(got, 0)).toBe(1)
  expect(got.subarray(16)).toEqual(sent.subarray(16))
})

test('max.decompressed.message.bytes bounds each record of a packed batch', async () => {
  await using line = await Line.open([{ name: 'a', config: { 'max.decompressed.message.bytes': 1000 } }])
  const send = async (codec: 'none' | 'gzip', ...sizes: number[]) => {
    const values = sizes.map((size) => 'x'.repeat(size))
    return errorOf(await line.append('a', 0, values, { codec }))
  }
  expect(await send('gzip', 500, 500, 500)).toBe('NONE')
  expect(await send('none', 5000)).toBe('NONE')
  expect(await send('gzip', 5000)).toBe('INVALID_RECORD')
})
