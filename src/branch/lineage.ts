// Which topic came from which, at what offsets, and what each knows of the others. Facts of the metadata log: the state is
// what replay of its records (lineage-records.ts) gives, and live changes go through the same function.

import type { Inherited } from '../log/inherited.ts'
import { Cuts } from './cuts.ts'
import { Knowledge } from './knowledge.ts'
import type {
  DeletedRecord,
  ForkedPartition,
  ForkedTopic,
  ForkRecord,
  LeftRecord,
  LineageRecord,
  LostRecord,
  PromoteRecord,
} from './lineage-records.ts'
import { Mentions } from './mentions.ts'
import { MergeLedger } from './merge-ledger.ts'
import type { Forwarded, MergeBeginRecord, MergedPartition, MergeRecord } from './merge-records.ts'
import { joined, MergedRanges } from './merged-ranges.ts'
import { recordsOfSets } from './set-records.ts'
import { Standing } from './standing.ts'
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
  readonly standing = new Standing((id) => this.branches.has(id))
  readonly #cuts = new Cuts()
  /** Branches by the id of the topic that they were made of. */
  readonly #children = new Map<string, Set<Branch>>()
  /** Labels of sets that are no more, for whoever has to end what was in them; he empties it. */
  readonly gone = new Set<string>()
  /** By topic id. */
  readonly #memberships = new Map<string, Membership>()
  readonly #merges = new MergeLedger()
  /** Begun, and not known to be over: at a start these are what a kill has interrupted. */
  readonly begun = new Map<string, MergeBeginRecord>()
  /** By topic id. */
  readonly #forwarded = new Map<string, Forwarded>()
  /** Which topics know of which branches. */
  readonly #mentions = new Mentions({
    knowledge: (topic) => this.#allKnowledge(topic),
    parent: (topic) => this.branches.get(topic)?.fromId,
    forget: (topic, branch) => {
      for (const knowledge of this.#allKnowledge(topic).values()) knowledge.forget(branch)
      this.#merges.forget(topic, branch)
    },
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
        this.#leave(record.id, record.set)
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
      case 'standing':
        this.standing.apply(record)
        break
    }
  }

  #fork(record: ForkRecord): void {
    const { id: eventId, at, set, topics } = record
    this.#cuts.add(record)
    if (set !== undefined && !this.sets.has(set)) this.sets.set(set, { name: set, at, members: new Map() })
    for (const given of topics) {
      const topic = this.#mentions.hasForgotten ? this.#withoutForgotten(given) : given
      const branch = { ...topic, eventId, at, ...(set === undefined ? {} : { set }) }
      const before = this.branches.get(topic.id)
      this.branches.set(topic.id, branch)
      // A kill in the middle of a snapshot: it comes once more.
      if (before !== undefined) this.#children.get(before.fromId)?.delete(before)
      topic.partitions.forEach(({ known, spans, ...ranges }, i) => {
        this.#mentions.note(topic.id, known, spans, ranges)
        // Now, while the topic is there that it has them from.
        if (ranges.inherits !== undefined) this.knowledge(topic.id, i)
      })
      this.#children.set(topic.fromId, (this.#children.get(topic.fromId) ?? new Set()).add(branch))
      if (set !== undefined && topic.inside !== undefined) this.#join(set, topic.inside, topic.id)
    }
  }

  /** Live it takes effect before it is on stable storage, so that it may come twice. */
  #merge(record: MergeRecord): void {
    if (this.#merges.all.has(record.id)) return
    this.begun.delete(record.id)
    const { remembered } = this.#mentions
    const topics = record.topics.map((topic) => {
      const partitions = topic.partitions.map((told): MergedPartition => {
        const loose = told.loose === undefined ? {} : { loose: remembered(told.loose) }
        return { ...told, known: remembered(told.known), ...loose }
      })
      return { ...topic, partitions }
    })
    this.#merges.add({ ...record, topics })
    for (const { fromId, intoId, partitions, forwarded } of topics) {
      if (forwarded !== undefined) this.#forwarded.set(intoId, forwarded)
      for (const each of partitions) {
        this.#learn(intoId, record, each, fromId)
        const { known, spans, merged = [], loose = {} } = each
        this.#mentions.note(intoId, { ...known, ...loose }, spans, { merged })
      }
    }
  }

  /** Merges, resolutions and reverts by id, without those whose targets are all gone. */
  get merges(): ReadonlyMap<string, MergeRecord> {
    return this.#merges.all
  }

  #learn(topicId: string, { id, at, op }: MergeRecord, learnt: MergedPartition, fromId: string | undefined): void {
    const { partition, known, end, first, last, loose, spans, merged, isWeighed } = learnt
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
      ...(fromId === undefined || isWeighed ? {} : { held: fromId }),
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
    const { known, spans = [[branch.fromId, forked.offset] as const], unheld, inherits } = forked
    const inherited = inherits && { ranges: this.#rangesOf(inherits.of, partition), below: inherits.below }
    const knowledge = new Knowledge(topicId, { known, spans, unheld }, new MergedRanges(topicId, forked, inherited))
    this.#keep(topicId, partition, knowledge)
    return knowledge
  }

  /** Those of now and of later, in one. */
  #rangesOf(topicId: string, partition: number): MergedRanges {
    const knowledge = this.knowledge(topicId, partition)
    this.#keep(topicId, partition, knowledge)
    return knowledge.ranges
  }

  /** What a partition knows of others, as of now. */
  known(topicId: string, partition: number): Vector {
    return this.knowledge(topicId, partition).known
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
      if (over === undefined) continue
      this.#successors.set(over.id, id)
      this.standing.swap(id, over.id)
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
    const before = this.#memberships.get(id)
    if (before?.set === set && members.get(before.inside) === id) members.delete(before.inside)
    members.set(inside, id)
    this.#memberships.set(id, { set, inside })
  }

  /** A topic is gone, and with it what is known of it alone. A set goes with its last member. */
  removed(topicId: string): void {
    this.#mentions.removed(topicId)
    for (const { ranges } of this.#knowledge.get(topicId)?.values() ?? []) ranges.isOrphaned = true
    this.#knowledge.delete(topicId)
    this.#forwarded.delete(topicId)
    this.#merges.removed(topicId)
    const branch = this.branches.get(topicId)
    if (branch !== undefined) this.#removeBranch(branch)
    this.#successors.delete(topicId)
    this.standing.removed(topicId)
    this.#leave(topicId)
  }

  /** It may be in another set by now: there it stays. */
  #leave(topicId: string, set = this.#memberships.get(topicId)?.set): void {
    if (set === undefined) return
    if (this.#memberships.get(topicId)?.set === set) this.#memberships.delete(topicId)
    const members = this.sets.get(set)?.members
    for (const [inside, id] of members ?? []) if (id === topicId) members!.delete(inside)
    if (members?.size === 0 && this.sets.get(set)?.stays !== true) this.#removeSet(set)
  }

  #removeBranch(branch: Branch): void {
    this.branches.delete(branch.id)
    const siblings = this.#children.get(branch.fromId)
    siblings?.delete(branch)
    if (siblings?.size === 0) this.#children.delete(branch.fromId)
    for (const [id, { topicId }] of this.losses) if (topicId === branch.id) this.losses.delete(id)
    this.#cuts.topicRemoved(branch.eventId)
  }

  #removeSet(set: string): void {
    for (const id of this.sets.get(set)?.members.values() ?? []) {
      if (this.#memberships.get(id)?.set === set) this.#memberships.delete(id)
    }
    if (this.sets.delete(set)) this.gone.add(set)
    this.#cuts.setRemoved(set)
  }

  #allKnowledge(topicId: string): ReadonlyMap<number, Knowledge> {
    this.branches.get(topicId)?.partitions.forEach((_, index) => void this.knowledge(topicId, index))
    return this.#knowledge.get(topicId) ?? new Map()
  }

  /** The set that a topic belongs to, and its name in there. */
  membership(topicId: string): Membership | undefined {
    return this.#memberships.get(topicId)
  }

  /** Cuts, deletions, promotions and losses that the history has to tell of, if it does not yet. */
  get tellable(): (ForkRecord | DeletedRecord | PromoteRecord | LostRecord)[] {
    const cuts = [...this.#cuts].map(([record]) => record)
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

  /** Cuts as far as they still matter: the record itself where all of it does, so that whoever has encoded it need not do so again. */
  *forks(): Generator<ForkRecord> {
    for (const [record, isWhole] of this.#cuts) {
      if (isWhole && record.topics.every((topic) => this.#isRemembered(topic))) yield record
      else {
        const left = record.topics.filter(({ id }) => this.branches.has(id))
        yield { ...record, topics: left.map((topic) => this.#rememberedFork(topic)) }
      }
    }
  }

  /** Whether the state still has all that the fork says, and from where it says. */
  #isRemembered({ id, partitions }: ForkedTopic): boolean {
    return partitions.every(({ known, inherits }, i) => {
      if (inherits === undefined && !this.#mentions.hasForgotten) return true
      const now = this.knowledge(id, i)
      return now.ranges.retold === undefined && Object.keys(known).every((branch) => now.known[branch] !== undefined)
    })
  }

  #rememberedFork(topic: ForkedTopic): ForkedTopic {
    const partitions = topic.partitions.map(({ inherits, merged, forwards, unheld, ...of }, i): ForkedPartition => {
      const own = { ...(merged && { merged }), ...(forwards && { forwards }) }
      const held = unheld && { unheld: this.#remembered(topic.id, i, unheld) }
      const { retold = inherits === undefined ? {} : { inherits } } = this.knowledge(topic.id, i).ranges
      return { ...of, known: this.#remembered(topic.id, i, of.known), ...held, ...joined(retold, own) }
    })
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
    const labels = new Set([...this.#cuts].flatMap(([{ set }]) => set ?? []))
    const ended = [...labels].filter((set) => !this.sets.has(set))
    return [
      ...recordsOfSets(this.sets.values()),
      ...left,
      ...ended.map((set) => ({ v: 1, type: 'set-removed', set }) as const),
      ...this.#deletions.values(),
      ...this.merges.values(),
      ...this.begun.values(),
      ...this.promotions.values(),
      ...this.losses.values(),
      ...[...this.#successors].map(([id, by]) => ({ v: 1, type: 'successor', id, by }) as const),
      ...this.standing.records(),
    ]
  }
}
