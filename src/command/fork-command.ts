// The op `fork`: which topics are meant, and what their branches are called.

import type { ForkCommand } from '../branch/commands.ts'
import { type BranchEvent, Rejection } from '../branch/events.ts'
import { isJsonTopic } from '../branch/json-topics.ts'
import type { Broker } from '../broker/broker.ts'
import type { Topic } from '../broker/topic.ts'
import { recordsEnd } from '../log/records-end.ts'
import type { ForkRefusals, PlannedFork } from './fork-plan.ts'
import type { ForkRequest, ForkTopic } from './fork-request.ts'
import { noSet } from './not-there.ts'
import type { Call } from './operations.ts'

/** What is asked of a fork by a command. */
export function forkRequestOf(command: ForkCommand, call: Call, broker: Broker): ForkRequest | Rejection {
  const { id, set } = command
  const topics = topicsOf(command, broker)
  if (topics instanceof Rejection) return topics
  if (topics.length === 0)
    return new Rejection('INVALID_COMMAND', 'fork: there is no topic yet that could be forked. Make one first.')
  const at = call.command === undefined ? {} : { command: call.command }
  const from = call.host === undefined ? {} : { host: call.host }
  return { id, by: call.by, ...from, ...at, ...(set === undefined ? {} : { set }), topics }
}

function topicsOf({ source, set, at, groups, configs }: ForkCommand, broker: Broker): ForkTopic[] | Rejection {
  const shared = { ...(at === undefined ? {} : { at }), ...(configs === undefined ? {} : { configs }) }
  if (source.kind === 'topics') {
    return source.topics.map(({ configs: own, ...topic }) => ({
      ...shared,
      ...(groups === undefined ? {} : { groups }),
      ...topic,
      ...(own === undefined ? {} : { configs: { ...configs, ...own } }),
    }))
  }
  // A consumer that enters the environment goes on where it was.
  const common = { ...shared, groups: groups ?? ('copy' as const) }
  if (source.kind === 'all') {
    const roots = broker.topics().filter((topic) => isRoot(topic, broker))
    return roots.map(({ name }) => ({ ...common, from: name, to: `${name}--${set}` }))
  }
  const found = broker.lineage.sets.get(source.set)
  if (found === undefined) return noSet(source.set)
  return [...found.members].flatMap(([inside, id]) => {
    const topic = broker.topicById(id)
    if (topic === undefined || topic.config.view !== undefined) return []
    return [{ ...common, from: topic.name, to: `${inside}--${set}`, inside }]
  })
}

/** What `*` means: every topic that is not the broker's own, no branch but one that has taken a topic's place, no view, and not made inside a set. */
function isRoot({ id, name, isInternal, config }: Topic, { lineage }: Broker): boolean {
  if (isInternal || isJsonTopic(name) || config.view !== undefined) return false
  return lineage.standing.standsForItself(id) && lineage.membership(id) === undefined
}

/** All that stands against a fork, as one: against which of its branches, unless it is the same for all of them. */
export function rejectionOf(refusals: ForkRefusals, { topics }: ForkRequest): Rejection {
  const [first] = refusals.values()
  const { error, message } = first!
  const isForAll = refusals.size === topics.length && [...refusals.values()].every((one) => one.message === message)
  if (isForAll) return new Rejection(error, message)
  return new Rejection(error, [...refusals].map(([name, refusal]) => `${name}: ${refusal.message}`).join(' '))
}

/** What a fork would do. */
export function forkPlanEvent(request: ForkRequest, planned: readonly PlannedFork[], at: number): BranchEvent {
  const { id = '', by, set } = request
  const topics = planned.map(({ asked, parent, offsets }) => ({
    from: parent.name,
    into: asked.to,
    fromId: parent.id,
    partitions: parent.partitions.map(({ log, logStartOffset, logEndOffset }, i) => ({
      partition: i,
      from: logStartOffset,
      to: recordsEnd(log, offsets[i] ?? logEndOffset),
    })),
  }))
  const label = set === undefined ? {} : { set }
  return { v: 1, type: 'plan', id, at, by, status: 'clean', op: 'fork', ...label, topics }
}
