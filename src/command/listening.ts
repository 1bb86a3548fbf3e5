// The op `listen`: a listener of a set's own. It comes back after a restart at the ports it had.

import { Refusal } from '../../protocol/errors.ts'
import type { ListenCommand } from '../branch/commands.ts'
import { type BranchEvent, Rejection } from '../branch/events.ts'
import type { Broker } from '../broker/broker.ts'
import { portRange } from '../broker/set-addresses.ts'
import type { Doors } from './doors.ts'
import type { History } from './history.ts'
import { noSet } from './not-there.ts'
import type { Call, Executor } from './operations.ts'

export const listening =
  (broker: Broker, doors: Doors, history: History): Executor<ListenCommand> =>
  async (command, call) => {
    const { set, port, dryRun } = command
    if (!broker.lineage.sets.has(set)) return noSet(set)
    const refused = doors.bootstrap(set) === undefined ? refusePort(port, broker) : undefined
    if (refused !== undefined) return refused
    if (dryRun) return history.write(eventOf(command, call, broker, doors.bootstrap(set)))
    if (doors.bootstrap(set) === undefined) {
      const failed = await open(set, port, broker, doors)
      if (failed !== undefined) return failed
    }
    return history.write(eventOf(command, call, broker, doors.bootstrap(set)))
  }

async function open(set: string, port: number, broker: Broker, doors: Doors): Promise<Rejection | undefined> {
  const ports = await doors.open(set, port)
  if (ports instanceof Refusal) return Rejection.of(ports)
  // It may have gone while the port was bound.
  if (!broker.lineage.sets.has(set)) {
    doors.close(set)
    return noSet(set)
  }
  try {
    await broker.noteLineage([{ v: 1, type: 'set-listener', set, ports }])
  } catch (cause) {
    doors.close(set)
    throw cause
  }
  return undefined
}

function eventOf(
  { id, set, dryRun }: ListenCommand,
  { by }: Call,
  broker: Broker,
  bootstrap: string | undefined,
): BranchEvent {
  const common = { v: 1, id, at: broker.clock.now(), by, set } as const
  const where = bootstrap === undefined ? {} : { bootstrap }
  if (dryRun) return { ...common, type: 'plan', status: 'clean', op: 'listen', ...where }
  return { ...common, type: 'listen', status: 'done', ...where }
}

/** Any free port will do for everybody; one that somebody chooses must be one of those that are there for it. */
function refusePort(port: number, { config, placement }: Broker): Rejection | undefined {
  if (port === 0) return undefined
  const allowed = config.list('branch.listeners.ports').map(portRange)
  const wanted = placement.ids.map((_, turn) => port + turn)
  const isAllowed = (one: number) => allowed.some((range) => range !== undefined && one >= range[0] && one <= range[1])
  const bad = wanted.find((one) => !isAllowed(one))
  if (bad === undefined) return undefined
  const ranges = config.list('branch.listeners.ports').join(', ')
  const say = ranges === '' ? 'which is empty' : `which is ${ranges}`
  return new Rejection('POLICY_VIOLATION', `Port ${bad} is not within branch.listeners.ports, ${say}. Take 0 for any.`)
}
