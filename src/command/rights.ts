// What somebody must be allowed to do so that a command may be run for them. Nobody is asked while no authorizer is on.

import { Refusal } from '../../protocol/errors.ts'
import type { Authorizer } from '../auth/authorizer.ts'
import type { Command, ForkCommand, Pair, Which } from '../branch/commands.ts'
import { Rejection } from '../branch/events.ts'

export type Right = {
  readonly operation: 'READ' | 'WRITE' | 'CREATE' | 'DELETE' | 'ALTER' | 'DESCRIBE_CONFIGS'
  /** A topic's name, or the cluster. */
  readonly topic?: string
}

/** Who asks, and the address where they were then. Of whom none is known has the rights that count everywhere. */
export type Asker = { readonly by: string; readonly host?: string }

/** What commands are about, in stored names: the rights are those on the topics, however they were named. */
export interface Subjects {
  /** Parent and branch of each topic that a fork would make. */
  forked(command: ForkCommand): readonly { readonly from: string; readonly to: string }[]
  /** Source and target of each pair. */
  merged(pair: Pair): readonly { readonly from: string; readonly into: string }[]
  /** The branches, each with the parent it would take the place of. */
  branches(which: Which): readonly { readonly branch: string; readonly parent: string }[]
  /** Topics that a merge, a resolve or a revert has written to. */
  writtenBy(id: string): readonly string[]
}

export function rightsFor(command: Command, subjects: Subjects): Right[] {
  switch (command.op) {
    case 'fork':
      return subjects.forked(command).flatMap(forkRights)
    case 'plan':
      return subjects.merged(command.pair).flatMap(({ from, into }): Right[] => [
        { operation: 'READ', topic: from },
        { operation: 'DESCRIBE_CONFIGS', topic: from },
        // A plan tells what stands in the target, too.
        { operation: 'READ', topic: into },
      ])
    case 'merge':
      return subjects.merged(command.pair).flatMap(({ from, into }): Right[] => [
        { operation: 'READ', topic: from },
        { operation: 'WRITE', topic: into },
      ])
    case 'resolve':
      return [{ operation: 'WRITE', topic: command.topic }]
    case 'revert': {
      const topics = command.topic === undefined ? subjects.writtenBy(command.merge ?? '') : [command.topic]
      return topics.map((topic) => ({ operation: 'WRITE', topic }))
    }
    case 'reset':
    case 'abandon':
      return subjects.branches(command.which).map(({ branch: topic }) => ({ operation: 'DELETE', topic }))
    case 'promote':
      return subjects.branches(command.which).flatMap(({ branch, parent }): Right[] => [
        { operation: 'DELETE', topic: branch },
        { operation: 'ALTER', topic: branch },
        { operation: 'DELETE', topic: parent },
        { operation: 'ALTER', topic: parent },
      ])
    case 'listen':
      return [{ operation: 'ALTER' }]
  }
}

/** A branch is a copy of the records. */
const forkRights = ({ from, to }: { readonly from: string; readonly to: string }): Right[] => [
  { operation: 'READ', topic: from },
  { operation: 'DESCRIBE_CONFIGS', topic: from },
  { operation: 'CREATE', topic: to },
]

const ofCluster: ReadonlySet<Right['operation']> = new Set(['CREATE', 'DELETE'])

const missingOf = (rights: readonly Right[], { by, host = '' }: Asker, authorizer: Authorizer): Right | undefined =>
  rights.find(({ operation, topic }) => {
    const asked = { principal: by, host }
    if (topic === undefined) return !authorizer.allows(asked, operation, 'CLUSTER')
    if (authorizer.allows(asked, operation, 'TOPIC', topic)) return false
    // Who may make, or delete, any topic may do so with this one, as in CreateTopics and DeleteTopics.
    return !ofCluster.has(operation) || !authorizer.allows(asked, operation, 'CLUSTER')
  })

/** The same for whoever forks without a command: by the names of the branches. */
export function forbiddenForks(
  forks: readonly { readonly from: string; readonly to: string }[],
  asker: Asker,
  authorizer: Authorizer | undefined,
): Map<string, Refusal> {
  const refusals = new Map<string, Refusal>()
  if (authorizer === undefined) return refusals
  for (const fork of forks) {
    const missing = missingOf(forkRights(fork), asker, authorizer)
    if (missing === undefined) continue
    const message = `${asker.by} needs ${missing.operation} on the topic '${missing.topic}'.`
    refusals.set(fork.to, new Refusal('TOPIC_AUTHORIZATION_FAILED', message))
  }
  return refusals
}

/** Why a command may not be run for somebody: all of it or nothing. */
export function forbidden(
  command: Command,
  asker: Asker,
  subjects: Subjects,
  authorizer: Authorizer | undefined,
): Rejection | undefined {
  if (authorizer === undefined) return undefined
  const missing = missingOf(rightsFor(command, subjects), asker, authorizer)
  if (missing === undefined) return undefined
  const { by } = asker
  const { operation, topic } = missing
  if (topic === undefined)
    return new Rejection('CLUSTER_AUTHORIZATION_FAILED', `${by} needs ${operation} on the cluster.`)
  return new Rejection('TOPIC_AUTHORIZATION_FAILED', `${by} needs ${operation} on the topic '${topic}'.`)
}
