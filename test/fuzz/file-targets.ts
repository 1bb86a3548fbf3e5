// Decoders of what lies on the disk: indexes, checkpoints, whole folders of a log, packs, deltas, the metadata log.

import { crc32c } from '../../protocol/crc32c.ts'
import { DamagedRecords, StorageError } from '../../protocol/errors.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { MetadataLog } from '../../src/broker/metadata-log.ts'
import { parseCheckpoint } from '../../src/log/checkpoint.ts'
import { decodeIndex } from '../../src/log/index-file.ts'
import { Log } from '../../src/log/log.ts'
import { loadSnapshot } from '../../src/log/producer-snapshot.ts'
import { DeltaError, decodeDelta } from '../../src/revision/decode-delta.ts'
import { encodeDelta } from '../../src/revision/encode-delta.ts'
import { Pack } from '../../src/revision/pack.ts'
import { PackCache } from '../../src/revision/pack-cache.ts'
import { systemClock } from '../../src/storage/clock.ts'
import { borrow } from '../../src/storage/file.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import { append, batchOf, smallConfig } from '../log/log-environment.ts'
import { document, edited } from '../revision/delta-pairs.ts'
import { fileOf, packOf, randomLog } from '../revision/pack-stage.ts'
import type { Target } from './fuzzing.ts'
import { drawing } from './mutate.ts'

/** A log of three segments with producers, a transaction and a checkpoint, as files. */
let folderMade: ReadonlyMap<string, Buffer> | undefined
function logFolder(): ReadonlyMap<string, Buffer> {
  if (folderMade !== undefined) return folderMade
  const store = new MemoryStore()
  const log = new Log(store, 'log', { ...smallConfig, segmentBytes: 700 })
  for (let i = 0; i < 12; i++) {
    const producer = i % 3 === 0 ? { producer: { id: 9, epoch: 0, sequence: i / 3 }, isTransactional: i > 5 } : {}
    append(log, [`value ${i} ${'x'.repeat(40)}`], { ...producer, time: 1000 + i })
  }
  // A stop that leaves checkpoint, snapshot and indexes behind; in memory it is done when it returns.
  void log.close()
  folderMade = new Map(store.list('log').map((name) => [name, store.load(`log/${name}`)!]))
  return folderMade
}

const filesOfFolder = (): string[] => [...logFolder().keys()].sort()

function readAll(log: Log): number {
  let count = 0
  for (let offset = log.logStartOffset; offset < log.logEndOffset; count++) {
    if (count > 1000) throw new Error('reading comes to no end')
    const before = offset
    borrow(log.read(offset, 10_000, log.logEndOffset, true), (bytes) => {
      if (bytes.length === 0) return
      let at = 0
      while (at + 61 <= bytes.length) {
        offset = Number(bytes.readBigInt64BE(at)) + bytes.readInt32BE(at + 23) + 1
        at += 12 + bytes.readInt32BE(at + 8)
      }
    })
    if (offset <= before) return count
  }
  return count
}

/** Which file, then what it holds instead. */
const folders: Target = {
  name: 'log-folders',
  bytesMax: 4096,
  refusals: [StorageError, DamagedRecords],
  seeds: () => filesOfFolder().map((name, i) => Buffer.concat([Buffer.of(i), logFolder().get(name)!])),
  run: (bytes) => {
    const names = filesOfFolder()
    const changed = names[(bytes[0] ?? 0) % names.length]!
    const store = new MemoryStore()
    for (const [name, content] of logFolder())
      store.save(`log/${name}`, name === changed ? bytes.subarray(1) : content, true)
    const log = new Log(store, 'log', { ...smallConfig, segmentBytes: 700 })
    const [start, end] = [log.logStartOffset, log.logEndOffset]
    if (!(start <= end)) throw new Error(`the log goes from ${start} to ${end}`)
    const reads = readAll(log)
    // Whatever was found: what is sent now is taken, and can be read.
    const next = log.append(batchOf(['after']), { leaderEpoch: 0, now: 1000 })
    return `${changed.slice(-10)} ${end - start} ${reads > 0} ${'baseOffset' in next}`
  },
}

