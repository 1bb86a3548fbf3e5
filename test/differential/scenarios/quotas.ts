// Client quotas: every kind, for every kind of client, good and bad, and every filter. None that is felt while it is asked.

import { describeClientQuotas } from '../../../protocol/messages/48-describe-client-quotas.ts'
import { alterClientQuotas } from '../../../protocol/messages/49-alter-client-quotas.ts'
import type { Side } from '../side.ts'

type Entity = Record<string, string | null>
type Op = [name: string, value: number, remove?: boolean]

const rates = [
  'producer_byte_rate',
  'consumer_byte_rate',
  'request_percentage',
  'controller_mutation_rate',
  'connection_creation_rate',
]
const someone: Entity = { user: 'cq-u' }
const address: Entity = { ip: '10.9.8.7' }
const everyEntity: Entity[] = [
  someone,
  { 'client-id': 'cq-c' },
  { user: 'cq-u', 'client-id': 'cq-c' },
  { user: 'cq-u', 'client-id': null },
  { user: null, 'client-id': 'cq-c' },
  address,
]

export async function quotasScenario(side: Side): Promise<void> {
  const alter = (entries: [Entity, Op[]][], validateOnly = true) =>
    side.each(`${JSON.stringify(entries)} ${validateOnly}`, alterClientQuotas, {
      entries: entries.map(([entity, ops]) => ({
        entity: Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName })),
        ops: ops.map(([key, value, remove = false]) => ({ key, value, remove })),
      })),
      validateOnly,
    })
  type Component = [type: string, match: number, name?: string | null]
  const describe = async (components: Component[]) => {
    for (const strict of [false, true]) {
      await side.each(`${JSON.stringify(components)} ${strict}`, describeClientQuotas, {
        components: components.map(([entityType, matchType, match = null]) => ({ entityType, matchType, match })),
        strict,
      })
    }
  }
  await alter([])
  for (const entity of [
    ...everyEntity,
    {},
    { foo: 'a' },
    { user: '' },
    { 'client-id': '' },
    { ip: '' },
    { ip: 'not an ip' },
    { ip: '::1' },
    { ip: '1.2.3.4', user: 'u' },
    { user: 'u', foo: 'a' },
  ]) {
    await alter([[entity, []]])
    for (const rate of rates) for (const value of [0, 1, 1.5]) await alter([[entity, [[rate, value]]]])
    await alter([[entity, [['foo', 1]]]])
    await alter([[entity, [['foo', 1, true]]]])
  }
  for (const rate of rates) {
    const entity = rate === 'connection_creation_rate' ? address : someone
    for (const value of [-1, 0.0001, 2 ** 31, 2 ** 63, 1e20, Infinity, -Infinity, NaN])
      await alter([[entity, [[rate, value]]]])
  }
  const [produced] = rates as [string]
  await alter([
    [
      someone,
      [
        [produced, 1],
        [produced, 2],
      ],
    ],
  ])
  await alter([
    [someone, [[produced, 1]]],
    [someone, [[produced, 2]]],
  ])
  await alter([
    [someone, [[produced, 1]]],
    [{ foo: 'a' }, [[produced, 2]]],
  ])
  for (const entity of everyEntity)
    await alter([[entity, [['ip' in entity ? 'connection_creation_rate' : produced, 1_000_000]]]], false)
  await side.settle()
  for (const match of [0, 1, 2]) {
    const name = (of: string) => (match === 0 ? of : null)
    await describe([['user', match, name('cq-u')]])
    await describe([['client-id', match, name('cq-c')]])
    await describe([['ip', match, name('10.9.8.7')]])
    for (const other of [0, 1, 2]) {
      await describe([
        ['user', match, name('cq-u')],
        ['client-id', other, other === 0 ? 'cq-c' : null],
      ])
    }
  }
  for (const components of [
    [],
    [['user', 0, 'nobody']],
    [['user', 0, '']],
    [['user', 0]],
    [['user', 1, 'x']],
    [['user', 2, 'x']],
    [['user', 3]],
    [['user', -1]],
    [['', 0, 'u']],
    [['foo', 0, 'u']],
    [
      ['user', 2],
      ['user', 2],
    ],
    [
      ['ip', 2],
      ['user', 2],
    ],
    [
      ['ip', 2],
      ['client-id', 1],
    ],
  ] as Component[][]) {
    await describe(components)
  }
  for (const entity of everyEntity) await alter([[entity, rates.map((rate): Op => [rate, 0, true])]], false)
  await side.settle()
  await describe([])
}
