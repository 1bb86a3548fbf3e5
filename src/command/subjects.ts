// What commands are about, as far as rights need to know it: the topics behind their names and labels.

import type { Pair, Which } from '../branch/commands.ts'
import { Rejection } from '../branch/events.ts'
import type { Branch } from '../branch/lineage.ts'
import type { Broker } from '../broker/broker.ts'
import type { Topic } from '../broker/topic.ts'
import { forkRequestOf } from './fork-command.ts'
import type { Subjects } from './rights.ts'
import { seatsOf } from './set-seats.ts'

/** What is not there needs no rights: the executor says that it is not there. */
export function subjectsOf(broker: Broker): Subjects {
  const { lineage } = broker
  const members = (set: string): Topic[] =>
    [...(lineage.sets.get(set)?.members.values() ?? [])].flatMap((id) => broker.topicById(id) ?? [])
  /** Of the topic that a branch was forked of. */
  const nameOf = ({ fromId, from }: Branch): string => broker.topicById(fromId)?.name ?? from
  return {
    forked: (command) => {
      const request = forkRequestOf(command, { by: '' }, broker)
      return request instanceof Rejection ? [] : request.topics
    },
    merged: (pair: Pair) => {
      if (!('set' in pair)) return [pair]
      return seatsOf(pair.set, lineage).flatMap(({ id, seat }) => {
        const from = broker.topicById(id)?.name
        return from === undefined ? [] : [{ from, into: nameOf(seat) }]
      })
    },
    branches: (which: Which) => {
      const topics =
        'set' in which ? members(which.set) : [broker.topic(which.branch)].filter((one) => one !== undefined)
      const seats = new Map('set' in which ? seatsOf(which.set, lineage).map(({ id, seat }) => [id, seat]) : [])
      // What was made inside a set has no parent: the right to it alone is needed. Who gave a name up takes it from whoever has it.
      return topics.map(({ id, name }) => {
        const over = 'set' in which ? undefined : broker.topicById(lineage.successor(id) ?? '')?.name
        const branch = seats.get(id) ?? lineage.branches.get(id)
        return { branch: name, parent: over ?? (branch && nameOf(branch)) ?? name }
      })
    },
    // By their names of now: another topic may be called so.
    writtenBy: (id) =>
      lineage.merges.get(id)?.topics.flatMap(({ intoId }) => broker.topicById(intoId)?.name ?? []) ?? [],
  }
}
