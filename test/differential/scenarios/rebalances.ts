// Groups on their way from one generation to the next: what members, and those who are none, are told meanwhile. First a
// classic group, then classic members of a consumer group, up to the last consumer's leave.

import { offsetCommit } from '../../../protocol/messages/08-offset-commit.ts'
import { joinGroup } from '../../../protocol/messages/11-join-group.ts'
import { heartbeat } from '../../../protocol/messages/12-heartbeat.ts'
import { leaveGroup } from '../../../protocol/messages/13-leave-group.ts'
import { syncGroup } from '../../../protocol/messages/14-sync-group.ts'
import { describeGroups } from '../../../protocol/messages/15-describe-groups.ts'
import { consumerGroupHeartbeat } from '../../../protocol/messages/68-consumer-group-heartbeat.ts'
import { zeroUuid } from '../../../protocol/schema.ts'
import { assignmentBytes, subscriptionOf } from '../../group/consumers.ts'
import { pause, type Side } from '../side.ts'
import { coordinatorOf } from './groups.ts'

/** Who has no id from a coordinator. */
const fixedIds: Readonly<Record<string, string>> = { m: 'm', nobody: 'nobody', outside: '' }

export class Group {
  readonly side: Side
  readonly id: string
  readonly #ids = new Map<string, string>()
  readonly #generations = new Map<string, number>()
  /** Of those who join from here on. */
  sessionTimeoutMs = 30_000
  rebalanceTimeoutMs = 30_000

  /** Named as the topic that it reads. */
  constructor(side: Side, id: string) {
    this.side = side
    this.id = id
  }

