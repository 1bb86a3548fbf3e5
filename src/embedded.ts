// A whole broker as one object: rooms joined, listeners bound. What `npm start` runs, and what a test imports.

import { FetchSessions } from './api/fetch-session.ts'
import { served } from './api/rights/guards.ts'
import { Broker as Core, type NewTopic } from './broker/broker.ts'
import { BrokerConfig, type Setting, validateBrokerConfigs } from './broker/broker-config.ts'
import { InternalTopic } from './broker/internal-topic.ts'
import type { Change } from './broker/leaderships.ts'
import { Branches } from './command/branches.ts'
import { checked } from './embedded-options.ts'
import { Fork, type ForkOptions } from './fork-handle.ts'
import { catalogOf } from './group/catalog.ts'
import { type GroupConfig, groupConfigDefaults } from './group/config.ts'
import { Groups } from './group/coordinator.ts'
import { type HttpOptions, HttpPort } from './http-port.ts'
import type { Services } from './net/connection.ts'
import type { Listener } from './net/listener.ts'
import { RequestTimes } from './net/request-times.ts'
import { KafkaServer } from './net/server.ts'
import { Nodes } from './nodes.ts'
import { SetDoors } from './set-doors.ts'
import { Shares } from './share/shares.ts'
import { stateTopic } from './share/state-topic.ts'
import { awake, repeat, type Timer } from './storage/clock.ts'
import { lockDirectory } from './storage/directory-lock.ts'
import type { Store } from './storage/file.ts'
import { canMap, MappedStore } from './storage/mapped-file.ts'
import { MemoryStore } from './storage/memory-file.ts'
import { PlainStore } from './storage/plain-file.ts'
import type { Transactions } from './transaction/coordinator.ts'
import { transactionsOn } from './transaction/on-broker.ts'
import { realWorld, type World } from './world.ts'

export type TopicOptions = {
  name: string
  partitions?: number
  config?: Readonly<Record<string, string | number | boolean>>
}

export type BrokerOptions = {
  /** Port on the loopback address; 0 (the default) takes a free one. Not with `listeners`. */
  port?: number
  listeners?: readonly Listener[]
  /** How many nodes clients see (default 1): a cluster in one process, to test what clients do when leaders move and nodes fail. */
  brokers?: number
  /** `memory` (the default without `data`) touches no disk. Or a store of your own, which the broker closes at its end. */
  storage?: 'memory' | 'mapped' | 'plain' | Store
  /** Data directory, for every storage but memory. */
  data?: string
  topics?: readonly (string | TopicOptions)[]
  /** Options of the broker under Kafka's names. */
  config?: Readonly<Record<string, string | number | boolean>>
  /** The same with the place each comes from. */
  settings?: ReadonlyMap<string, Setting>
  /** The HTTP interface (docs/http.md): true for a free port of the loopback address. Without it there is none. */
  http?: boolean | HttpOptions
  onRequest?: NonNullable<Services['onRequest']>
}

const loopback = (port: number): Listener => ({
  name: 'PLAINTEXT',
  host: '127.0.0.1',
  port,
  protocol: 'PLAINTEXT',
  advertisedHost: '127.0.0.1',
  advertisedPort: undefined,
  role: 'client',
})

/** How often closed segments are looked for. */
const packingCheckMs = 250

const offsetsTopic = '__consumer_offsets'

function openStore(
  storage: NonNullable<BrokerOptions['storage']>,
  data: string | undefined,
): { store: Store; unlock: () => void } {
  if (typeof storage !== 'string') return { store: storage, unlock: () => {} }
  if (storage === 'memory') return { store: new MemoryStore(), unlock: () => {} }
  if (data === undefined) throw new TypeError('storage on disk needs a data directory: { data: DIR }')
  // Where files cannot be mapped the plain store keeps the same promises.
  const store = storage === 'mapped' && canMap() ? new MappedStore(data) : new PlainStore(data)
  return { store, unlock: lockDirectory(data) }
}

function newTopic(broker: Core, topic: string | TopicOptions): NewTopic {
  const { name, partitions = -1, config = {} } = typeof topic === 'string' ? { name: topic } : topic
  const configs = Object.fromEntries(Object.entries(config).map(([key, value]) => [key, String(value)]))
  const wanted = { name, partitions, configs }
  const refusal = broker.checkNewTopic(wanted)
  if (refusal !== undefined) throw new Error(`${refusal.error}: ${refusal.message}`)
  return wanted
}

