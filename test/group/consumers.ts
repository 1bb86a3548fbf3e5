// Members of consumer groups that do what clients do: they let go before they take, say what they have until the broker
// has heard it, and start again when they are fenced. And members of the classic protocol beside them.

import { codec } from '../../protocol/compile.ts'
import { Refusal } from '../../protocol/errors.ts'
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../../protocol/other-tables.ts'
import { Reader } from '../../protocol/reader.ts'
import { Writer } from '../../protocol/writer.ts'
import type { ConsumerAnswer, ConsumerHeartbeat } from '../../src/group/consumer-heartbeat.ts'
import type { Partitions } from '../../src/group/partitions.ts'
import { each, noPartitions, same } from '../../src/group/partitions.ts'
import type { World } from './world.ts'
import { groupId } from './world.ts'

export const readable = (all: Partitions, world: World): string[] =>
  [...each(all)].map(([topicId, partition]) => `${world.topics.byId(topicId)?.name ?? topicId}-${partition}`).sort()

type Words = { topics?: string[]; regex?: string; instanceId?: string; assignor?: string; rebalanceTimeoutMs?: number }

export class Consumer {
  readonly world: World
  readonly id: string
  readonly instanceId: string | null
  words: Words
  epoch = 0
  owned: Partitions = noPartitions
  /** Whether the broker has been told what is owned since it last changed. */
  #isTold = true
  #hasNews = true
  /** 'NONE', or what the last heartbeat was refused with. */
  error = 'NONE'

  constructor(world: World, id: string, words: Words) {
    this.world = world
    this.id = id
    this.words = words
    this.instanceId = words.instanceId ?? null
  }

  request(part: Partial<ConsumerHeartbeat> = {}): ConsumerHeartbeat {
    const isJoining = this.epoch === 0
    const says = isJoining || this.#hasNews
    return {
      groupId,
      memberId: this.id,
      memberEpoch: this.epoch,
      instanceId: this.instanceId,
      rackId: null,
      clientId: 'client',
      clientHost: '/127.0.0.1',
      rebalanceTimeoutMs: isJoining ? (this.words.rebalanceTimeoutMs ?? 60_000) : null,
      topics: says ? (this.words.topics ?? []) : null,
      regex: says ? (this.words.regex ?? null) : null,
      assignor: says ? (this.words.assignor ?? null) : null,
      owned: isJoining ? noPartitions : this.#isTold ? null : this.owned,
      ...part,
    }
  }

  subscribe(words: Words): void {
    this.words = { ...this.words, ...words }
    this.#hasNews = true
  }

  async beat(part: Partial<ConsumerHeartbeat> = {}): Promise<ConsumerAnswer | Refusal> {
    const hadNews = this.#hasNews
    const request = this.request(part)
    this.#hasNews = false
    const answer = await this.world.groups.consumer.heartbeat(request)
    if (!(answer instanceof Refusal)) {
      this.error = 'NONE'
      this.#isTold = true
      this.epoch = Math.max(0, answer.memberEpoch)
      if (answer.assignment !== null) this.#take(answer.assignment)
      return answer
    }
    this.error = answer.error
    this.#hasNews = hadNews
    // Fenced: it drops everything and joins anew.
    if (/FENCED|UNKNOWN_MEMBER|NOT_FOUND/.test(answer.error)) this.drop()
    return answer
  }

  #take(assignment: Partitions): void {
    if (same(assignment, this.owned)) return
    this.owned = assignment
    this.#isTold = false
  }

  drop(): void {
    this.epoch = 0
    this.owned = noPartitions
    this.#isTold = true
  }

  /** -1: for good; -2: a static member that comes back. */
  async leave(memberEpoch: -1 | -2 = -1): Promise<void> {
    await this.world.groups.consumer.heartbeat(this.request({ memberEpoch, owned: null, topics: null, regex: null }))
    this.drop()
  }

  get reads(): string[] {
    return readable(this.owned, this.world)
  }
}

/** Everybody beats, in turn, until nothing changes. */
export async function settle(consumers: readonly { beat(): Promise<unknown> }[], rounds = 8): Promise<void> {
  for (let round = 0; round < rounds; round++) for (const consumer of consumers) await consumer.beat()
}

