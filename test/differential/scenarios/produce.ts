// Produce: what a broker takes, what it refuses and with which words; idempotent producers; InitProducerId.

import { gzipSync } from 'node:zlib'
import { produce } from '../../../protocol/messages/00-produce.ts'
import { initProducerId } from '../../../protocol/messages/22-init-producer-id.ts'
import * as batch from '../../../protocol/records/batch.ts'
import type { BatchOptions, BatchRecord } from '../../../protocol/records/builder.ts'
import type { Body } from '../../wire-client.ts'
import { batchOf } from '../../wire-client.ts'
import type { Side } from '../side.ts'

const timeoutMs = 3000
const unknownId = 'abcdefghijklmnopqrstuQ'
type TopicData = Body<typeof produce>['topicData'][number]

/** A batch with some bytes changed; the checksum is made right again unless `wrong`. */
function changed(bytes: Buffer, change: (b: Buffer) => void, wrong = false): Buffer {
  const copy = Buffer.from(bytes)
  change(copy)
  if (!wrong) batch.writeCrc(copy, 0)
  return copy
}

/** A message of the formats before 0.11. */
function legacy(magic: number, value: string): Buffer {
  const body = Buffer.alloc(8 + 4 + 4 + 1 + 1 + (magic === 1 ? 8 : 0) + 4 + 4 + value.length)
  body.writeInt32BE(body.length - 12, 8)
  body[16] = magic
  const at = 18 + (magic === 1 ? 8 : 0)
  body.writeInt32BE(-1, at)
  body.writeInt32BE(value.length, at + 4)
  body.write(value, at + 8)
  return body
}

class Producer {
  readonly #side: Side
  readonly #ids = new Map<string, string>()

  constructor(side: Side) {
    this.#side = side
  }

  async topic(name: string, partitions = 1, configs: Record<string, string> = {}): Promise<void> {
    this.#ids.set(name, await this.#side.topic(name, partitions, configs))
  }

