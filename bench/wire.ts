// The requests the script itself makes, as bytes: asking for Metadata until a broker answers, making topics and branches, and
// deleting them. Written apart from protocol/ so that a mistake there cannot hide in the measurement of it.
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const host = '127.0.0.1'
const answerMsMax = 30_000

const int8 = (value: number) => Buffer.from([value & 0xff])
const int16 = (value: number) => Buffer.from([(value >> 8) & 0xff, value & 0xff])
const int32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const int64 = (value: number) => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}
const double = (value: number) => {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return bytes
}
const string = (text: string) => Buffer.concat([int16(Buffer.byteLength(text)), Buffer.from(text)])
const list = (...items: Buffer[]) => Buffer.concat([int32(items.length), ...items])

class Answer {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  int8() {
    return this.#bytes.readInt8(this.#skip(1))
  }
  int16() {
    return this.#bytes.readInt16BE(this.#skip(2))
  }
  int32() {
    return this.#bytes.readInt32BE(this.#skip(4))
  }
  int64() {
    return Number(this.#bytes.readBigInt64BE(this.#skip(8)))
  }
  string() {
    this.#skip(Math.max(this.int16(), 0))
  }
  list<T>(item: () => T): T[] {
    return Array.from({ length: this.int32() }, item)
  }

  #skip(length: number) {
    const from = this.#at
    this.#at += length
    return from
  }
}

const framed = (key: number, version: number, body: readonly Buffer[]): Buffer => {
  const message = Buffer.concat([int16(key), int16(version), int32(1), string('bench'), ...body])
  return Buffer.concat([int32(message.length), message])
}

/** One request after the other on one connection. */
export class Connection {
  readonly #socket: Socket
  #received = Buffer.alloc(0)
  #waiting: { resolve(answer: Answer): void; reject(problem: Error): void }[] = []

  constructor(port: number) {
    this.#socket = connect({ host, port, noDelay: true })
    this.#socket.setTimeout(answerMsMax, () => this.#socket.destroy(new Error(`no answer in ${answerMsMax} ms`)))
    this.#socket.once('error', (problem) => this.#fail(problem))
    this.#socket.once('close', () => this.#fail(new Error('the broker hung up')))
    this.#socket.on('data', (bytes) => this.#take(bytes))
  }

  /** Rejects when nobody listens or the broker hangs up. Answers come in the order of requests. */
  ask(key: number, version: number, ...body: Buffer[]): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#socket.write(framed(key, version, body))
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes])
    while (this.#received.length >= 4 && this.#received.length >= 4 + this.#received.readInt32BE()) {
      const end = 4 + this.#received.readInt32BE()
      this.#waiting.shift()?.resolve(new Answer(this.#received.subarray(8, end))) // past the length and the correlation id
      this.#received = this.#received.subarray(end)
    }
  }

  #fail(problem: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(problem)
  }
}

/** One request on a connection of its own. */
async function ask(port: number, key: number, version: number, ...body: Buffer[]): Promise<Answer> {
  const connection = new Connection(port)
  try {
    return await connection.ask(key, version, ...body)
  } finally {
    connection.close()
  }
}

async function metadata(port: number, topics: Buffer) {
  const answer = await ask(port, 3, 4, topics, int8(0))
  answer.int32() // throttle
  const brokerCount = answer.list(() => {
    answer.int32()
    answer.string()
    answer.int32()
    answer.string() // rack
  }).length
  answer.string() // cluster id
  answer.int32() // controller
  const leaders = answer.list(() => {
    const error = answer.int16()
    answer.string()
    answer.int8() // internal
    const partitions = answer.list(() => {
      answer.int16()
      answer.int32()
      const leader = answer.int32()
      for (const _ of ['replicas', 'in sync']) answer.list(() => answer.int32())
      return leader
    })
    return error === 0 ? partitions : []
  })
  return { brokerCount, leaders }
}

