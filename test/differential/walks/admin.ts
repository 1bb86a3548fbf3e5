// What admin tools change beside topics: quotas, passwords of users, features and moves, several in one request, and after each
// what is there.

import { alterPartitionReassignments } from '../../../protocol/messages/45-alter-partition-reassignments.ts'
import { describeClientQuotas } from '../../../protocol/messages/48-describe-client-quotas.ts'
import { alterClientQuotas } from '../../../protocol/messages/49-alter-client-quotas.ts'
import { describeUserScramCredentials } from '../../../protocol/messages/50-describe-user-scram-credentials.ts'
import { alterUserScramCredentials } from '../../../protocol/messages/51-alter-user-scram-credentials.ts'
import type { Side } from '../side.ts'
import { type Chance, walks } from './chance.ts'

const stepCount = 40

export async function adminWalks(side: Side): Promise<void> {
  await walks('wa', side, (chance) => walk(side, chance))
}

async function walk(side: Side, chance: Chance): Promise<void> {
  await side.topic(chance.walk, 2)
  for (let step = 0; step < stepCount; step++) {
    const label = `${chance.walk} ${step}`
    const kind = chance.one(['quotas', 'quotas', 'users', 'moves'] as const)
    if (kind === 'quotas') await quotas(side, chance, label)
    else if (kind === 'users') await users(side, chance, label)
    else await moves(side, chance, label)
  }
}

const rates = ['producer_byte_rate', 'consumer_byte_rate', 'request_percentage', 'controller_mutation_rate']
/** Not felt by whoever walks, and as a number that has no other way to be written. */
const limits = [1_000_000_000, 2_000_000_000, 1e9 + 0.5, 0, -1]

async function quotas(side: Side, chance: Chance, label: string): Promise<void> {
  const name = (which: string) => chance.mostly(`${chance.walk}-${which}`, `${chance.walk}-other`)
  const kinds = [
    () => [{ entityType: 'user', entityName: name('u') }],
    () => [{ entityType: 'client-id', entityName: name('c') }],
    () => [
      { entityType: 'user', entityName: name('u') },
      { entityType: 'client-id', entityName: chance.mostly(name('c'), null as never) },
    ],
    () => [{ entityType: 'ip', entityName: `10.1.2.${chance.below(3)}` }],
  ]
  const entries = Array.from({ length: chance.mostly(1, 2) }, () => {
    const entity = chance.one(kinds)()
    const known = chance.often(0.9) === (entity[0]!.entityType !== 'ip') ? rates : ['connection_creation_rate']
    const ops = chance.some(known, 0.4).map((key) => ({ key, value: chance.one(limits), remove: chance.often(0.3) }))
    return { entity, ops }
  })
  const said = JSON.stringify(entries)
  await side.ask(`${label}: ${said}`, alterClientQuotas, chance.below(2), { entries, validateOnly: chance.often(0.1) })
  await side.settle()
  const components = chance.some(['user', 'client-id', 'ip'], 0.5).map((entityType) => {
    const matchType = chance.one([0, 1, 2])
    const match = { user: name('u'), 'client-id': name('c'), ip: '10.1.2.1' }[entityType]!
    return { entityType, matchType, match: matchType === 0 ? match : null }
  })
  const body = { components, strict: chance.often(0.5) }
  await side.ask(`${label}: ${JSON.stringify(body)}`, describeClientQuotas, chance.below(2), body)
}

async function users(side: Side, chance: Chance, label: string): Promise<void> {
  const names = ['u', 'v', 'w'].map((name) => `${chance.walk}-${name}`)
  const mechanism = () => chance.mostly(1, 2, 0)
  const deletions = chance.several(names, 0.3).map((name) => ({ name, mechanism: mechanism() }))
  const bytes = Buffer.from('salted')
  const upsertions = chance.several(names, 0.4).map((name) => {
    return {
      name,
      mechanism: mechanism(),
      iterations: chance.mostly(4096, 16_384, 1),
      salt: bytes,
      saltedPassword: bytes,
    }
  })
  await side.ask(label, alterUserScramCredentials, 0, { deletions, upsertions })
  await side.settle()
  await side.ask(label, describeUserScramCredentials, 0, { users: names.map((name) => ({ name })) })
}

async function moves(side: Side, chance: Chance, label: string): Promise<void> {
  const topics = chance.some([chance.walk, `${chance.walk}-none`], 0.6).map((name) => ({
    name,
    partitions: chance.several([0, 1, 7], 0.5).map((partitionIndex) => ({
      partitionIndex,
      replicas: chance.mostly([1], [2], null as never, [], [1, 1]),
    })),
  }))
  await side.ask(`${label}: ${JSON.stringify(topics)}`, alterPartitionReassignments, 0, { topics })
}
