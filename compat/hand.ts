// What every client must be able to be told: one language between the scenarios, written once, and the clients, each
// of which is a small program in its own language. The program is a hand: it does as it is told and judges nothing.
//
// A hand is started with the bootstrap address as its only argument. It first prints one line
//
//     {"hello":{"client":"franz-go","version":"1.20.4","runtime":"go1.24.1","cannot":{"joinShare":"franz-go has no share consumer"}}}
//
// then reads one command per line on stdin and prints one answer per line on stdout, in the same order, one at a time:
//
//     {"verb":"produce","producer":"p1","topic":"t","records":[{"key":null,"value":"aGk=","headers":[]}]}
//     {"ok":{"offsets":[0]}}
//     {"error":"MESSAGE_TOO_LARGE","message":"what the client itself says"}
//     {"cannot":"franz-go does not tell the timestamp type"}
//
// * `cannot` (in hello, or as an answer) says why the client has no such thing. Keys in hello are `verb`, `verb.field` or
//   `verb.field=value`, e.g. "openProducer.codec=zstd". The scenario is then a skip with that word, never a failure. It is for what the
//   client lacks, not for what the broker refuses. The name of a scenario may stand there too, where the client fails it
//   against Kafka by a fault of its own.
// * `error` is Kafka's own name of the error (TOPIC_ALREADY_EXISTS, INVALID_PRODUCER_EPOCH, …: `Errors` of the Java
//   client), whatever the client calls it, or its number where the client tells no more; "CLIENT" where the client refuses by itself or hides the broker's word.
// * Bytes are base64, null is null, and both differ from "". Offsets and times are numbers.
// * A field that is left out has its default; fields a hand does not know are declared in `cannot`, not ignored.
// * stdout is for answers only; stderr is shown when something fails. End of stdin: close all and exit.
// * Commands come one after the other. Whoever has threads may work in the background (group members, buffers of
//   records); whoever has none works while it is polled: `poll` comes again and again to every consumer that is open.
import type { KafkaRecord } from './records.ts'

/** Base64, or null. */
export type Bytes = string | null

export interface WireRecord {
  readonly key: Bytes
  readonly value: Bytes
  readonly headers: ReadonlyArray<readonly [name: string, value: Bytes]>
}

/** The client chooses partition and time where none is given. */
export interface RecordToSend extends WireRecord {
  readonly partition?: number
  readonly timestamp?: number
}

export interface RecordRead extends WireRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  /** Share consumers: which delivery this is, 1 being the first. */
  readonly deliveryCount?: number
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface OffsetAt extends TopicPartition {
  readonly offset: number
  readonly metadata?: string
}

export type Configs = { readonly [name: string]: string }
type Nothing = { readonly [name: string]: never }