  data(name: string, ...records: (Buffer | null)[]): TopicData {
    const partitionData = records.map((bytes, index) => ({ index, records: bytes }))
    return { name, topicId: this.#ids.get(name) ?? unknownId, partitionData }
  }

  async send(label: string, version: number, name: string, records: Buffer | null, acks = -1): Promise<void> {
    const topicData = [this.data(name, records)]
    await this.#side.ask(label, produce, version, { acks, timeoutMs, topicData }, acks === 0 ? 300 : undefined)
  }
}

export async function produceScenario(side: Side): Promise<void> {
  const producer = new Producer(side)
  const { base } = side
  const records = (...values: string[]): BatchRecord[] =>
    values.map((value, i) => ({ key: 'k', value, timestamp: base + i, headers: [] }))
  const good = (options: BatchOptions = {}) => batchOf(records('one', 'two', 'three'), options)
  for (const version of side.versionsOf(produce)) {
    const name = `p-v${version}`
    await producer.topic(name, 3)
    await producer.topic(`pc-v${version}`, 1, { 'cleanup.policy': 'compact' })
    await producer.topic(`pa-v${version}`, 1, { 'message.timestamp.type': 'LogAppendTime' })
    await producer.topic(`ps-v${version}`, 1, { 'max.message.bytes': '200' })
    await producer.topic(`pt-v${version}`, 1, {
      'message.timestamp.before.max.ms': '7200000',
      'message.timestamp.after.max.ms': '1000',
    })
    // Where we knowingly differ, so that the offsets of the others stay comparable.
    await producer.topic(`po-v${version}`)
    await producer.topic(`pz-v${version}`, 1, { 'compression.type': 'lz4' })
    const send = (label: string, bytes: Buffer | null, topic = name, acks?: number) =>
      producer.send(label, version, topic, bytes, acks)
    const whole = (label: string, topicData: TopicData[], more: Partial<Body<typeof produce>> = {}) =>
      side.ask(label, produce, version, { acks: -1, timeoutMs, topicData, ...more })
    await send('good', good())
    await send('good, acks 1', good(), name, 1)
    for (const acks of [2, -2, 32767]) await send(`acks ${acks}`, good(), name, acks)
    await send('acks 0', good(), name, 0)
    await send('after acks 0', good())
    await send('acks 0, unknown topic', good(), 'a/b', 0)
    for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) await send(codec, good({ codec }))
    await send('null records', null)
    await send('empty records', Buffer.alloc(0))
    await send('two batches', Buffer.concat([good(), good()]))
    await send('a batch cut short', good().subarray(0, 80))
    await send('a header cut short', good().subarray(0, 30))
    await send('ten bytes', Buffer.alloc(10))
    await send('a batch and a piece', Buffer.concat([good(), good().subarray(0, 40)]), `po-v${version}`)
    await send('a batch and rubbish', Buffer.concat([good(), Buffer.alloc(40)]))
    await send(
      'a wrong checksum',
      changed(good(), (b) => b.writeInt32BE(7, 17), true),
    )
    await send(
      'a negative length',
      changed(good(), (b) => b.writeInt32BE(-1, 8), true),
    )
    await send(
      'a small length',
      changed(good(), (b) => b.writeInt32BE(20, 8), true),
    )
    await send(
      'a great length',
      changed(good(), (b) => b.writeInt32BE(1 << 20, 8), true),
    )
    for (const magic of [0, 1]) await send(`magic ${magic}`, legacy(magic, 'old'))
    for (const magic of [3, -1])
      await send(
        `magic ${magic}`,
        changed(good(), (b) => b.writeInt8(magic, 16)),
      )
    await send('base offset 5', good({ baseOffset: 5 }))
    await send('base offset -1', good({ baseOffset: -1 }))
    await send('a leader epoch', good({ partitionLeaderEpoch: 12 }))
    await send('control', good({ isControl: true, producerId: 5, producerEpoch: 0, baseSequence: 0 }))
    await send('control without a producer', good({ isControl: true }))
    await send('transactional without a transaction', good({ isTransactional: true }), `po-v${version}`)
    await send(
      'transactional with a producer',
      good({ isTransactional: true, producerId: 99_999, producerEpoch: 0, baseSequence: 0 }),
      `po-v${version}`,
    )
    await whole('a transactional id', [producer.data(`po-v${version}`, good())], { transactionalId: 'tx' })
    await whole(
      'a transactional id and batch',
      [
        producer.data(
          `po-v${version}`,
          good({ isTransactional: true, producerId: 99_998, producerEpoch: 0, baseSequence: 0 }),
        ),
      ],
      { transactionalId: 'tx' },
    )
    await send(
      'log-append time from a client',
      changed(good(), (b) => b.writeInt16BE(8, 21)),
      `po-v${version}`,
    )
    await send(
      'log-append time from a client, there',
      changed(good(), (b) => b.writeInt16BE(8, 21)),
      `pa-v${version}`,
    )
    await send(
      'codec 5',
      changed(good(), (b) => b.writeInt16BE(5, 21)),
      `po-v${version}`,
    )
    await send(
      'an unknown attribute',
      changed(good(), (b) => b.writeInt16BE(128, 21)),
    )
    await send(
      'a delete horizon',
      changed(good(), (b) => b.writeInt16BE(64, 21)),
    )
    await send(
      'no records',
      changed(batchOf([]), () => {}),
    )
    await send(
      'a count too low',
      changed(good(), (b) => b.writeInt32BE(2, 57)),
    )
    await send(
      'a count too high',
      changed(good(), (b) => b.writeInt32BE(4, 57)),
    )
    await send(
      'a negative count',
      changed(good(), (b) => b.writeInt32BE(-1, 57)),
    )
    await send(
      'a delta too low',
      changed(good(), (b) => b.writeInt32BE(1, 23)),
    )
    await send(
      'a delta too high',
      changed(good(), (b) => b.writeInt32BE(3, 23)),
    )
    await send(
      'count and delta too low',
      changed(good(), (b) => {
        b.writeInt32BE(1, 23)
        b.writeInt32BE(2, 57)
      }),
    )
    await send('packed rubbish', packedAs(good({ codec: 'gzip' }), Buffer.from('rubbish')), `po-v${version}`)
    await send('packed records cut short', packedAs(good({ codec: 'gzip' }), gzipSync(good().subarray(61, 80))))
    await send(
      'a wrong largest time',
      changed(good(), (b) => b.writeBigInt64BE(BigInt(base + 99), 35)),
    )
    await send('no time', batchOf(['x'].map((value) => ({ key: 'k', value }))))
    await send('times of -5', batchOf([{ key: 'k', value: 'x', timestamp: -5 }]))
    await send('good, for the offsets', good())
    await whole('three partitions', [producer.data(name, good(), Buffer.alloc(0), good())])
    await whole('unknown partitions', [
      {
        ...producer.data(name),
        partitionData: [9, 1, -1, 0].map((index) => ({ index, records: good() })),
      },
    ])
    await whole('one partition twice', [
      { ...producer.data(`po-v${version}`), partitionData: [0, 0].map((index) => ({ index, records: good() })) },
    ])
    await whole('one topic twice', [producer.data(`po-v${version}`, good()), producer.data(`po-v${version}`, good())])
    await whole('known, unknown, known', [
      producer.data(name, good()),
      producer.data('a/b', good()),
      producer.data(`ps-v${version}`, batchOf([{ key: 'k', value: 'x' }])),
    ])
    await whole('nothing', [])
    await whole('a topic without partitions', [producer.data(name)])
    await send('an internal topic', good(), '__consumer_offsets')
    await send('compacted, with keys', good(), `pc-v${version}`)
    await send(
      'compacted, one without key',
      batchOf([...records('a'), { value: 'b' }, { value: 'c' }]),
      `pc-v${version}`,
    )
    await send('append time', good(), `pa-v${version}`)
    await send('append time, packed', good({ codec: 'gzip' }), `pa-v${version}`)
    await send('too large', batchOf(records('x'.repeat(300))), `ps-v${version}`)
    await send('large, but packed', batchOf(records('x'.repeat(300)), { codec: 'gzip' }), `ps-v${version}`)
    const at = (...times: number[]) => batchOf(times.map((timestamp) => ({ key: 'k', value: 'v', timestamp })))
    await send('in time', at(base), `pt-v${version}`)
    await send('too early', at(base, base - 7_200_000, base, base - 8_000_000), `pt-v${version}`)
    await send('too late', at(base + 36_000_000), `pt-v${version}`)
    await send('other codec', good({ codec: 'gzip' }), `pz-v${version}`)
    await send('to be packed', good(), `pz-v${version}`)
  }
}

