// What is said to whoever takes a view for a topic with records of its own.

import { Refusal } from '../../protocol/errors.ts'
import type { Topic } from './topic.ts'

/** `deed`: what was asked of it, as in "produce to". Undefined where the topic is no view. */
export function refuseOnView(topic: Topic | undefined, deed: string): Refusal | undefined {
  const of = topic?.config.view?.of
  if (of === undefined) return undefined
  const message = `'${topic!.name}' is a view of '${of}' and has no records of its own: ${deed} '${of}'.`
  return new Refusal('INVALID_TOPIC_EXCEPTION', message)
}
