// Who enters a set that does not exist is refused in every API and version, in an answer that can be written, and nothing of
// the root is done or told.

import { expect, test } from 'vitest'
import { metadata } from '../../../protocol/messages/03-metadata.ts'
import { listGroups } from '../../../protocol/messages/16-list-groups.ts'
import { describeConfigs } from '../../../protocol/messages/32-describe-configs.ts'
import { type ApiTable, defaultOf, type Field, type Fields, has, isTagged } from '../../../protocol/schema.ts'
import { apis } from '../../../src/api/apis.ts'
import { Broker } from '../../../src/index.ts'
import { type Body, WireClient } from '../../wire-client.ts'

/** A request with one element in every array, about a topic and a group that exist in the root. */
function filled(fields: Fields, version: number): Record<string, unknown> {
  const there = Object.entries(fields).filter(([, field]) => has(field.versions, version))
  return Object.fromEntries(there.map(([name, field]) => [name, fillOf(name, field, version)]))
}

function fillOf(name: string, field: Field<unknown, boolean>, version: number): unknown {
  if (isTagged(field, version)) return defaultOf(field)
  if (field.kind === 'array') return [fillOf(name, field.element!, version)]
  if (field.kind === 'struct') return filled(field.fields!, version)
  if (field.kind === 'string') return /topic|^name$|resource/i.test(name) ? 'orders' : 'readers'
  if (name === 'acks') return -1
  if (name === 'resourceType') return 2
  return defaultOf(field)
}

const good = new Set([17, 18, 36])
/** Metadata tells where brokers are, so that a client comes to be refused. */
const errorsIn = (answer: unknown): number[] =>
  JSON.stringify(answer, (_, value) => (typeof value === 'bigint' ? Number(value) : value))
    .match(/[eE]rrorCode":(-?\d+)/g)
    ?.map((text) => Number(text.split(':')[1])) ?? []

test('every API refuses in a way that clients do not retry, and the root is what it was', async () => {
  await using broker = await Broker.start({ topics: ['orders'] })
  const outside = await WireClient.open(broker.bootstrapServers)
  const inside = await WireClient.open(broker.bootstrapServers, 'app--branch--nowhere--')
  const final = [17, 24, 42]
  for (const { table, versions } of apis.values()) {
    if (good.has(table.key)) continue
    for (let version = versions[0]; version <= versions[1]; version++) {
      const body = filled(table.request.fields, version) as Body<ApiTable>
      const answer = await inside.ask(table as ApiTable, version, body)
      const codes = errorsIn(answer)
      const refused = codes.filter((code) => code !== 0)
      const where = `${table.name} v${version}: ${JSON.stringify(answer)}`
      if (has(table.response.fields['errorCode']?.versions ?? 'none', version))
        expect(refused.length, where).toBeGreaterThan(0)
      for (const code of refused) expect(final, where).toContain(code)
    }
  }
  const { topics } = await outside.ask(metadata, 12, { topics: null })
  expect(topics.map(({ name }) => name)).toEqual(['orders'])
  expect((await outside.ask(listGroups, 4, { statesFilter: [] })).groups).toEqual([])
  const resources = [{ resourceType: 2, resourceName: 'orders', configurationKeys: null }]
  expect((await inside.ask(describeConfigs, 4, { resources, includeSynonyms: false })).results[0]!.errorCode).toBe(17)
  outside.close()
  inside.close()
})
