// Topics that have changed their names (a branch was promoted). Who names one by its id may mean what was behind the name
// before, so they are told that the id is unknown until they have looked: everybody asks for metadata then.

import type { Broker } from '../broker/broker.ts'
import type { Topic } from '../broker/topic.ts'
import type { Context } from './api.ts'

type Asking = Pick<Context, 'broker' | 'client' | 'clientId'>

/** A client that looks by another connection than this one is believed after so many refusals. */
const refusalsMax = 5
/** Programs that are remembered. */
const programsMax = 1000

/** When a program was last told names by any of its connections: some look by one and write by others, and give up before they are believed. */
const toldAt = new WeakMap<Broker, Map<string, number>>()
const programOf = ({ client, clientId }: Asking): string => `${client.host} ${clientId}`

/** Whether the client has not been told of names since the topic got its own. */
export function mayMeanAnother({ id, renamedAt }: Topic, asking: Asking): boolean {
  const { broker, client } = asking
  if (renamedAt === undefined || (client.toldNamesAt ?? 0) > renamedAt) return false
  // An older connection is perhaps that of another program that calls itself the same.
  const isYounger = (client.openedAt ?? 0) > renamedAt
  if (isYounger && (toldAt.get(broker)?.get(programOf(asking)) ?? 0) > renamedAt) return false
  client.misled ??= new Map()
  const key = `${id} ${renamedAt}`
  const refusals = (client.misled.get(key) ?? 0) + 1
  client.misled.set(key, refusals)
  return refusals <= refusalsMax
}

/** The client is being told which names stand for which ids. */
export function tellNames(asking: Asking): void {
  const { broker, client } = asking
  const now = broker.clock.now()
  client.toldNamesAt = now
  const told = toldAt.get(broker) ?? new Map<string, number>()
  toldAt.set(broker, told)
  const program = programOf(asking)
  told.delete(program)
  told.set(program, now)
  if (told.size > programsMax) told.delete(told.keys().next().value!)
}
