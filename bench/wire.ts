// The four requests the script itself makes, as bytes: asking for Metadata until a broker answers, and making and
// deleting topics. Written apart from protocol/ so that a mistake there cannot hide in the measurement of it.
import { connect } from 'node:net'
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

/** One request on a connection of its own. Rejects when nobody listens or the broker hangs up. */
function ask(port: number, key: number, version: number, ...body: Buffer[]): Promise<Answer> {
  const message = Buffer.concat([int16(key), int16(version), int32(1), string('bench'), ...body])
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true })
    let received = Buffer.alloc(0)
    socket.setTimeout(answerMsMax, () => socket.destroy(new Error(`no answer to request ${key} in ${answerMsMax} ms`)))
    socket.once('error', reject)
    socket.once('close', () => reject(new Error(`the broker hung up on request ${key}`)))
    socket.write(Buffer.concat([int32(message.length), message]))
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes])
      if (received.length < 4 || received.length < 4 + received.readInt32BE()) return
      resolve(new Answer(received.subarray(8))) // past the length and the correlation id
      socket.destroy()
    })
  })
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

export async function createTopic(port: number, topic: string, partitionCount: number): Promise<void> {
  const row = Buffer.concat([string(topic), int32(partitionCount), int16(1), list(), list()])
  const answer = await ask(port, 19, 2, list(row), int32(answerMsMax), int8(0))
  answer.int32() // throttle
  const [error] = answer.list(() => {
    answer.string()
    return answer.int16()
  })
  if (error !== 0) throw new Error(`topic ${topic} was refused with error ${error}`)
  for (const deadlineAt = Date.now() + answerMsMax; Date.now() < deadlineAt; await sleep(20)) {
    const [leaders = []] = (await metadata(port, list(string(topic)))).leaders
    if (leaders.length === partitionCount && leaders.every((leader) => leader >= 0)) return
  }
  throw new Error(`topic ${topic} got no leaders`)
}

/** Gives the disk back. A broker that cannot delete only costs space until its data folder is removed. */
export async function deleteTopic(port: number, topic: string): Promise<void> {
  await ask(port, 20, 1, list(string(topic)), int32(answerMsMax)).catch(() => undefined)
}
