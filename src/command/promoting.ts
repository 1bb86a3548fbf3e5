// The op `promote`: a branch takes its parent's name, and the parent lives on under another; for a whole set at once. No
// record moves and topic ids stay with the records, so to clients it is as if the topic had been made anew. Promoting the
// one that was kept undoes it.
//
//   wait for open transactions ─ metadata record (true from here on) ─ groups' commits ─ `__branches` ─ `promoted`
//
// A start that finds no `promoted` writes commits and event again.

import { Refusal } from '../../protocol/errors.ts'
import type { PromoteCommand } from '../branch/commands.ts'
import { type BranchEvent, Rejection } from '../branch/events.ts'
import type { PromotedCommit, PromoteRecord } from '../branch/lineage.ts'
import { eventOf } from '../branch/lineage-event.ts'
import { insideOf } from '../branch/set-names.ts'
import type { Renaming } from '../broker/renaming.ts'
import type { Topic } from '../broker/topic.ts'
import type { Commit } from '../group/offset-requests.ts'
import type { Rooms } from './forking.ts'
import type { History } from './history.ts'
import { noBranch, noSet, noTopic, orphan } from './not-there.ts'
import type { Executor } from './operations.ts'

/** A topic, the name that it takes, and the topic that gives the name up. */
type Promotion = { readonly topic: Topic; readonly name: string; readonly over?: { topic: Topic; name: string } }
type Ends = { readonly set?: string }

const patienceMs = 10_000
const lookAgainMs = 20

export class Promoting {
  readonly #rooms: Rooms
  readonly #history: History

  constructor(rooms: Rooms, history: History) {
    this.#rooms = rooms
    this.#history = history
  }

