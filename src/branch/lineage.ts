// Which topic came from which, at what offsets, and what each knows of the others. Facts of the metadata log: the state is
// what replay of its records (lineage-records.ts) gives, and live changes go through the same function.

import type { Inherited } from '../log/inherited.ts'
import { Knowledge } from './knowledge.ts'
import type {
  DeletedRecord,
  ForkedTopic,
  ForkRecord,
  LeftRecord,
  LineageRecord,
  LostRecord,
  PromoteRecord,
} from './lineage-records.ts'
import { Mentions } from './mentions.ts'
import type { Forwarded, MergeBeginRecord, MergedPartition, MergeRecord } from './merge-records.ts'
import { recordsOfSets } from './set-records.ts'
import type { Vector } from './vector.ts'

export * from './lineage-records.ts'
export type { Vector } from './vector.ts'

/** One branch, as it was made. */
export type Branch = ForkedTopic & Pick<ForkRecord, 'at' | 'set'> & { readonly eventId: string }

/** Names that whoever enters sees, and the topics they stand for. */
export type BranchSet = {
  readonly name: string
  readonly at: number
  readonly members: Map<string, string>
  /** Ports of its listener, if it has one that somebody asked for. */
  ports?: readonly number[]
  /** It does not go with its last member. */
  stays?: true
}

/** The set that a topic belongs to, and its name in there. */
export type Membership = { readonly set: string; readonly inside: string }

/** A cut, and how many of its topics are still there. */
type Cut = { readonly record: ForkRecord; topicsLeft: number }

