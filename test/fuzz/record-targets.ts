// Decoders of records: batches as producers send them, each codec, old formats, and what stands in the broker's own topics.

import { crc32c } from '../../protocol/crc32c.ts'
import * as batch from '../../protocol/records/batch.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import {
  CompressionError,
  codecs,
  compress,
  decompress,
  UnsupportedCompression,
} from '../../protocol/records/compression.ts'
import { parseMarker } from '../../protocol/records/control.ts'
import { readLegacyRecords } from '../../protocol/records/legacy.ts'
import { readRecords } from '../../protocol/records/record.ts'
import { validateProduceBatch, validateRecords } from '../../protocol/records/validate.ts'
import { originOf, sourceOffsetOf } from '../../src/branch/origin.ts'
import { groupRecord, offsetRecord, remembered as rememberedGroup } from '../../src/group/records.ts'
import { learn, type Replayed, snapshotRecord, updateRecord } from '../../src/share/records.ts'
import { remembered as rememberedTransaction, stateRecord } from '../../src/transaction/records.ts'
import type { Target } from './fuzzing.ts'
import { goldenLines } from './wire-targets.ts'

const unpackedBytesMax = 256 * 1024
const records = ['a', 'longer than the first one', ''].map((value, i) => ({
  key: i === 2 ? null : Buffer.from(`key ${i}`),
  value: Buffer.from(value),
  timestamp: 1000 + i,
  headers: i === 1 ? [{ key: 'branch.origin', value: Buffer.from('b:0:12') }] : [],
}))

/** Checksum and length are right again. */
function mendBatch(bytes: Buffer): Buffer {
  if (bytes.length < batch.headerBytes) return bytes
  const mended = Buffer.from(bytes)
  mended.writeInt32BE(mended.length - batch.overheadBytes, 8)
  mended[16] = 2
  mended.writeUInt32BE(crc32c(mended, 21, mended.length), 17)
  return mended
}

const batches: Target = {
  name: 'batches',
  weight: 4,
  refusals: [CompressionError, UnsupportedCompression],
  seeds: () => [
    ...codecs.map((codec) => encodeBatch({ records, codec })),
    encodeBatch({ records, producerId: 5, producerEpoch: 1, baseSequence: 3, isTransactional: true }),
    ...goldenLines('record-batches.jsonl.gz')
      .map(({ hex }) => Buffer.from(hex, 'hex'))
      .filter(({ length }) => length < 2000),
  ],
  mend: mendBatch,
  run: (bytes) => {
    const verdict = validateProduceBatch(bytes, 0, bytes.length, { messageBytesMax: 2000, version: 9 } as never)
    let found: string = verdict
    if (verdict === 'NONE')
      found += validateRecords(bytes, 0, { needsKeys: bytes.length % 2 === 0, unpackedBytesMax }).error
    let count = 0
    for (const position of batch.iterateBatches(bytes)) {
      if (batch.magic(bytes, position) !== 2) {
        for (const record of readLegacyRecords(bytes, position, unpackedBytesMax))
          count += record.value === null ? 0 : 1
        continue
      }
      for (const { headers, key, value } of readRecords(bytes, position, unpackedBytesMax)) {
        originOf(headers)
        sourceOffsetOf(headers)
        parseMarker(key, value)
        count++
      }
    }
    return `${found} ${Math.min(count, 5)}`
  },
}

const codecTargets: readonly Target[] = codecs.slice(1).map((name, i) => ({
  name: `unpacking-${name}`,
  refusals: [CompressionError],
  seeds: () =>
    [Buffer.alloc(0), Buffer.from('hello hello hello hello'), Buffer.alloc(3000, 'abc')].map((bytes) =>
      compress(i + 1, bytes),
    ),
  run: (bytes) => {
    const unpacked = decompress(i + 1, bytes, unpackedBytesMax)
    if (unpacked.length > unpackedBytesMax) throw new Error(`${unpacked.length} bytes`)
    return `${Math.min(8, Math.ceil(Math.log2(unpacked.length + 1) / 2))}`
  },
}))

