// What the broker knows beside records: topics, configurations, producer ids. Each change is one record of a log of its
// own, flushed before it is answered; the state is what replay gives, and live changes go through the same function.

import { Corruption, DamagedRecords, StorageError } from '../../protocol/errors.ts'
import { iterateBatches } from '../../protocol/records/batch.ts'
import { encodeBatch } from '../../protocol/records/builder.ts'
import { readRecords } from '../../protocol/records/record.ts'
import { type Acl, aclKey } from '../auth/acl.ts'
import { Lineage, type LineageRecord } from '../branch/lineage.ts'
import { Log } from '../log/log.ts'
import type { LogConfig } from '../log/log-config.ts'
import { Considerate, eachAtEase } from '../log/walk.ts'
import type { Clock } from '../storage/clock.ts'
import { borrow, type Store } from '../storage/file.ts'
import type { Quota } from './client-quotas.ts'
import { entityKey, type QuotaEntity } from './quota-entity.ts'
import type { ScramCredential } from './scram-credentials.ts'

type Configs = { readonly [name: string]: string }

/** Who has a partition, as far as it outlives the process: at a start every node runs and is in sync. */
export type Seat = { readonly replicas: readonly number[]; readonly leader: number; readonly epoch: number }

export type KnownTopic = {
  readonly id: string
  readonly name: string
  readonly partitions: number
  readonly configs: Configs
  readonly at: number
  /** Where its partitions ended when it got the name of another. */
  readonly namedFrom?: readonly number[]
}

/** Every record carries its version; members that are not known are kept by not being touched. */
export type MetadataRecord =
  | LineageRecord
  | ({ v: 1 } & (
      | { type: 'cluster'; id: string; at: number }
      | ({ type: 'topic' } & KnownTopic)
      | { type: 'topic-removed'; id: string }
      /** `ends`: where its partitions ended then. */
      | { type: 'topic-renamed'; id: string; name: string; ends?: readonly number[] }
      | { type: 'partitions'; id: string; count: number }
      /** Who has these partitions from now on; a broker that was always alone writes none. */
      | { type: 'leadership'; id: string; partitions: readonly (Seat & { readonly partition: number })[] }
      /** All overrides of a topic, of a broker (`name` its id, '' for all brokers) or of what is known by name only, replaced. */
      | { type: 'config'; of: 'topic' | 'broker' | NamedKind; name: string; configs: Configs }
      /** The level at which a feature is finalised (KIP-584); 0: switched off. */
      | { type: 'feature'; name: string; level: number }
      /** All quotas of a user, a client id, both, or an address; null stands for whoever has none of their own. */
      | { type: 'quota'; entity: QuotaEntity; values: Readonly<Record<string, number>> }
      | { type: 'scram'; user: string; mechanism: number; credential: ScramCredential }
      | { type: 'scram-removed'; user: string; mechanism: number }
      | { type: 'acl' | 'acl-removed'; acl: Acl }
      /** Producer ids below `next` may have been given out. */
      | { type: 'producer-ids'; next: number }
    ))

/** What has a configuration and is otherwise not known here: it comes and goes with its overrides. */
export const namedKinds = ['group', 'client-metrics'] as const
export type NamedKind = (typeof namedKinds)[number]

/** What replay gives. A topic, the seats of a topic and a fork are values: a change puts another in their place. */
export type MetadataState = {
  clusterId: string
  topics: Map<string, KnownTopic>
  /** By topic id, then by partition. */
  leaderships: Map<string, Map<number, Seat>>
  brokerConfigs: Map<string, Configs>
  /** Overrides by name; whoever has none is not there. */
  namedConfigs: Record<NamedKind, Map<string, Configs>>
  /** Only those whose level somebody has set. */
  features: Map<string, number>
  /** By entityKey; whoever has none is not there. */
  quotas: Map<string, Quota>
  /** By user and mechanism. */
  scram: Map<string, Map<number, ScramCredential>>
  /** By aclKey. */
  acls: Map<string, Acl>
  nextProducerId: number
  /** Ids of topics that were deleted since the last snapshot: their folders may be removed. */
  removed: Set<string>
  /** Which topic is a branch of which. */
  lineage: Lineage
}