export function subscriptionOf(
  topics: string[],
  ownedPartitions: { topic: string; partitions: number[] }[] = [],
): Buffer {
  const writer = new Writer()
  writer.int16(1)
  codec(consumerProtocolSubscription, 1).write(writer, { topics, userData: null, ownedPartitions })
  return writer.bytesWritten()
}

export function assignmentBytes(assigned: Record<string, number[]>): Buffer {
  const assignedPartitions = Object.entries(assigned).map(([topic, partitions]) => ({ topic, partitions }))
  const writer = new Writer()
  writer.int16(1)
  codec(consumerProtocolAssignment, 1).write(writer, { assignedPartitions, userData: null })
  return writer.bytesWritten()
}

export function assignmentIn(bytes: Buffer): string[] {
  if (bytes.length === 0) return []
  const reader = new Reader(bytes)
  const { assignedPartitions } = codec(consumerProtocolAssignment, reader.int16()).read(reader)
  return assignedPartitions.flatMap(({ topic, partitions }) => partitions.map((p) => `${topic}-${p}`)).sort()
}

/** A cooperative member of the classic protocol. It leads where it is told to, and then shares evenly. */
export class ClassicConsumer {
  readonly world: World
  readonly name: string
  topics: string[]
  id = ''
  generation = -1
  reads: string[] = []
  #mustJoin = true

  constructor(world: World, name: string, topics: string[]) {
    this.world = world
    this.name = name
    this.topics = topics
  }

  async beat(): Promise<void> {
    if (!this.#mustJoin) {
      const error = this.world.groups.classic.heartbeat({
        groupId,
        memberId: this.id,
        generation: this.generation,
        instanceId: null,
      })
      if (error === 'NONE') return
      if (error === 'UNKNOWN_MEMBER_ID') this.drop()
      if (error === 'ILLEGAL_GENERATION') this.reads = []
      this.#mustJoin = true
    }
    await this.join()
  }

  drop(): void {
    this.id = ''
    this.generation = -1
    this.reads = []
    this.#mustJoin = true
  }

  async join(): Promise<void> {
    const metadata = subscriptionOf(this.topics, this.#owned())
    const request = { memberId: this.id, clientId: this.name, protocols: [{ name: 'cooperative', metadata }] }
    const joined = await this.world.join({ ...request, sessionTimeoutMs: 45_000 })
    if (joined.error === 'UNKNOWN_MEMBER_ID') this.drop()
    if (joined.error !== 'NONE') return
    this.id = joined.memberId
    this.generation = joined.generation
    const ids = joined.members.map(({ memberId }) => memberId)
    const shares = ids.map((_, i) => this.#share(i, ids.length))
    const synced = await this.world.groups.classic.sync({
      groupId,
      generation: this.generation,
      memberId: this.id,
      instanceId: null,
      protocolType: 'consumer',
      protocol: null,
      assignments: ids.map((memberId, i) => ({ memberId, assignment: shares[i]! })),
    })
    if (synced.error === 'UNKNOWN_MEMBER_ID') this.drop()
    if (synced.error !== 'NONE') return
    this.#mustJoin = false
    const before = this.reads
    this.reads = assignmentIn(synced.assignment)
    // Cooperative: who has let go joins again, so that others are given it.
    if (before.some((each) => !this.reads.includes(each))) this.#mustJoin = true
  }

  #share(i: number, count: number): Buffer {
    const assigned: Record<string, number[]> = {}
    for (const topic of this.topics) {
      const partitions = Array.from({ length: this.world.topics.byName(topic)?.partitionCount ?? 0 }, (_, p) => p)
      assigned[topic] = partitions.filter((p) => p % count === i)
    }
    return assignmentBytes(assigned)
  }

  #owned(): { topic: string; partitions: number[] }[] {
    const split = this.reads.map(
      (each) => [each.slice(0, each.lastIndexOf('-')), Number(each.slice(each.lastIndexOf('-') + 1))] as const,
    )
    const topics = [...new Set(split.map(([topic]) => topic))]
    return topics.map((topic) => ({ topic, partitions: split.filter(([of]) => of === topic).map(([, p]) => p) }))
  }

  leave(): Promise<unknown> | unknown {
    const left = this.world.leave(this.id)
    this.drop()
    return left
  }
}