/** Length of the key, the key, then the value; a first byte of 255 says that there is no value. */
export const pair = ({ key, value }: { key: Buffer; value: Buffer | null }): Buffer =>
  Buffer.concat([Buffer.of(value === null ? 255 : 0, key.length), key, value ?? Buffer.alloc(0)])
export function unpair(bytes: Buffer): { key: Buffer; value: Buffer | null } {
  const end = 2 + (bytes[1] ?? 0)
  return { key: bytes.subarray(2, end), value: bytes[0] === 255 ? null : bytes.subarray(end) }
}

/** A record of each kind there might be: its number, a group, and zeros. */
const anyKinds = (): Buffer[] =>
  Array.from({ length: 20 }, (_, kind) => {
    const key = Buffer.concat([Buffer.from([0, kind, 0, 1, 0x67]), Buffer.from([0, 1, 0x6d]), Buffer.alloc(8)])
    return pair({ key, value: Buffer.concat([Buffer.alloc(2), Buffer.alloc(40)]) })
  })

const committed = { offset: 7, leaderEpoch: 0, metadata: 'm', commitAt: 1000, expireAt: null, topicId: null }
const groups: Target = {
  name: 'group-records',
  weight: 2,
  seeds: () => [
    ...anyKinds(),
    pair(offsetRecord('g', 't', 0, committed)),
    pair(offsetRecord('g', 't', 0, { ...committed, expireAt: 2000 })),
    pair(
      groupRecord('g', {
        protocolType: 'consumer',
        generation: 1,
        protocol: 'range',
        leader: 'm',
        currentStateTimestamp: 5,
        members: [],
      } as never),
    ),
  ],
  run: (bytes) => {
    const { key, value } = unpair(bytes)
    const found = rememberedGroup(key, value)
    return found === undefined
      ? 'none'
      : `${found.kind} ${'record' in found ? found.record.kind : ''} ${value === null}`
  },
}

const transactions: Target = {
  name: 'transaction-records',
  seeds: () => [
    ...anyKinds(),
    ...[0, 1].map((version) =>
      pair(
        stateRecord(
          {
            id: 'tx',
            producerId: 4,
            previousProducerId: -1,
            nextProducerId: -1,
            producerEpoch: 2,
            lastProducerEpoch: -1,
            timeoutMs: 1000,
            status: 'Ongoing',
            partitions: new Map([['t', new Set([0, 2])]]),
            startedAt: 5,
            updatedAt: 6,
            clientVersion: version,
          },
          version,
        ),
      ),
    ),
  ],
  run: (bytes) => {
    const { key, value } = unpair(bytes)
    const found = rememberedTransaction(key, value)
    return found === undefined ? 'none' : (found.state?.status ?? 'gone')
  },
}

const of = { groupId: 'g', topicId: 'abcdefghijklmnopqrstuQ', partition: 0 }
const stateBatches = [{ firstOffset: 5, lastOffset: 9, deliveryState: 0, deliveryCount: 1 }]
const snapshot = snapshotRecord(of, { snapshotEpoch: 1, stateEpoch: 1, startOffset: 3, stateBatches } as never)
const shares: Target = {
  name: 'share-records',
  weight: 2,
  seeds: () => [
    ...anyKinds(),
    pair(snapshot),
    pair(updateRecord(of, { snapshotEpoch: 1, startOffset: 4, stateBatches } as never)),
  ],
  run: (bytes) => {
    const known = new Map<string, Replayed>()
    learn(known, snapshot.key, snapshot.value)
    const { key, value } = unpair(bytes)
    learn(known, key, value)
    let ranges = 0
    for (const { inFlight } of known.values()) ranges += inFlight?.ranges.length ?? 0
    if (ranges > 10 + bytes.length) throw new Error(`${ranges} ranges of ${bytes.length} bytes`)
    return `${known.size} ${Math.min(ranges, 6)}`
  },
}

export const recordTargets: readonly Target[] = [batches, ...codecTargets, groups, transactions, shares]
