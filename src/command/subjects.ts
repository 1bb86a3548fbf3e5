// What commands are about, as far as rights need to know it: the topics behind their names and labels.

import type { Pair, Which } from '../branch/commands.ts'
import { Rejection } from '../branch/events.ts'
import type { Broker } from '../broker/broker.ts'
import type { Topic } from '../broker/topic.ts'
import { forkRequestOf } from './fork-command.ts'
import type { Subjects } from './rights.ts'

/** What is not there needs no rights: the executor says that it is not there. */
export function subjectsOf(broker: Broker): Subjects {
  const { lineage } = broker
  const members = (set: string): Topic[] =>
    [...(lineage.sets.get(set)?.members.values() ?? [])].flatMap((id) => broker.topicById(id) ?? [])
  const parentOf = ({ id }: Topic): string | undefined => {
    const branch = lineage.branches.get(id)
    return branch && (broker.topicById(branch.fromId)?.name ?? branch.from)
  }
  return {
    forked: (command) => {
      const request = forkRequestOf(command, { by: '' }, broker)
      return request instanceof Rejection ? [] : request.topics
    },
    merged: (pair: Pair) => {
      if (!('set' in pair)) return [pair]
      return members(pair.set).flatMap((topic) => {
        const into = parentOf(topic)
        return into === undefined ? [] : [{ from: topic.name, into }]
      })
    },
    branches: (which: Which) => {
      const topics =
        'set' in which ? members(which.set) : [broker.topic(which.branch)].filter((one) => one !== undefined)
      // What was made inside a set has no parent: the right to it alone is needed. Who gave a name up takes it from whoever has it.
      const over = ({ id }: Topic) => broker.topicById(lineage.successor(id) ?? '')?.name
      return topics.map((topic) => ({ branch: topic.name, parent: over(topic) ?? parentOf(topic) ?? topic.name }))
    },
    // By their names of now: another topic may be called so.
    writtenBy: (id) =>
      lineage.merges.get(id)?.topics.flatMap(({ intoId }) => broker.topicById(intoId)?.name ?? []) ?? [],
  }
}
