// A command that was given inside a branch set: topics and groups in it are called as they are in there. Labels of sets
// mean the same everywhere.

import type { Command, ForkCommand, ForkEntry } from '../branch/commands.ts'
import { groupInside } from '../branch/set-names.ts'
import type { SetView } from '../broker/set-view.ts'

/** The same command in stored names. */
export function commandInside(command: Command, view: SetView): Command {
  const stored = (name: string) => view.stored(name)
  switch (command.op) {
    case 'fork':
      return forkInside(command, view)
    case 'plan':
    case 'merge': {
      const { pair } = command
      const reads = command.reads.map((read) => ({ ...read, topic: stored(read.topic) }))
      if ('set' in pair) return { ...command, reads }
      return { ...command, reads, pair: { from: stored(pair.from), into: stored(pair.into) } }
    }
    case 'resolve':
      return { ...command, topic: stored(command.topic) }
    case 'revert':
      return command.topic === undefined ? command : { ...command, topic: stored(command.topic) }
    case 'reset':
      return { ...whichInside(command, stored), at: pointInside(command.at, view) }
    case 'promote': {
      const { keep } = command
      return { ...whichInside(command, stored), ...(keep === undefined ? {} : { keep: stored(keep) }) }
    }
    case 'abandon':
      return whichInside(command, stored)
    case 'listen':
      return command
  }
}

function whichInside<C extends Extract<Command, { readonly which: unknown }>>(
  command: C,
  stored: (name: string) => string,
): C {
  const { which } = command
  return 'set' in which ? command : { ...command, which: { branch: stored(which.branch) } }
}

const group = 'group:'
const pointInside = (at: string, { set }: SetView): string =>
  at.startsWith(group) ? group + groupInside(set, at.slice(group.length)) : at

/** All that there is inside is the set; a branch that is given no other set is its member. */
function forkInside(command: ForkCommand, view: SetView): ForkCommand {
  const { source, set = view.set } = command
  const at = command.at === undefined ? {} : { at: pointInside(command.at, view) }
  if (source.kind !== 'topics') {
    return { ...command, ...at, source: source.kind === 'all' ? { kind: 'set', set: view.set } : source }
  }
  const topics = source.topics.map((entry): ForkEntry => {
    const here = { ...entry, from: view.stored(entry.from) }
    const point = entry.at === undefined ? {} : { at: pointInside(entry.at, view) }
    if (set !== view.set) return { ...here, ...point }
    return { ...here, ...point, to: view.stored(entry.to), inside: entry.to }
  })
  return { ...command, ...at, set, source: { kind: 'topics', topics } }
}
