// Branches go: one, several, or a set with all that was made in it. What was merged from them stays where it is.

import type { AbandonCommand, Which } from '../branch/commands.ts'
import { type BranchEvent, Rejection } from '../branch/events.ts'
import type { DeletedRecord, LineageRecord } from '../branch/lineage.ts'
import { eventOf } from '../branch/lineage-event.ts'
import type { Broker } from '../broker/broker.ts'
import type { Topic } from '../broker/topic.ts'
import { randomId } from '../storage/clock.ts'
import type { History } from './history.ts'
import { refuseMutation } from './mutation-quota.ts'
import { noSet, noTopic } from './not-there.ts'
import type { Executor } from './operations.ts'

type Wanted = {
  /** Of the event; one is made where it is absent. */
  readonly id?: string
  readonly by: string
  readonly command?: number
  readonly topics: readonly Topic[]
  /** Goes with them. */
  readonly set?: string
}

export class Abandoning {
  readonly #broker: Broker
  readonly #history: History
  readonly #listeners: ((record: DeletedRecord) => Promise<void> | void)[] = []

  constructor(broker: Broker, history: History) {
    this.#broker = broker
    this.#history = history
    // Of a deletion that the history knows a start has nothing to tell any more.
    history.onResult(({ id }) => broker.lineage.told(id))
  }

  /** Calls `listener` when branches are gone for every client, before their event is told. */
  onAbandoned(listener: (record: DeletedRecord) => Promise<void> | void): void {
    this.#listeners.push(listener)
  }

  /** What stands against it, or the topics that would go. */
  find(which: Which): Topic[] | Rejection {
    const { config, lineage } = this.#broker
    if (!config.boolean('delete.topic.enable')) {
      return new Rejection(
        'TOPIC_DELETION_DISABLED',
        'delete.topic.enable is false on this broker; who runs it can set it to true.',
      )
    }
    const topics = this.#topics(which)
    if (topics instanceof Rejection) return topics
    const frozen = topics.find((topic) => topic.config.protection === 'frozen')
    if (frozen !== undefined) {
      const message = `'${frozen.name}' has branch.protect=frozen; set it to none, then it can be deleted.`
      return new Rejection('POLICY_VIOLATION', message)
    }
    const foreign = topics.find(({ id }) => !lineage.branches.has(id) && lineage.membership(id) === undefined)
    if (foreign === undefined) return topics
    const instead = this.#broker.own.has(foreign.name)
      ? "it is the broker's own topic and stays. Name a branch."
      : 'delete it as any other topic.'
    return new Rejection('NOT_A_BRANCH', `'${foreign.name}' is no branch; ${instead}`)
  }

  #topics(which: Which): Topic[] | Rejection {
    if ('branch' in which) {
      const topic = this.#broker.topic(which.branch)
      return topic === undefined ? noTopic(which.branch) : [topic]
    }
    const set = this.#broker.lineage.sets.get(which.set)
    if (set === undefined) return noSet(which.set)
    return [...set.members.values()].flatMap((id) => this.#broker.topicById(id) ?? [])
  }

  /** Deletes what was found. Rejects with StorageError. */
  async abandon({
    id = `delete-${randomId(this.#broker.clock)}`,
    by,
    command,
    topics,
    set,
  }: Wanted): Promise<BranchEvent> {
    const { lineage, clock } = this.#broker
    const record: DeletedRecord = {
      v: 1,
      type: 'branches-deleted',
      id,
      at: clock.now(),
      by,
      ...(set === undefined ? {} : { set }),
      ...(command === undefined ? {} : { command }),
      topics: topics.map((topic) => {
        const branch = lineage.branches.get(topic.id)
        const parent = branch === undefined ? {} : { from: branch.from, fromId: branch.fromId }
        return { id: topic.id, name: topic.name, ...parent }
      }),
    }
    const ended: LineageRecord[] = set === undefined ? [] : [{ v: 1, type: 'set-removed', set }]
    await this.#broker.deleteTopics(topics, [record, ...ended])
    for (const listener of this.#listeners) await listener(record)
    const event = eventOf(record)
    await this.#history.tell(event)
    return event
  }

  /** The op `abandon`. */
  readonly execute: Executor<AbandonCommand> = async ({ id, which, dryRun }, call) => {
    const { by, command } = call
    const topics = this.find(which)
    if (topics instanceof Rejection) return topics
    const set = 'set' in which ? { set: which.set } : {}
    if (!dryRun) {
      const partitions = topics.reduce((sum, topic) => sum + topic.partitions.length, 0)
      const throttled = refuseMutation(partitions, call, this.#broker)
      if (throttled !== undefined) return throttled
      return this.abandon({ id, by, topics, ...set, ...(command === undefined ? {} : { command }) })
    }
    const told = topics.map((topic) => ({ into: topic.name, intoId: topic.id }))
    const at = this.#broker.clock.now()
    return this.#history.write({ v: 1, type: 'plan', id, at, by, status: 'clean', op: 'abandon', ...set, topics: told })
  }
}