const config: LogConfig = {
  segmentBytes: 16 * 1024 * 1024,
  segmentMs: Infinity,
  retentionMs: -1,
  retentionBytes: -1,
  indexIntervalBytes: 4096,
  maxMessageBytes: 16 * 1024 * 1024,
  logAppendTime: false,
  timestampBeforeMaxMs: Infinity,
  timestampAfterMaxMs: Infinity,
  deletes: false,
  compacts: false,
  codec: undefined,
  minCleanableDirtyRatio: 0.5,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Infinity,
  deleteRetentionMs: 86_400_000,
  dedupeBufferBytes: 1024 * 1024,
}

/**
 * Not rewritten as a snapshot below this size, some four thousand forks. The newest of a snapshot is written in one turn, 15 ms of a
 * thousand branches, and a start is ready after 0.34 s with or without one.
 */
const snapshotFromBytes = 4 * 1024 * 1024

export const emptyMetadata = (): MetadataState => ({
  clusterId: '',
  topics: new Map(),
  leaderships: new Map(),
  brokerConfigs: new Map(),
  namedConfigs: { group: new Map(), 'client-metrics': new Map() },
  features: new Map(),
  quotas: new Map(),
  scram: new Map(),
  acls: new Map(),
  nextProducerId: 0,
  removed: new Set(),
  lineage: new Lineage(),
})

/** Takes a record in: at replay and when a change is made. */
export function applyMetadata(state: MetadataState, record: MetadataRecord): void {
  switch (record.type) {
    case 'cluster':
      state.clusterId = record.id
      break
    case 'topic':
      state.topics.set(record.id, { ...record })
      break
    case 'topic-removed':
      state.topics.delete(record.id)
      state.leaderships.delete(record.id)
      state.removed.add(record.id)
      state.lineage.removed(record.id)
      break
    case 'topic-renamed': {
      const topic = state.topics.get(record.id)
      const { name, ends: namedFrom } = record
      if (topic !== undefined) state.topics.set(record.id, { ...topic, name, ...(namedFrom && { namedFrom }) })
      break
    }
    case 'partitions': {
      const topic = state.topics.get(record.id)
      if (topic !== undefined) state.topics.set(record.id, { ...topic, partitions: record.count })
      break
    }
    case 'leadership': {
      if (!state.topics.has(record.id)) break
      const seats = new Map(state.leaderships.get(record.id))
      state.leaderships.set(record.id, seats)
      for (const { partition, replicas, leader, epoch } of record.partitions) {
        seats.set(partition, { replicas, leader, epoch })
      }
      break
    }
    case 'config':
      applyConfigs(state, record)
      break
    case 'feature':
      state.features.set(record.name, record.level)
      break
    case 'quota': {
      const key = entityKey(record.entity)
      if (Object.keys(record.values).length === 0) state.quotas.delete(key)
      else state.quotas.set(key, { entity: record.entity, values: record.values })
      break
    }
    case 'scram':
      state.scram.set(
        record.user,
        new Map([...(state.scram.get(record.user) ?? []), [record.mechanism, record.credential]]),
      )
      break
    case 'scram-removed':
      state.scram.get(record.user)?.delete(record.mechanism)
      if (state.scram.get(record.user)?.size === 0) state.scram.delete(record.user)
      break
    case 'acl':
      state.acls.set(aclKey(record.acl), record.acl)
      break
    case 'acl-removed':
      state.acls.delete(aclKey(record.acl))
      break
    case 'producer-ids':
      state.nextProducerId = record.next
      break
    case 'fork':
    case 'set-member':
    case 'set-removed':
    case 'set-stays':
    case 'set-listener':
    case 'branches-deleted':
    case 'lost':
    case 'merge-begin':
    case 'merge':
    case 'merge-aborted':
    case 'set-left':
    case 'promote':
    case 'promoted':
    case 'successor':
    case 'standing':
      state.lineage.apply(record)
      break
    default: // a newer version's record: kept in the log, without effect here
  }
}

