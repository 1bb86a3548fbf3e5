// A topic: a name, an id that is never used again, a configuration, and its partitions.

import { codecs } from '../../protocol/records/compression.ts'
import { commandsTopic, toldTopics } from '../branch/json-topics.ts'
import type { Lineage } from '../branch/lineage.ts'
import { pinsOf } from '../branch/pins.ts'
import type { Inherited, Lost } from '../log/inherited.ts'
import type { Clock } from '../storage/clock.ts'
import type { Store } from '../storage/file.ts'
import type { BrokerConfig } from './broker-config.ts'
import { Gate, type Gates } from './gate.ts'
import type { Housekeeping } from './housekeeping.ts'
import type { Leadership } from './leadership.ts'
import type { Losses } from './losses.ts'
import { openPacked } from './open-packed.ts'
import type { PackConfig } from './packing.ts'
import { Partition } from './partition.ts'
import type { PartitionConfig } from './partition-config.ts'
import { type TopicConfig, topicConfigOf } from './topic-config.ts'
import { topicFolder } from './topic-folders.ts'
import { type Shown, ViewPartition } from './view-partition.ts'
import type { Views } from './views.ts'

/** What logs and partitions read of a configuration, as plain numbers that cost nothing to ask for. */
function settingsOf(config: TopicConfig, broker: BrokerConfig): PartitionConfig {
  const codec = config.compressionType === 'uncompressed' ? 'none' : config.compressionType
  return {
    segmentBytes: config.segmentBytes,
    segmentMs: config.segmentMs,
    retentionMs: config.retentionMs,
    retentionBytes: config.retentionBytes,
    indexIntervalBytes: config.indexIntervalBytes,
    maxMessageBytes: config.maxMessageBytes,
    unpackedRecordBytesMax: config.maxDecompressedMessageBytes,
    logAppendTime: config.timestampType === 'LogAppendTime',
    timestampBeforeMaxMs: config.timestampBeforeMaxMs,
    timestampAfterMaxMs: config.timestampAfterMaxMs,
    // What is frozen stays as it is.
    deletes: config.cleanupPolicy.delete && config.protection !== 'frozen',
    compacts: config.cleanupPolicy.compact && config.protection !== 'frozen',
    needsKeys: config.revision !== undefined,
    openPacked,
    codec: codec === 'producer' ? undefined : codecs.indexOf(codec as (typeof codecs)[number]),
    minCleanableDirtyRatio: config.minCleanableDirtyRatio,
    minCompactionLagMs: config.minCompactionLagMs,
    maxCompactionLagMs: config.maxCompactionLagMs,
    deleteRetentionMs: config.deleteRetentionMs,
    dedupeBufferBytes: broker.number('log.cleaner.dedupe.buffer.size'),
    flushMessages: config.flushMessages,
    flushMs: config.flushMs,
    minInsyncReplicas: config.minInsyncReplicas,
  }
}

/** Packs grow with what comes, and retention takes them whole: each is so small a part of what is to be kept. */
const retainedParts = 8

function retainedTogether({ cleanupPolicy, retentionMs, retentionBytes }: TopicConfig): PackConfig['together'] {
  const part = (limit: number) =>
    cleanupPolicy.delete && limit >= 0 ? limit / retainedParts : Number.POSITIVE_INFINITY
  return { bytes: part(retentionBytes), spanMs: part(retentionMs) }
}

/** Topics that belong to the broker: listed as internal, not to be produced to by clients. */
const internalNames = new Set(['__consumer_offsets', '__transaction_state', '__share_group_state', ...toldTopics])

export class Topic {
  readonly id: string
  #name: string
  #renamedAt: number | undefined
  readonly partitions: Partition[] = []
  /** What is produced to it is run by the broker, for whoever produced it. */
  readonly takesCommands: boolean
  readonly #store: Store
  readonly #clock: Clock
  readonly #broker: BrokerConfig
  readonly #leadershipOf: (topicId: string, partition: number) => Leadership
  readonly #inheritedOf: (topicId: string, partition: number) => Inherited | undefined
  readonly #lineage: Lineage | undefined
  readonly #losses: Losses | undefined
  readonly #views: Views | undefined
  readonly #housekeeping: Pick<Housekeeping, 'noteDirty' | 'noteSealed'> | undefined
  readonly #mortal: Set<Topic> | undefined
  readonly #gates: Gates | undefined
  readonly #topic: (name: string) => Topic | undefined
  readonly #settings: PartitionConfig
  #config: TopicConfig

