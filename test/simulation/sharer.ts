// A member of a share group: takes records, accepts most, gives some back, and forgets to say anything about a few.

import { errorName } from '../../protocol/errors.ts'
import { shareGroupHeartbeat } from '../../protocol/messages/76-share-group-heartbeat.ts'
import { shareFetch } from '../../protocol/messages/78-share-fetch.ts'
import { shareAcknowledge } from '../../protocol/messages/79-share-acknowledge.ts'
import { type Caller, Lost, Refused } from './caller.ts'
import { passing } from './group-reading.ts'
import type { HandingOut } from './handing-out.ts'
import { grainMs } from './loop.ts'

/** `lockMs`: how long a record is kept for whoever took it. */
export type Sharing = { readonly group: string; readonly topic: string; readonly lockMs: number }
type Place = { readonly topicId: string; readonly partition: number }
type Said = { readonly place: Place; readonly offset: number; readonly as: 'accept' | 'release' }

const types = { accept: 1, release: 2 }
/** What a member is told that the broker does not know any more, or whose session it has lost. */
const lost = new Set([
  'UNKNOWN_MEMBER_ID',
  'FENCED_MEMBER_EPOCH',
  'SHARE_SESSION_NOT_FOUND',
  'INVALID_SHARE_SESSION_EPOCH',
  'SHARE_SESSION_LIMIT_REACHED',
])
/** Of a partition: its state is not there just now, or what was taken was taken for too long. */
const notNow = new Set([...passing, 'NOT_LEADER_OR_FOLLOWER', 'UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID'])

export class Sharer {
  readonly #of: Sharing
  readonly #id: string
  readonly #caller: Caller
  readonly #model: HandingOut
  readonly #chance: () => number
  #memberEpoch = 0
  /** Of the share session. */
  #epoch = 0
  #places: readonly Place[] = []

  constructor(of: Sharing, id: string, caller: Caller, model: HandingOut, chance: () => number) {
    this.#of = of
    this.#id = id
    this.#caller = caller
    this.#model = model
    this.#chance = chance
  }

