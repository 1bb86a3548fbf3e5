// Who owns what: the topics of the cluster, where they lie, and every change to either. One such object is the whole
// cluster, however many nodes it shows (placement.ts).

import { Refusal } from '../../protocol/errors.ts'
import type { Authorizer } from '../auth/authorizer.ts'
import type { ForkRecord, Lineage, LineageRecord } from '../branch/lineage.ts'
import type { Inherited } from '../log/inherited.ts'
import { type Clock, randomId } from '../storage/clock.ts'
import type { Store } from '../storage/file.ts'
import { Acls } from './acls.ts'
import type { BrokerConfig } from './broker-config.ts'
import { ClientMetricsConfigs } from './client-metrics-config.ts'
import { ClientQuotas } from './client-quotas.ts'
import { closePartitions } from './close-partitions.ts'
import { withoutNulls } from './config-alter.ts'
import { deal, defaultReplicationFactor } from './dealing.ts'
import { Features, type FeatureUpdate } from './features.ts'
import { Gates } from './gate.ts'
import { GroupConfigs, type GroupSettings } from './group-config.ts'
import { Housekeeping } from './housekeeping.ts'
import { insyncSaidOnce } from './insync-guard.ts'
import type { Leadership } from './leadership.ts'
import { type ForkedSeat, Leaderships } from './leaderships.ts'
import { LoggerConfig } from './logger-config.ts'
import { Losses } from './losses.ts'
import { type Deal, recordsOfGrowth, recordsOfNew } from './making.ts'
import { MetadataLog, type MetadataRecord } from './metadata-log.ts'
import type { NewTopic } from './new-topic.ts'
import { asMade, refuseView, refuseViewPartitions } from './new-view.ts'
import { checkCount, OwnTopics, partitionsMax } from './own-topics.ts'
import type { Partition } from './partition.ts'
import { type CoordinatorKind, coordinatorTopics, type Endpoint, Placement } from './placement.ts'
import { ProducerIds } from './producer-ids.ts'
import { type Renaming, renameTopics } from './renaming.ts'
import { ScramCredentials } from './scram-credentials.ts'
import { Throttle } from './throttle.ts'
import { Topic } from './topic.ts'
import { TopicConfig, validateTopicConfigs } from './topic-config.ts'
import { Disposal, finishForks, finishForwards, nameForked } from './topic-folders.ts'
import { Collisions, checkTopicName } from './topic-name.ts'
import { Views } from './views.ts'

export type { NewTopic } from './new-topic.ts'

type Environment = { store: Store; clock: Clock; config: BrokerConfig }

export class Broker {
  readonly store: Store
  readonly clock: Clock
  readonly config: BrokerConfig
  readonly housekeeping: Housekeeping
  readonly losses: Losses
  readonly features: Features
  readonly groupConfigs: GroupConfigs
  readonly clientMetrics: ClientMetricsConfigs
  readonly quotas: ClientQuotas
  readonly throttle: Throttle
  readonly scram: ScramCredentials
  readonly acls: Acls
  /** Where it is absent everybody may do everything. */
  readonly authorizer: Authorizer | undefined
  readonly loggers = new LoggerConfig()
  readonly partitionsMax = partitionsMax
  readonly placement: Placement
  readonly leaderships: Leaderships
  readonly views = new Views()
  readonly gates = new Gates()
  /** Topics with `branch.ttl.ms`: hardly ever are there any, and only they are looked at again and again. */
  readonly mortal = new Set<Topic>()
  readonly #metadata: MetadataLog
  readonly #byName = new Map<string, Topic>()
  readonly #byId = new Map<string, Topic>()
  #topicsVersion = 0
  readonly #collisions = new Collisions()
  readonly own = new OwnTopics()
  /** Names of topics that are on their way. */
  readonly #reserved = new Set<string>()
  readonly #creationListeners: ((topic: Topic) => void)[] = []
  readonly #disposal: Disposal
  readonly #removalListeners: ((topic: Topic) => void)[] = []
  readonly #producerIds: ProducerIds