const indexes: Target = {
  name: 'indexes',
  seeds: () => [...logFolder()].filter(([name]) => name.endsWith('.index')).map(([, content]) => content),
  mend: (bytes) => {
    if (bytes.length < 48) return bytes
    const mended = Buffer.from(bytes)
    mended.write('TWX2', 0)
    mended.writeUInt32LE(crc32c(mended, 8, mended.length), 4)
    return mended
  },
  run: (bytes) => {
    const { offsets, times, aborted } = decodeIndex(bytes)
    const entries = offsets.count + times.count + aborted.length
    if (entries > bytes.length) throw new Error(`${entries} entries of ${bytes.length} bytes`)
    return `${Math.min(offsets.count, 3)} ${Math.min(times.count, 3)} ${Math.min(aborted.length, 3)}`
  },
}

const checkpoints: Target = {
  name: 'checkpoints',
  seeds: () => [...logFolder()].filter(([name]) => name.startsWith('checkpoint')).map(([, content]) => content),
  run: (bytes) => (parseCheckpoint(bytes) === undefined ? 'none' : 'read'),
}

const snapshotName = '00000000000000000005.snapshot'
const snapshots: Target = {
  name: 'producer-snapshots',
  seeds: () => [...logFolder()].filter(([name]) => name.endsWith('.snapshot')).map(([, content]) => content),
  run: (bytes) => {
    const store = new MemoryStore()
    store.save(`log/${snapshotName}`, bytes, true)
    return `${loadSnapshot(store, 'log', 9).offset}`
  },
}

let packsMade: Buffer[] | undefined
const packs: Target = {
  name: 'packs',
  bytesMax: 16_384,
  refusals: [DamagedRecords],
  seeds: () => {
    packsMade ??= [1, 2, 3].map((seed) => {
      const { batches, revs } = randomLog(seed)
      return packOf(batches, { revs, ...(seed === 3 ? { pointers: ['/status'] } : {}) }).bytes
    })
    return packsMade
  },
  run: (bytes) => {
    const pack = Pack.open(fileOf(bytes), new PackCache())
    const file = pack.asFile()
    for (let at = 0; at < file.length; ) {
      const taken = borrow(file.read(at, 50_000), ({ length }) => length)
      if (taken === 0) break
      at += taken
    }
    for (let ordinal = 0; ordinal < Math.min(50, pack.keyCount); ordinal++) pack.key(ordinal)
    for (let entry = 0; entry < Math.min(50, pack.entryCount); entry++) pack.entry(entry)
    return `${pack.keyCount > 0}`
  },
}

const sources = () => {
  const draw = drawing(5)
  return [Buffer.alloc(0), document(draw, 200), document(draw, 3000)]
}
const sourceList = sources()
const targetMax = 64 * 1024
const deltas: Target = {
  name: 'deltas',
  weight: 4,
  refusals: [DeltaError],
  seeds: () =>
    sourceList.flatMap((source, i) => {
      const draw = drawing(i + 1)
      const targets = [
        document(draw, 100),
        Buffer.alloc(2000, 'ab'),
        source.length === 0 ? document(draw, 9) : edited(draw, source, 3),
      ]
      return targets.map((target) => Buffer.concat([Buffer.of(i), encodeDelta(source, target) ?? Buffer.alloc(0)]))
    }),
  run: (bytes) => {
    const target = decodeDelta(sourceList[(bytes[0] ?? 0) % sourceList.length]!, bytes.subarray(1), targetMax)
    if (target.length > targetMax) throw new Error(`${target.length} bytes`)
    return `${Math.min(8, Math.ceil(Math.log2(target.length + 1) / 2))}`
  },
}