  /** `isCareful`: says something about every record, and nothing but that it accepts it. */
  async poll(isCareful = false): Promise<void> {
    try {
      await this.#heartbeat()
      if (this.#places.length === 0) return
      const given = await this.#fetch().catch((problem: unknown) => {
        if (problem instanceof Lost) this.#model.lose(this.#caller.loop.now)
        throw problem
      })
      const said = given.flatMap((each): Said[] => {
        const luck = isCareful ? 0 : this.#chance()
        return luck < 0.85 ? [{ ...each, as: 'accept' }] : luck < 0.97 ? [{ ...each, as: 'release' }] : []
      })
      if (said.length > 0) await this.#acknowledge(said)
    } catch (problem) {
      // Its session went with the connection, or is begun anew.
      this.#model.letGo(this.#id)
      this.#epoch = 0
      if (problem instanceof Lost) this.#caller.close()
      else if (!(problem instanceof Refused) || !lost.has(problem.error)) throw problem
      else if (problem.error.includes('MEMBER')) this.#memberEpoch = 0
    }
  }

  async leave(): Promise<void> {
    if (this.#memberEpoch === 0) return
    this.#model.letGo(this.#id)
    this.#memberEpoch = 0
    this.#epoch = 0
    this.#places = []
    const body = { groupId: this.#of.group, memberId: this.#id, memberEpoch: -1 }
    await this.#caller.ask(shareGroupHeartbeat, 1, body).catch(() => {})
    this.#caller.close()
  }

  async #heartbeat(): Promise<void> {
    const body = { groupId: this.#of.group, memberId: this.#id, memberEpoch: this.#memberEpoch }
    const answer = await this.#caller.ask(shareGroupHeartbeat, 1, { ...body, subscribedTopicNames: [this.#of.topic] })
    const said = errorName(answer.errorCode)!
    if (passing.has(said)) throw new Lost(`ShareGroupHeartbeat: ${said}`)
    if (answer.errorCode !== 0) throw new Refused('ShareGroupHeartbeat', said)
    this.#memberEpoch = answer.memberEpoch
    if (answer.assignment === null) return
    const places = answer.assignment.topicPartitions.flatMap(({ topicId, partitions }) =>
      partitions.map((partition) => ({ topicId, partition })),
    )
    // A session names its partitions once: another assignment is another session.
    if (JSON.stringify(places) !== JSON.stringify(this.#places)) await this.#endSession()
    this.#places = places
  }

  async #endSession(): Promise<void> {
    this.#model.letGo(this.#id)
    if (this.#epoch > 0) {
      const body = { groupId: this.#of.group, memberId: this.#id, shareSessionEpoch: -1, topics: [] }
      await this.#caller.ask(shareAcknowledge, 1, body)
    }
    this.#epoch = 0
  }

  async #fetch(): Promise<{ place: Place; offset: number }[]> {
    const askedAt = this.#caller.loop.now
    const named = this.#epoch === 0 ? this.#places : []
    const answer = await this.#caller.ask(shareFetch, 1, {
      groupId: this.#of.group,
      memberId: this.#id,
      shareSessionEpoch: this.#epoch,
      maxWaitMs: 200,
      minBytes: 1,
      maxRecords: 20,
      batchSize: 10,
      topics: named.map(({ topicId, partition }) => ({
        topicId,
        partitions: [{ partitionIndex: partition, acknowledgementBatches: [] }],
      })),
      forgottenTopicsData: [],
    })
    if (answer.errorCode !== 0) throw new Refused('ShareFetch', errorName(answer.errorCode)!)
    this.#epoch++
    const given: { place: Place; offset: number }[] = []
    for (const { topicId, partitions } of answer.responses) {
      for (const { partitionIndex: partition, errorCode, acquiredRecords } of partitions) {
        if (errorCode !== 0 && !notNow.has(errorName(errorCode)!))
          throw new Refused('ShareFetch', errorName(errorCode)!)
        for (const { firstOffset, lastOffset } of acquiredRecords) {
          for (let offset = firstOffset; offset <= lastOffset; offset++) {
            const { now } = this.#caller.loop
            this.#model.give(partition, offset, this.#id, askedAt, now, askedAt + this.#of.lockMs - grainMs)
            given.push({ place: { topicId, partition }, offset })
          }
        }
      }
    }
    return given
  }

  async #acknowledge(said: readonly Said[]): Promise<void> {
    const byPartition = new Map<number, Said[]>()
    for (const each of said) {
      const of = byPartition.get(each.place.partition)
      if (of === undefined) byPartition.set(each.place.partition, [each])
      else of.push(each)
    }
    const { topicId } = said[0]!.place
    const partitions = [...byPartition].map(([partitionIndex, of]) => ({
      partitionIndex,
      acknowledgementBatches: of.map(({ offset, as }) => ({
        firstOffset: offset,
        lastOffset: offset,
        acknowledgeTypes: [types[as]],
      })),
    }))
    const body = { groupId: this.#of.group, memberId: this.#id, shareSessionEpoch: this.#epoch }
    try {
      const answer = await this.#caller.ask(shareAcknowledge, 1, { ...body, topics: [{ topicId, partitions }] })
      if (answer.errorCode !== 0) throw new Refused('ShareAcknowledge', errorName(answer.errorCode)!)
      this.#epoch++
      for (const { partitionIndex, errorCode } of answer.responses[0]?.partitions ?? [])
        this.#heard(byPartition.get(partitionIndex) ?? [], errorCode)
    } catch (problem) {
      if (problem instanceof Lost)
        for (const { place, offset } of said) this.#model.unknown(place.partition, offset, this.#caller.loop.now)
      throw problem
    }
  }

  #heard(said: readonly Said[], errorCode: number): void {
    const name = errorName(errorCode)!
    // Another has it by now: this one was too slow. Nothing of the partition's was taken then.
    if (name === 'INVALID_RECORD_STATE') return
    if (errorCode !== 0 && !notNow.has(name)) throw new Refused('ShareAcknowledge', name)
    const { now } = this.#caller.loop
    for (const { place, offset, as } of said) {
      if (errorCode !== 0) this.#model.unknown(place.partition, offset, now)
      else if (as === 'accept') this.#model.accept(place.partition, offset, now)
      else this.#model.release(place.partition, offset)
    }
  }
}
