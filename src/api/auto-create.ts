// Topics that come into being because somebody asked for them (`auto.create.topics.enable`); those that are an API do so
// always.

import { Refusal } from '../../protocol/errors.ts'
import { isJsonTopic } from '../branch/json-topics.ts'
import { storageRefusal } from '../broker/storage-refusal.ts'
import type { Context } from './api.ts'

/** Makes those of the named topics that can be made; why not, by name, for the others that do not exist. */
export async function autoCreate(
  { broker }: Pick<Context, 'broker'>,
  names: readonly string[],
): Promise<Map<string, Refusal>> {
  const refusals = new Map<string, Refusal>()
  const wanted = [...new Set(names)].filter((name) => broker.topic(name) === undefined)
  const enabled = broker.config.boolean('auto.create.topics.enable')
  const good = wanted
    .map((name) => ({ name, partitions: -1, configs: {} }))
    .filter((topic) => {
      const refusal = broker.checkNewTopic(topic)
      if (refusal !== undefined) refusals.set(topic.name, refusal)
      else if (!enabled && !isJsonTopic(topic.name)) refusals.set(topic.name, new Refusal('UNKNOWN_TOPIC_OR_PARTITION'))
      return !refusals.has(topic.name)
    })
  try {
    await broker.createTopics(good)
  } catch (cause) {
    const refusal = storageRefusal(cause)
    for (const { name } of good) refusals.set(name, refusal)
  }
  return refusals
}
