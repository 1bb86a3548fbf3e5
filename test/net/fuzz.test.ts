// Requests that are well formed and absurd, to every API in every version that is served: each is answered, or it ends its
// connection as a violation. None may meet a mistake of ours.

import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import type { Api } from '../../src/api/api.ts'
import { apis } from '../../src/api/apis.ts'
import { Broker } from '../../src/embedded.ts'
import { meanLeaves } from '../mean-leaves.ts'
import { messagesOf, type Values } from '../random-messages.ts'
import { readAnswer, requestFrame, Wire } from './wire.ts'

const seed = Number(process.env['TWIGLOG_SEED'] ?? Date.now() % 1_000_000_000)
/** Who asks, and how often: everybody, who has entered a branch set, and who means one that is not there. */
const lives = [
  ['test', 60],
  ['test--branch--S--', 20],
  ['test--branch--nowhere--', 5],
] as const
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
  await broker.fork({ from: '*', set: 'S' })
})
afterAll(async () => {
  await broker.stop()
  vi.restoreAllMocks()
})

/** JSON of a message for whoever has to play it again. */
const shown = (message: Values): string =>
  JSON.stringify(message, (_, value) =>
    value?.type === 'Buffer' ? Buffer.from(value.data).toString('hex') : value,
  ).slice(0, 4000)

type Outcome = 'answered' | 'closed' | 'parked'

async function play(wire: Wire, { table }: Api, version: number, message: Values, clientId: string): Promise<Outcome> {
  wire.send(requestFrame(table, version, message, 5, clientId))
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

test.each(lives)(
  `any request that a table can hold is answered or closed on: %s, seed ${seed}`,
  async (clientId, requestsEach) => {
    said.length = 0
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
        const request = { topics, allowAutoTopicCreation: true }
        wire.send(requestFrame(metadata, 12, request, 1, clientId))
        const { topics: made } = readAnswer(metadata, 12, (await wire.frame()) as Buffer)
        const leaves = meanLeaves(made[0]!.topicId)
        const messages = fc.sample(messagesOf(api.table.request, version, leaves), {
          numRuns: requestsEach,
          seed: seed + 1000 * api.table.key + version,
        })
        for (const message of messages) {
          const outcome = await play(wire, api, version, message, clientId)
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
    const isMissed = (words: string) => words.includes("means the branch set 'nowhere'")
    expect(said.filter((words) => !isMissed(words) && !mayClose.test(words.replace(/^.*closed: /, '')))).toEqual([])
    expect(closings.filter((closing) => !mayClose.test(closing))).toEqual([])
    for (const [name, seen] of outcomes) expect([...seen], name).toContain('answered')
  },
)

test('after all of it a client is served as if nothing had been', async () => {
  const wire = await Wire.open(broker.bootstrapServers)
  const { brokers } = await wire.ask(metadata, 9, { topics: [] })
  expect(brokers).toHaveLength(1)
  wire.drop()
})
