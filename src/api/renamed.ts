// Topics that have changed their names (a branch was promoted). Who names one by its id may mean what was behind the name
// before, so they are told that the id is unknown until they have looked: everybody asks for metadata then.

import type { Topic } from '../broker/topic.ts'
import type { Client } from './api.ts'

/** A client that looks by another connection than this one is believed after so many refusals. */
const refusalsMax = 5

/** Whether the connection has not been told of names since the topic got its own. */
export function mayMeanAnother({ id, renamedAt }: Topic, client: Client): boolean {
  if (renamedAt === undefined || (client.toldNamesAt ?? 0) > renamedAt) return false
  client.misled ??= new Map()
  const key = `${id} ${renamedAt}`
  const refusals = (client.misled.get(key) ?? 0) + 1
  client.misled.set(key, refusals)
  return refusals <= refusalsMax
}

/** The client is being told which names stand for which ids. */
export function tellNames(client: Client, now: number): void {
  client.toldNamesAt = now
}
