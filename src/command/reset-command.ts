// The op `reset`: a branch, or all members of a set, as if they had just been forked.

import type { ResetCommand } from '../branch/commands.ts'
import { Rejection } from '../branch/events.ts'
import type { Broker } from '../broker/broker.ts'
import type { ForkRequest } from './fork-request.ts'
import { noBranch, noSet, noTopic, orphan } from './not-there.ts'
import type { Call } from './operations.ts'
import { type Seated, seatsOf } from './set-seats.ts'

export function resetRequestsOf(
  { id, which, at }: ResetCommand,
  { by, host, command }: Call,
  broker: Broker,
): ForkRequest | Rejection {
  const branches = branchesOf(which, broker)
  if (branches instanceof Rejection) return branches
  const topics: ForkRequest['topics'][number][] = []
  for (const branch of branches) {
    const topic = broker.topicById(branch.id)!
    const parent = broker.topicById(branch.seat.fromId)
    if (parent === undefined) {
      return orphan(topic.name, branch.seat.from, 'There is nothing that it could be like again; delete it.')
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
    ...(host === undefined ? {} : { host }),
    ...(command === undefined ? {} : { command }),
    ...(label === undefined ? {} : { set: label }),
    topics,
  }
}

function branchesOf(which: ResetCommand['which'], broker: Broker): Seated[] | Rejection {
  const { lineage } = broker
  if ('set' in which) {
    // What was made inside has no parent to be like, and what was forked from another member no parent that stays.
    return lineage.sets.has(which.set) ? seatsOf(which.set, lineage) : noSet(which.set)
  }
  const topic = broker.topic(which.branch)
  if (topic === undefined) return noTopic(which.branch)
  const branch = lineage.branches.get(topic.id)
  return branch === undefined ? noBranch(topic.name) : [{ id: topic.id, seat: branch }]
}
