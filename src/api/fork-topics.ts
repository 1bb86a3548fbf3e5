// Topics of a CreateTopics request that are branches (`branch.from`): those with one `branch.set` are one cut, all or
// nothing; every other is a cut of its own.

import { Refusal } from '../../protocol/errors.ts'
import type { Requester } from '../auth/authorizer.ts'
import { type BranchConfigs, splitConfigs } from '../branch/branch-config.ts'
import type { Broker, NewTopic } from '../broker/broker.ts'
import type { ForkRequest } from '../command/fork-request.ts'
import type { Context } from './api.ts'

export type NewBranch = { readonly topic: NewTopic; readonly branch: BranchConfigs & { readonly from: string } }

/** A new topic as it is meant: with the names of branches taken out of its configurations. */
export function asMeant(topic: NewTopic, broker: Broker): NewTopic | NewBranch | Refusal {
  const branch = splitConfigs(topic.configs)
  if (branch instanceof Refusal) return branch
  const { from = namedParent(topic, broker) } = branch
  return from === undefined ? topic : { topic, branch: { ...branch, from } }
}

/** `branch.by.name`: the longest topic that the name begins with. */
function namedParent({ name, configs }: NewTopic, broker: Broker): string | undefined {
  if (!name.includes('--') || !broker.config.boolean('branch.by.name') || Object.keys(configs).length > 0)
    return undefined
  for (let at = name.lastIndexOf('--'); at > 0; at = name.lastIndexOf('--', at - 1)) {
    const parent = name.slice(0, at)
    if (broker.topic(parent) !== undefined) return parent
  }
  return undefined
}

/** The cuts that make branches. */
export function cutsOf(branches: readonly NewBranch[], { principal: by, host }: Requester): ForkRequest[] {
  const cuts = new Map<string | NewBranch, NewBranch[]>()
  for (const branch of branches) {
    const cut = branch.branch.set ?? branch
    cuts.set(cut, [...(cuts.get(cut) ?? []), branch])
  }
  return [...cuts.values()].map((members) => {
    const { set } = members[0]!.branch
    return { by, host, ...(set === undefined ? {} : { set }), topics: members.map(forkTopic) }
  })
}

const forkTopic = ({ topic, branch }: NewBranch) => ({
  from: branch.from,
  to: topic.name,
  at: branch.at,
  ...(branch.groups === undefined ? {} : { groups: branch.groups }),
  configs: branch.rest,
  partitions: topic.partitions,
  ...(topic.replicationFactor === undefined || topic.replicationFactor === -1
    ? {}
    : { replicationFactor: topic.replicationFactor }),
  ...(topic.replicas === undefined ? {} : { replicas: topic.replicas }),
})

/** What stands against a cut, by the name of each of its topics: those that are good are told whose fault it is. */
function tellAll(set: string | undefined, names: Iterable<string>, refusals: ReadonlyMap<string, Refusal>) {
  const [culprit] = refusals
  if (culprit === undefined) return new Map<string, Refusal>()
  const [name, { error, message }] = culprit
  const innocent = new Refusal(error, `Nothing of branch.set=${set} was made, since '${name}' was refused: ${message}`)
  return new Map([...names].map((to) => [to, refusals.get(to) ?? innocent]))
}

/**
 * Members of a set that goes with one of them that was refused before anybody looked at the fork: for whatever reason, be it
 * that nobody can say what is meant by its other configurations.
 */
export function refusedWith(refusals: ReadonlyMap<string, Refusal>, topics: readonly NewTopic[]): Map<string, Refusal> {
  const sets = new Map<string, Set<string>>()
  for (const { name, configs } of topics) {
    const set = configs['branch.set'] ?? undefined
    if (set === undefined) continue
    const names = sets.get(set) ?? new Set()
    sets.set(set, names.add(name))
  }
  return new Map(
    [...sets].flatMap(([set, names]) => {
      const culprits = new Map([...names].flatMap((name) => (refusals.has(name) ? [[name, refusals.get(name)!]] : [])))
      return [...tellAll(set, names, culprits)]
    }),
  )
}

/** Makes branches; answers what was refused. */
export async function forkTopics(
  branches: readonly NewBranch[],
  validateOnly: boolean,
  { branches: room, client }: Context,
): Promise<Map<string, Refusal>> {
  if (branches.length > 0 && !validateOnly) await room.settled
  const outcomes = cutsOf(branches, client).map(async (cut) => {
    const outcome = validateOnly ? room.check(cut) : await room.fork(cut)
    const names = cut.topics.map(({ to }) => to)
    return 'topics' in outcome ? new Map<string, Refusal>() : tellAll(cut.set, names, outcome)
  })
  return new Map((await Promise.all(outcomes)).flatMap((refusals) => [...refusals]))
}
