// A coordinator in a small world: time that moves when told, a log in memory that can refuse, members that say what
// clients say.

import { Refusal, StorageError } from '../../protocol/errors.ts'
import type { Catalog, CatalogTopic } from '../../src/group/catalog.ts'
import type { JoinRequest } from '../../src/group/classic-group.ts'
import { type GroupConfig, groupConfigDefaults } from '../../src/group/config.ts'
import { Groups } from '../../src/group/coordinator.ts'
import type { JoinAnswer, SyncAnswer } from '../../src/group/member.ts'
import type {
  OffsetsLog,
  OffsetsRecord,
  ReplayVisitor,
  TransactionalProducer,
  TransactionMarker,
} from '../../src/group/offsets-log.ts'
import type { Clock, Timer } from '../../src/storage/clock.ts'

export class FakeClock implements Clock {
  #now = 1_700_000_000_000
  #seed = 1
  #timers: { at: number; task: () => void }[] = []

  now(): number {
    return this.#now
  }

  after(waitMs: number, task: () => void): Timer {
    const timer = { at: this.#now + Math.max(0, waitMs), task }
    this.#timers.push(timer)
    const cancel = () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
    return { cancel }
  }

  random(byteCount: number): Buffer {
    const bytes = Buffer.alloc(byteCount)
    for (let i = 0; i < byteCount; i++) {
      this.#seed = (Math.imul(this.#seed, 1_103_515_245) + 12_345) >>> 0
      bytes[i] = this.#seed >>> 16
    }
    return bytes
  }

  /** Somebody sets the wall clock; timers do not notice. */
  jump(ms: number): void {
    this.#now += ms
    for (const timer of this.#timers) timer.at += ms
  }

  /** Timers that are set: none may be left behind. */
  get timerCount(): number {
    return this.#timers.length
  }

  /** Time passes; every timer that falls due runs at its moment, with promises settled in between. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      await settled()
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#timers = this.#timers.filter((other) => other !== next)
      this.#now = Math.max(this.#now, next.at)
      next.task()
    }
    this.#now = end
    await settled()
  }
}

/** All that can happen without time passing has happened. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export class MemoryLog implements OffsetsLog {
  readonly partitions = new Map<number, (OffsetsRecord & { timestampMs: number; producerId?: number })[]>()
  /** Ends of transactions, by how many records lay before them. */
  readonly markers = new Map<number, (TransactionMarker & { at: number })[]>()
  readonly #clock: Clock
  /** While true, appends are refused as a full disk refuses them. */
  full = false
  /** While set, appends wait for it. */
  gate: Promise<void> | undefined
  appendCount = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async append(partition: number, records: readonly OffsetsRecord[], producer?: TransactionalProducer): Promise<void> {
    this.appendCount++
    await this.gate
    if (this.full) throw new StorageError('ENOSPC', 'the disk is full')
    const timestampMs = this.#clock.now()
    const held = this.partitions.get(partition) ?? []
    const of = producer === undefined ? {} : { producerId: producer.producerId }
    this.partitions.set(partition, [...held, ...records.map((record) => ({ ...record, timestampMs, ...of }))])
  }

  async appendMarker(partition: number, marker: TransactionMarker): Promise<Refusal | undefined> {
    await this.gate
    if (this.full) return new Refusal('KAFKA_STORAGE_ERROR')
    const at = this.partitions.get(partition)?.length ?? 0
    this.markers.set(partition, [...(this.markers.get(partition) ?? []), { ...marker, at }])
    return undefined
  }

  replay(partition: number, visit: ReplayVisitor, settled: Parameters<OffsetsLog['replay']>[2] = () => {}): void {
    const records = this.partitions.get(partition) ?? []
    const markers = this.markers.get(partition) ?? []
    for (let i = 0; i <= records.length; i++) {
      for (const { producerId, type } of markers.filter(({ at }) => at === i))
        settled(producerId, type === 'COMMIT' ? 'commit' : 'abort')
      const record = records[i]
      if (record !== undefined) visit(record.key, record.value, record.timestampMs, record.producerId)
    }
  }

  /** Keeps the last record of each key, and no tombstones: what compaction leaves. */
  compact(): void {
    for (const [partition, records] of this.partitions) {
      const last = new Map(records.map((record) => [record.key.toString('hex'), record]))
      this.partitions.set(
        partition,
        records.filter((record) => last.get(record.key.toString('hex')) === record && record.value !== null),
      )
    }
  }
}

/** Topics that come, grow and go when told. */
export class Shelf implements Catalog {
  readonly #topics = new Map<string, CatalogTopic>()
  version = 0

  /** Adds a topic, or lets it grow. */
  put(name: string, partitionCount: number, as?: string): string {
    this.version++
    const id = as ?? this.#topics.get(name)?.id ?? `${name}-${this.version}`.padEnd(21, 'x').slice(0, 21).concat('A')
    this.#topics.set(name, { id, name, partitionCount })
    return id
  }

  remove(name: string): void {
    this.version++
    this.#topics.delete(name)
  }

  byName(name: string): CatalogTopic | undefined {
    return this.#topics.get(name)
  }

  byId(id: string): CatalogTopic | undefined {
    return [...this.#topics.values()].find((topic) => topic.id === id)
  }

  names(): readonly string[] {
    return [...this.#topics.keys()]
  }
}

/** ConsumerProtocolSubscription v0. */
export function subscription(...topics: string[]): Buffer {
  const names = topics.flatMap((topic) => {
    const length = Buffer.alloc(2)
    length.writeInt16BE(topic.length)
    return [length, Buffer.from(topic)]
  })
  return Buffer.concat([Buffer.from([0, 0, 0, 0, 0, topics.length]), ...names, Buffer.from([255, 255, 255, 255])])
}

export const protocolsNamed = (...names: string[]) => names.map((name) => ({ name, metadata: subscription('orders') }))

export type Answered<T> = { readonly promise: Promise<T>; answer: T | undefined }

/** A request whose answer can be looked at without waiting for it. */
export function watched<T>(promise: Promise<T>): Answered<T> {
  const watch: Answered<T> = { promise, answer: undefined }
  promise.then((answer) => {
    watch.answer = answer
  })
  return watch
}

export const groupId = 'readers'

export class World {
  readonly clock = new FakeClock()
  readonly log = new MemoryLog(this.clock)
  readonly topics = new Shelf()
  /** What groups obey, whichever they are. */
  readonly own: Record<string, number> = {
    'consumer.session.timeout.ms': 45_000,
    'consumer.heartbeat.interval.ms': 5_000,
    'consumer.assignment.interval.ms': 0,
    'share.session.timeout.ms': 45_000,
    'share.heartbeat.interval.ms': 5_000,
    'share.assignment.interval.ms': 0,
  }
  readonly config: GroupConfig
  groups: Groups

  private constructor(config: Partial<GroupConfig>) {
    this.config = { ...groupConfigDefaults, ...config }
    this.groups = new Groups(this)
  }

  settings(_groupId: string) {
    return { number: (name: string) => this.own[name]! }
  }

  static async start(config: Partial<GroupConfig> = {}): Promise<World> {
    const world = new World(config)
    await world.groups.load()
    return world
  }

  /** The broker stops and another starts on the same log. */
  async restart(): Promise<void> {
    this.groups.stop()
    this.groups = new Groups(this)
    await this.groups.load()
  }

  join(request: Partial<JoinRequest> = {}): Promise<JoinAnswer> {
    return this.groups.classic.join({
      groupId,
      memberId: '',
      instanceId: null,
      clientId: 'client',
      clientHost: '/127.0.0.1',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 60_000,
      protocolType: 'consumer',
      protocols: protocolsNamed('range'),
      idFirst: false,
      canSkipAssignment: true,
      ...request,
    })
  }

  sync(
    memberId: string,
    generation: number,
    assignments: Record<string, string> = {},
    instanceId: string | null = null,
  ) {
    return this.groups.classic.sync({
      groupId,
      generation,
      memberId,
      instanceId,
      protocolType: 'consumer',
      protocol: null,
      assignments: Object.entries(assignments).map(([id, text]) => ({ memberId: id, assignment: Buffer.from(text) })),
    })
  }

  heartbeat(memberId: string, generation: number, instanceId: string | null = null) {
    return this.groups.classic.heartbeat({ groupId, memberId, generation, instanceId })
  }

  leave(...memberIds: string[]) {
    return this.groups.classic.leave(
      groupId,
      memberIds.map((memberId) => ({ memberId, instanceId: null })),
    )
  }

  commit(memberId: string, generation: number, offset: number, partition = 0, topic = 'orders') {
    const commits = [{ topic, topicId: null, partition, offset, leaderEpoch: 3, metadata: 'm' }]
    return this.groups.offsets.commit({ groupId, generation, memberId, instanceId: null, retentionMs: null, commits })
  }

  /** What is committed, as `topic-partition: offset`. */
  committed(of = groupId): string[] {
    const fetched = this.groups.offsets.fetch({ groupId: of, wanted: null, requireStable: false })
    if (typeof fetched === 'string') return [fetched]
    return fetched.map(({ topic, partition, committed }) => `${topic}-${partition}: ${committed!.offset}`).sort()
  }

  describe(of = groupId) {
    const found = this.groups.classic.describe(of)
    if (typeof found === 'string') throw new Error(found)
    return found
  }

  state(of = groupId): string {
    const found = this.groups.classic.describe(of)
    return typeof found === 'string' ? found : found.state
  }

  /** A stable group of `count` members, the first leading; each is assigned `of <its number>`. */
  async stable(count: number, request: (i: number) => Partial<JoinRequest> = () => ({})): Promise<JoinAnswer[]> {
    const first = await this.join(request(0))
    const others = Array.from({ length: count - 1 }, (_, i) => this.join(request(i + 1)))
    const again = count > 1 ? this.join({ ...request(0), memberId: first.memberId }) : first
    return this.finish(await Promise.all([again, ...others]))
  }

  /** The leader assigns, everybody syncs. */
  async finish(joins: readonly JoinAnswer[]): Promise<JoinAnswer[]> {
    const assignments = Object.fromEntries(joins.map(({ memberId }, i) => [memberId, `of ${i}`]))
    const syncs: Promise<SyncAnswer>[] = joins.map(({ memberId, leader, generation }) =>
      this.sync(memberId, generation, memberId === leader ? assignments : {}),
    )
    await Promise.all(syncs)
    return [...joins]
  }
}