function groupConfig(config: BrokerConfig): GroupConfig {
  const names = Object.keys(groupConfigDefaults) as (keyof GroupConfig)[]
  const value = (name: keyof GroupConfig) =>
    typeof groupConfigDefaults[name] === 'number' ? config.number(name) : config.value(name)
  return Object.fromEntries(names.map((name) => [name, value(name)])) as unknown as GroupConfig
}

export class Broker implements AsyncDisposable {
  readonly #core: Core
  readonly #groups: Groups
  readonly #transactions: Transactions
  readonly #branches: Branches
  readonly #shares: Shares
  readonly #server: KafkaServer
  readonly #unlock: () => void
  readonly #nodes: Nodes
  readonly #doors: SetDoors
  readonly #http: HttpPort
  readonly #sessions: FetchSessions
  readonly #times: RequestTimes | undefined
  readonly #listeners: readonly Listener[]
  readonly #initialTopics: readonly (string | TopicOptions)[]
  readonly #world: World
  readonly #timers: Timer[] = []
  #startMs: number | undefined
  #stopping: Promise<void> | undefined

  private constructor(options: BrokerOptions, world: World) {
    this.#world = world
    const { clock } = world
    const given = Object.entries(options.config ?? {}).map(([name, value]) => [name, String(value)] as const)
    const settings = new Map<string, Setting>(options.settings)
    for (const [name, value] of given) settings.set(name, { value, origin: 'program' })
    if (options.brokers !== undefined)
      settings.set('cluster.brokers', { value: String(options.brokers), origin: 'program' })
    const refusal = validateBrokerConfigs(settings)
    if (refusal !== undefined) throw new Error(refusal.message)
    const config = new BrokerConfig(settings)
    const storage = options.storage ?? (options.data === undefined ? 'memory' : 'mapped')
    const { store, unlock } = openStore(storage, options.data)
    this.#unlock = unlock
    this.#initialTopics = options.topics ?? []
    try {
      this.#core = new Core({ store, clock, config })
    } catch (cause) {
      unlock()
      throw cause
    }
    this.#shares = new Shares(this.#core, stateTopic(this.#core))
    const log = this.#offsetsLog()
    // A group lies where the topic's partitions put it, whatever the option says today.
    const groupOptions = { ...groupConfig(config), 'offsets.topic.num.partitions': log.partitionCount }
    this.#groups = new Groups({
      clock,
      config: groupOptions,
      log,
      topics: catalogOf(this.#core),
      settings: (groupId) => this.#core.groupConfig(groupId),
      shares: this.#shares,
    })
    this.#core.leaderships.onMoved((moved) => this.#handOver(moved))
    this.#core.onTopicDeleted((topic) => this.#groups.offsets.onTopicDeleted(topic.name, topic.id))
    this.#transactions = transactionsOn(this.#core, this.#groups)
    this.#listeners = options.listeners ?? [loopback(options.port ?? 0)]
    const ordinary = this.#listeners.find(({ role }) => role === 'client')!
    this.#doors = new SetDoors(this.#core, () => this.#nodes, ordinary)
    const rooms = { broker: this.#core, groups: this.#groups, transactions: this.#transactions }
    this.#branches = new Branches(rooms, this.#doors)
    this.#core.onTopicDeleted((topic) => this.#groups.share.onTopicDeleted(topic.id))
    this.#core.onTopicDeleted((topic) => this.#shares.onTopicDeleted(topic.id))
    this.#http = new HttpPort(options.http, config)
    const { onRequest } = options
    const slowMs = config.number('slow.request.log.ms')
    const times = this.#http.isWanted || slowMs >= 0 ? new RequestTimes(slowMs) : undefined
    this.#times = times
    const sessions = () => new FetchSessions(clock, config.number('max.incremental.fetch.session.cache.slots'))
    this.#sessions = sessions()
    const servicesOf = (node: number): Services => ({
      broker: this.#core,
      groups: this.#groups,
      transactions: this.#transactions,
      branches: this.#branches,
      node,
      sessions: sessions(),
      shares: this.#shares,
      apis: served(this.#core.authorizer),
      requestBytesMax: config.number('socket.request.max.bytes'),
      ...(onRequest === undefined ? {} : { onRequest }),
      ...(times === undefined ? {} : { times }),
    })
    const limits = {
      idleMs: config.number('connections.max.idle.ms'),
      queuedBytesMax: config.number('queued.max.request.bytes'),
      buffers: {
        sendBytes: config.number('socket.send.buffer.bytes'),
        receiveBytes: config.number('socket.receive.buffer.bytes'),
      },
    }
    this.#server = new KafkaServer(limits, world.createServer)
    this.#nodes = new Nodes(this.#core.placement, this.#server, this.#listeners, servicesOf)
  }

  /** Groups follow the leaders of the partitions that remember them. */
  #handOver(moved: readonly Change[]): Promise<unknown> {
    const partitions = moved.filter(({ topic }) => topic.name === offsetsTopic).map(({ partition }) => partition.index)
    return Promise.all(
      partitions.map((partition) =>
        this.#groups.handOver(partition).catch((cause: unknown) => console.error('Groups cannot be read:', cause)),
      ),
    )
  }