  constructor(
    environment: {
      store: Store
      clock: Clock
      config: BrokerConfig
      leadershipOf: (topicId: string, partition: number) => Leadership
      inheritedOf?: (topicId: string, partition: number) => Inherited | undefined
      lineage?: Lineage
      losses?: Losses
      views?: Views
      housekeeping?: Pick<Housekeeping, 'noteDirty' | 'noteSealed'>
      /** Those that do not live for ever; a topic adds itself. */
      mortal?: Set<Topic>
      gates?: Gates
      /** By its name. */
      topic?: (name: string) => Topic | undefined
    },
    {
      id,
      name,
      partitions,
      configs,
      namedFrom,
    }: { id: string; name: string; partitions: number; configs: Record<string, string>; namedFrom?: readonly number[] },
  ) {
    this.#store = environment.store
    this.#clock = environment.clock
    this.#broker = environment.config
    this.#leadershipOf = (topicId, partition) => environment.leadershipOf(topicId, partition)
    this.#inheritedOf = (topicId, partition) => environment.inheritedOf?.(topicId, partition)
    this.#lineage = environment.lineage
    this.#losses = environment.losses
    this.#views = environment.views
    this.#housekeeping = environment.housekeeping
    this.#mortal = environment.mortal
    this.#gates = environment.gates
    this.#topic = (of) => environment.topic?.(of)
    this.id = id
    this.#name = name
    this.takesCommands = name === commandsTopic
    this.#config = topicConfigOf(this.#broker, configs)
    this.#settings = settingsOf(this.#config, this.#broker)
    this.#noteMortality()
    this.growTo(partitions)
    if (namedFrom !== undefined) this.#nameFrom(namedFrom)
  }

  get name(): string {
    return this.#name
  }

  /** When it got its name, ms, where that was in the life of this process: clients may know its id under another one. */
  get renamedAt(): number | undefined {
    return this.#renamedAt
  }

  rename(name: string, now: number, ends: readonly number[]): void {
    this.#name = name
    this.#renamedAt = now
    this.#nameFrom(ends)
  }

  #nameFrom(offsets: readonly number[]): void {
    for (const partition of this.partitions) {
      partition.namedFrom = offsets[partition.index] ?? 0
      if (partition.isOpen) partition.log.producers.forgetBelow(partition.namedFrom)
    }
  }

  get isInternal(): boolean {
    return internalNames.has(this.name)
  }

  get config(): TopicConfig {
    return this.#config
  }

  /** How its closed segments are packed; undefined where they are not. What is frozen stays as it is. */
  get packs(): PackConfig | undefined {
    const { revision, pointers, protection, indexIntervalBytes } = this.#config
    if (revision === undefined || protection === 'frozen') return undefined
    return { ...revision, pointers, indexIntervalBytes, together: retainedTogether(this.#config) }
  }

  /** Folder of the topic's partitions in the store. */
  get folder(): string {
    return topicFolder(this.id)
  }

  /** Takes effect at the next append, read or retention of every partition. */
  configure(configs: Readonly<Record<string, string>>): void {
    const keptNumbers = this.#config.revision !== undefined
    this.#config = topicConfigOf(this.#broker, configs)
    Object.assign(this.#settings, settingsOf(this.#config, this.#broker))
    this.#noteMortality()
    if (!keptNumbers && this.#config.revision !== undefined) {
      for (const { numbering } of this.partitions) numbering.begin()
    }
    for (const partition of this.partitions) this.#housekeeping?.noteSealed(this, partition)
  }

  #noteMortality(): void {
    if (this.#config.branchTtlMs >= 0) this.#mortal?.add(this)
    else this.#mortal?.delete(this)
  }

  /** It is deleted. */
  remove(): void {
    this.#mortal?.delete(this)
    for (const partition of this.partitions) partition.remove()
  }

  growTo(count: number): void {
    for (let index = this.partitions.length; index < count; index++) {
      this.partitions.push(this.#partition(index))
      this.#housekeeping?.noteSealed(this, this.partitions.at(-1)!)
    }
  }

  /** Of a view alone: what it shows has fewer now. */
  shrinkTo(count: number): void {
    for (const partition of this.partitions.splice(count)) partition.remove()
  }

  #partition(index: number): Partition {
    const leadership = this.#leadershipOf(this.id, index)
    const folder = `${this.folder}/${index}`
    const [store, clock, settings] = [this.#store, this.#clock, this.#settings]
    if (this.#config.view !== undefined) {
      return new ViewPartition(store, clock, folder, index, settings, leadership, () => this.#shown())
    }
    const inherited = this.#inheritedOf(this.id, index)
    const onLost = (lost: Lost) => this.#losses?.found(this.id, this.#name, index, lost)
    const made = new Partition(store, clock, folder, index, settings, leadership, inherited, onLost)
    made.gate = new Gate(this.#gates)
    if (this.#housekeeping !== undefined) {
      const { noteDirty, noteSealed } = this.#housekeeping
      made.numbering.onRoll = () => noteSealed(this, made)
      // What stood last until now may be packed when something stands behind it.
      made.noteDirty = (partition) => {
        noteDirty(partition)
        noteSealed(this, partition)
      }
    }
    // While the gate is closed something is just being brought.
    made.broughtAt = (from, to) =>
      made.gate.closed === undefined
        ? (this.#lineage?.knowledge(this.id, index).ranges.broughtAt(from, to) ?? -1)
        : Number.POSITIVE_INFINITY
    made.pins = () => this.#lineage && pinsOf(this.#lineage, this.id, index)
    made.spared = () => lastShown(this.#views?.of(this.#name) ?? [], index)
    return made
  }

  #shown(): Shown {
    const view = this.#config.view!
    return { view, source: this.#topic(view.of) }
  }
}

/** Offsets of the last records that views show. One that cannot be read has none that could be spared. */
async function lastShown(views: readonly Topic[], index: number): Promise<number[]> {
  const partitions = views.flatMap((view) => view.partitions[index] ?? [])
  const ends = partitions.map(async (partition) => {
    await partition.ready()
    return partition.highWatermark - 1
  })
  const told = await Promise.allSettled(ends)
  return told.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
}
