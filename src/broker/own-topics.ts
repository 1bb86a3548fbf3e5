// How many partitions a topic may have, and topics of the broker's own: what each is like, whoever asks for it first.

import { Refusal } from '../../protocol/errors.ts'
import { toldTopics } from '../branch/json-topics.ts'
import type { NewTopic } from './broker.ts'

type Configs = Readonly<Record<string, string | null>>

/** What one request may ask for; more would be a way to stop the broker. */
export const partitionsMax = 10_000

/** What stands against a number of partitions; -1 leaves it to the broker. */
export function checkCount(partitions: number): Refusal | undefined {
  if (partitions === -1 || (partitions >= 1 && partitions <= partitionsMax)) return undefined
  if (partitions < 1) {
    return new Refusal('INVALID_PARTITIONS', 'Number of partitions was set to an invalid non-positive value.')
  }
  const message = `${partitions} partitions are asked for; ${partitionsMax} is the most a topic may have here.`
  return new Refusal('POLICY_VIOLATION', message)
}

export class OwnTopics {
  readonly #wanted = new Map<string, NewTopic>()

  /** Coordinators count on its partitions, so nobody else decides how many there are. */
  reserve(topic: NewTopic): void {
    this.#wanted.set(topic.name, topic)
  }

  has(name: string): boolean {
    return this.#wanted.has(name)
  }

  /** How many partitions it has; undefined for a topic that is not one of these. */
  partitions(name: string): number | undefined {
    return this.#wanted.get(name)?.partitions
  }

  /** What stands against a name for what is made of another topic: whoever writes to one of these counts on what stands in it. */
  checkName(name: string): Refusal | undefined {
    if (!this.has(name)) return undefined
    const message = `'${name}' is the name of a topic of the broker's own, be it there or not yet: take another one.`
    return new Refusal('INVALID_TOPIC_EXCEPTION', message)
  }

  /** What stands against a number of partitions: coordinators count on theirs. */
  checkPartitions(name: string, partitions: number): Refusal | undefined {
    const own = this.partitions(name)
    if (own === undefined || partitions === -1 || partitions === own) return undefined
    const message = `'${name}' is the broker's own topic; it has ${own} partitions, no more and no fewer.`
    return new Refusal('INVALID_PARTITIONS', message)
  }

  /** Its configuration, and over it what was asked for; but nobody else decides how long that is kept which only we tell. */
  configs(name: string, asked: Configs): Configs {
    return { ...this.#wanted.get(name)?.configs, ...(toldTopics.has(name) ? {} : asked) }
  }
}
