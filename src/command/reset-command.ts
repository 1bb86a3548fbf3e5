// The op `reset`: a branch, or all members of a set, as if they had just been forked.

import type { ResetCommand } from '../branch/commands.ts'
import { Rejection } from '../branch/events.ts'
import type { Branch } from '../branch/lineage.ts'
import type { Broker } from '../broker/broker.ts'
import type { ForkRequest } from './fork-request.ts'
import { noBranch, noSet, noTopic, orphan } from './not-there.ts'
import type { Call } from './operations.ts'

export function resetRequestsOf(
  { id, which, at }: ResetCommand,
  { by, command }: Call,
  broker: Broker,
): ForkRequest | Rejection {
  const branches = branchesOf(which, broker)
  if (branches instanceof Rejection) return branches
  const topics: ForkRequest['topics'][number][] = []
  for (const branch of branches) {
    const topic = broker.topicById(branch.id)!
    const parent = broker.topicById(branch.fromId)
    if (parent === undefined) {
      return orphan(topic.name, branch.from, 'There is nothing that it could be like again; delete it.')
    }
    if (topic.config.protection === 'frozen') {
      const message = `'${topic.name}' has branch.protect=frozen; set it to none, then it can be reset.`
      return new Rejection('POLICY_VIOLATION', message)
    }
    topics.push({ from: parent.name, to: topic.name, at })
  }
  // It may have left the set that it was forked into, and that set may be no more.
  const label = 'set' in which ? which.set : broker.lineage.membership(branches[0]!.id)?.set
  return {
    id,
    by,
    isReset: true,
    ...(command === undefined ? {} : { command }),
    ...(label === undefined ? {} : { set: label }),
    topics,
  }
}

function branchesOf(which: ResetCommand['which'], broker: Broker): Branch[] | Rejection {
  const { lineage } = broker
  if ('set' in which) {
    const set = lineage.sets.get(which.set)
    if (set === undefined) return noSet(which.set)
    // What was made inside has no parent to be like, and what was forked from another member no parent that stays.
    const isOuter = ({ fromId }: Branch) => lineage.membership(fromId)?.set !== which.set
    return [...set.members.values()].flatMap((id) => lineage.branches.get(id) ?? []).filter(isOuter)
  }
  const topic = broker.topic(which.branch)
  if (topic === undefined) return noTopic(which.branch)
  const branch = lineage.branches.get(topic.id)
  return branch === undefined ? noBranch(topic.name) : [branch]
}