/** Every verb: what it is asked with, and what it answers. */
export interface Verbs {
  // Topics and what an administrator asks.
  createTopic: { ask: { topic: string; partitions: number; configs?: Configs }; answer: Nothing }
  deleteTopic: { ask: { topic: string }; answer: Nothing }
  listTopics: { ask: Nothing; answer: { topics: string[] } }
  /** In the order of partitions. Where the client does not tell replicas, `replicas` is []. */
  describeTopic: {
    ask: { topic: string }
    answer: { partitions: { partition: number; leader: number; replicas: number[] }[] }
  }
  /** `count` is the new total. */
  createPartitions: { ask: { topic: string; count: number }; answer: Nothing }
  /** `source` as Kafka names it (DEFAULT_CONFIG, DYNAMIC_TOPIC_CONFIG …), null where the client does not tell. */
  describeConfigs: {
    ask: { resource: 'topic' | 'broker' | 'group'; name: string; names: string[] }
    answer: { configs: { [name: string]: { value: string | null; source: string | null; readOnly: boolean } } }
  }
  /** IncrementalAlterConfigs: sets these, removes those, leaves the rest. */
  alterConfigs: {
    ask: { resource: 'topic' | 'broker' | 'group'; name: string; set?: Configs; remove?: string[] }
    answer: Nothing
  }
  /** The older AlterConfigs: what is not given is set back. */
  replaceConfigs: { ask: { resource: 'topic'; name: string; configs: Configs }; answer: Nothing }
  /** Deletes what is before the offset; -1 means the high watermark. */
  deleteRecords: { ask: TopicPartition & { before: number }; answer: Nothing }
  /** One offset: the start, the end, of the youngest record, or of the first record not older than a time; -1: there is none. */
  offsetAt: {
    ask: TopicPartition & { at: 'start' | 'end' | 'youngest' | number; isolation?: Isolation }
    answer: { offset: number }
  }
  describeCluster: {
    ask: Nothing
    answer: { clusterId: string; controller: number; brokers: { id: number; host: string; port: number }[] }
  }
  /** Bytes of one topic's partitions, over all log directories. */
  describeLogDirs: { ask: { topic: string }; answer: { sizes: { partition: number; bytes: number }[] } }
  /** Filters are the client's own where it has them. `type` is 'classic', 'consumer' or 'share'; null where it is not told. */
  listGroups: {
    ask: { states?: string[]; types?: string[] }
    answer: { groups: { group: string; state: string | null; type: string | null }[] }
  }
  /** A group that nobody knows is GROUP_ID_NOT_FOUND or in state 'Dead'. `protocol` is the assignor; '' where there is none. */
  describeGroup: {
    ask: { group: string; type?: 'classic' | 'consumer' | 'share' }
    answer: {
      state: string
      protocol: string | null
      members: { clientId: string; instance: string | null; assigned: TopicPartition[] }[]
    }
  }
  deleteGroup: { ask: { group: string }; answer: Nothing }
  /** Committed offsets of one topic; partitions without one are left out. */
  groupOffsets: {
    ask: { group: string; topic: string }
    answer: { offsets: { partition: number; offset: number; metadata?: string }[] }
  }
  setGroupOffsets: { ask: { group: string; offsets: OffsetAt[] }; answer: Nothing }
  deleteGroupOffsets: { ask: { group: string; topic: string; partitions: number[] }; answer: Nothing }
  describeProducers: {
    ask: TopicPartition
    /** `openSince` is the first offset of the open transaction, -1 where none is open. */
    answer: { producers: { producerId: number; epoch: number; lastSequence: number; openSince: number }[] }
  }
  listTransactions: { ask: Nothing; answer: { transactions: { transactionalId: string; state: string }[] } }
  /** `state` as Kafka names it: Empty, Ongoing, CompleteCommit … */
  describeTransaction: {
    ask: { transactionalId: string }
    answer: { state: string; producerId: number; epoch: number; partitions: TopicPartition[] }
  }
  /** Of a client id: names to numbers; null removes one. */
  setQuotas: { ask: { clientId: string; quotas: { [name: string]: number | null } }; answer: Nothing }
  describeQuotas: { ask: { clientId: string }; answer: { quotas: { [name: string]: number } } }

  // Producers. Each has a name that the scenario gives it.
  /** With a transactional id, transactions are initialised before the answer. Defaults: acks 'all', no codec, not idempotent. */
  openProducer: {
    ask: {
      producer: string
      acks?: 0 | 1 | 'all'
      codec?: Codec
      idempotent?: boolean
      transactionalId?: string
      transactionTimeoutMs?: number
      /** A wish: batches of about this size, so that many are on their way. */
      batchBytes?: number
    }
    answer: Nothing
  }
  /**
   * Sends all, in this order, and answers when all are acknowledged; tries again as long as the client's own patience
   * lasts, which must be more than 30 seconds without a broker. One offset per record; null where the client does not tell (always with acks 0).
   * The first failure is the error. The topic is one that may not exist yet.
   */
  produce: {
    ask: { producer: string; topic: string; records: RecordToSend[] }
    answer: { offsets: number[] | null }
  }
  beginTransaction: { ask: { producer: string }; answer: Nothing }
  /** The group's progress as part of the transaction; with the metadata of the open consumer where one is named. */
  sendOffsets: { ask: { producer: string; group: string; consumer?: string; offsets: OffsetAt[] }; answer: Nothing }
  commitTransaction: { ask: { producer: string }; answer: Nothing }
  abortTransaction: { ask: { producer: string }; answer: Nothing }
  /** Idempotent, and quick even where the producer was fenced or has an open transaction. */
  closeProducer: { ask: { producer: string }; answer: Nothing }