  readonly execute: Executor<PromoteCommand> = async (command, { by, command: offset, goOn }) => {
    const { broker } = this.#rooms
    const until = broker.clock.now() + patienceMs
    for (;;) {
      const promotions = this.#promotionsOf(command)
      if (promotions instanceof Rejection) return promotions
      const open = command.dryRun ? undefined : openIn(promotions)
      if (open !== undefined) {
        if (broker.clock.now() >= until) {
          const message = `'${open.name}' has had an open transaction for ${patienceMs / 1000} s. End or abort it first.`
          return new Rejection('OPEN_TRANSACTION', message)
        }
        await new Promise<void>((resolve) => broker.clock.after(lookAgainMs, resolve))
        goOn?.()
        continue
      }
      const set = 'set' in command.which ? { set: command.which.set } : {}
      const record: PromoteRecord = {
        v: 1,
        type: 'promote',
        id: command.id,
        at: broker.clock.now(),
        by,
        ...(offset === undefined ? {} : { command: offset }),
        ...set,
        topics: promotions.map(({ topic, name, over }) => {
          const kept = over === undefined ? {} : { over: { id: over.topic.id, name: over.name } }
          return { id: topic.id, name, was: topic.name, ...kept }
        }),
        commits: command.dryRun ? [] : promotions.flatMap((one) => this.#commits(one, set)),
      }
      if (command.dryRun) {
        return this.#history.write({ ...eventOf(record), type: 'plan', status: 'clean', op: 'promote' })
      }
      await broker.rename(promotions.flatMap(renamingsOf), [record])
      return this.finish(record)
    }
  }

  /** Where groups stand now, and the event; again for one that a kill has cut off. Rejects with StorageError. */
  async finish(record: PromoteRecord): Promise<BranchEvent> {
    const { broker, groups } = this.#rooms
    const byGroup = new Map<string, Commit[]>()
    for (const { group, ...commit } of record.commits) {
      byGroup.set(group, [...(byGroup.get(group) ?? []), commit])
    }
    await Promise.all([...byGroup].map(([group, commits]) => groups.offsets.plant(group, commits)))
    // A start that comes back to it has told it already, if nobody else had.
    const event = this.#history.result(record.id) ?? (await this.#history.write(eventOf(record)))
    await broker.noteLineage([{ v: 1, type: 'promoted', id: record.id }])
    return event
  }

  // --- which topics

  #promotionsOf({ id, which, keep }: PromoteCommand): Promotion[] | Rejection {
    const { broker } = this.#rooms
    if ('branch' in which) {
      const topic = broker.topic(which.branch)
      if (topic === undefined) {
        return noTopic(which.branch)
      }
      const over = this.#over(topic)
      if (over instanceof Rejection) return over
      return this.#checked([
        { topic, name: over.name, over: { topic: over, name: keep ?? `${over.name}--before-${id}` } },
      ])
    }
    const set = broker.lineage.sets.get(which.set)
    if (set === undefined) return noSet(which.set)
    const promotions: Promotion[] = []
    for (const [inside, topicId] of set.members) {
      const topic = broker.topicById(topicId)
      if (topic === undefined) continue
      const isBranch = broker.lineage.branches.has(topicId)
      const over = isBranch ? this.#over(topic) : undefined
      if (over instanceof Rejection) return over
      // What was made inside takes the name that it has in there.
      if (over === undefined) promotions.push({ topic, name: inside })
      else {
        const name = `${over.name}--${keep ?? `before-${id}`}`
        promotions.push({ topic, name: over.name, over: { topic: over, name } })
      }
    }
    return this.#checked(promotions)
  }

  /** The topic whose name it takes: the one that has taken its own, else its parent. */
  #over(topic: Topic): Topic | Rejection {
    const { broker } = this.#rooms
    const { lineage } = broker
    const branch = lineage.branches.get(topic.id)
    const over = broker.topicById(lineage.successor(topic.id) ?? '') ?? broker.topicById(branch?.fromId ?? '')
    if (over !== undefined) return over
    if (branch === undefined) return noBranch(topic.name)
    return orphan(topic.name, branch.from, 'Fork it under the name that it is to have.')
  }

  /** Names that are given must be free, or be given up by another of them. */
  #checked(promotions: readonly Promotion[]): Promotion[] | Rejection {
    const { broker } = this.#rooms
    const moving = new Set(
      promotions.flatMap(({ topic, over }) => [topic, ...(over === undefined ? [] : [over.topic])]),
    )
    const given = new Set<string>()
    for (const { topic, name } of promotions.flatMap(renamingsOf)) {
      const bad = broker.checkTopicName(name) ?? broker.own.checkName(name)
      if (bad !== undefined) return Rejection.of(bad)
      const holder = broker.topic(name)
      if (given.has(name) || (holder !== undefined && !moving.has(holder))) {
        return Rejection.of(
          new Refusal(
            'TOPIC_ALREADY_EXISTS',
            `'${name}', which '${topic.name}' would get, exists. Name another with keep.`,
          ),
        )
      }
      given.add(name)
    }
    const grown = promotions.find(({ topic, over }) => over && over.topic.partitions.length !== topic.partitions.length)
    if (grown === undefined) return [...promotions]
    const message = `'${grown.topic.name}' and '${grown.over!.topic.name}' have different numbers of partitions. Add some to the one that has fewer.`
    return new Rejection('INVALID_PARTITIONS', message)
  }

  // --- where groups stand

  /**
   * Under the name that is taken a group stands where it stood on the branch, else where it stood on the other topic as far
   * as both are the same; where it stood on that one goes with that one.
   */
  #commits({ topic, name, over }: Promotion, { set }: Ends): PromotedCommit[] {
    const { groups } = this.#rooms
    const commits = new Map<string, PromotedCommit>()
    const note = (commit: PromotedCommit) => commits.set(`${commit.partition} ${commit.topic} ${commit.group}`, commit)
    if (over !== undefined) {
      for (const { groupId: group, partition, committed } of groups.offsets.ofTopic(over.topic.name, over.topic.id)) {
        const { offset, leaderEpoch, metadata } = committed
        note({ group, topic: over.name, topicId: over.topic.id, partition, offset, leaderEpoch, metadata })
        const { epochs } = topic.partitions[partition]!.log
        const end = this.#commonEnd(topic, over.topic, partition)
        const kept = Math.min(offset, end)
        const epoch = kept === offset ? leaderEpoch : epochs.epochAt(kept - 1)
        note({ group, topic: name, topicId: topic.id, partition, offset: kept, leaderEpoch: epoch, metadata })
      }
    }
    const own = [...groups.offsets.ofTopic(topic.name, topic.id)]
    // Those of the set last: the application that had entered it is the one that goes on.
    own.sort((a, b) => Number(insideOf(a.groupId) !== undefined) - Number(insideOf(b.groupId) !== undefined))
    for (const { groupId, partition, committed } of own) {
      const inside = insideOf(groupId)
      const group = inside === undefined ? groupId : inside.set === set ? inside.id : undefined
      if (group === undefined) continue
      const { offset, leaderEpoch, metadata } = committed
      note({ group, topic: name, topicId: topic.id, partition, offset, leaderEpoch, metadata })
    }
    return [...commits.values()]
  }

  /** Below it both show the same records. */
  #commonEnd(topic: Topic, over: Topic, partition: number): number {
    const { branches } = this.#rooms.broker.lineage
    const own = branches.get(topic.id)
    const child = own?.fromId === over.id ? own : branches.get(over.id)
    return child?.partitions[partition]?.offset ?? 0
  }
}

const renamingsOf = ({ topic, name, over }: Promotion): Renaming[] =>
  over === undefined
    ? [{ topic, name }]
    : [
        { topic, name, other: over.topic },
        { topic: over.topic, name: over.name, other: topic },
      ]

/** A topic with a transaction that is not decided. */
const openIn = (promotions: readonly Promotion[]): Topic | undefined =>
  promotions
    .flatMap(({ topic, over }) => [topic, ...(over === undefined ? [] : [over.topic])])
    .find(({ partitions }) =>
      partitions.some(({ lastStableOffset, highWatermark }) => lastStableOffset < highWatermark),
    )
