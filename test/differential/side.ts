// One of the two brokers that are asked the same: keeps what it answered, with everything taken out that may differ
// between two brokers of the same kind (ids, addresses, the time of day).

import { listOffsets } from '../../protocol/messages/02-list-offsets.ts'
import { metadata } from '../../protocol/messages/03-metadata.ts'
import { apiVersions } from '../../protocol/messages/18-api-versions.ts'
import { createTopics } from '../../protocol/messages/19-create-topics.ts'
import * as batch from '../../protocol/records/batch.ts'
import { type Answer, type ApiTable, zeroUuid } from '../../protocol/schema.ts'
import { Writer } from '../../protocol/writer.ts'
import { framed } from '../net/wire.ts'
import { type Body, type Unanswered, WireClient } from '../wire-client.ts'

/** What is sent together with others. */
export type Request = readonly [table: ApiTable, version: number, body: object]
export type Asked = { label: string; api: string; version: number; answer: unknown }

/** How long an answer may take that is not meant to be parked. */
const patienceMs = 8000
/** For what waits until others have come. */
const parkedMs = 20_000
/** For what hardly anybody answers. */
const rawMs = 1000
/** What nobody compares may take as long as a busy machine lets it. */
const quietMs = 60_000
/** A change that one request made may take so long to be seen by the next. */
const settleMs = 400

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Times that a scenario writes are those of an hour ago; what is younger was read from a clock. */
const isNow = (value: number, base: number): boolean => value > base + 600_000 && value < base + 7_200_000

export class Side {
  readonly bootstrap: string
  /** The time from which scenarios count, the same on both sides. */
  readonly base: number
  readonly asked: Asked[] = []
  /** Versions that both sides serve; set before the first scenario. */
  versions = new Map<number, readonly [number, number]>()
  readonly #tokens = new Map<unknown, string>()
  readonly #producers = new Map<number, string>()
  readonly #late: (() => void)[] = []
  #client: WireClient | undefined
  #asker: WireClient | undefined
  #from: string | undefined
  clusterId = ''

  constructor(bootstrap: string, base: number) {
    this.bootstrap = bootstrap
    this.base = base
  }

  /** Part of names, where the same brokers are asked again. */
  get run(): string {
    return (this.base / 1000).toString(36)
  }

