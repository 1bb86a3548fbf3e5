// Who does what is asked for: a table from op to executor. What is not in it is refused as an op that does not exist.

import type { Command, Op } from '../branch/commands.ts'
import type { BranchEvent, Rejection } from '../branch/events.ts'

/** Who asks, and where. */
export type Call = {
  readonly by: string
  /** The address where they were when they asked, if it is known. */
  readonly host?: string
  /** Their client id, if they have one. */
  readonly clientId?: string
  /** Offset of the command, where it stands in `__branch_commands`. */
  readonly command?: number
  /** Throws GivenUp when nobody waits any more: asked in the midst of long work that has changed nothing yet. */
  readonly goOn?: () => void
}

/** The broker stops. The command has changed nothing and has no result: the next start runs it. */
export class GivenUp extends Error {}

/**
 * Does what a command asks for and tells it: the event it answers with stands in the history already, and is its result. A
 * rejection has changed nothing and is told by whoever called. Rejects with StorageError.
 */
export type Executor<C> = (command: C, call: Call) => Promise<BranchEvent | Rejection>

export type Operations = { readonly [O in Op]?: Executor<Extract<Command, { readonly op: O }>> }

/** The executor of a command; undefined where there is none yet. */
export function executorOf(operations: Operations, { op }: Command): Executor<Command> | undefined {
  return operations[op] as Executor<Command> | undefined
}