  #offsetsLog(): InternalTopic {
    const { config } = this.#core
    return new InternalTopic(this.#core, {
      name: offsetsTopic,
      partitions: this.#core.topic(offsetsTopic)?.partitions.length ?? config.number('offsets.topic.num.partitions'),
      configs: {
        'cleanup.policy': 'compact',
        'compression.type': 'producer',
        'segment.bytes': String(config.number('offsets.topic.segment.bytes')),
      },
    })
  }

  /** Opens the store, binds the listeners and makes the topics; resolves when clients can connect. */
  static async start(options: BrokerOptions = {}, world: World = realWorld): Promise<Broker> {
    const since = performance.now()
    const broker = new Broker(checked(options), world)
    try {
      await broker.#shares.load()
      await broker.#branches.load()
      await broker.#nodes.listen()
      await broker.#openHttp()
      await broker.#doors.resume()
      // Groups whose partition cannot be read are told that their coordinator is not available; the others work.
      await broker.#groups.load().catch((cause: unknown) => console.error(cause))
      await broker.#transactions.load().catch((cause: unknown) => console.error(cause))
      await broker.#branches.begin()
      const missing = broker.#initialTopics.filter(
        (topic) => broker.#core.topic(typeof topic === 'string' ? topic : topic.name) === undefined,
      )
      await broker.createTopics(missing)
    } catch (cause) {
      await broker.stop()
      throw cause
    }
    broker.#housekeep()
    broker.#startMs = performance.now() - since
    return broker
  }

  #openHttp(): Promise<void> {
    const { name: listener } = this.#listeners.find(({ role }) => role === 'client')!
    const rooms = {
      broker: this.#core,
      groups: this.#groups,
      transactions: this.#transactions,
      branches: this.#branches,
    }
    const startMs = () => this.#startMs
    const shown = { ...rooms, shares: this.#shares, sessions: this.#sessions, listener, startMs }
    return this.#http.open(shown, this.#server, this.#times)
  }

  #housekeep(): void {
    const { config, housekeeping } = this.#core
    const { clock } = this.#world
    const every = (ms: number, task: () => void) => this.#timers.push(repeat(clock, Math.max(ms, 10), task))
    every(config.number('log.retention.check.interval.ms'), () => housekeeping.retain())
    every(100, () => housekeeping.flushDue())
    every(packingCheckMs, () => housekeeping.packing.run())
    every(200, () => void this.#branches.expire().catch((cause: unknown) => console.error('Idle branches:', cause)))
    if (config.boolean('log.cleaner.enable'))
      every(config.number('log.cleaner.backoff.ms'), () => housekeeping.compact())
  }

  /** `host:port` of the first listener of the first node: what clients take as bootstrap.servers. */
  get bootstrapServers(): string {
    return this.brokers[0]!
  }

  /** The same for every listener and every node, the nodes of the first listener first. */
  get brokers(): readonly string[] {
    return this.listeners.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`)
  }

  /** The addresses that clients are told, by listener and then by node, those of stopped nodes too. */
  get listeners(): readonly { name: string; nodeId: number; host: string; port: number }[] {
    const { placement } = this.#core
    const names = this.#listeners.filter(({ role }) => role === 'client').map(({ name }) => name)
    return names.flatMap((name) => placement.ids.map((id) => ({ name, ...placement.endpoint(name, id) })))
  }

  /** Moves a partition to another leader, which takes the place of the old one where it had no replica. */
  async moveLeader(topic: string, partition: number, nodeId: number): Promise<void> {
    this.#known(nodeId)
    if (!this.#core.placement.isRunning(nodeId)) throw new Error(`Node ${nodeId} is stopped: it cannot lead.`)
    const found = this.#core.topic(topic)
    const moved = found?.partitions[partition]
    if (found === undefined || moved === undefined) throw new Error(`There is no partition ${partition} of ${topic}.`)
    await this.#core.leaderships.move(found, moved, nodeId)
  }

  /** The node that leads a partition; -1 where none does. */
  leaderOf(topic: string, partition: number): number {
    const found = this.#core.topic(topic)?.partitions[partition]
    if (found === undefined) throw new Error(`There is no partition ${partition} of ${topic}.`)
    return found.leader
  }

  /** The node that coordinates a group; -1 where none does. */
  coordinatorOf(groupId: string): number {
    return this.#core.coordinator('group', groupId)
  }

  /**
   * One node dies: its connections are cut, its port refuses, and its partitions get other leaders among their replicas.
   * What has no other replica has no leader until `startNode`. Resolves when all of this is so.
   */
  async stopNode(nodeId: number): Promise<void> {
    this.#known(nodeId)
    await this.#nodes.cut(nodeId)
    await this.#core.leaderships.without(nodeId)
  }

  /** A node that was stopped comes back at its old address; it leads again what nobody else could lead. */
  async startNode(nodeId: number): Promise<void> {
    this.#known(nodeId)
    if (this.#core.placement.isRunning(nodeId)) return
    await this.#nodes.restore(nodeId)
    await this.#core.leaderships.with(nodeId)
  }

  #known(nodeId: number): void {
    const { ids } = this.#core.placement
    if (!ids.includes(nodeId)) throw new Error(`There is no node ${nodeId}; the nodes are ${ids.join(', ')}.`)
  }

  /** Where the HTTP interface is; undefined where there is none. */
  get httpUrl(): string | undefined {
    return this.#http.url
  }

  /** Why there is no HTTP interface, where there was to be one if its port was free. */
  get httpRefused(): Error | undefined {
    return this.#http.refused
  }

  get clusterId(): string {
    return this.#core.clusterId
  }

  get nodeId(): number {
    return this.#core.nodeId
  }

  get storage(): Store['kind'] {
    return this.#core.store.kind
  }

  get config(): BrokerConfig {
    return this.#core.config
  }

  /** What an acknowledgement waits for, unless a topic says otherwise: records, and ms of background flush. */
  get flush(): { messages: number; ms: number } {
    const { flushMessages: messages, flushMs: ms } = this.#core.topicConfig({})
    return { messages, ms }
  }

  async createTopics(topics: readonly (string | TopicOptions)[]): Promise<void> {
    const isView = (topic: string | TopicOptions) =>
      typeof topic !== 'string' && topic.config?.['view.of'] !== undefined
    // What is shown comes before the views of it.
    for (const some of [topics.filter((topic) => !isView(topic)), topics.filter(isView)]) {
      await this.#core.createTopics(some.map((topic) => newTopic(this.#core, topic)))
    }
  }

  /** Another life of these topics, cut at one instant and without a copy: for one test, for a try. */
  fork(options: ForkOptions): Promise<Fork> {
    return Fork.make(this.#branches, options)
  }

  /** As fresh: topics, groups, quotas and ACLs go, the topics of `start` are made again, every node runs. For use between tests. */
  async reset(): Promise<void> {
    this.#groups.reset()
    this.#transactions.reset()
    this.#shares.reset()
    this.#branches.reset()
    await Promise.all(this.#core.topics().map((topic) => this.#core.deleteTopic(topic)))
    await this.#branches.endSets()
    const { groupConfigs, clientMetrics, quotas, acls } = this.#core
    for (const settings of [groupConfigs, clientMetrics, quotas, acls]) await settings.reset()
    for (const id of this.#core.placement.ids) await this.startNode(id)
    await this.createTopics(this.#initialTopics)
  }

  /** Answers what is under way, flushes, leaves a clean end. May be called more than once. */
  stop(): Promise<void> {
    this.#stopping ??= awake(this.#world.clock, this.#stop())
    return this.#stopping
  }

  async #stop(): Promise<void> {
    for (const timer of this.#timers) timer.cancel()
    await Promise.all([this.#http.close(), this.#server.close()])
    await this.#branches.stop()
    this.#groups.stop()
    this.#transactions.stop()
    this.#shares.stop()
    await this.#core.housekeeping.end()
    try {
      await this.#core.close()
    } finally {
      this.#core.store.close()
      this.#unlock()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}
