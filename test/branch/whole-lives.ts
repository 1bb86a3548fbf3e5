// Two topics and what is made of them by all that branches can do, on a broker that is stopped and killed: after every step each topic
// holds what the model (hearsay.ts) says.

import { expect } from 'vitest'
import type { Partition } from '../../src/broker/partition.ts'
import type { Topic } from '../../src/broker/topic.ts'
import type { Side } from './hearsay.ts'
import { committed, isFrozen, shownOf, WholeBroker, type Writing } from './whole-broker.ts'
import { type Merge, type MergeSet, type Resolve, type Revert, WholeMerges } from './whole-merges.ts'

export type Step =
  | ({ do: 'write'; topic: number } & Writing)
  | { do: 'fork'; topic: number; share: number | undefined }
  | { do: 'fork all' }
  | ({ do: 'merge' } & Merge)
  | ({ do: 'merge set' } & MergeSet)
  | ({ do: 'resolve' } & Resolve)
  | ({ do: 'revert' } & Revert)
  | { do: 'reset' | 'promote' | 'delete' | 'freeze'; topic: number }
  | { do: 'compact' | 'roll' | 'pack' | 'retain'; topic: number }
  | { do: 'promote set' | 'abandon set'; set: number }
  | { do: 'trim'; topic: number; share: number }
  | { do: 'kill' | 'restart' }
  /** While the next command is under way, at the n-th change of the disk. */
  | { do: 'kill in the next'; change: number }

const topicsMax = 8

export class WholeLives {
  readonly #whole: WholeBroker
  readonly #merges: WholeMerges
  #forkCount = 0
  #setCount = 0
  #promotedCount = 0

  constructor(configs: Readonly<Record<string, string>>) {
    this.#whole = new WholeBroker(configs)
    this.#merges = new WholeMerges(this.#whole)
  }

  /** How often something came to something: a model that is always content proves nothing. */
  get counts(): Readonly<Record<string, number>> {
    return { ...this.#merges.counts, promoted: this.#promotedCount, killed: this.#whole.killCount }
  }

  begin(): Promise<void> {
    return this.#whole.begin()
  }

  async end(): Promise<void> {
    await this.take({ do: 'kill' })
    await this.#whole.rooms.stop()
  }

  async take(step: Step): Promise<void> {
    await this.#do(step)
    this.#whole.look(JSON.stringify(step))
  }

  async #do(step: Step): Promise<void> {
    switch (step.do) {
      case 'write':
        return await this.#whole.write(this.#whole.topicAt(step.topic), step)
      case 'fork':
        return await this.#fork(this.#whole.topicAt(step.topic), step.share)
      case 'fork all':
        return await this.#forkAll()
      case 'merge':
        return await this.#merges.merge(step)
      case 'merge set':
        return await this.#merges.mergeSet(step)
      case 'resolve':
        return await this.#merges.resolve(step)
      case 'revert':
        return await this.#merges.revert(step)
      case 'reset':
        return await this.#reset(this.#whole.topicAt(step.topic))
      case 'promote':
        return await this.#promote({ branch: this.#whole.topicAt(step.topic).name })
      case 'promote set':
      case 'abandon set': {
        const set = this.#merges.setAt(step.set)
        if (set === undefined) return
        return step.do === 'promote set' ? await this.#promote({ set }) : await this.#abandon({ set })
      }
      case 'delete':
        return await this.#delete(this.#whole.topicAt(step.topic))
      case 'freeze':
        return await this.#freeze(this.#whole.topicAt(step.topic))
      case 'kill':
        return await this.#whole.kill()
      case 'restart':
        return await this.#whole.restart()
      case 'kill in the next':
        return this.#whole.dieIn(step.change)
      default:
        return await this.#keepHouse(step)
    }
  }

  // --- forks

  async #fork(topic: Topic, share: number | undefined): Promise<void> {
    if (this.#whole.topics.length >= topicsMax) return
    const to = `b${this.#forkCount++}`
    const cuts = topic.partitions.map(({ logStartOffset: start, logEndOffset: end }, i) => {
      return `${i}=${share === undefined ? end : start + Math.floor(share * (end - start))}`
    })
    const event = await this.#whole.done({ op: 'fork', from: topic.name, to, at: `offsets:${cuts.join()}` })
    if (event !== undefined) this.#forked(topic.id, to, share !== undefined)
  }