  // Consumers: without a group, or as members of one. No offset is ever committed unless a verb says so, and no topic is
  // made because a consumer asks for it (allow.auto.create.topics=false).
  /** Reads one partition without a group. Answers when the place is settled, so that what is sent afterwards is after 'end'. */
  openConsumer: {
    ask: TopicPartition & {
      consumer: string
      from: 'start' | 'end' | { offset: number } | { timestamp: number }
      /** Everywhere: read_uncommitted where nothing is said. */
      isolation?: Isolation
      /** fetch.max.bytes and max.partition.fetch.bytes. */
      fetchBytes?: number
    }
    answer: Nothing
  }
  /** A member begins to join; it has joined when `poll` tells what is assigned. */
  joinGroup: {
    ask: {
      consumer: string
      group: string
      /** Or a pattern: a regular expression (RE2 where the broker matches it, the client's own otherwise). */
      topics?: string[]
      pattern?: string
      /** 'consumer' is KIP-848's. Default 'classic'. */
      protocol?: 'classic' | 'consumer'
      /** classic: 'range', 'roundrobin', 'sticky', 'cooperative-sticky'; consumer: 'uniform', 'range'. Default: the client's. */
      assignor?: string
      /** group.instance.id: a static member, which stays in the group when it closes. */
      instance?: string
      /** Where there is no committed offset. Default 'earliest'. */
      reset?: 'earliest' | 'latest'
      isolation?: Isolation
      sessionTimeoutMs?: number
    }
    answer: Nothing
  }
  /**
   * Waits at most `ms` until there is something, then gives all that has come, each record once. Keeps the member alive and
   * lets it rebalance. `assigned` is what it owns now (for openConsumer: its one partition).
   */
  poll: { ask: { consumer: string; ms: number }; answer: { records: RecordRead[]; assigned: TopicPartition[] } }
  /** Commits and waits for the answer: these offsets, or behind the last record that `poll` gave. */
  commitOffsets: { ask: { consumer: string; offsets?: OffsetAt[] }; answer: Nothing }
  /** What of these partitions is still buffered comes only after `resume`. */
  pause: { ask: { consumer: string; partitions: TopicPartition[] }; answer: Nothing }
  resume: { ask: { consumer: string; partitions: TopicPartition[] }; answer: Nothing }
  seek: { ask: TopicPartition & { consumer: string; offset: number }; answer: Nothing }
  /** Closes; a dynamic member leaves its group, a static one does not. */
  closeConsumer: { ask: { consumer: string }; answer: Nothing }

  // Share groups (KIP-932), with explicit acknowledgement.
  joinShare: { ask: { consumer: string; group: string; topics: string[] }; answer: Nothing }
  /** Every record of one poll is acknowledged before the next poll; see `acknowledge`. */
  pollShare: { ask: { consumer: string; ms: number }; answer: { records: RecordRead[] } }
  acknowledge: {
    ask: { consumer: string; of: (TopicPartition & { offset: number; as: 'accept' | 'release' | 'reject' })[] }
    /** Sent and answered by the broker. */
    answer: Nothing
  }
  /** The lock on these records begins anew (KIP-1222); they are still to be acknowledged. */
  renew: { ask: { consumer: string; of: (TopicPartition & { offset: number })[] }; answer: Nothing }
  closeShare: { ask: { consumer: string }; answer: Nothing }
}

export type Verb = keyof Verbs
export type Isolation = 'read_committed' | 'read_uncommitted'
export type Codec = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

export interface Hello {
  readonly client: string
  readonly version: string
  readonly runtime: string
  /** What the client calls itself; told by hands that take COMPAT_CLIENT_ID from their environment. */
  readonly clientId?: string
  readonly cannot: { readonly [what: string]: string }
}

/** The client has no such thing: the scenario is skipped with this word. */
export class Cannot extends Error {}

/** The broker, or the client itself, refused. */
export class Refused extends Error {
  readonly error: string

  constructor(error: string, message: string) {
    super(`${error}: ${message}`)
    this.error = error
  }
}

/** Where commands go. A program (hand-process.ts), or something in this process that does the same. */
export interface Hand {
  readonly hello: Hello
  ask<V extends Verb>(verb: V, fields: Verbs[V]['ask']): Promise<Verbs[V]['answer']>
  close(): Promise<void>
  /** kill -9, where it is a program. */
  kill(): Promise<void>
}

/** Why the client cannot do this, by what it declared; undefined where it can. */
export function lacks(hello: Hello, verb: Verb, fields: { readonly [name: string]: unknown } = {}): string | undefined {
  const asked = Object.entries(fields).flatMap(([name, value]) => [
    `${verb}.${name}`,
    ...(typeof value === 'object' ? [] : [`${verb}.${name}=${value}`]),
  ])
  return [verb, ...asked].map((what) => hello.cannot[what]).find((why) => why !== undefined)
}

export function packed({ key, value, headers }: KafkaRecord): WireRecord {
  return { key: text(key), value: text(value), headers: headers.map(([name, held]) => [name, text(held)] as const) }
}

export function unpacked({ key, value, headers }: WireRecord): KafkaRecord {
  return { key: bytes(key), value: bytes(value), headers: headers.map(([name, held]) => [name, bytes(held)] as const) }
}

function text(held: Buffer | null): Bytes {
  return held === null ? null : held.toString('base64')
}

function bytes(held: Bytes): Buffer | null {
  return held === null ? null : Buffer.from(held, 'base64')
}
