// Requests that are well formed and absurd, to every API in every version that is served: each is answered, or it ends its
// connection as a violation. None may meet a mistake of ours.

import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { zeroUuid } from '../../protocol/schema.ts'
import type { Api } from '../../src/api/api.ts'
import { apis } from '../../src/api/apis.ts'
import { Broker } from '../../src/embedded.ts'
import { anyLeaves, type Leaves, messagesOf, type Values } from '../random-messages.ts'
import { readAnswer, requestFrame, Wire } from './wire.ts'

const seed = Number(process.env['TWIGLOG_SEED'] ?? Date.now() % 1_000_000_000)
const requestsEach = 60
/** A request that has not been answered by then is parked (Fetch, JoinGroup, SyncGroup): its connection is left. */
const parkedMs = 150
const lanes = 12

let broker: Broker
const said: string[] = []

beforeAll(async () => {
  vi.spyOn(console, 'error').mockImplementation((...words: unknown[]) => {
    said.push(words.map((word) => (word instanceof Error ? (word.stack ?? '') : String(word))).join(' '))
  })
  broker = await Broker.start({
    topics: ['t', { name: 'wide', partitions: 3 }],
    config: { 'group.initial.rebalance.delay.ms': 0 },
  })
})
afterAll(async () => {
  await broker.stop()
  vi.restoreAllMocks()
})

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

const meanLeaves = (topicId: string): Leaves => ({
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

/** JSON of a message for whoever has to play it again. */
const shown = (message: Values): string =>
  JSON.stringify(message, (_, value) =>
    value?.type === 'Buffer' ? Buffer.from(value.data).toString('hex') : value,
  ).slice(0, 4000)

type Outcome = 'answered' | 'closed' | 'parked'

async function play(wire: Wire, { table }: Api, version: number, message: Values): Promise<Outcome> {
  wire.send(requestFrame(table, version, message, 5))
  const frame = await wire.frame(parkedMs)
  if (frame === 'silence') return 'parked'
  if (frame === 'closed') return 'closed'
  expect(frame.readInt32BE(0)).toBe(5)
  try {
    readAnswer(table, version, frame)
  } catch (cause) {
    throw new Error(`the answer to ${table.name} v${version} ${shown(message)} cannot be read`, { cause })
  }
  return 'answered'
}

test(`any request that a table can hold is answered or closed on, seed ${seed}`, async () => {
  const cases: [api: Api, version: number][] = []
  for (const api of apis.values()) {
    for (let version = api.versions[0]; version <= api.versions[1]; version++) cases.push([api, version])
  }
  const outcomes = new Map<string, Set<Outcome>>()
  const closings: string[] = []
  const lane = async () => {
    let wire = await Wire.open(broker.bootstrapServers)
    for (let next = cases.shift(); next !== undefined; next = cases.shift()) {
      const [api, version] = next
      // Somebody may have deleted them.
      const topics = [{ name: 't' }, { name: 'wide' }]
      const { topics: made } = await wire.ask(metadata, 12, { topics, allowAutoTopicCreation: true })
      const leaves = meanLeaves(made[0]!.topicId)
      const messages = fc.sample(messagesOf(api.table.request, version, leaves), {
        numRuns: requestsEach,
        seed: seed + 1000 * api.table.key + version,
      })
      for (const message of messages) {
        const outcome = await play(wire, api, version, message)
        if (outcome === 'closed') closings.push(`${api.table.name} v${version} ${shown(message)}`)
        const known = outcomes.get(api.table.name)
        if (known === undefined) outcomes.set(api.table.name, new Set([outcome]))
        else known.add(outcome)
        if (outcome === 'answered') continue
        wire.drop()
        wire = await Wire.open(broker.bootstrapServers)
      }
    }
    wire.drop()
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  // Only a Produce that asks for no answer may end its connection, and an ACL of no known kind, as in Kafka.
  const mayClose = /^(Produce|DescribeAcls|CreateAcls|DeleteAcls) /
  expect(said.filter((words) => !mayClose.test(words.replace(/^.*closed: /, '')))).toEqual([])
  expect(closings.filter((closing) => !mayClose.test(closing))).toEqual([])
  for (const [name, seen] of outcomes) expect([...seen], name).toContain('answered')
})

test('after all of it a client is served as if nothing had been', async () => {
  const wire = await Wire.open(broker.bootstrapServers)
  const { brokers } = await wire.ask(metadata, 9, { topics: [] })
  expect(brokers).toHaveLength(1)
  wire.drop()
})
