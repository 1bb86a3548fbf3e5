// Fetch sessions (KIP-227): a client that reads many partitions names them once, and afterwards only what changes goes
// over the wire in either direction.

import type { ErrorName } from '../../protocol/errors.ts'
import type { fetch } from '../../protocol/messages/01-fetch.ts'
import type { Request } from '../../protocol/schema.ts'
import type { Clock } from '../storage/clock.ts'

type FetchRequest = Request<typeof fetch>
type RequestPartition = FetchRequest['topics'][number]['partitions'][number]

/** One partition that is being read; `topic` is a name up to version 12 and an id from 13 on. */
export type Wanted = {
  topic: string
  request: RequestPartition
  /** What the topic was called when it was found: a session remembers that of an id, as in Kafka. */
  name?: string
}

/** What an incremental answer last said of a partition: it is left out while nothing of it changed. */
type Told = { highWatermark: number; logStartOffset: number; failed: boolean }
/** `diverges`: the reader has to cut its log, which is said each time and changes nothing of what was told before. */
type News = Told & { byteCount: number; diverges: boolean }
type Entry = Wanted & { told: Told | undefined }

type Session = {
  readonly id: number
  epoch: number
  readonly byId: boolean
  readonly entries: Map<string, Entry>
  readonly madeAt: number
  usedAt: number
  /** As of its last use, the size that a larger one must be beyond to take its place; undefined while it is too young for that. */
  yieldsTo: number | undefined
}

const epochMax = 0x7fff_ffff
/** What was not used for longer gives way to anybody, what was made longer ago to a larger one. */
const spareMs = 120_000
const keyOf = (topic: string, partition: number): string => `${topic} ${partition}`

/** What one Fetch is to read, and what its answer needs to know. */
export type FetchScope = {
  /** 0: none. */
  sessionId: number
  wanted: readonly Wanted[]
  /** Whether an answer for this partition must be sent. Called once for each, in order, with what will be said. */
  tells(wanted: Wanted, told: News): boolean
}

const tellsAll = (): boolean => true

export class FetchSessions {
  readonly #clock: Clock
  readonly #sessionsMax: number
  /** In the order of their last uses. */
  readonly #sessions = new Map<number, Session>()

  /** `sessionsMax`: `max.incremental.fetch.session.cache.slots`. */
  constructor(clock: Clock, sessionsMax: number) {
    this.#clock = clock
    this.#sessionsMax = sessionsMax
  }

  get count(): number {
    return this.#sessions.size
  }

  /** Finds or makes what the request belongs to; an error name where it fits no session. */
  open(request: FetchRequest, version: number): FetchScope | ErrorName {
    const byId = version >= 13
    const { sessionId, sessionEpoch } = request
    // Epochs 0 and -1 name all partitions; every other one goes on with a session that must be there.
    if (version >= 7 && sessionEpoch !== 0 && sessionEpoch !== -1) return this.#continue(request, byId)
    if (sessionId !== 0) this.#sessions.delete(sessionId)
    const wanted = request.topics.flatMap(({ topic, topicId, partitions }) =>
      partitions.map((partition) => ({ topic: byId ? topicId : topic, request: partition })),
    )
    if (sessionEpoch !== 0 || version < 7) return { sessionId: 0, wanted, tells: tellsAll }
    return this.#begin(wanted, byId)
  }

  #begin(wanted: readonly Wanted[], byId: boolean): FetchScope {
    const entries = new Map<string, Entry>(
      wanted.map(({ topic, request }) => [keyOf(topic, request.partition), { topic, request, told: undefined }]),
    )
    if (this.#sessions.size >= this.#sessionsMax) {
      const gone = this.#spare(entries.size)
      if (gone === undefined) return { sessionId: 0, wanted, tells: tellsAll }
      this.#sessions.delete(gone.id)
    }
    const now = this.#clock.now()
    const session: Session = {
      id: this.#newId(),
      epoch: 1,
      byId,
      entries,
      madeAt: now,
      usedAt: now,
      yieldsTo: undefined,
    }
    this.#sessions.set(session.id, session)
    return {
      sessionId: session.id,
      wanted: [...entries.values()],
      tells: ({ topic, request }, told) => {
        // As in Kafka the first answer moves nothing to the back: what is asked next comes in the order of this request.
        entries.get(keyOf(topic, request.partition))!.told = kept(told)
        return true
      },
    }
  }

  #newId(): number {
    for (;;) {
      const id = this.#clock.random(4).readUInt32BE(0) & 0x7fff_ffff
      if (id !== 0 && !this.#sessions.has(id)) return id
    }
  }

  /**
   * Who makes room, as in Kafka: for anybody what was not used for two minutes, for whoever reads more the smallest of those that
   * are older. A connection that ends takes no session with it: its client may go on with it by another.
   */
  #spare(size: number): Session | undefined {
    const [longest] = this.#sessions.values()
    if (longest === undefined || this.#clock.now() - longest.usedAt > spareMs) return longest
    let smallest: Session | undefined
    for (const session of this.#sessions.values()) {
      if (session.yieldsTo !== undefined && session.yieldsTo < (smallest?.yieldsTo ?? size)) smallest = session
    }
    return smallest
  }

  #touch(session: Session): void {
    const now = this.#clock.now()
    session.usedAt = now
    session.yieldsTo = now - session.madeAt > spareMs ? session.entries.size : undefined
    this.#sessions.delete(session.id)
    this.#sessions.set(session.id, session)
  }

  #continue(request: FetchRequest, byId: boolean): FetchScope | ErrorName {
    const session = this.#sessions.get(request.sessionId)
    if (session === undefined) return 'FETCH_SESSION_ID_NOT_FOUND'
    if (session.epoch !== request.sessionEpoch) return 'INVALID_FETCH_SESSION_EPOCH'
    if (session.byId !== byId) return 'FETCH_SESSION_TOPIC_ID_ERROR'
    session.epoch = session.epoch === epochMax ? 1 : session.epoch + 1
    for (const { topic, topicId, partitions } of request.topics) {
      for (const partition of partitions) {
        const name = byId ? topicId : topic
        const key = keyOf(name, partition.partition)
        const entry: Entry = { told: undefined, ...session.entries.get(key), topic: name, request: partition }
        session.entries.set(key, entry)
      }
    }
    // Last: what is asked for and forgotten in one request is forgotten.
    for (const { topic, topicId, partitions } of request.forgottenTopicsData) {
      for (const partition of partitions) session.entries.delete(keyOf(byId ? topicId : topic, partition))
    }
    if (session.entries.size === 0) {
      this.#sessions.delete(session.id)
      return { sessionId: 0, wanted: [], tells: tellsAll }
    }
    this.#touch(session)
    return {
      sessionId: session.id,
      wanted: [...session.entries.values()],
      tells: (of, told) => note(session, of, told),
    }
  }
}

const kept = ({ highWatermark, logStartOffset, failed }: Told): Told => ({ highWatermark, logStartOffset, failed })

/** Keeps what is said of a partition; whether it is news. What brought records goes to the back of the queue. */
function note(session: Session, { topic, request }: Wanted, told: News): boolean {
  const key = keyOf(topic, request.partition)
  const entry = session.entries.get(key)
  if (entry === undefined) return true
  const before = entry.told
  entry.told = kept(told)
  if (told.byteCount > 0) {
    session.entries.delete(key)
    session.entries.set(key, entry)
    return true
  }
  return (
    told.failed ||
    told.diverges ||
    before === undefined ||
    before.failed ||
    before.highWatermark !== told.highWatermark ||
    before.logStartOffset !== told.logStartOffset
  )
}
