// Which topic came from which, at what offsets, and what each knows of the others. Facts of the metadata log: the state is
// what replay of its records gives, and live changes go through the same function.

import type { Inherited } from '../log/inherited.ts'

/** Of each branch (by topic id) every record below the offset is known. */
export type Vector = Readonly<Record<string, number>>

/** What becomes of the parent's groups: nothing, min(commit, fork point), or the fork point. */
export const groupRules = ['none', 'copy', 'fork'] as const
export type GroupRule = (typeof groupRules)[number]

export type ForkedPartition = Inherited & {
  /** Of others, at the fork: what the parent knew of them below the fork point, and the parent itself up to there. */
  readonly known: Vector
}

export type ForkedTopic = {
  readonly id: string
  /** As it is stored; inside its set it bears `inside`. */
  readonly name: string
  readonly inside?: string
  readonly from: string
  readonly fromId: string
  readonly groups: GroupRule
  readonly partitions: readonly ForkedPartition[]
  readonly sharedBytes: number
  readonly copiedBytes: number
}

/** One cut: all its topics exist, or none. */
export type ForkRecord = {
  readonly v: 1
  readonly type: 'fork'
  /** Of the event in `__branches`. */
  readonly id: string
  /** Broker time, ms. */
  readonly at: number
  /** The principal who asked. */
  readonly by: string
  /** Offset of the command that asked for it, where one did. */
  readonly command?: number
  readonly set?: string
  /** The topics took the places of branches that were called as they are. */
  readonly isReset?: boolean
  readonly topics: readonly ForkedTopic[]
}

/** A topic that was made inside a set, by whoever had entered it. */
export type MemberRecord = {
  readonly v: 1
  readonly type: 'set-member'
  readonly set: string
  readonly inside: string
  readonly id: string
}

/** A set is no more, whatever members it had. */
export type SetRemovedRecord = { readonly v: 1; readonly type: 'set-removed'; readonly set: string }

/** Branches go; which, is said once more by the records of the topics. Kept until the event is told. */
export type DeletedRecord = {
  readonly v: 1
  readonly type: 'branches-deleted'
  /** Of the event in `__branches`. */
  readonly id: string
  readonly at: number
  readonly by: string
  /** Whose whole set it was. */
  readonly set?: string
  /** Offset of the command that asked for it. */
  readonly command?: number
  readonly topics: readonly (Pick<ForkedTopic, 'id' | 'name'> & Partial<Pick<ForkedTopic, 'from' | 'fromId'>>)[]
}

export type LineageRecord = ForkRecord | MemberRecord | SetRemovedRecord | DeletedRecord

/** One branch, as it was made. */
export type Branch = ForkedTopic & Pick<ForkRecord, 'at' | 'set'> & { readonly eventId: string }

/** Names that whoever enters sees, and the topics they stand for. */
export type BranchSet = { readonly name: string; readonly at: number; readonly members: Map<string, string> }

/** A cut, and how many of its topics are still there. */
type Cut = { readonly record: ForkRecord; topicsLeft: number }

export class Lineage {
  /** By topic id. A branch is here as long as its topic. */
  readonly branches = new Map<string, Branch>()
  /** By label. */
  readonly sets = new Map<string, BranchSet>()
  /** Deletions whose event may not be told yet. */
  readonly #deletions = new Map<string, DeletedRecord>()
  /** Cuts as they were made, by event id, without those whose topics are all gone. */
  readonly #cuts = new Map<string, Cut>()
  /** Event ids of cuts by the label of their set: they stay as long as it does. */
  readonly #cutsOfSets = new Map<string, Set<string>>()
  /** Branches by the id of the topic that they were made of. */
  readonly #children = new Map<string, Set<Branch>>()
  /** By topic id. */
  readonly #memberships = new Map<string, { set: string; inside: string }>()

  apply(record: LineageRecord): void {
    switch (record.type) {
      case 'fork':
        this.#fork(record)
        break
      case 'set-member':
        this.#join(record.set, record.inside, record.id)
        break
      case 'set-removed':
        this.#removeSet(record.set)
        break
      case 'branches-deleted':
        this.#deletions.set(record.id, record)
        break
    }
  }

