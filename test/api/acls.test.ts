// ACLs where an authorizer is on: made, found and taken back as by a Kafka 4.3.1 with its StandardAuthorizer, which was asked the same.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { describeAcls } from '../../protocol/messages/29-describe-acls.ts'
import { createAcls } from '../../protocol/messages/30-create-acls.ts'
import { deleteAcls } from '../../protocol/messages/31-delete-acls.ts'
import { operations, patternTypes, permissions, resourceTypes } from '../../src/auth/acl.ts'
import { Broker } from '../../src/embedded.ts'
import { type Body, WireClient } from '../wire-client.ts'
import { errorOf, Line } from './line.ts'

const config = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS',
}

type Creation = Body<typeof createAcls>['creations'][number]
type Filter = Body<typeof describeAcls>

const read: Creation = {
  resourceType: resourceTypes.TOPIC,
  resourceName: 'orders',
  resourcePatternType: patternTypes.LITERAL,
  principal: 'User:alice',
  host: '*',
  operation: operations.READ,
  permissionType: permissions.ALLOW,
}
const write: Creation = { ...read, operation: operations.WRITE }
const prefixed: Creation = { ...read, resourceName: 'ord', resourcePatternType: patternTypes.PREFIXED }
const ofAll: Creation = { ...read, resourceName: '*', principal: 'User:*', permissionType: permissions.DENY }

const any: Filter = {
  resourceTypeFilter: resourceTypes.ANY,
  resourceNameFilter: null,
  patternTypeFilter: patternTypes.ANY,
  principalFilter: null,
  hostFilter: null,
  operation: operations.ANY,
  permissionType: permissions.ANY,
}

const create = async (client: Pick<WireClient, 'ask'>, ...creations: Creation[]) => {
  const { results } = await client.ask(createAcls, 3, { creations })
  return results.map((result) => [errorOf(result), result.errorMessage])
}

/** As `LITERAL orders: User:alice 3`. */
const found = async (client: Pick<WireClient, 'ask'>, filter: Partial<Filter> = {}, version = 3) => {
  const { resources } = await client.ask(describeAcls, version, { ...any, ...filter })
  return resources
    .map(({ resourceName, patternType, acls }) => {
      const said = acls.map(({ principal, operation, permissionType }) => {
        return `${permissionType === permissions.ALLOW ? '' : 'not '}${principal} ${operation}`
      })
      return `${patternType === patternTypes.LITERAL ? 'LITERAL' : 'PREFIXED'} ${resourceName}: ${said.sort().join(', ')}`
    })
    .sort()
}

const ok = ['NONE', '']

test.each([1, 2, 3])('v%i: what was made is told by resource, and a second time makes nothing', async (version) => {
  await using line = await Line.open([], config)
  const { results } = await line.ask(createAcls, version, { creations: [read, write, prefixed, read] })
  expect(results).toEqual(Array(4).fill({ errorCode: 0, errorMessage: '' }))
  expect(await create(line, ofAll, read)).toEqual([ok, ok])
  expect(await found(line, {}, version)).toEqual([
    'LITERAL *: not User:* 3',
    'LITERAL orders: User:alice 3, User:alice 4',
    'PREFIXED ord: User:alice 3',
  ])
})

test('filters name one resource, all that are called so, or all that speak of it', async () => {
  await using line = await Line.open([], config)
  await create(line, read, prefixed, ofAll)
  const named = (patternTypeFilter: number, resourceNameFilter: string | null) =>
    found(line, { patternTypeFilter, resourceNameFilter })
  const [ofOne, ofPrefix, ofEach] = [
    'LITERAL orders: User:alice 3',
    'PREFIXED ord: User:alice 3',
    'LITERAL *: not User:* 3',
  ]
  expect(await named(patternTypes.LITERAL, 'orders')).toEqual([ofOne])
  expect(await named(patternTypes.ANY, 'ord')).toEqual([ofPrefix])
  expect(await named(patternTypes.MATCH, 'orders')).toEqual([ofEach, ofOne, ofPrefix])
  expect(await named(patternTypes.MATCH, 'stock')).toEqual([ofEach])
  expect(await found(line, { principalFilter: 'User:alice', operation: operations.READ })).toEqual([ofOne, ofPrefix])
  expect(await found(line, { resourceTypeFilter: resourceTypes.GROUP })).toEqual([])
  expect(await found(line, { resourceTypeFilter: 99 })).toEqual([])
})