function applyConfigs(state: MetadataState, { of, name, configs }: MetadataRecord & { type: 'config' }): void {
  if (of === 'broker') state.brokerConfigs.set(name, configs)
  else if (of === 'topic') {
    for (const [id, topic] of state.topics) if (topic.name === name) state.topics.set(id, { ...topic, configs })
  } else if (Object.keys(configs).length === 0) state.namedConfigs[of]?.delete(name)
  else state.namedConfigs[of]?.set(name, configs)
}

/** Part of the state, and what gives it again. */
type Value = readonly [value: object, record: () => MetadataRecord]

const encoded = (record: MetadataRecord): Buffer => Buffer.from(JSON.stringify(record))

export class MetadataLog {
  readonly #store: Store
  readonly #log: Log
  readonly #clock: Clock
  readonly state = emptyMetadata()
  /** Grown beyond this the log is worth a snapshot: most of it says what is no longer so. */
  #snapshotAtBytes: number
  #snapshot: Promise<void> | undefined

  /** Opens and replays the log. Throws Corruption, StorageError. */
  constructor(store: Store, clock: Clock, snapshotAtBytes = snapshotFromBytes) {
    this.#store = store
    this.#clock = clock
    this.#snapshotAtBytes = snapshotAtBytes
    this.#log = new Log(store, 'metadata', config)
    this.#replay()
  }

  /** A record that is whole and says nothing that can be understood was not written by us: to pass over it would lose topics. */
  #replay(): void {
    try {
      for (const record of this.#records()) applyMetadata(this.state, record)
    } catch (cause) {
      if (cause instanceof Corruption || cause instanceof StorageError) throw cause
      const why = cause instanceof DamagedRecords ? cause.message : 'metadata: a record cannot be read'
      throw new Corruption(`The broker cannot start without its metadata log. ${why}`, { cause })
    }
  }

  /** Where the next change will stand: grows with every one. */
  get endOffset(): number {
    return this.#log.logEndOffset
  }