  async #open(): Promise<WireClient> {
    this.#client ??= await WireClient.open(this.bootstrap, 'differential')
    return this.#client
  }

  /** Where compared questions come from; what nobody compares comes from wherever connections usually do. */
  set from(localAddress: string | undefined) {
    this.#asker?.close()
    this.#asker = undefined
    this.#from = localAddress
  }

  async #openAsker(): Promise<WireClient> {
    if (this.#from === undefined) return this.#open()
    this.#asker ??= await WireClient.open(this.bootstrap, 'differential', { localAddress: this.#from })
    return this.#asker
  }

  close(): void {
    this.#client?.close()
    this.#client = undefined
    this.#asker?.close()
    this.#asker = undefined
  }

  /** What the broker says it serves. */
  async begin(): Promise<Map<number, readonly [number, number]>> {
    const { apiKeys } = await this.quiet(apiVersions, 0, {})
    const { clusterId } = await this.quiet(metadata, 12, { topics: [] })
    this.clusterId = clusterId ?? ''
    this.#tokens.set(clusterId, '<cluster>')
    return new Map(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]))
  }

  /** Asks and keeps the answer. */
  async ask<A extends ApiTable>(
    label: string,
    table: A,
    version: number,
    body: Body<A>,
    waitMs = patienceMs,
  ): Promise<Answer<A> | Unanswered> {
    const client = await this.#openAsker()
    const answer = await client.attempt(table, version, body, waitMs)
    if (typeof answer === 'string') this.close()
    this.#learn(answer)
    this.asked.push({ label, api: table.name, version, answer: this.#plain(answer, '') })
    return answer
  }

  /** Asks for what no table has, on a connection of its own. */
  async raw(label: string, key: number, version: number, isFlexible: boolean): Promise<void> {
    const writer = new Writer()
    writer.int16(key)
    writer.int16(version)
    writer.int32(1)
    writer.nullableString('differential')
    if (isFlexible) writer.uvarint(0)
    const client = await WireClient.open(this.bootstrap, 'differential')
    client.send(framed(writer.bytesWritten()))
    const answer = await client.receive(rawMs)
    client.close()
    const shown = typeof answer === 'string' ? answer : answer.toString('hex')
    this.asked.push({ label, api: `key ${key}`, version, answer: shown })
  }

  /** Asks on a connection of its own what waits for others; among the answers it stands where it was asked. */
  async park<A extends ApiTable>(label: string, table: A, version: number, body: Body<A>) {
    const client = await WireClient.open(this.bootstrap, 'differential')
    const asked: Asked = { label, api: table.name, version, answer: 'parked' }
    this.asked.push(asked)
    const answered = client.attempt(table, version, body, parkedMs).then((answer) => {
      // By then the side may know who those are of whom it tells.
      this.#late.push(() => {
        asked.answer = this.#plain(answer, '')
      })
      client.close()
      return answer
    })
    return { answered }
  }

  /** What was parked is told as it would be told now. */
  tellLate(): void {
    for (const tell of this.#late.splice(0)) tell()
  }

  /** Sends several at once by one connection, as clients do that do not wait for answers. */
  async together(label: string, ...requests: readonly Request[]): Promise<void> {
    const client = await WireClient.open(this.bootstrap, 'differential')
    const answers = await Promise.all(
      requests.map(([table, version, body]) => client.attempt(table, version, body as never, patienceMs)),
    )
    client.close()
    for (const [i, [{ name: api }, version]] of requests.entries()) {
      this.#learn(answers[i])
      this.asked.push({ label, api, version, answer: this.#plain(answers[i], '') })
    }
  }

  /** As `ask`, for every version that both sides serve. */
  async each<A extends ApiTable>(
    label: string,
    table: A,
    body: Body<A> | ((version: number) => Body<A> | undefined),
    waitMs?: number,
  ): Promise<void> {
    for (const version of this.versionsOf(table)) {
      const of = typeof body === 'function' ? (body as (version: number) => Body<A> | undefined)(version) : body
      if (of !== undefined) await this.ask(label, table, version, of, waitMs)
    }
  }

  versionsOf(table: ApiTable): number[] {
    const [from, to] = this.versions.get(table.key) ?? [0, -1]
    const known = /^(\d+)(?:-(\d+))?$/.exec(table.request.versions)!
    const versions: number[] = []
    const first = Math.max(from, Number(known[1]))
    for (let v = first; v <= Math.min(to, Number(known[2] ?? known[1])); v++) versions.push(v)
    return versions
  }

  /** Asks what nobody compares; no answer is an error. */
  async quiet<A extends ApiTable>(table: A, version: number, body: Body<A>): Promise<Answer<A>> {
    const answer = await (await this.#open()).ask(table, version, body, quietMs)
    this.#learn(answer)
    return answer
  }

  /** Makes a topic and waits until it can be used; resolves to its id. */
  async topic(name: string, numPartitions = 1, configs: Record<string, string> = {}): Promise<string> {
    const entries = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
    const wanted = { name, numPartitions, replicationFactor: 1, assignments: [], configs: entries }
    const made = await this.quiet(createTopics, 7, { topics: [wanted], validateOnly: false })
    const { errorCode, errorMessage, topicId } = made.topics[0]!
    if (errorCode !== 0) throw new Error(`${this.bootstrap}: ${name}: ${errorCode} ${errorMessage}`)
    for (let tries = 0; tries < 100; tries++) {
      const { topics } = await this.quiet(metadata, 12, { topics: [{ name }], allowAutoTopicCreation: false })
      const { errorCode: code, partitions } = topics[0]!
      const isThere = code === 0 && partitions.length === numPartitions && partitions.every((p) => p.errorCode === 0)
      if (isThere && (await this.#isLed(name, numPartitions))) return topicId
      await pause(20)
    }
    throw new Error(`${this.bootstrap}: ${name} does not come up`)
  }

  /** Metadata may know of a leader before it knows itself. */
  async #isLed(name: string, numPartitions: number): Promise<boolean> {
    const partitions = Array.from({ length: numPartitions }, (_, partitionIndex) => ({ partitionIndex, timestamp: -1 }))
    const body = { replicaId: -1, isolationLevel: 0, topics: [{ name, partitions }] }
    const { topics } = await this.quiet(listOffsets, 5, body)
    return topics[0]!.partitions.every(({ errorCode }) => errorCode === 0)
  }

  /** Waits until what was changed is seen. */
  async settle(): Promise<void> {
    await pause(settleMs)
  }

  /** An id that the answers hide behind a word. */
  remember(value: unknown, token: string): void {
    this.#tokens.set(value, token)
  }

  /** As `remember`, where only a producer may have this number. */
  rememberProducer(producerId: number, token: string): void {
    this.#producers.set(producerId, token)
  }

  /** The id of a topic that has been made here. */
  idOf(topic: string): string {
    const token = `<id of ${topic}>`
    const found = [...this.#tokens].find(([, known]) => known === token)
    if (found === undefined) throw new Error(`${this.bootstrap}: nobody has made ${topic}`)
    return found[0] as string
  }

  /** Ids of topics are known by the names they came with. */
  #learn(value: unknown): void {
    if (Array.isArray(value)) for (const element of value) this.#learn(element)
    if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return
    const { topicId, name } = value as { topicId?: unknown; name?: unknown }
    if (typeof topicId === 'string' && topicId !== zeroUuid && typeof name === 'string' && name !== '') {
      if (!this.#tokens.has(topicId)) this.#tokens.set(topicId, `<id of ${name}>`)
    }
    for (const inner of Object.values(value)) if (typeof inner === 'object') this.#learn(inner)
  }

  #plain(value: unknown, name: string): unknown {
    if (this.#tokens.has(value)) return this.#tokens.get(value)
    if (name === 'acquiredRecords') return acquired(value as Acquired[])
    if (name === 'records') return value === null ? null : describeRecords(value as Buffer)
    if (unordered.has(name) && isPlainList(value)) return [...value].sort()
    if (Array.isArray(value)) {
      const elements = value.map((element) => this.#plain(element, name.replace(/s$/, '')))
      return ofAcls.has(name) ? elements.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : elements
    }
    if (typeof value === 'object' && value !== null) {
      const entries = Object.entries(value).filter(([key]) => !hidden.has(key))
      return Object.fromEntries(entries.map(([key, inner]) => [key, this.#plain(inner, key)]))
    }
    // What they say is theirs and ours; that something is said is not.
    if (typeof value === 'string' && /[mM]essage$/.test(name)) return value === '' ? '' : '<a sentence>'
    if (typeof value === 'string' && memberId.test(value)) return value.replace(memberId, '$1<uuid>')
    if (name === 'memberId' && typeof value === 'string' && plainId.test(value)) return '<uuid>'
    if (typeof value === 'number' && isNow(value, this.base)) return '<now>'
    if (name === 'sessionId' && typeof value === 'number' && value > 0) return '<session>'
    if (name === 'producerId' && typeof value === 'number' && value >= 0)
      return this.#producers.get(value) ?? '<producer>'
    return value
  }
}

const hidden = new Set([
  ...['throttleTimeMs', 'host', 'port', 'unknownTags', 'totalBytes', 'usableBytes'],
  ...['finalizedFeaturesEpoch', 'replicaDirectoryId'],
])

/** Lists of objects that Kafka keeps as sets. */
const ofAcls = new Set(['resources', 'acls', 'matchingAcls'])

/** Lists that Kafka keeps as sets. */
const unordered = new Set(['subscribedTopicNames', 'partitions'])
const isPlainList = (value: unknown): value is (string | number)[] =>
  Array.isArray(value) && value.every((element) => typeof element !== 'object')

/** As coordinators make them of a client's or an instance's name. */
const memberId = /^(.+-)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** As coordinators of consumers make them. */
const plainId = /^[\w-]{22}$/

type Acquired = { firstOffset: number; lastOffset: number; deliveryCount: number }

/** In how many ranges is for each to say. */
function acquired(ranges: readonly Acquired[]): Acquired[] {
  const joined: Acquired[] = []
  for (const range of ranges) {
    const before = joined.at(-1)
    const follows = before?.lastOffset === range.firstOffset - 1 && before.deliveryCount === range.deliveryCount
    if (follows) before.lastOffset = range.lastOffset
    else joined.push({ ...range })
  }
  return joined
}

function describeRecords(bytes: Buffer): unknown {
  try {
    return [...batch.iterateBatches(bytes)].map((p) => ({
      baseOffset: batch.baseOffset(bytes, p),
      count: batch.recordCount(bytes, p),
      epoch: batch.partitionLeaderEpoch(bytes, p),
      bytes: batch.sizeInBytes(bytes, p),
      attributes: batch.attributes(bytes, p),
    }))
  } catch {
    return `${bytes.length} bytes that are no batches`
  }
}