  #idOf(name: string): string {
    return fixedIds[name] ?? this.#ids.get(name)!
  }

  #joining(memberId: string) {
    const protocols = [{ name: 'range', metadata: subscriptionOf([this.id]) }]
    const who = { groupId: this.id, memberId, groupInstanceId: null, protocolType: 'consumer', protocols }
    return { ...who, sessionTimeoutMs: this.sessionTimeoutMs, rebalanceTimeoutMs: this.rebalanceTimeoutMs }
  }

  /** KIP-394: an id, and no member yet; in a group of consumers it is one at once. */
  async newcomer(name: string): Promise<void> {
    const { memberId, errorCode, generationId } = await this.side.quiet(joinGroup, 7, this.#joining(''))
    this.side.remember(memberId, `<${this.id} ${name}>`)
    this.#ids.set(name, memberId)
    this.#generations.set(name, errorCode === 0 ? generationId : 1)
  }

  async join(label: string, name: string) {
    const { answered } = await this.side.park(label, joinGroup, 7, this.#joining(this.#idOf(name)))
    const joined = answered.then((answer) => {
      if (typeof answer === 'object' && answer.errorCode === 0) this.#generations.set(name, answer.generationId)
    })
    return { joined }
  }

  /** `parts`: what a leader gives to whom. */
  async sync(label: string, name: string, parts: Readonly<Record<string, number[]>> = {}) {
    const assignments = Object.entries(parts).map(([of, partitions]) => ({
      memberId: this.#idOf(of),
      assignment: assignmentBytes({ [this.id]: partitions }),
    }))
    const who = { groupId: this.id, memberId: this.#idOf(name), groupInstanceId: null }
    const named = { generationId: this.#generations.get(name)!, protocolType: 'consumer', protocolName: 'range' }
    const { answered } = await this.side.park(label, syncGroup, 5, { ...who, ...named, assignments })
    return { synced: answered }
  }

  /** Until what was parked has come to the coordinator. */
  async becomes(state: string): Promise<void> {
    for (let tries = 0; tries < 300; tries++) {
      const { groups } = await this.side.quiet(describeGroups, 5, { groups: [this.id] })
      if (groups[0]!.groupState === state) return
      await pause(20)
    }
    throw new Error(`${this.side.bootstrap}: ${this.id} does not become ${state}`)
  }

  /**
   * Everything that may be asked while the group is as it is. `who`: a member by its name, in its generation or in one
   * beside it ("a", "a-1", "a+1").
   */
  async look(when: string, ...who: string[]): Promise<void> {
    for (const each of who) {
      await this.#lookAs(when, each)
      await this.side.each(`${when}: ${each}`, syncGroup, (version) => {
        const named = version >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : {}
        return { ...this.#as(each), ...named, assignments: [] }
      })
    }
    const leavers = [{ memberId: 'stranger', groupInstanceId: null }]
    await this.side.ask(`${when}: a stranger leaves`, leaveGroup, 5, { groupId: this.id, members: leavers })
    await this.side.each(when, describeGroups, { groups: [this.id], includeAuthorizedOperations: false })
  }

  /** Where SyncGroup would be taken, and wait for the leader or be the leader's word. */
  async lookWithoutSync(when: string, ...who: string[]): Promise<void> {
    for (const each of who) await this.#lookAs(when, each)
  }

  #as(who: string) {
    const [, name, beside] = /^(\w+)([+-]\d)?$/.exec(who)!
    const generationId = (this.#generations.get(name!) ?? (name === 'm' ? 2 : -1)) + Number(beside ?? 0)
    return { groupId: this.id, memberId: this.#idOf(name!), groupInstanceId: null, generationId }
  }

  async #lookAs(when: string, who: string): Promise<void> {
    const topicId = this.side.idOf(this.id)
    const { generationId, ...named } = this.#as(who)
    await this.side.each(`${when}: ${who}`, heartbeat, { ...named, generationId })
    for (const indexes of [[0], [1], [0, 1]])
      await this.side.each(`${when}: ${who} for ${indexes}`, offsetCommit, (version) => {
        const committed = { committedOffset: 1, committedLeaderEpoch: -1, committedMetadata: '' }
        const partitions = indexes.map((partitionIndex) => ({ partitionIndex, ...committed }))
        const [name, id] = version >= 10 ? ['', topicId] : [this.id, zeroUuid]
        const topics = [{ name, topicId: id, partitions }]
        return { ...named, generationIdOrMemberEpoch: generationId, retentionTimeMs: -1, topics }
      })
  }

  async leave(label: string, name: string): Promise<void> {
    const members = [{ memberId: this.#idOf(name), groupInstanceId: null }]
    await this.side.ask(label, leaveGroup, 5, { groupId: this.id, members })
  }
}

export async function rebalanceScenario(side: Side): Promise<void> {
  await side.topic('rb', 2)
  await coordinatorOf(side, 'rb')
  const group = new Group(side, 'rb')
  await group.newcomer('a')
  await group.look('an id was given away', 'a', 'a-1', 'nobody')
  await (await group.join('a joins', 'a')).joined
  await (await group.sync('a assigns', 'a', { a: [0, 1] })).synced
  await group.newcomer('b')
  await group.look('a second id was given away', 'a', 'b', 'b-2')
  const b = await group.join('b joins', 'b')
  await group.becomes('PreparingRebalance')
  await group.look('b has joined', 'a', 'a-1', 'a+1', 'b', 'b-1', 'b-2', 'nobody', 'outside')
  const a = await group.join('a joins again', 'a')
  await Promise.all([a.joined, b.joined])
  await group.lookWithoutSync('both have joined', 'a', 'b')
  await group.look('both have joined', 'a-1', 'b-1', 'b+1')
  const waits = await group.sync('b syncs', 'b')
  await group.newcomer('c')
  const c = await group.join('c joins', 'c')
  await waits.synced
  await group.look('c has joined', 'a', 'b', 'c', 'c+1')
  await group.leave('b leaves', 'b')
  await group.look('b has left', 'a', 'b')
  const again = await group.join('a joins a third time', 'a')
  await Promise.all([again.joined, c.joined])
  const first = await group.sync('c syncs', 'c')
  const second = await group.sync('a assigns to both', 'a', { a: [0], c: [1] })
  await Promise.all([first.synced, second.synced])
  await group.look('stable again', 'a', 'c', 'c-1', 'b')
  await group.leave('the leader leaves', 'a')
  await group.look('the leader has left', 'a', 'c', 'c-1')
  await group.leave('the last one leaves', 'c')
  await group.look('nobody is left', 'a', 'c', 'c+1', 'nobody', 'outside')
}

export async function migrationScenario(side: Side): Promise<void> {
  await side.topic('mi', 2)
  await coordinatorOf(side, 'mi')
  const group = new Group(side, 'mi')
  const topicId = side.idOf('mi')
  let epoch = 0
  /** `owned`: what m says that it has; it says nothing where that is not given. Resolves to what it shall have. */
  const beat = async (label: string, owned?: number[]): Promise<number[]> => {
    const has = owned === undefined || owned.length === 0 ? [] : [{ topicId, partitions: owned }]
    const joins = epoch === 0 ? { rebalanceTimeoutMs: 30_000, subscribedTopicNames: ['mi'] } : {}
    const body = { groupId: 'mi', memberId: 'm', memberEpoch: epoch, ...joins }
    const answer = await side.ask(label, consumerGroupHeartbeat, 1, {
      ...body,
      topicPartitions: owned === undefined ? null : has,
    })
    if (typeof answer === 'string' || answer.errorCode !== 0) return []
    epoch = answer.memberEpoch
    return answer.assignment?.topicPartitions[0]?.partitions ?? []
  }
  await group.newcomer('a')
  await (await group.join('a joins', 'a')).joined
  await (await group.sync('a assigns', 'a', { a: [0, 1] })).synced
  await group.look('classic', 'a')
  await beat('m joins: the group is one of consumers', [])
  await group.look('m has joined', 'a', 'a-1', 'a+1', 'm')
  await beat('m waits')
  await (await group.join('a joins the new epoch', 'a')).joined
  await group.look('a has joined', 'a', 'a-1')
  await beat('m has its part', await beat('m is given its part'))
  await group.look('all have their part', 'a')
  await group.newcomer('b')
  await group.look('b has joined without an id', 'a', 'b')
  await group.leave('a leaves', 'a')
  await group.leave('b leaves', 'b')
  await beat('m comes into the next epoch')
  await beat('m has all', await beat('m is given the rest'))
  // Now what the classic member shall have is with another.
  await group.newcomer('d')
  await (await group.join('d joins', 'd')).joined
  await group.look('d waits for m', 'd', 'd-1')
  const kept = await beat('m is told to let go')
  await group.look('m has been told', 'd')
  await beat('m has let go', kept)
  await group.look('m has let go', 'd', 'd-1')
  await (await group.join('d joins again', 'd')).joined
  await group.look('d has its part', 'd', 'd+1')
  epoch = -1
  await beat('m leaves: the group is classic')
  await group.look('m has left', 'd', 'd+1', 'm')
  await (await group.join('d joins alone', 'd')).joined
  await group.lookWithoutSync('d has joined alone', 'd', 'd-1', 'm')
  await (await group.sync('d assigns', 'd', { d: [0, 1] })).synced
  await group.look('classic again', 'd', 'd+1')
}
