// What a command is told whose topic, set or parent is not there: the same words whatever was to be done with it.

import { StorageError } from '../../protocol/errors.ts'
import { Rejection } from '../branch/events.ts'
import type { Broker } from '../broker/broker.ts'
import type { Topic } from '../broker/topic.ts'

export const noTopic = (name: string): Rejection =>
  new Rejection(
    'UNKNOWN_TOPIC_OR_PARTITION',
    `There is no topic '${name}'. Look at the name; branches are listed by 'twiglog branch list'.`,
  )

/** Where a partition is meant. `count`: how many the topic has. */
export const noPartition = (index: number, name: string, count: number): Rejection =>
  new Rejection(
    'UNKNOWN_TOPIC_OR_PARTITION',
    `There is no partition ${index} of '${name}', which has 0 to ${count - 1}. Name one of those.`,
  )

export const noSet = (label: string): Rejection =>
  new Rejection('UNKNOWN_SET', `There is no set '${label}'. Fork one under this label first, or look at the label.`)

export const noBranch = (name: string): Rejection =>
  new Rejection(
    'NOT_A_BRANCH',
    `'${name}' is no branch: it was made by itself and has no parent. Name one that was forked from it.`,
  )

/** Files are not there: those of a topic that was deleted, or of one that somebody has taken them from. */
export const isMissing = (cause: unknown): boolean => cause instanceof StorageError && cause.code === 'ENOENT'

/** Of a topic that was there when the work began. */
export const wentMeanwhile = (name: string): string =>
  `'${name}' was deleted meanwhile, and nothing of this was done. Ask again for topics that are there.`

/** The same of whichever of them has gone, if one has: another may be called so by now. */
export function goneMeanwhile(topics: readonly Topic[], broker: Broker): Rejection | undefined {
  const gone = topics.find(({ id }) => broker.topicById(id) === undefined)
  return gone && new Rejection('UNKNOWN_TOPIC_OR_PARTITION', wentMeanwhile(gone.name))
}

/** `instead`: what can be done with it all the same. */
export const orphan = (name: string, parent: string, instead: string): Rejection =>
  new Rejection(
    'ORPHAN',
    `'${name}' is an orphan: the topic '${parent}' that it was forked from is gone, and one that is called so now is another. ${instead}`,
  )