  *#records(): Generator<MetadataRecord> {
    const log = this.#log
    for (let offset = log.logStartOffset; offset < log.logEndOffset; ) {
      const lease = log.read(offset, 1024 * 1024, log.logEndOffset, true)
      const records = borrow(lease, (bytes) => {
        const found: MetadataRecord[] = []
        for (const position of iterateBatches(bytes)) {
          for (const record of readRecords(bytes, position)) {
            if (record.offset < offset) continue
            found.push(JSON.parse(record.value!.toString()) as MetadataRecord)
            offset = record.offset + 1
          }
        }
        return found
      })
      if (records.length === 0) throw new Corruption(`the metadata log cannot be read at offset ${offset}`)
      yield* records
    }
  }

  #append(values: readonly Buffer[]): void {
    const timestamp = this.#clock.now()
    const batch = encodeBatch({ records: values.map((value) => ({ timestamp, value })) })
    this.#log.appendOwn(batch, { leaderEpoch: 0, now: timestamp })
  }

  /**
   * Makes changes true, all or none. They have taken effect when this returns; the promise resolves when they are on
   * stable storage. Throws StorageError where the disk refuses, and then nothing has changed.
   */
  commit(records: readonly MetadataRecord[]): Promise<void> {
    this.#append(records.map(encoded))
    for (const record of records) applyMetadata(this.state, record)
    const flushed = this.#log.flush()
    if (this.#isLarge) flushed.then(() => this.shrink()).catch(() => {}) // Whoever commits is told.
    return flushed
  }

  /** Resolves when all that is true is on stable storage. Rejects with StorageError. */
  flush(): Promise<void> {
    return this.#log.flush()
  }

  get #isLarge(): boolean {
    return this.#log.byteCount >= this.#snapshotAtBytes
  }

  /** Takes a snapshot where it is worth it. Never rejects: what is not rewritten is only longer than it need be. */
  async shrink(): Promise<void> {
    try {
      // What was said while one was written may be worth another.
      for (let i = 0; i < 2 && (this.#snapshot !== undefined || this.#isLarge); i++) await this.snapshot()
    } catch (cause) {
      console.error(`The metadata log could not be made shorter: ${String(cause)}`)
    }
  }

  /** Writes the state as one batch and forgets what lies before it. One at a time. Rejects with StorageError. */
  snapshot(): Promise<void> {
    this.#snapshot ??= this.#snapshotOnce().finally(() => {
      this.#snapshot = undefined
    })
    return this.#snapshot
  }

  async #snapshotOnce(): Promise<void> {
    let byteCount: number | undefined
    try {
      byteCount = await this.#writeSnapshot()
    } finally {
      // Twice of what it takes now, or of what a full disk did not let us rewrite.
      this.#snapshotAtBytes = Math.max(snapshotFromBytes, 2 * (byteCount ?? this.#log.byteCount))
    }
  }

  /** Answers how many bytes the state takes. */
  async #writeSnapshot(): Promise<number> {
    // Of ten thousand branches that takes a quarter of a second: all but the newest of it is done while others have their turn.
    const ahead = new Map<object, Buffer>()
    const { rest } = new Considerate()
    await eachAtEase(this.#values(), rest, ([value, record]) => void ahead.set(value, encoded(record())))
    const known = ([value, record]: Value): Buffer => ahead.get(value) ?? encoded(record())
    const { clusterId, brokerConfigs, namedConfigs, features, quotas, scram, acls, nextProducerId, removed, lineage } =
      this.state
    // Of deleted topics only those whose folders are still to be removed.
    const left = new Set(removed.size === 0 ? [] : this.#store.list('topics').filter((id) => removed.has(id)))
    const gone = [...removed].filter((id) => !left.has(id))
    const start = this.#log.logEndOffset
    this.#log.roll()
    const others: MetadataRecord[] = [
      { v: 1, type: 'cluster', id: clusterId, at: this.#clock.now() },
      { v: 1, type: 'producer-ids', next: nextProducerId },
      ...[...brokerConfigs].map(([name, configs]) => ({ v: 1, type: 'config', of: 'broker', name, configs }) as const),
      ...namedKinds.flatMap((of) =>
        [...namedConfigs[of]].map(([name, configs]) => ({ v: 1, type: 'config', of, name, configs }) as const),
      ),
      ...[...features].map(([name, level]) => ({ v: 1, type: 'feature', name, level }) as const),
      ...[...quotas.values()].map((quota) => ({ ...quota, v: 1, type: 'quota' }) as const),
      ...[...scram].flatMap(([user, credentials]) =>
        [...credentials].map(
          ([mechanism, credential]) => ({ v: 1, type: 'scram', user, mechanism, credential }) as const,
        ),
      ),
      ...[...acls.values()].map((acl) => ({ v: 1, type: 'acl', acl }) as const),
      ...lineage.besideForks(),
      ...[...left].map((id) => ({ v: 1, type: 'topic-removed', id }) as const),
    ]
    const values = [...[...this.#values()].map(known), ...others.map(encoded)]
    this.#append(values)
    await this.#log.flush()
    this.#log.deleteBelow(start)
    for (const id of gone) removed.delete(id)
    return values.reduce((sum, { length }) => sum + length, 0)
  }

  /** What there are thousands of, each with its record: topics, who has them, and how they came to be. */
  *#values(): Generator<Value> {
    const { topics, leaderships, lineage } = this.state
    for (const topic of topics.values()) yield [topic, () => ({ ...topic, v: 1, type: 'topic' })]
    for (const [id, seats] of leaderships) {
      const partitions = () => [...seats].map(([partition, seat]) => ({ partition, ...seat }))
      yield [seats, () => ({ v: 1, type: 'leadership', id, partitions: partitions() })]
    }
    for (const fork of lineage.forks()) yield [fork, () => fork]
  }

  close(): Promise<void> {
    return this.#log.close()
  }
}