/** True once the broker answers Metadata with itself in it; false while it does not listen or knows no broker yet. */
export async function isAnswering(port: number): Promise<boolean> {
  try {
    return (await metadata(port, list())).brokerCount > 0
  } catch {
    return false
  }
}

/** The leaders of a topic's partitions, -1 where there is none yet. */
export async function leadersOf(port: number, topic: string): Promise<readonly number[]> {
  return (await metadata(port, list(string(topic)))).leaders[0] ?? []
}

/** How many milliseconds the broker takes to tell of all its topics. */
export async function metadataOfAllMs(connection: Connection): Promise<number> {
  const askedAt = performance.now()
  await connection.ask(3, 4, int32(-1), int8(0))
  return performance.now() - askedAt
}

/** The end of a partition, as ListOffsets tells it; undefined while it is not served. */
export async function endOffset(port: number, topic: string, partition: number): Promise<number | undefined> {
  const latest = -1
  const asked = list(Buffer.concat([string(topic), list(Buffer.concat([int32(partition), int64(latest)]))]))
  const answer = await ask(port, 2, 1, int32(-1), asked)
  const [ends = []] = answer.list(() => {
    answer.string()
    return answer.list(() => {
      answer.int32()
      const error = answer.int16()
      answer.int64() // timestamp
      const offset = answer.int64()
      return error === 0 ? offset : undefined
    })
  })
  return ends[0]
}

export interface NewTopic {
  readonly name: string
  /** -1: as the broker likes it, or as the parent has it. */
  readonly partitionCount: number
  readonly configs?: Readonly<Record<string, string>>
}

/** All in one request. */
export async function createTopics(connection: Connection, topics: readonly NewTopic[]): Promise<void> {
  const rows = topics.map(({ name, partitionCount, configs = {} }) => {
    const entries = Object.entries(configs).map(([key, value]) => Buffer.concat([string(key), string(value)]))
    const replicas = int16(partitionCount === -1 ? -1 : 1)
    return Buffer.concat([string(name), int32(partitionCount), replicas, list(), list(...entries)])
  })
  const answer = await connection.ask(19, 4, list(...rows), int32(answerMsMax), int8(0))
  answer.int32() // throttle
  const results = answer.list(() => {
    answer.string()
    const error = answer.int16()
    answer.string() // its message
    return error
  })
  const refused = results.findIndex((error) => error !== 0)
  if (refused >= 0) throw new Error(`topic ${topics[refused]?.name} was refused with error ${results[refused]}`)
}

export async function createTopic(port: number, topic: string, partitionCount: number): Promise<void> {
  const connection = new Connection(port)
  await createTopics(connection, [{ name: topic, partitionCount }]).finally(() => connection.close())
  for (const deadlineAt = Date.now() + answerMsMax; Date.now() < deadlineAt; await sleep(20)) {
    const leaders = await leadersOf(port, topic)
    if (leaders.length === partitionCount && leaders.every((leader) => leader >= 0)) return
  }
  throw new Error(`topic ${topic} got no leaders`)
}

/** Gives the disk back. A broker that cannot delete only costs space until its data folder is removed. */
export async function deleteTopic(port: number, topic: string): Promise<void> {
  await ask(port, 20, 1, list(string(topic)), int32(answerMsMax)).catch(() => undefined)
}

/** A quota of bytes per second for each client id that has none of its own; undefined takes it away. */
export async function setQuota(port: number, name: string, bytesPerSecond: number | undefined): Promise<void> {
  const entity = list(Buffer.concat([string('client-id'), int16(-1)]))
  const operation = Buffer.concat([
    string(name),
    double(bytesPerSecond ?? 0),
    int8(bytesPerSecond === undefined ? 1 : 0),
  ])
  const answer = await ask(port, 49, 0, list(Buffer.concat([entity, list(operation)])), int8(0))
  answer.int32() // throttle
  answer.int32() // one entry
  const error = answer.int16()
  if (error !== 0) throw new Error(`the quota ${name} was refused with error ${error}`)
}