/** The header of a packed batch with other bytes behind it. */
function packedAs(bytes: Buffer, packed: Buffer): Buffer {
  const other = Buffer.concat([bytes.subarray(0, batch.headerBytes), packed])
  other.writeInt32BE(other.length - 12, 8)
  batch.writeCrc(other, 0)
  return other
}

export async function idempotenceScenario(side: Side): Promise<void> {
  const producer = new Producer(side)
  for (const version of side.versionsOf(produce)) {
    const name = `i-v${version}`
    await producer.topic(name)
    const send = (label: string, id: number, epoch: number, sequence: number, count = 2, to = name) => {
      const values = Array.from({ length: count }, (_, i) => ({ key: 'k', value: `${i}`, timestamp: side.base }))
      const options = { producerId: id, producerEpoch: epoch, baseSequence: sequence }
      return producer.send(label, version, to, batchOf(values, options))
    }
    await send('first', 7, 0, 0)
    await send('next', 7, 0, 2)
    await send('duplicate of the last', 7, 0, 2)
    await send('duplicate of the first', 7, 0, 0)
    await send('a gap', 7, 0, 6)
    await send('half a duplicate', 7, 0, 2, 1)
    await send('an overlap', 7, 0, 3)
    for (let n = 2; n < 7; n++) await send(`batch ${n}`, 7, 0, n * 2)
    await send('a duplicate too old', 7, 0, 0)
    await send('the oldest that is kept', 7, 0, 4)
    await send('an older epoch', 7, -1, 0)
    await send('a new epoch that begins late', 7, 2, 5)
    await send('a new epoch', 7, 2, 0)
    await send('the old epoch', 7, 0, 14)
    await send('the old epoch, a duplicate', 7, 0, 12)
    await send('a beginning in the middle', 8, 3, 100)
    await send('and on', 8, 3, 102)
    await send('a gap there', 8, 3, 105)
    await send('near the end of sequences', 9, 0, 0x7fff_fffe)
    await send('past the end of sequences', 9, 0, 0)
    await send('without a sequence', 10, 0, -1)
    await send('a sequence of -2', 10, 0, -2)
    await send('without an epoch', 11, -1, 0)
    await send('an epoch without a producer', -1, 4, 0)
    await send('a negative producer', -3, 4, 0)
    await send('a great epoch', 12, 32767, 0)
    await send('a great producer', 2 ** 50, 0, 0)
  }
}

export async function initProducerIdScenario(side: Side): Promise<void> {
  const ask = (label: string, more: Partial<Body<typeof initProducerId>>) =>
    side.each(label, initProducerId, { transactionalId: null, transactionTimeoutMs: 60_000, ...more })
  // A broker that has just started may have no ids to give yet.
  for (let tries = 0; tries < 50; tries++) {
    const body = { transactionalId: null, transactionTimeoutMs: 60_000 }
    if ((await side.quiet(initProducerId, 5, body)).errorCode === 0) break
    await side.settle()
  }
  await ask('plain', {})
  for (const timeout of [-1, 0, 2 ** 31 - 1]) await ask(`timeout ${timeout}`, { transactionTimeoutMs: timeout })
  for (const producerId of [-2, -1, 0, 5, 2 ** 50]) {
    for (const producerEpoch of [-2, -1, 0, 3, 32767]) {
      await ask(`producer ${producerId}, epoch ${producerEpoch}`, { producerId, producerEpoch })
    }
  }
  await ask('an empty transactional id', { transactionalId: '' })
  await ask('a transactional id', { transactionalId: 'tx' })
}