  /** Opens what the store holds. Throws Corruption, StorageError. */
  constructor(environment: Environment) {
    this.store = environment.store
    this.clock = environment.clock
    this.config = environment.config
    this.housekeeping = new Housekeeping(environment, () => this.#byName.values())
    this.#metadata = new MetadataLog(this.store, this.clock)
    this.losses = new Losses(this.#metadata, this.clock)
    this.features = new Features(this.#metadata)
    this.groupConfigs = new GroupConfigs(this.#metadata, this.config)
    this.quotas = new ClientQuotas(this.#metadata)
    this.throttle = new Throttle(this.quotas, this.clock, this.config)
    this.scram = new ScramCredentials(this.#metadata)
    this.acls = new Acls(this.#metadata, this.config)
    this.authorizer = this.acls.authorizer
    this.clientMetrics = new ClientMetricsConfigs(this.#metadata)
    this.placement = new Placement(this.nodeId, this.config.number('cluster.brokers'))
    this.leaderships = new Leaderships(this.#metadata, this.placement, () => this.#byName.values())
    const { state } = this.#metadata
    if (state.clusterId === '') {
      const id = this.config.string('cluster.id') || randomId(this.clock)
      this.#inBackground(this.#metadata.commit([{ v: 1, type: 'cluster', id, at: this.clock.now() }]))
    }
    const saidOnce = insyncSaidOnce(this.features, state.brokerConfigs, this.config)
    if (saidOnce.length > 0) this.#inBackground(this.#metadata.commit(saidOnce))
    for (const [name, configs] of state.brokerConfigs) this.config.fromRecord(name, configs)
    const resumed = this.leaderships.resume()
    if (resumed.length > 0) this.#inBackground(this.#metadata.commit(resumed))
    finishForks(this.store, (id) => state.topics.has(id))
    finishForwards(this.store, (id) => state.lineage.forwardedOf(id))
    for (const topic of state.topics.values()) this.#add(topic)
    this.#producerIds = new ProducerIds(this.#metadata)
    this.#disposal = new Disposal(this.store)
    this.#disposal.removeOrphans(
      (id) => this.#byId.has(id),
      (id) => state.removed.has(id),
    )
  }

  #add(topic: { id: string; name: string; partitions: number; configs: Record<string, string> }): Topic {
    const added = new Topic(this, topic)
    this.#byName.set(added.name, added)
    this.#byId.set(added.id, added)
    this.#collisions.added(added.name)
    this.views.added(added)
    this.#topicsVersion++
    for (const listener of this.#creationListeners) listener(added)
    return added
  }

  #inBackground(work: Promise<unknown>): void {
    work.catch((cause: unknown) => console.error(`The metadata log failed: ${String(cause)}`))
  }

  get clusterId(): string {
    return this.#metadata.state.clusterId
  }

  /** Grows with every change of what the cluster is. */
  get metadataEndOffset(): number {
    return this.#metadata.endOffset
  }

  get nodeId(): number {
    return this.config.number('node.id')
  }

  /** The nodes that run, as clients of a listener are told. */
  nodes(listener: string): Endpoint[] {
    return this.placement.nodes(listener)
  }

  /** Who has a partition that is about to be. */
  leadershipOf(topicId: string, partition: number): Leadership {
    return this.leaderships.of(topicId, partition)
  }

  /** The node that answers for a key, or `noLeader`: the leader of the partition that remembers it. */
  coordinator(kind: CoordinatorKind, key: string): number {
    if (!this.placement.isCluster) return this.nodeId
    const { name } = coordinatorTopics[kind]
    const leaders = this.#byName.get(name)?.partitions.map(({ leader }) => leader)
    return this.placement.coordinator(key, leaders, this.defaultPartitions(name))
  }

  /** Whether a node answers for a key. */
  coordinates(kind: CoordinatorKind, key: string, node: number): boolean {
    return !this.placement.isCluster || this.coordinator(kind, key) === node
  }

  /** Which topic is a branch of which. */
  get lineage(): Lineage {
    return this.#metadata.state.lineage
  }

  /** Makes facts about branches true. They have taken effect when it returns. Rejects with StorageError. */
  noteLineage(records: readonly MetadataRecord[]): Promise<void> {
    return this.#metadata.commit(records)
  }

  /** What a branch shares with its parent. */
  inheritedOf(topicId: string, partition: number): Inherited | undefined {
    return this.lineage.inheritedOf(topicId, partition)
  }

  topic(name: string): Topic | undefined {
    return this.#byName.get(name)
  }

  topicById(id: string): Topic | undefined {
    return this.#byId.get(id)
  }

  /** Grows whenever a topic comes, grows or goes: who has seen this number has seen all there is to see. */
  get topicsVersion(): number {
    return this.#topicsVersion
  }

  /** All topics in the order of their names. */
  topics(): Topic[] {
    return [...this.#byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** The same as they are listed for whoever names none: members of sets are seen by those who have entered. */
  listed(): Topic[] {
    const { lineage } = this
    return lineage.sets.size === 0 ? this.topics() : this.topics().filter(({ id }) => !lineage.membership(id))
  }

  /** What is wrong with a name. `isNew`: no topic bears it yet, nor may any have it in metrics. */
  checkTopicName(name: string, isNew = false): Refusal | undefined {
    return checkTopicName(name) ?? (isNew ? this.#collisions.check(name, this.#byName.keys()) : undefined)
  }

  /** What stands against a topic; undefined if it can be made. */
  checkNewTopic({ name, partitions, configs }: NewTopic): Refusal | undefined {
    const badName = checkTopicName(name)
    if (badName !== undefined) return badName
    if (this.#byName.has(name) || this.#reserved.has(name))
      return new Refusal('TOPIC_ALREADY_EXISTS', `Topic '${name}' already exists.`)
    const collision = this.#collisions.check(name, this.#byName.keys())
    if (collision !== undefined) return collision
    const refusal =
      validateTopicConfigs(new Map(Object.entries(configs))) ?? refuseView({ name, partitions, configs }, this)
    return refusal ?? this.checkPartitions({ name, partitions, configs })
  }

  /** What stands against the number of partitions of a new topic. */
  checkPartitions(of: Pick<NewTopic, 'name' | 'partitions' | 'configs'>): Refusal | undefined {
    const { name, partitions } = of
    return checkCount(partitions) ?? this.own.checkPartitions(name, partitions) ?? refuseViewPartitions(of, this)
  }

  /** How many partitions a topic gets when nobody says. */
  defaultPartitions(name: string): number {
    return this.own.partitions(name) ?? this.config.number('num.partitions')
  }

  /** How many replicas a partition of a topic gets when nobody says. */
  defaultReplicationFactor(name: string): number {
    return defaultReplicationFactor(name, this.config, this.placement)
  }

  get #making() {
    // One topic after the other begins at the next node, so that topics of one partition are spread too.
    const turnOf = (name: string, first: number) => (this.own.has(name) ? 0 : this.#byName.size + first)
    const dealTopic: Deal = (topic, first, count) =>
      deal(topic, turnOf(topic.name, first), count, this.config, this.placement)
    return { clock: this.clock, leaderships: this.leaderships, deal: dealTopic }
  }

  /** The configuration that a topic with these overrides would have. */
  topicConfig(configs: Readonly<Record<string, string | null>>): TopicConfig {
    return new TopicConfig(this.config, new Map(Object.entries(withoutNulls(configs))))
  }

  /** Makes topics, all at once; the caller has checked each. Resolves when they are durable. Throws StorageError. */
  async createTopics(topics: readonly NewTopic[]): Promise<Topic[]> {
    if (topics.length === 0) return []
    const wanted = topics.map((topic) => asMade(topic, this))
    const configsOf = ({ name, configs }: NewTopic) => withoutNulls(this.own.configs(name, withoutNulls(configs)))
    const { made, records } = recordsOfNew(wanted, configsOf, this.#making)
    const durable = this.#metadata.commit(records)
    const added = made.map((record) => this.#add(record))
    await durable
    return added
  }

  /** Keeps names for topics that are being made, until the returned function is called. */
  reserveNames(names: readonly string[]): () => void {
    for (const name of names) this.#reserved.add(name)
    return () => {
      for (const name of names) this.#reserved.delete(name)
    }
  }

  /**
   * Branches whose files lie in `forkedFolder`, under reserved names: they are seen when the record is on stable storage,
   * in the place of `replaced`. Throws StorageError, and nothing has changed; rejects with it, and only a start can tell.
   */
  addForked(
    topics: readonly { id: string; name: string; partitions: number; configs: Record<string, string>; at: number }[],
    seats: readonly ForkedSeat[],
    fork: ForkRecord,
    replaced: readonly Topic[] = [],
    because: readonly LineageRecord[] = [],
    beforeSeen = async () => {},
  ): Promise<void> {
    const views = this.views.following(topics, this.#making)
    const durable = this.#metadata.commit([
      ...topics.map((topic) => ({ ...topic, v: 1, type: 'topic' }) as const),
      ...seats.map((seat) => this.leaderships.forked(seat, this.#byName.size)),
      fork,
      ...[...replaced.map(removed), ...views.records, ...because],
    ])
    this.#forget(replaced)
    return durable.then(async () => {
      for (const { id, partitions } of fork.topics) {
        nameForked(this.store, id, partitions.some(({ files }) => files.length > 0) || undefined)
      }
      await beforeSeen()
      for (const topic of topics) this.#add(topic)
      views.done()
      await this.#removeRest(replaced)
    })
  }

  /** Deletes a topic: it is gone for every client when this returns, and for good when the promise resolves. */
  deleteTopic(topic: Topic): Promise<void> {
    return this.deleteTopics([topic])
  }

  /** As deleteTopic, of several at once: all or none, with the views of them, and with what else becomes true by it. */
  async deleteTopics(wanted: readonly Topic[], because: readonly LineageRecord[] = []): Promise<void> {
    // One of them may have gone with another one, of which it was a view.
    const topics = this.views.with(wanted).filter(({ id }) => this.#byId.has(id))
    if (topics.length + because.length === 0) return
    const durable = this.#metadata.commit([...because, ...topics.map(removed)])
    this.#forget(topics)
    await durable
    await this.#removeRest(topics)
  }

  /** Topics get other names, each one that is free or that another of them gives up. */
  rename(renamings: readonly Renaming[], because: readonly LineageRecord[]): Promise<void> {
    this.#topicsVersion++
    this.#collisions.forget()
    const rooms = { metadata: this.#metadata, leaderships: this.leaderships, byName: this.#byName, views: this.views }
    return renameTopics(renamings, because, { ...rooms, now: this.clock.now() })
  }

  /** What a start has read may have outlived a kill and not be on stable storage. Resolves when it is. Rejects with StorageError. */
  async settled(): Promise<void> {
    await this.#metadata.flush()
    // Coordinators answer by what they remember. A partition whose flush fails refuses what would rest on it.
    const own = this.topics().filter(({ isInternal }) => isInternal)
    const flush = async (partition: Partition) => partition.promisesFlush && (await partition.flushed())
    await Promise.allSettled(own.flatMap(({ partitions }) => partitions.map(flush)))
  }

  /** In the turn in which the metadata log does: what is opened from now on must not take a branch for something else. */
  #forget(topics: readonly Topic[]): void {
    for (const topic of topics) {
      this.#byName.delete(topic.name)
      this.#byId.delete(topic.id)
      this.#collisions.removed(topic.name)
      this.views.removed(topic)
      topic.remove()
    }
    this.#topicsVersion++
  }

  #removeRest(topics: readonly Topic[]): Promise<void> {
    for (const topic of topics) for (const listener of this.#removalListeners) listener(topic)
    return this.#disposal.remove(topics.map(({ id }) => id))
  }

  /** Calls `listener` as soon as a topic is there; not for those that a start finds. */
  onTopicCreated(listener: (topic: Topic) => void): void {
    this.#creationListeners.push(listener)
  }

  /** Calls `listener` after a topic was deleted. */
  onTopicDeleted(listener: (topic: Topic) => void): void {
    this.#removalListeners.push(listener)
  }

  async createPartitions(topic: Topic, count: number, replicas?: NewTopic['replicas']): Promise<void> {
    const grown = this.views.with([topic])
    const durable = this.#metadata.commit(recordsOfGrowth(grown, count, replicas, this.#making))
    for (const each of grown) each.growTo(count)
    this.#topicsVersion++
    await durable
  }

  /** Replaces all overrides of a topic. */
  async configureTopic(topic: Topic, configs: Readonly<Record<string, string>>): Promise<void> {
    const durable = this.#metadata.commit([{ v: 1, type: 'config', of: 'topic', name: topic.name, configs }])
    topic.configure(configs)
    await durable
  }

  /** Replaces the dynamic values of a broker, or of all brokers (`name` ''). */
  async configureBroker(name: string, configs: Readonly<Record<string, string>>): Promise<void> {
    const record: MetadataRecord = { v: 1, type: 'config', of: 'broker', name, configs }
    const durable = this.#metadata.commit([record])
    this.config.fromRecord(name, configs)
    for (const topic of this.#byName.values()) topic.configure(topic.config.overrides())
    await durable
  }

  /** Sets levels of features that were checked, and what follows from them. Throws StorageError. */
  async finalise(updates: readonly FeatureUpdate[]): Promise<void> {
    await this.features.finalise(updates)
    const saidOnce = insyncSaidOnce(this.features, this.#metadata.state.brokerConfigs, this.config)
    for (const { name, configs } of saidOnce) await this.configureBroker(name, configs)
  }

  /** What counts for a group, whatever its type and whether or not it exists. */
  groupConfig(group: string): GroupSettings {
    return this.groupConfigs.of(group)
  }

  newProducerId(): Promise<number> {
    return this.#producerIds.take()
  }

  /** Flushes everything and leaves the store as a clean stop does. */
  async close(): Promise<void> {
    const failures = await closePartitions(this.housekeeping.partitions(), this.store)
    await this.#disposal.end()
    await this.#metadata.shrink()
    await this.#metadata.close().catch((cause: unknown) => failures.push(cause))
    if (failures.length > 0) throw failures[0]
  }
}

const removed = ({ id }: Topic): MetadataRecord => ({ v: 1, type: 'topic-removed', id })