describe('what is no ACL', () => {
  test.each<[what: string, wrong: Partial<Creation>, error: string, message: string]>([
    [
      'a cluster of another name',
      { resourceType: 4 },
      'INVALID_REQUEST',
      'The only valid name for the CLUSTER resource is kafka-cluster',
    ],
    ['no name', { resourceName: '' }, 'INVALID_REQUEST', 'Invalid empty resource name'],
    ['an unknown type', { resourceType: 99 }, 'INVALID_REQUEST', 'Invalid resourceType UNKNOWN'],
    ['an unknown pattern', { resourcePatternType: 99 }, 'INVALID_REQUEST', 'Invalid patternType UNKNOWN'],
    ['an unknown operation', { operation: 99 }, 'INVALID_REQUEST', 'Invalid operation UNKNOWN'],
    ['an unknown permission', { permissionType: 99 }, 'INVALID_REQUEST', 'Invalid permissionType UNKNOWN'],
    [
      'a principal without a type',
      { principal: 'alice' },
      'INVALID_REQUEST',
      'Could not parse principal from `alice` (no colon is present separating the principal type from the principal name)',
    ],
  ])('%s is refused, and the others of the request are made', async (_, wrong, error, message) => {
    await using line = await Line.open([], config)
    expect(await create(line, { ...read, ...wrong }, write)).toEqual([[error, message], ok])
    expect(await found(line)).toEqual(['LITERAL orders: User:alice 4'])
  })

  test.each<[what: string, wrong: Partial<Creation>]>([
    ['any type', { resourceType: 1 }],
    ['any pattern', { resourcePatternType: 1 }],
    ['the pattern MATCH', { resourcePatternType: 2 }],
    ['any operation', { operation: 1 }],
    ['any permission', { permissionType: 1 }],
  ])('%s fails the request as a whole', async (_, wrong) => {
    await using line = await Line.open([], config)
    const outcomes = await create(line, { ...read, ...wrong }, write)
    expect(outcomes.map(([error]) => error)).toEqual(['UNKNOWN_SERVER_ERROR', 'UNKNOWN_SERVER_ERROR'])
    expect(await found(line)).toEqual([])
  })
})

test('each filter deletes what it finds and tells it, also what another one finds, too', async () => {
  await using line = await Line.open([], config)
  await create(line, read, write, prefixed, ofAll)
  const onOrders = { ...any, resourceNameFilter: 'orders' }
  const filters = [
    onOrders,
    { ...onOrders, operation: operations.READ },
    { ...any, resourceTypeFilter: 99 },
    { ...any, operation: 99 },
  ]
  const { filterResults } = await line.ask(deleteAcls, 3, { filters })
  expect(filterResults.map((result) => [errorOf(result), result.errorMessage])).toEqual([
    ['NONE', null],
    ['NONE', null],
    ['INVALID_REQUEST', 'Unknown patternFilter.'],
    ['INVALID_REQUEST', 'Unknown entryFilter.'],
  ])
  const told = filterResults.map(({ matchingAcls }) => matchingAcls.map(({ operation }) => operation).sort())
  expect(told).toEqual([[operations.READ, operations.WRITE], [operations.READ], [], []])
  expect(filterResults[1]!.matchingAcls[0]).toEqual({
    errorCode: 0,
    errorMessage: null,
    resourceType: resourceTypes.TOPIC,
    resourceName: 'orders',
    patternType: patternTypes.LITERAL,
    principal: 'User:alice',
    host: '*',
    operation: operations.READ,
    permissionType: permissions.ALLOW,
  })
  expect(await found(line)).toEqual(['LITERAL *: not User:* 3', 'PREFIXED ord: User:alice 3'])
})

test('ACLs outlive the broker, one without an authorizer, too, and a snapshot of what it knows', async () => {
  const data = mkdtempSync(join(tmpdir(), 'twiglog-acls-'))
  onTestFinished(() => rmSync(data, { recursive: true, force: true }))
  const during = async <T>(configs: Record<string, string>, act: (client: WireClient) => Promise<T>): Promise<T> => {
    await using broker = await Broker.start({ data, config: configs })
    const client = await WireClient.open(broker.bootstrapServers)
    try {
      return await act(client)
    } finally {
      client.close()
    }
  }
  await during(config, (client) => create(client, read, write, ofAll))
  await during({}, async () => {})
  await during(config, (client) => client.ask(deleteAcls, 3, { filters: [{ ...any, operation: operations.WRITE }] }))
  expect(await during(config, found)).toEqual(['LITERAL *: not User:* 3', 'LITERAL orders: User:alice 3'])
})

test.each([
  ['authorizer.class.name', 'com.example.Mine', 'com.example.Mine is not available'],
  ['super.users', 'alice', "'alice' is no principal"],
])('a broker does not start with %s=%s', async (name, value, why) => {
  await expect(Broker.start({ config: { [name]: value } })).rejects.toThrow(why)
})