const metadataRecords = [
  { v: 1, type: 'cluster', id: 'c', at: 1 },
  {
    v: 1,
    type: 'topic',
    id: 'abcdefghijklmnopqrstuQ',
    name: 't',
    partitions: 2,
    configs: { 'segment.bytes': '1048576' },
    at: 1,
  },
  { v: 1, type: 'topic-removed', id: 'abcdefghijklmnopqrstuQ' },
  { v: 1, type: 'partitions', id: 'abcdefghijklmnopqrstuQ', count: 3 },
  {
    v: 1,
    type: 'leadership',
    id: 'abcdefghijklmnopqrstuQ',
    partitions: [{ partition: 0, replicas: [1], leader: 1, epoch: 2 }],
  },
  { v: 1, type: 'config', of: 'topic', name: 't', configs: { a: 'b' } },
  { v: 1, type: 'config', of: 'group', name: 'g', configs: {} },
  { v: 1, type: 'feature', name: 'transaction.version', level: 2 },
  { v: 1, type: 'quota', entity: { user: 'u', 'client-id': null }, values: { producer_byte_rate: 5 } },
  { v: 1, type: 'scram', user: 'u', mechanism: 1, credential: {} },
  { v: 1, type: 'producer-ids', next: 1000 },
  { v: 1, type: 'set-member', set: 'S', id: 'abcdefghijklmnopqrstuQ', inside: 't' },
  { v: 1, type: 'set-removed', set: 'S' },
  { v: 1, type: 'promoted', id: 'abcdefghijklmnopqrstuQ' },
  { v: 1, type: 'merge-aborted', id: 'c-1' },
  { v: 1, type: 'set-stays', set: 'S' },
  { v: 1, type: 'set-listener', set: 'S', ports: [9192] },
  { v: 1, type: 'set-left', set: 'S', id: 'abcdefghijklmnopqrstuQ' },
  { v: 1, type: 'topic-renamed', id: 'abcdefghijklmnopqrstuQ', name: 'u', ends: [5, 6] },
  { v: 1, type: 'scram-removed', user: 'u', mechanism: 1 },
  { v: 1, type: 'successor', id: 'abcdefghijklmnopqrstuQ', by: 'vbcdefghijklmnopqrstuQ' },
  { v: 1, type: 'standing', id: 'abcdefghijklmnopqrstuQ', standsForItself: true },
  ...['acl', 'acl-removed'].map((type) => ({
    v: 1,
    type,
    acl: {
      resourceType: 'TOPIC',
      resourceName: 't',
      patternType: 'LITERAL',
      principal: 'User:u',
      host: '*',
      operation: 'READ',
      permission: 'ALLOW',
    },
  })),
  {
    v: 1,
    type: 'fork',
    id: 'c-1',
    at: 1,
    by: 'User:u',
    set: 'S',
    topics: [
      {
        id: 'bbcdefghijklmnopqrstuQ',
        name: 't--try',
        from: 't',
        fromId: 'abcdefghijklmnopqrstuQ',
        groups: 'none',
        partitions: [{ forkPoint: 5, known: { abcdefghijklmnopqrstuQ: 5 } }],
        sharedBytes: 9,
        copiedBytes: 0,
      },
    ],
  },
  {
    v: 1,
    type: 'branches-deleted',
    id: 'c-2',
    at: 2,
    by: 'User:u',
    topics: [{ id: 'bbcdefghijklmnopqrstuQ', name: 'b' }],
  },
  ...['merge-begin', 'merge'].map((type) => ({
    v: 1,
    type,
    id: 'c-3',
    at: 3,
    by: 'User:u',
    topics: [
      {
        from: 't--try',
        fromId: 'bbcdefghijklmnopqrstuQ',
        into: 't',
        intoId: 'abcdefghijklmnopqrstuQ',
        partitions: [{ partition: 0, from: 5, to: 7, first: 5, last: 6, known: { bbcdefghijklmnopqrstuQ: 7 }, end: 8 }],
      },
    ],
  })),
  {
    v: 1,
    type: 'promote',
    id: 'c-4',
    at: 4,
    by: 'User:u',
    topics: [
      { id: 'bbcdefghijklmnopqrstuQ', name: 't', was: 't--try', over: { id: 'abcdefghijklmnopqrstuQ', name: 'old' } },
    ],
    commits: [],
  },
  {
    v: 1,
    type: 'lost',
    id: 'l',
    at: 5,
    by: '',
    topicId: 'bbcdefghijklmnopqrstuQ',
    name: 'b',
    partition: 0,
    from: 5,
    to: 6,
  },
]
const metadata: Target = {
  name: 'metadata-records',
  seeds: () => metadataRecords.map((record) => Buffer.from(JSON.stringify(record))),
  run: (bytes) => {
    const store = new MemoryStore()
    const first = Buffer.from(JSON.stringify(metadataRecords[1]))
    const batch = encodeBatch({ records: [first, bytes].map((value) => ({ value, timestamp: 1000 })) })
    store.save('metadata/00000000000000000000.log', batch, true)
    const { state } = new MetadataLog(store, systemClock)
    return `${state.topics.size} ${state.quotas.size} ${state.features.size} ${state.nextProducerId > 0}`
  },
}

export const fileTargets: readonly Target[] = [folders, indexes, checkpoints, snapshots, packs, deltas, metadata]