  async #forkAll(): Promise<void> {
    if (this.#whole.topics.length + 2 > topicsMax) return
    const set = `s${this.#setCount++}`
    const event = await this.#whole.command({ op: 'fork', set, from: '*' })
    if (event === undefined || event.status === 'rejected') return
    for (const { fromId, into } of event.topics!) this.#forked(fromId!, into!, false)
  }

  #forked(fromId: string, name: string, isPast: boolean): void {
    const topic = this.#whole.broker.topic(name)!
    const { partitions } = this.#whole.broker.lineage.branches.get(topic.id)!
    const sides = this.#whole.sides(fromId).map((parent, i) => {
      const { offset } = partitions[i]!
      const side = parent.fork(offset)
      // Of its own past a topic without its own parent cannot be asked, and compaction may have been there.
      if (isPast) side.isBlurred ||= this.#whole.hasDeleted || this.#whole.hasCompacted || !parent.endedAt(offset)
      return side
    })
    this.#whole.add(topic.id, sides)
  }

  async #reset(topic: Topic): Promise<void> {
    const branch = this.#whole.broker.lineage.branches.get(topic.id)
    const event = await this.#whole.command({ op: 'reset', branch: topic.name })
    if (event === undefined) return
    const isPossible =
      branch !== undefined && this.#whole.broker.topicById(branch.fromId) !== undefined && !isFrozen(topic)
    expect(event.status, JSON.stringify(event)).toBe(isPossible ? 'done' : 'rejected')
    if (!isPossible) return
    this.#forget(topic.id)
    this.#forked(branch.fromId, topic.name, false)
  }

  async #promote(which: { branch: string } | { set: string }): Promise<void> {
    const event = await this.#whole.command({ op: 'promote', ...which })
    if (event?.status === 'done') this.#promotedCount++
  }

  async #abandon(which: { branch: string } | { set: string }): Promise<void> {
    const event = await this.#whole.command({ op: 'abandon', ...which })
    if (event?.status === 'done') this.#forgetGone()
  }

  async #delete(topic: Topic): Promise<void> {
    if (this.#whole.topics.length < 3) return
    if (this.#whole.broker.lineage.branches.has(topic.id)) return await this.#abandon({ branch: topic.name })
    await this.#whole.rooms.branches.deleteTopic(topic, 'User:test')
    this.#forgetGone()
  }

  #forgetGone(): void {
    for (const id of this.#whole.gone) this.#forget(id)
  }

  #forget(id: string): void {
    this.#whole.forget(id)
    this.#merges.forget(id)
  }

  async #freeze(topic: Topic): Promise<void> {
    const configs = { ...topic.config.overrides(), 'branch.protect': isFrozen(topic) ? 'none' : 'frozen' }
    await this.#whole.broker.configureTopic(topic, configs)
  }

  // --- housekeeping

  async #keepHouse(step: Step & { do: 'compact' | 'roll' | 'pack' | 'retain' | 'trim' }): Promise<void> {
    const { partitions, id } = this.#whole.topicAt(step.topic)
    for (const partition of partitions) {
      const { log } = partition
      const side = this.#whole.side(id, partition.index)
      if (step.do === 'trim') {
        const to = log.logStartOffset + Math.floor(step.share * (log.logEndOffset - log.logStartOffset))
        await partition.numbering.countBelow(to)
        log.deleteBelow(to)
        side.trim(to)
        continue
      }
      log.roll()
      await log.flush()
      if (step.do === 'compact' && this.#whole.configs['cleanup.policy'] === 'compact') {
        this.#whole.hasCompacted = true
        await log.compact(this.#whole.broker.clock.now(), undefined, partition.pins())
        this.#thinned(side, partition)
      }
      if (step.do === 'retain') {
        const now = this.#whole.broker.clock.now()
        await partition.numbering.countAhead(now, partition.broughtAt)
        log.retain(now, partition.broughtAt)
        side.trim(log.logStartOffset)
      }
    }
    if (step.do !== 'pack') return
    this.#whole.broker.housekeeping.packing.run()
    await this.#whole.broker.housekeeping.packing.settled()
  }

  /** What is left is some of what was there, and of every key the newest, but for deletions. */
  #thinned(side: Side, partition: Partition): void {
    const left = new Set(committed(partition, 0).map(shownOf))
    const state = new Map(side.keys.map((key) => [key, side.newest(key)!]))
    side.records = side.records.filter((record) => left.has(shownOf(record)))
    for (const [key, { value }] of state) expect(side.newest(key)?.value ?? null, key).toBe(value)
  }
}
