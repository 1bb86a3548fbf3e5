// What goes into random requests so that they come far: names, ids and batches that mean something, and the edges of numbers.

import fc from 'fast-check'
import { encodeBatch } from '../protocol/records/builder.ts'
import { zeroUuid } from '../protocol/schema.ts'
import { anyLeaves, type Leaves } from './random-messages.ts'

const edges = (bits: number) => [-1, -2, -3, -4, -5, -6, 2, 3, 2 ** (bits - 1) - 1, -(2 ** (bits - 1))]
const often = <T>(value: T, times: number): T[] => Array.from({ length: times }, () => value)
const mostly = (values: readonly unknown[], any: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: any })
const batch = (extra: object = {}) =>
  encodeBatch({ records: [{ key: Buffer.from('k'), value: Buffer.from('v'), timestamp: Date.now() }], ...extra })

/** Words that mean something to some API, beside those that must not. */
const words = [
  ...[...often('t', 12), ...often('wide', 4), ...often('g', 6), ...often('consumer', 6), ...often('', 4), 'new', 'm'],
  ...['.', '..', '/', 'a/b', '\0', 'x'.repeat(249), 'x'.repeat(300), '__consumer_offsets', 'ä', 'range'],
  ...['1', '0', '-1', 'abc', 'Infinity', 'NaN', '9223372036854775808', 'true', 'compact', 'batch'],
  ...['retention.ms', 'segment.bytes', 'cleanup.policy', 'max.message.bytes', 'flush.policy', 'log.retention.ms'],
  ...['min.insync.replicas', 'group.max.size', 'compression.type', 'zstd', '__proto__', 'constructor', 'toString'],
]

/** Values that mean something, and their edges; the id is that of a topic which is there. */
export const meanLeaves = (topicId: string): Leaves => ({
  ...anyLeaves,
  int8: mostly([...often(0, 6), ...often(1, 6), ...edges(8)], anyLeaves.int8),
  int16: mostly([...often(0, 6), ...often(1, 6), ...edges(16)], anyLeaves.int16),
  uint16: mostly([0, 1, 65_535], anyLeaves.uint16),
  int32: mostly([...often(0, 12), ...often(1, 6), ...edges(32), 10, 10_000, 10_000, 1_000_000], anyLeaves.int32),
  // Beyond 2^53 too: Long.MAX_VALUE and Long.MIN_VALUE.
  int64: mostly([...often(0, 6), ...often(1, 3), ...edges(64), Date.now(), 2 ** 53], anyLeaves.int64),
  uuid: mostly([...often(topicId, 4), zeroUuid], anyLeaves.uuid),
  string: mostly(words, anyLeaves.string),
  records: mostly(
    [
      batch(),
      batch({ codec: 'gzip' }),
      batch({ producerId: 7, producerEpoch: 0, baseSequence: 0 }),
      batch({ producerId: 7, producerEpoch: 0x7fff, baseSequence: 0x7fff_ffff }),
      batch({ isTransactional: true, producerId: 7, producerEpoch: 0, baseSequence: 0 }),
      batch({ isControl: true }),
      batch().subarray(0, 61),
      Buffer.alloc(0),
    ],
    anyLeaves.records,
  ),
})
