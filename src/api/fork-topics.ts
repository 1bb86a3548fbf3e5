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
export function tellAll({ topics, set }: ForkRequest, refusals: ReadonlyMap<string, Refusal>): Map<string, Refusal> {
  const [culprit] = refusals
  if (culprit === undefined) return new Map()
  const [name, { error, message }] = culprit
  const innocent = new Refusal(error, `Nothing of branch.set=${set} was made, since '${name}' was refused: ${message}`)
  return new Map(topics.map(({ to }) => [to, refusals.get(to) ?? innocent]))
}

/** Where it does not matter who asks. */
const nobody: Requester = { principal: '', host: '' }

/** Members of a set that goes with one of them that was refused before anybody looked at the fork. */
export function refusedWith(
  refusals: ReadonlyMap<string, Refusal>,
  branches: ReadonlyMap<string, NewBranch>,
): Map<string, Refusal> {
  const all = cutsOf([...branches.values()], nobody)
  return new Map(
    all.flatMap((cut) => {
      const culprits = new Map(cut.topics.flatMap(({ to }) => (refusals.has(to) ? [[to, refusals.get(to)!]] : [])))
      return [...tellAll(cut, culprits)]
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
    return 'topics' in outcome ? new Map<string, Refusal>() : tellAll(cut, outcome)
  })
  return new Map((await Promise.all(outcomes)).flatMap((refusals) => [...refusals]))
}
