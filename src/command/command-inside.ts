// A command of somebody who has entered a branch set (§1.8): its names are those of the set, and what it makes belongs there.

import type { Command, ForkCommand, ForkEntry } from '../branch/commands.ts'
import { Rejection } from '../branch/events.ts'
import type { Lineage } from '../branch/lineage.ts'
import { groupInside } from '../branch/set-names.ts'
import type { SetView } from '../broker/set-view.ts'

type View = Pick<SetView, 'set' | 'stored'>

/** The same command as it is meant outside, where topics are called as they are stored. */
export function commandInside(command: Command, view: View, lineage: Lineage): Command | Rejection {
  const unseen = setsOf(command).find((set) => set !== view.set && !isMadeOf(set, view.set, lineage))
  if (unseen !== undefined) return new Rejection('UNKNOWN_SET', `There is no set '${unseen}' inside '${view.set}'.`)
  switch (command.op) {
    case 'fork':
      return forkInside(command, view)
    case 'plan':
    case 'merge': {
      const { pair, reads } = command
      return {
        ...command,
        pair: 'set' in pair ? pair : { from: view.stored(pair.from), into: view.stored(pair.into) },
        reads: reads.map(({ topic, key }) => ({ topic: view.stored(topic), key })),
      }
    }
    case 'resolve':
      return { ...command, topic: view.stored(command.topic) }
    case 'revert':
      return command.topic === undefined ? command : { ...command, topic: view.stored(command.topic) }
    case 'promote': {
      const keep = command.keep === undefined ? {} : { keep: view.stored(command.keep) }
      return { ...command, which: whichInside(command.which, view), ...keep }
    }
    case 'reset':
      return { ...command, which: whichInside(command.which, view), at: pointInside(command.at, view) }
    case 'abandon':
      return { ...command, which: whichInside(command.which, view) }
    case 'listen':
      return command
  }
}

/** The sets that a command speaks of as being there. */
function setsOf(command: Command): string[] {
  switch (command.op) {
    case 'fork':
      return command.source.kind === 'set' ? [command.source.set] : []
    case 'plan':
    case 'merge':
      return 'set' in command.pair ? [command.pair.set] : []
    case 'reset':
    case 'promote':
    case 'abandon':
      return 'set' in command.which ? [command.which.set] : []
    case 'listen':
      return [command.set]
    default:
      return []
  }
}

/** An environment of an environment: whoever is in the one may speak of the other. */
function isMadeOf(set: string, of: string, lineage: Lineage): boolean {
  const members = [...(lineage.sets.get(set)?.members.values() ?? [])]
  const parents = new Set(lineage.sets.get(of)?.members.values() ?? [])
  return members.some((id) => parents.has(lineage.branches.get(id)?.fromId ?? ''))
}

const whichInside = <W extends { readonly branch: string } | { readonly set: string }>(which: W, view: View) =>
  'branch' in which ? { branch: view.stored(which.branch) } : { set: (which as { set: string }).set }

const group = 'group:'
const pointInside = (at: string, { set }: View): string =>
  at.startsWith(group) ? group + groupInside(set, at.slice(group.length)) : at

function forkInside(command: ForkCommand, view: View): ForkCommand {
  const { source, set: label = view.set, at } = command
  const isHere = label === view.set
  const point = at === undefined ? {} : { at: pointInside(at, view) }
  // All that whoever is inside can see.
  if (source.kind === 'all') return { ...command, ...point, source: { kind: 'set', set: view.set } }
  if (source.kind === 'set') return { ...command, ...point }
  const topics = source.topics.map((entry): ForkEntry => {
    const own = entry.at === undefined ? {} : { at: pointInside(entry.at, view) }
    const to = isHere ? { to: view.stored(entry.to), inside: entry.to } : {}
    return { ...entry, ...own, from: view.stored(entry.from), ...to }
  })
  return { ...command, ...point, set: label, source: { kind: 'topics', topics } }
}
