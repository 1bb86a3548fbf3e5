// Requests of every key, filled in by the names of their fields with what is there, what is not and what cannot be: several
// elements, versions and mistakes at once, which nobody would think of together.

import { type Field, type Fields, has, isNullable, zeroUuid } from '../../../protocol/schema.ts'
import { apis } from '../../../src/api/apis.ts'
import { assignmentBytes, subscriptionOf } from '../../group/consumers.ts'
import { batchOf } from '../../wire-client.ts'
import { withoutInterval } from '../scenarios/consumer-groups.ts'
import { allCoordinators } from '../scenarios/coordinators.ts'
import { coordinatorOf } from '../scenarios/groups.ts'
import { Producer } from '../scenarios/transactions.ts'
import type { Side } from '../side.ts'
import { type Chance, walks } from './chance.ts'

const stepCount = 400
type AnyField = Field<unknown, boolean>

/** Not asked: who waits for others, who speaks to brokers alone, and what would change a broker for all who come later. */
const leftOut = new Set([
  ...['JoinGroup', 'SyncGroup', 'IncrementalAlterConfigs', 'AlterConfigs', 'UpdateFeatures', 'AlterReplicaLogDirs'],
  ...['SaslHandshake', 'SaslAuthenticate', 'AlterClientQuotas', 'UnregisterBroker', 'DescribeQuorum', 'ApiVersions'],
  // Kafka keeps these as sets, or tells of what other walks have left.
  ...['ListGroups', 'ListTransactions', 'ListConfigResources', 'DescribeClientQuotas', 'DescribeUserScramCredentials'],
  ...['DescribeConfigs', 'DescribeLogDirs', 'DeleteTopics'],
])
/** What others see only after a moment. */
const isSlow = new Set([
  'CreateTopics',
  'DeleteTopics',
  'CreatePartitions',
  'AlterUserScramCredentials',
  'EndTxn',
  'InitProducerId',
])

export async function anythingWalks(side: Side): Promise<void> {
  await allCoordinators(side)
  await withoutInterval(side)
  await walks('wy', side, (chance) => walk(side, chance))
}

type World = {
  readonly side: Side
  readonly chance: Chance
  readonly ids: Map<string, string>
  readonly base: number
  producerId: number
}

async function walk(side: Side, chance: Chance): Promise<void> {
  const names = ['a', 'b'].map((name) => `${chance.walk}-${name}`)
  const ids = new Map<string, string>()
  for (const name of names) ids.set(name, await side.topic(name, 2))
  for (const groupId of names) await coordinatorOf(side, groupId)
  const { producerId } = (await Producer.open(side, chance.walk)).held
  side.rememberProducer(producerId, '<first producer>')
  const world: World = { side, chance, ids, base: side.base, producerId }
  const tables = [...apis.values()].map(({ table }) => table)
  const asked = tables.filter((table) => !leftOut.has(table.name) && side.versionsOf(table).length > 0)
  for (let step = 0; step < stepCount; step++) {
    const table = chance.one(asked)
    const version = chance.one(side.versionsOf(table))
    const body = structOf(table.request.fields, version, world)
    const label = `${chance.walk} ${step}: ${told(body, world)}`
    await side.ask(label, table, version, body as never)
    if (isSlow.has(table.name)) await side.settle()
  }
}

/** The same on both sides: ids by their names. */
function told(body: object, { ids, producerId }: World): string {
  const names = new Map([...ids].map(([name, id]) => [id, `<${name}>`]))
  return JSON.stringify(body, (_, value) => {
    if (typeof value === 'string') return names.get(value) ?? value
    if (value === producerId) return '<first producer>'
    return value?.type === 'Buffer' ? '<bytes>' : value
  })
}

function structOf(fields: Fields, version: number, world: World): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(fields)) {
    if (has(field.versions, version)) values[name] = drawn(name, field, version, world)
  }
  return values
}

function drawn(name: string, field: AnyField, version: number, world: World): unknown {
  const { chance } = world
  if (isNullable(field, version) && chance.often(0.2)) return null
  if (field.kind === 'struct') return structOf(field.fields!, version, world)
  if (field.kind !== 'array') return leafOf(name, field, world)
  const count = chance.mostly(1, 0, 2, 3)
  const elements = Array.from({ length: count }, () => drawn(name, field.element!, version, world))
  // What is named twice is another story.
  return [...new Map(elements.map((element) => [keyOf(element), element])).values()]
}

const keyOf = (element: unknown): unknown =>
  typeof element === 'object' && element !== null ? JSON.stringify(Object.values(element)[0]) : element

function leafOf(name: string, { kind }: AnyField, world: World): unknown {
  const { chance, ids, base } = world
  switch (kind) {
    case 'bool':
      return chance.often(0.5)
    case 'uuid':
      return chance.often(0.8) ? chance.one([...ids.values()]) : chance.one([zeroUuid, 'abcdefghijklmnopqrstuQ'])
    case 'string':
      return textOf(name, world)
    case 'records':
      return chance.mostly(
        batchOf(['x']),
        batchOf(['x', 'y'], { producerId: 5, producerEpoch: 0, baseSequence: 0 }),
        Buffer.alloc(0),
      )
    case 'bytes':
      return chance.one([subscriptionOf([...ids.keys()]), assignmentBytes({}), Buffer.alloc(0), Buffer.from('x')])
    case 'float64':
      return chance.one([0, 1.5, -1])
    default:
      return numberOf(name, world, base)
  }
}

function numberOf(name: string, { chance, producerId }: World, base: number): number {
  if (name === 'timeoutMs') return 5000
  if (/ms$/i.test(name)) return chance.one([0, 1, 100, 300, -1])
  if (/partition|index/i.test(name)) return chance.mostly(0, 1, 0, 1, 9, -1)
  if (/producerId/i.test(name)) return chance.mostly(producerId, -1, 5)
  if (/timestamp/i.test(name)) return chance.one([-1, -2, -3, -4, -5, -6, -7, base])
  if (/minBytes/.test(name)) return chance.one([0, 1])
  if (/bytes/i.test(name)) return chance.mostly(1 << 20, 0, 1, 100)
  if (/broker|replica|leaderId/i.test(name)) return chance.mostly(1, 1, -1, 2)
  if (/acks/.test(name)) return chance.mostly(-1, 1, 1, 2)
  return chance.mostly(0, 1, -1, 2, 3, -2, 7)
}

function textOf(name: string, { chance, ids }: World): string {
  const known = [...ids.keys()]
  if (/member/i.test(name)) return chance.mostly('m', '', 'n')
  if (/instance|rack/i.test(name)) return chance.mostly('i', '', 'j')
  if (/transactional/i.test(name)) return chance.mostly(chance.walk, '', `${chance.walk}-x`)
  if (/regex|pattern/i.test(name)) return chance.mostly(`${chance.walk}.*`, '', '(')
  if (/assignor/i.test(name)) return chance.mostly('range', '', 'x')
  if (/protocol/i.test(name)) return chance.mostly('consumer', '', 'range')
  if (/metadata|reason|message|software/i.test(name)) return chance.mostly('', 'x')
  return chance.often(0.8) ? chance.one(known) : chance.one([`${chance.walk}-none`, '', 'a/b', '__consumer_offsets'])
}
