// A member of a consumer group (KIP-848): heartbeats, reads what it is assigned, commits, and gives back what it is asked for.

import { errorName } from '../../protocol/errors.ts'
import { consumerGroupHeartbeat } from '../../protocol/messages/68-consumer-group-heartbeat.ts'
import { isOfTheConnection } from '../crash-lab/log-reader.ts'
import { type Caller, Lost, Refused } from './caller.ts'
import { type GroupReading, passing } from './group-reading.ts'

/** What a member is told that is no member any more, or is not one yet; it begins anew, or asks again. */
const fenced = new Set(['UNKNOWN_MEMBER_ID', 'FENCED_MEMBER_EPOCH', 'STALE_MEMBER_EPOCH'])

export class Member {
  readonly #id: string
  readonly #caller: Caller
  readonly #reading: GroupReading
  #epoch = 0
  #topicId = ''

  constructor(id: string, caller: Caller, reading: GroupReading) {
    this.#id = id
    this.#caller = caller
    this.#reading = reading
  }

  /** One round of what a consumer does all the time. */
  async poll(): Promise<void> {
    try {
      await this.#heartbeat()
      await this.#reading.readAll({ memberId: this.#id, epoch: this.#epoch })
    } catch (problem) {
      if (problem instanceof Lost || isOfTheConnection(problem)) this.#caller.close()
      else if (problem instanceof Refused && fenced.has(problem.error)) {
        if (problem.error !== 'STALE_MEMBER_EPOCH') this.#forget()
      } else throw problem
    }
  }

  async leave(): Promise<void> {
    if (this.#epoch === 0) return
    const epoch = this.#epoch
    this.#forget()
    const body = { groupId: this.#reading.of.group, memberId: this.#id, memberEpoch: -1 }
    if (epoch > 0) await this.#caller.ask(consumerGroupHeartbeat, 0, body).catch(() => {})
  }

  #forget(): void {
    this.#reading.turnTo(new Set())
    this.#epoch = 0
  }

  async #heartbeat(): Promise<void> {
    const sentAt = this.#caller.loop.now
    const { of, partitions } = this.#reading
    const isNew = this.#epoch === 0
    const answer = await this.#caller.ask(consumerGroupHeartbeat, 0, {
      groupId: of.group,
      memberId: this.#id,
      memberEpoch: this.#epoch,
      rebalanceTimeoutMs: 30_000,
      subscribedTopicNames: [of.topic],
      topicPartitions:
        isNew || partitions.length === 0 ? [] : [{ topicId: this.#topicId, partitions: [...partitions] }],
    })
    const said = errorName(answer.errorCode)
    if (answer.errorCode !== 0 && (said === undefined || !passing.has(said)))
      throw new Refused('heartbeat', said ?? '?')
    if (answer.errorCode !== 0) return
    this.#epoch = answer.memberEpoch
    if (answer.assignment !== null) {
      const assigned = answer.assignment.topicPartitions
      this.#topicId = assigned[0]?.topicId ?? this.#topicId
      this.#reading.turnTo(new Set(assigned.flatMap((each) => each.partitions)))
    }
    this.#reading.hold(sentAt)
  }
}
