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
import type { Branch, LeftRecord, MemberRecord, PromoteRecord } from '../branch/lineage.ts'
import { eventOf } from '../branch/lineage-event.ts'
import { shownInside, topicInside } from '../branch/set-names.ts'
import type { Renaming } from '../broker/renaming.ts'
import type { Topic } from '../broker/topic.ts'
import { plant, plantShares } from './fork-groups.ts'
import type { Rooms } from './forking.ts'
import type { History } from './history.ts'
import { noBranch, noSet, noTopic, orphan } from './not-there.ts'
import type { Executor } from './operations.ts'
import { type Promotion, promotedCommits, promotedShares } from './promoted-groups.ts'
import { seatsOf } from './set-seats.ts'

const orphaned = ({ name }: Topic, { from }: Branch): Rejection =>
  orphan(name, from, 'Fork it under the name that it is to have.')

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
      const set = 'set' in command.which ? command.which.set : undefined
      const record: PromoteRecord = {
        v: 1,
        type: 'promote',
        id: command.id,
        at: broker.clock.now(),
        by,
        ...(offset === undefined ? {} : { command: offset }),
        ...(set === undefined ? {} : { set }),
        topics: promotions.map(({ topic, name, over }) => {
          const kept = over === undefined ? {} : { over: { id: over.topic.id, name: over.name } }
          return { id: topic.id, name, was: topic.name, ...kept }
        }),
        commits: command.dryRun ? [] : promotions.flatMap((one) => promotedCommits(one, set, this.#rooms)),
        shares: command.dryRun ? [] : promotions.flatMap((one) => promotedShares(one, set, this.#rooms)),
      }
      if (command.dryRun) {
        return this.#history.write({ ...eventOf(record), type: 'plan', status: 'clean', op: 'promote' })
      }
      const members = promotions.flatMap((one) => this.#membersOf(one))
      await broker.rename(promotions.flatMap(renamingsOf), [record, ...members])
      return this.finish(record)
    }
  }

  /** Where groups stand now, and the event; again for one that a kill has cut off. Rejects with StorageError. */
  async finish(record: PromoteRecord): Promise<BranchEvent> {
    const { broker, groups } = this.#rooms
    await plant(record.commits, groups)
    await plantShares(record.shares ?? [], groups)
    // Under a name that nobody bears any more the stock tools find no end of the topic, and tell nothing of the whole group.
    const freed = record.topics.filter(({ was }) => broker.topic(was) === undefined)
    await Promise.all(freed.map(({ was, id }) => groups.offsets.onTopicDeleted(was, id)))
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
        { topic, name: over.name, over: { topic: over, name: keep ?? this.#besides(over, `before-${id}`) } },
      ])
    }
    const set = broker.lineage.sets.get(which.set)
    if (set === undefined) return noSet(which.set)
    const promotions: Promotion[] = []
    const inner: Promotion[] = []
    const seats = new Map(seatsOf(which.set, broker.lineage).map(({ id: member, seat }) => [member, seat]))
    for (const [inside, topicId] of set.members) {
      const topic = broker.topicById(topicId)
      if (topic === undefined) continue
      const seat = seats.get(topicId)
      // What was made inside, or forked from a member, takes the name that it has in there.
      if (seat === undefined) {
        inner.push({ topic, name: inside })
        continue
      }
      const over = broker.topicById(seat.fromId)
      if (over === undefined) return orphaned(topic, seat)
      const name = this.#besides(over, keep ?? `before-${id}`)
      promotions.push({ topic, name: over.name, over: { topic: over, name } })
    }
    const [around] = promotions.flatMap(({ over }) => broker.lineage.membership(over!.topic.id) ?? [])
    const named = inner.map(({ topic, name }): Promotion => {
      return around === undefined ? { topic, name } : { topic, name: topicInside(around.set, name), joins: around.set }
    })
    return this.#checked([...promotions, ...named])
  }

  /** A name beside that of a topic: within its set, where it is in one. */
  #besides({ id, name }: Topic, ending: string): string {
    const place = this.#rooms.broker.lineage.membership(id)
    return place === undefined ? `${name}--${ending}` : topicInside(place.set, `${place.inside}--${ending}`)
  }

  /** Whoever has entered a set meets there, too, what took a name; and what gave it up, under its new one. */
  #membersOf({ topic, name, over, joins }: Promotion): (MemberRecord | LeftRecord)[] {
    const { lineage } = this.#rooms.broker
    const member = (set: string, inside: string, { id }: Topic) =>
      ({ v: 1, type: 'set-member', set, inside, id }) as const
    if (joins !== undefined) return [member(joins, shownInside(joins, name), topic)]
    const place = over && lineage.membership(over.topic.id)
    if (place === undefined) return []
    const { set, inside } = place
    const kept = shownInside(set, over!.name)
    const other = lineage.sets.get(set)?.members.get(kept)
    const isFree = other === undefined || [topic.id, over!.topic.id].includes(other)
    if (isFree) return [member(set, kept, over!.topic), member(set, inside, topic)]
    return [member(set, inside, topic), { v: 1, type: 'set-left', set, id: over!.topic.id }]
  }

  /** The topic whose name it takes: the one that has taken its own, else its parent. */
  #over(topic: Topic): Topic | Rejection {
    const { broker } = this.#rooms
    const { lineage } = broker
    const branch = lineage.branches.get(topic.id)
    const over = broker.topicById(lineage.successor(topic.id) ?? '') ?? broker.topicById(branch?.fromId ?? '')
    if (over !== undefined) return over
    return branch === undefined ? noBranch(topic.name) : orphaned(topic, branch)
  }

  /** Names that are given must be free, or be given up by another of them. */
  #checked(promotions: readonly Promotion[]): Promotion[] | Rejection {
    const { broker } = this.#rooms
    const moving = new Set(
      promotions.flatMap(({ topic, over }) => [topic, ...(over === undefined ? [] : [over.topic])]),
    )
    const given = new Set<string>()
    for (const { topic, name } of promotions.flatMap(renamingsOf)) {
      const holder = broker.topic(name)
      const bad = broker.checkTopicName(name, holder === undefined) ?? broker.own.checkName(name)
      if (bad !== undefined) return Rejection.of(bad)
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
}

const renamingsOf = ({ topic, name, over }: Promotion): Renaming[] =>
  over === undefined
    ? [{ topic, name, configs: lastingConfigs(topic) }]
    : [
        { topic, name, other: over.topic, configs: lastingConfigs(topic) },
        { topic: over.topic, name: over.name, other: topic },
      ]

/** What a branch was to live for as a trial does not count for what it has become. */
function lastingConfigs({ config }: Topic): Record<string, string> {
  const { 'branch.ttl.ms': _, ...configs } = config.overrides()
  return configs
}

/** A topic with a transaction that is not decided. */
const openIn = (promotions: readonly Promotion[]): Topic | undefined =>
  promotions
    .flatMap(({ topic, over }) => [topic, ...(over === undefined ? [] : [over.topic])])
    .find(({ partitions }) =>
      partitions.some(({ lastStableOffset, highWatermark }) => lastStableOffset < highWatermark),
    )