  #fork(record: ForkRecord): void {
    const { id: eventId, at, set, topics } = record
    this.#cuts.set(eventId, { record, topicsLeft: topics.length })
    if (set !== undefined) {
      if (!this.sets.has(set)) this.sets.set(set, { name: set, at, members: new Map() })
      this.#cutsOfSets.set(set, (this.#cutsOfSets.get(set) ?? new Set()).add(eventId))
    }
    for (const topic of topics) {
      const branch = { ...topic, eventId, at, ...(set === undefined ? {} : { set }) }
      this.branches.set(topic.id, branch)
      this.#children.set(topic.fromId, (this.#children.get(topic.fromId) ?? new Set()).add(branch))
      if (set !== undefined && topic.inside !== undefined) this.#join(set, topic.inside, topic.id)
    }
  }

  #join(set: string, inside: string, id: string): void {
    const members = this.sets.get(set)?.members
    if (members === undefined) return
    members.set(inside, id)
    this.#memberships.set(id, { set, inside })
  }

  /** A topic is gone, and with it what is known of it alone. A set goes with its last member. */
  removed(topicId: string): void {
    const branch = this.branches.get(topicId)
    if (branch !== undefined) this.#removeBranch(branch)
    const membership = this.#memberships.get(topicId)
    if (membership === undefined) return
    this.#memberships.delete(topicId)
    const { set, inside } = membership
    const members = this.sets.get(set)?.members
    if (members?.get(inside) === topicId) members.delete(inside)
    if (members?.size === 0) this.#removeSet(set)
  }

  #removeBranch(branch: Branch): void {
    this.branches.delete(branch.id)
    const siblings = this.#children.get(branch.fromId)
    siblings?.delete(branch)
    if (siblings?.size === 0) this.#children.delete(branch.fromId)
    const cut = this.#cuts.get(branch.eventId)
    if (cut === undefined) return
    cut.topicsLeft--
    this.#forgetCut(branch.eventId)
  }

  #removeSet(set: string): void {
    for (const id of this.sets.get(set)?.members.values() ?? []) this.#memberships.delete(id)
    this.sets.delete(set)
    const cuts = this.#cutsOfSets.get(set) ?? []
    this.#cutsOfSets.delete(set)
    for (const eventId of cuts) this.#forgetCut(eventId)
  }

  /** Unless something that is still there came from it. */
  #forgetCut(eventId: string): void {
    const cut = this.#cuts.get(eventId)
    const isNeeded = cut === undefined || cut.topicsLeft > 0 || this.sets.has(cut.record.set ?? '')
    if (!isNeeded) this.#cuts.delete(eventId)
  }

  /** The set that a topic belongs to, and its name in there. */
  membership(topicId: string): { readonly set: string; readonly inside: string } | undefined {
    return this.#memberships.get(topicId)
  }

  /** Cuts and deletions that the history has to tell of, if it does not yet. */
  get tellable(): (ForkRecord | DeletedRecord)[] {
    return [...[...this.#cuts.values()].map(({ record }) => record), ...this.#deletions.values()]
  }

  /** The event of this id is in the history: a deletion is not needed any more. */
  told(eventId: string): void {
    this.#deletions.delete(eventId)
  }

  /** How many forks lie between a topic and one that is no branch; 0 for that one. */
  depth(topicId: string): number {
    let depth = 0
    for (let branch = this.branches.get(topicId); branch !== undefined; branch = this.branches.get(branch.fromId))
      depth++
    return depth
  }

  /** What a partition of a topic knows of others. */
  known(topicId: string, partition: number): Vector {
    return this.branches.get(topicId)?.partitions[partition]?.known ?? {}
  }

  /** What a branch of a topic's partition knows of others: what its parent does, and the parent up to the fork point. */
  knownAtFork(parentId: string, partition: number, forkPoint: number): Vector {
    return { ...this.known(parentId, partition), [parentId]: forkPoint }
  }

  /** Branches that were made of a topic and are still there. */
  children(topicId: string): Branch[] {
    return [...(this.#children.get(topicId) ?? [])]
  }

  /** What gives this state again, for a metadata log that is written anew. */
  records(): LineageRecord[] {
    const members = [...this.sets.values()].flatMap(({ name: set, members }) =>
      [...members].map(([inside, id]): MemberRecord => ({ v: 1, type: 'set-member', set, inside, id })),
    )
    const forks = [...this.#cuts.values()].map(({ record }) => {
      const topics = record.topics.filter(({ id }) => this.branches.has(id))
      return { ...record, topics }
    })
    return [...forks, ...members, ...this.#deletions.values()]
  }
}
