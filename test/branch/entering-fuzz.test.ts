// Whatever is asked inside a set, or inside one that is not there: the root stays as it was, and is never told of.

import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { produce } from '../../protocol/messages/00-produce.ts'
import { fetch } from '../../protocol/messages/01-fetch.ts'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { offsetCommit } from '../../protocol/messages/08-offset-commit.ts'
import { offsetFetch } from '../../protocol/messages/09-offset-fetch.ts'
import { listGroups } from '../../protocol/messages/16-list-groups.ts'
import { initProducerId } from '../../protocol/messages/22-init-producer-id.ts'
import { describeConfigs } from '../../protocol/messages/32-describe-configs.ts'
import { describeTransactions } from '../../protocol/messages/65-describe-transactions.ts'
import { listTransactions } from '../../protocol/messages/66-list-transactions.ts'
import { apis } from '../../src/api/apis.ts'
import { Broker } from '../../src/index.ts'
import { meanLeaves } from '../mean-leaves.ts'
import { readAnswer, requestFrame, Wire } from '../net/wire.ts'
import { messagesOf } from '../random-messages.ts'
import { batchOf, WireClient } from '../wire-client.ts'

const soakMs = 1000 * Number(process.env['TWIGLOG_SOAK_SECONDS'] ?? 0)
const seed = Number(process.env['TWIGLOG_SEED'] ?? Date.now() % 1_000_000_000)
/** Of each version of each API, so that there are more than 500 in all. */
const requestsEach = 6
const parkedMs = 100
const lanes = 8
/** A word that stands in the root alone; nobody inside may ever be told it. */
const secret = 'of-the-root'
/** Shared by all lives: the broker's own configuration, quotas, users, features, and who is asked to leave the cluster. */
const shared: ReadonlySet<number> = new Set([33, 44, 49, 51, 57, 64])

/** All that a client of the root can see of what is its own. */
async function root(client: WireClient) {
  const { topics } = await client.ask(metadata, 12, { topics: null })
  const names = topics.map(({ name }) => name!).filter((name) => !name.startsWith('__'))
  const resources = names.map((resourceName) => ({ resourceType: 2, resourceName, configurationKeys: null }))
  const described = await client.ask(describeConfigs, 4, { resources, includeSynonyms: false })
  const partition = { partition: 0, fetchOffset: 0, partitionMaxBytes: 1e6 }
  const asked = { maxWaitMs: 0, minBytes: 0, isolationLevel: 0 }
  const records = await client.ask(fetch, 12, {
    ...asked,
    topics: names.map((topic) => ({ topic, partitions: [partition] })),
  })
  const filters = { stateFilters: [], producerIdFilters: [], durationFilter: -1 }
  const { transactionStates } = await client.ask(listTransactions, 1, filters)
  return {
    topics: topics.filter(({ name }) => names.includes(name!)),
    // Defaults are the broker's, and those of all topics change together.
    configs: described.results.map(({ configs, ...of }) => ({
      ...of,
      own: configs.filter((each) => each.configSource === 1),
    })),
    records: records.responses,
    groups: (await client.ask(listGroups, 5, { statesFilter: [], typesFilter: [] })).groups,
    offsets: (await client.ask(offsetFetch, 8, { groups: [{ groupId: 'g', topics: null }] })).groups,
    transactionStates,
    transactions: await client.ask(describeTransactions, 0, {
      transactionalIds: transactionStates.map((of) => of.transactionalId),
    }),
  }
}

async function furnish(client: WireClient): Promise<void> {
  for (const name of ['t', secret]) {
    const topicData = [{ name, partitionData: [{ index: 0, records: batchOf(['one', 'two']) }] }]
    await client.ask(produce, 9, { acks: -1, timeoutMs: 1000, topicData })
  }
  const topics = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 1 }] }]
  for (const groupId of ['g', secret]) await client.ask(offsetCommit, 8, { groupId, memberId: '', topics })
  const begun = { transactionTimeoutMs: 60_000, producerId: -1, producerEpoch: -1 }
  for (const transactionalId of ['g', secret]) await client.ask(initProducerId, 4, { transactionalId, ...begun })
}

test.each(['a--branch--S--', 'a--branch--nowhere--'])(
  `%s: nothing that is asked there touches the root, seed ${seed}`,
  async (clientId) => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => {})
    await using broker = await Broker.start({ topics: ['t', { name: 'wide', partitions: 3 }, secret] })
    const outside = await WireClient.open(broker.bootstrapServers)
    await broker.fork({ from: ['t', 'wide'], set: 'S' })
    await furnish(outside)
    const before = await root(outside)
    const until = Date.now() + soakMs
    const rootId = before.topics.find(({ name }) => name === 't')!.topicId
    const all = [...apis.values()]
      .filter(({ table }) => !shared.has(table.key))
      .flatMap((api) =>
        Array.from({ length: api.versions[1] - api.versions[0] + 1 }, (_, i) => [api, api.versions[0] + i] as const),
      )
    let count = 0
    let cases = [...all]
    const lane = async (round: number) => {
      let wire = await Wire.open(broker.bootstrapServers)
      for (let next = cases.shift(); next !== undefined; next = cases.shift()) {
        const [{ table }, version] = next
        // By its id too the root's topic is asked for, and by ids of groups that are there.
        const messages = fc.sample(messagesOf(table.request, version, meanLeaves(rootId)), {
          numRuns: requestsEach,
          seed: seed + 1_000_000 * round + 1000 * table.key + version,
        })
        for (const message of messages) {
          count++
          wire.send(requestFrame(table, version, message, 5, clientId))
          const frame = await wire.frame(parkedMs)
          if (typeof frame !== 'string') {
            const told = JSON.stringify(readAnswer(table, version, frame), (_, value) =>
              typeof value === 'bigint' ? String(value) : value,
            )
            expect(told, `${table.name} v${version}`).not.toContain(secret)
            // As a pair looks that was written as it is.
            expect(told, `${table.name} v${version}`).not.toMatch(/\ufffd(S|)\ufffd/)
            continue
          }
          wire.drop()
          wire = await Wire.open(broker.bootstrapServers)
        }
      }
      wire.drop()
    }
    for (let round = 0; round === 0 || Date.now() < until; round++) {
      cases = [...all]
      await Promise.all(Array.from({ length: lanes }, () => lane(round)))
    }
    said.mockRestore()
    expect(count).toBeGreaterThan(500)
    expect(await root(outside)).toEqual(before)
    outside.close()
  },
  120_000 + 2 * soakMs,
)