export class Lineage {
  /** By topic id. A branch is here as long as its topic. */
  readonly branches = new Map<string, Branch>()
  /** By label. */
  readonly sets = new Map<string, BranchSet>()
  /** Deletions whose event may not be told yet. */
  readonly #deletions = new Map<string, DeletedRecord>()
  /** By id. Here as long as the branch. */
  readonly losses = new Map<string, LostRecord>()
  /** Promotions that are true and perhaps not carried out to the end. */
  readonly promotions = new Map<string, PromoteRecord>()
  /** By topic id: the topic that took its name. */
  readonly #successors = new Map<string, string>()
  /** Cuts as they were made, by event id, without those whose topics are all gone. */
  readonly #cuts = new Map<string, Cut>()
  /** Event ids of cuts by the label of their set: they stay as long as it does. */
  readonly #cutsOfSets = new Map<string, Set<string>>()
  /** Branches by the id of the topic that they were made of. */
  readonly #children = new Map<string, Set<Branch>>()
  /** Labels of sets that are no more, for whoever has to end what was in them; he empties it. */
  readonly gone = new Set<string>()
  /** By topic id. */
  readonly #memberships = new Map<string, Membership>()
  /** Merges, resolutions and reverts as they were made, by id, without those whose targets are all gone. */
  readonly merges = new Map<string, MergeRecord>()
  /** Begun, and not known to be over: at a start these are what a kill has interrupted. */
  readonly begun = new Map<string, MergeBeginRecord>()
  /** By topic id. */
  readonly #forwarded = new Map<string, Forwarded>()
  /** Their ids by the id of the target. */
  readonly #mergesInto = new Map<string, Set<string>>()
  /** Which topics know of which branches. */
  readonly #mentions = new Mentions({
    knowledge: (topic) => this.#allKnowledge(topic),
    parent: (topic) => this.branches.get(topic)?.fromId,
  })
  /** By topic id, then by partition: those of which there is something to know. */
  readonly #knowledge = new Map<string, Map<number, Knowledge>>()

  apply(record: LineageRecord): void {
    switch (record.type) {
      case 'fork':
        this.#fork(record)
        break
      case 'set-member':
        this.#join(record.set, record.inside, record.id)
        break
      case 'set-left':
        this.#leave(record.id)
        break
      case 'set-removed':
        this.#removeSet(record.set)
        break
      case 'set-stays': {
        const set = this.sets.get(record.set)
        if (set !== undefined) set.stays = true
        break
      }
      case 'set-listener': {
        const set = this.sets.get(record.set)
        if (set !== undefined) set.ports = record.ports
        break
      }
      case 'lost':
        this.losses.set(record.id, record)
        break
      case 'branches-deleted':
        this.#deletions.set(record.id, record)
        break
      case 'merge-begin':
        this.begun.set(record.id, record)
        break
      case 'merge-aborted':
        this.begun.delete(record.id)
        break
      case 'merge':
        this.#merge(record)
        break
      case 'promote':
        this.#promote(record)
        break
      case 'promoted':
        this.promotions.delete(record.id)
        break
      case 'successor':
        this.#successors.set(record.id, record.by)
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
    for (const given of topics) {
      const topic = this.#mentions.hasForgotten ? this.#withoutForgotten(given) : given
      const branch = { ...topic, eventId, at, ...(set === undefined ? {} : { set }) }
      const before = this.branches.get(topic.id)
      this.branches.set(topic.id, branch)
      // A kill in the middle of a snapshot: it comes once more.
      if (before !== undefined) this.#children.get(before.fromId)?.delete(before)
      for (const { known, spans = [], merged = [] } of topic.partitions)
        this.#mentions.note(topic.id, known, spans, merged)
      this.#children.set(topic.fromId, (this.#children.get(topic.fromId) ?? new Set()).add(branch))
      if (set !== undefined && topic.inside !== undefined) this.#join(set, topic.inside, topic.id)
    }
  }

  /** Live it takes effect before it is on stable storage, so that it may come twice. */
  #merge(record: MergeRecord): void {
    if (this.merges.has(record.id)) return
    this.begun.delete(record.id)
    this.merges.set(record.id, record)
    for (const { intoId, partitions, forwarded } of record.topics) {
      if (forwarded !== undefined) this.#forwarded.set(intoId, forwarded)
      this.#mergesInto.set(intoId, (this.#mergesInto.get(intoId) ?? new Set()).add(record.id))
      for (const told of partitions) {
        const { remembered } = this.#mentions
        const each = { ...told, known: remembered(told.known) }
        if (told.loose !== undefined) each.loose = remembered(told.loose)
        this.#learn(intoId, record, each)
        const { known, spans = [], merged = [], loose = {} } = each
        this.#mentions.note(intoId, { ...known, ...loose }, spans, merged)
      }
    }
  }

  #learn(topicId: string, { id, at, op }: MergeRecord, learnt: MergedPartition): void {
    const { partition, known, end, first, last, loose, spans, merged } = learnt
    const knowledge = this.knowledge(topicId, partition)
    this.#keep(topicId, partition, knowledge)
    knowledge.learn({
      id,
      at,
      end,
      known,
      ...(first === undefined || last === undefined ? {} : { first, last }),
      ...(loose === undefined ? {} : { loose }),
      ...(spans === undefined ? {} : { spans }),
      ...(merged === undefined ? {} : { merged }),
      isResolution: op === 'resolve',
    })
  }

  #keep(topicId: string, partition: number, knowledge: Knowledge): void {
    const known = this.#knowledge.get(topicId) ?? new Map<number, Knowledge>()
    this.#knowledge.set(topicId, known.set(partition, knowledge))
  }

  /** Topics whose files were put together by a fast-forward, by id: the folder of the last one. */
  forwardedOf(topicId: string): Forwarded | undefined {
    return this.#forwarded.get(topicId)
  }

  /** What the log of a partition shares with others'. */
  inheritedOf(topicId: string, partition: number): Inherited | undefined {
    return (this.#forwarded.get(topicId) ?? this.branches.get(topicId))?.partitions[partition]
  }

  /** What a partition knows of others; of a topic that was never forked or merged into, nothing. */
  knowledge(topicId: string, partition: number): Knowledge {
    const kept = this.#knowledge.get(topicId)?.get(partition)
    if (kept !== undefined) return kept
    const branch = this.branches.get(topicId)
    const forked = branch?.partitions[partition]
    if (branch === undefined || forked === undefined) return new Knowledge(topicId)
    const { known, spans = [[branch.fromId, forked.offset] as const], merged = [] } = forked
    const knowledge = new Knowledge(topicId, { known, spans, merged })
    this.#keep(topicId, partition, knowledge)
    return knowledge
  }

  /** What a partition knows of others, as of now. */
  known(topicId: string, partition: number): Vector {
    return this.knowledge(topicId, partition).known
  }

  /** Up to where its parent knows a branch: base values of the next merge lie below. 0 for what is none. */
  knownToParent(topicId: string, partition: number): number {
    const branch = this.branches.get(topicId)
    return branch === undefined ? 0 : (this.known(branch.fromId, partition)[topicId] ?? 0)
  }

  /** Whether the histories of two topics have anything in common. */
  areRelated(one: string, other: string): boolean {
    const ancestry = (id: string) => [id, ...Object.keys(this.knowledge(id, 0).known)]
    const ancestors = new Set(ancestry(one))
    return ancestry(other).some((id) => ancestors.has(id))
  }

  #promote(record: PromoteRecord): void {
    this.promotions.set(record.id, record)
    for (const { id, over } of record.topics) {
      this.#leave(id)
      this.#successors.delete(id)
      if (over !== undefined) this.#successors.set(over.id, id)
    }
    if (record.set !== undefined) this.#removeSet(record.set)
  }

  /** The topic that took the name of another by a promotion, and would give it back. */
  successor(topicId: string): string | undefined {
    return this.#successors.get(topicId)
  }

  #withoutForgotten(topic: ForkedTopic): ForkedTopic {
    const { remembered } = this.#mentions
    return { ...topic, partitions: topic.partitions.map((of) => ({ ...of, known: remembered(of.known) })) }
  }

  #join(set: string, inside: string, id: string): void {
    const members = this.sets.get(set)?.members
    if (members === undefined) return
    members.set(inside, id)
    this.#memberships.set(id, { set, inside })
  }

  /** A topic is gone, and with it what is known of it alone. A set goes with its last member. */
  removed(topicId: string): void {
    this.#mentions.removed(topicId)
    this.#knowledge.delete(topicId)
    this.#forwarded.delete(topicId)
    for (const id of this.#mergesInto.get(topicId) ?? []) this.#forgetTarget(this.merges.get(id)!, topicId)
    this.#mergesInto.delete(topicId)
    const branch = this.branches.get(topicId)
    if (branch !== undefined) this.#removeBranch(branch)
    this.#successors.delete(topicId)
    this.#leave(topicId)
  }

  #leave(topicId: string): void {
    const membership = this.#memberships.get(topicId)
    if (membership === undefined) return
    this.#memberships.delete(topicId)
    const { set, inside } = membership
    const members = this.sets.get(set)?.members
    if (members?.get(inside) === topicId) members.delete(inside)
    if (members?.size === 0 && this.sets.get(set)?.stays !== true) this.#removeSet(set)
  }

  #removeBranch(branch: Branch): void {
    this.branches.delete(branch.id)
    const siblings = this.#children.get(branch.fromId)
    siblings?.delete(branch)
    if (siblings?.size === 0) this.#children.delete(branch.fromId)
    for (const [id, { topicId }] of this.losses) if (topicId === branch.id) this.losses.delete(id)
    const cut = this.#cuts.get(branch.eventId)
    if (cut === undefined) return
    cut.topicsLeft--
    this.#forgetCut(branch.eventId)
  }

  #removeSet(set: string): void {
    for (const id of this.sets.get(set)?.members.values() ?? []) this.#memberships.delete(id)
    if (this.sets.delete(set)) this.gone.add(set)
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

  #allKnowledge(topicId: string): ReadonlyMap<number, Knowledge> {
    this.branches.get(topicId)?.partitions.forEach((_, index) => void this.knowledge(topicId, index))
    return this.#knowledge.get(topicId) ?? new Map()
  }

  #forgetTarget(merge: MergeRecord, topicId: string): void {
    const topics = merge.topics.filter(({ intoId }) => intoId !== topicId)
    if (topics.length === 0) this.merges.delete(merge.id)
    else this.merges.set(merge.id, { ...merge, topics })
  }

  /** The set that a topic belongs to, and its name in there. */
  membership(topicId: string): Membership | undefined {
    return this.#memberships.get(topicId)
  }

  /** Cuts, deletions, promotions and losses that the history has to tell of, if it does not yet. */
  get tellable(): (ForkRecord | DeletedRecord | PromoteRecord | LostRecord)[] {
    const cuts = [...this.#cuts.values()].map(({ record }) => record)
    return [...cuts, ...this.#deletions.values(), ...this.promotions.values(), ...this.losses.values()]
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

  /** Branches that were made of a topic and are still there. */
  childCount(topicId: string): number {
    return this.#children.get(topicId)?.size ?? 0
  }

  /** Without what is forgotten. */
  #remembered(topicId: string, partition: number, known: Vector): Vector {
    const now = this.known(topicId, partition)
    return Object.fromEntries(Object.entries(known).filter(([branch]) => now[branch] !== undefined))
  }

  #rememberedMerge(merge: MergeRecord): MergeRecord {
    const topics = merge.topics.map((topic) => {
      const { intoId } = topic
      const partitions = topic.partitions.map((of) => ({
        ...of,
        known: this.#remembered(intoId, of.partition, of.known),
      }))
      return { ...topic, partitions }
    })
    return { ...merge, topics }
  }

  /** Cuts as far as they still matter: the record itself where all of it does, so that whoever has encoded it need not do so again. */
  *forks(): Generator<ForkRecord> {
    for (const { record, topicsLeft } of this.#cuts.values()) {
      if (topicsLeft === record.topics.length && record.topics.every((topic) => this.#isRemembered(topic))) yield record
      else {
        const left = record.topics.filter(({ id }) => this.branches.has(id))
        yield { ...record, topics: left.map((topic) => this.#rememberedFork(topic)) }
      }
    }
  }

  #isRemembered({ id, partitions }: ForkedTopic): boolean {
    if (!this.#mentions.hasForgotten) return true
    return partitions.every(({ known }, i) => {
      const now = this.known(id, i)
      return Object.keys(known).every((branch) => now[branch] !== undefined)
    })
  }

  #rememberedFork(topic: ForkedTopic): ForkedTopic {
    const partitions = topic.partitions.map((of, i) => ({ ...of, known: this.#remembered(topic.id, i, of.known) }))
    return { ...topic, partitions }
  }

  /** What gives this state again, for a metadata log that is written anew. */
  records(): LineageRecord[] {
    return [...this.forks(), ...this.besideForks()]
  }

  besideForks(): LineageRecord[] {
    const left = [...this.branches.values()].flatMap(({ id, set }): LeftRecord[] =>
      set === undefined || this.#memberships.get(id)?.set === set ? [] : [{ v: 1, type: 'set-left', set, id }],
    )
    const labels = new Set([...this.#cuts.values()].flatMap(({ record }) => record.set ?? []))
    const ended = [...labels].filter((set) => !this.sets.has(set))
    return [
      ...recordsOfSets(this.sets.values()),
      ...left,
      ...ended.map((set) => ({ v: 1, type: 'set-removed', set }) as const),
      ...this.#deletions.values(),
      ...[...this.merges.values()].map((merge) => this.#rememberedMerge(merge)),
      ...this.begun.values(),
      ...this.promotions.values(),
      ...this.losses.values(),
      ...[...this.#successors].map(([id, by]) => ({ v: 1, type: 'successor', id, by }) as const),
    ]
  }
}
