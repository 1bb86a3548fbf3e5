// GET /topics/{topic}/tail: committed records as they come, as server-sent events. The id of an event says where to go on in every
// partition, so a browser that was cut off misses nothing.

import { Refusal } from '../../protocol/errors.ts'
import { print } from '../branch/verbatim-json.ts'
import type { Partition } from '../broker/partition.ts'
import { storageRefusal } from '../broker/storage-refusal.ts'
import type { Topic } from '../broker/topic.ts'
import { readCommitted } from '../command/committed-records.ts'
import type { Asked } from './asked.ts'
import {
  branchParameter,
  findPartitions,
  findTopic,
  forbidden,
  partitionParameter,
  topicParameter,
} from './find-topic.ts'
import { beyondEnd, grammar, type Positions, positionsOf, printPositions } from './positions.ts'
import { attempt, Problem, problemOf } from './problem.ts'
import { rest, streamOf } from './reply.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'
import { type Format, formatParameter, shownRecord } from './shown.ts'
import { readingCosts } from './writing.ts'

/** What a reader that takes nothing costs us is about this, unpacked. */
const readBytes = 64 * 1024
const pieceLength = 64 * 1024
/** Proxies and browsers give up on what is silent for long. */
const silenceMs = 15_000
const retryMs = 1000

/** An event; JSON may have been written on several lines. */
function event(name: string | undefined, id: string | undefined, body: unknown): string {
  const lines = print(body).split(/\r\n|\r|\n/)
  const data = lines.map((line) => `data: ${line}\n`).join('')
  return `${name === undefined ? '' : `event: ${name}\n`}${id === undefined ? '' : `id: ${id}\n`}${data}\n`
}

/** Rings when a partition has advanced, when silence has lasted, and when it is over. */
class Bell {
  readonly #clock: Rooms['broker']['clock']
  readonly #ending: AbortSignal
  #stops: (() => void)[] = []
  #rung = false
  #isOver = false
  #wake: () => void = () => {}

  constructor({ broker: { clock }, ending }: Rooms) {
    this.#clock = clock
    this.#ending = ending
  }

  hang(partitions: readonly Partition[]): void {
    this.#stops = partitions.map((partition) => partition.onAdvance(this.#ring))
    this.#ending.addEventListener('abort', this.#ring)
  }

  get isOver(): boolean {
    return this.#isOver || this.#ending.aborted
  }

  readonly #ring = (): void => {
    this.#rung = true
    this.#wake()
  }

  /** What comes from here on rings. */
  listen(): void {
    this.#rung = false
  }

  /** False where it was silence that woke. */
  async wait(ms: number): Promise<boolean> {
    if (!this.#rung && !this.isOver) {
      await new Promise<void>((resolve) => {
        const timer = this.#clock.after(ms, resolve)
        this.#wake = () => {
          timer.cancel()
          resolve()
        }
      })
      this.#wake = () => {}
    }
    return this.#rung
  }

  /** Nobody listens any more. */
  readonly takeDown = (): void => {
    this.#isOver = true
    for (const stop of this.#stops.splice(0)) stop()
    this.#ending.removeEventListener('abort', this.#ring)
    this.#ring()
  }
}

/** The records of one look at a partition, as events; retention may have passed a reader that is slow. Answers how many bytes. */
function* look(partition: Partition, positions: Positions, format: Format): Generator<string, Problem | number> {
  const { index } = partition
  const from = positions.get(index)!
  const start = partition.logStartOffset
  if (from < start) {
    positions.set(index, start)
    yield event('gap', printPositions(positions), { partition: index, from, to: start })
  }
  const portion = readCommitted(partition, positions.get(index)!, readBytes)
  if (portion instanceof Refusal) return problemOf(portion)
  if (portion === undefined) return 0
  let byteCount = 1
  let text = ''
  for (const record of portion.records) {
    byteCount += (record.key?.length ?? 0) + (record.value?.length ?? 0)
    positions.set(index, record.offset + 1)
    text += event(undefined, printPositions(positions), shownRecord(index, record, format))
    if (text.length < pieceLength) continue
    yield text
    text = ''
  }
  if (text !== '') yield text
  positions.set(index, portion.nextOffset)
  return byteCount
}

/** One look at all partitions. */
function* round(topic: Topic, partitions: readonly Partition[], positions: Positions, format: Format) {
  let byteCount = 0
  for (const partition of partitions) {
    if (partition.isRemoved) return new Problem(404, `The topic '${topic.name}' was deleted.`)
    try {
      const told = yield* look(partition, positions, format)
      if (told instanceof Problem) return told
      byteCount += told
    } catch (cause) {
      return problemOf(storageRefusal(cause))
    }
  }
  return byteCount
}

type Followed = {
  readonly topic: Topic
  readonly partitions: readonly Partition[]
  readonly positions: Positions
  readonly format: Format
  /** A stream may outlive the right to read it. */
  readonly mayRead: () => boolean
}

async function* follow({ topic, partitions, positions, format, mayRead }: Followed, bell: Bell, rooms: Rooms) {
  bell.hang(partitions)
  try {
    // An id without an event is kept by browsers too: who is cut off before the first record begins here again.
    yield `retry: ${retryMs}\nid: ${printPositions(positions)}\n\n`
    while (!bell.isOver) {
      bell.listen()
      const told = mayRead() ? yield* round(topic, partitions, positions, format) : forbidden('READ', topic.name)
      if (told instanceof Problem) {
        yield event('end', undefined, { status: told.status, detail: told.detail, error: told.error })
        return
      }
      const owedMs = told === 0 ? 0 : readingCosts(rooms, told)
      if (owedMs > 0) await new Promise<void>((resolve) => rooms.broker.clock.after(owedMs, resolve))
      else if (told > 0) await rest()
      else if (!(await bell.wait(silenceMs)) && !bell.isOver) yield ': still there\n\n'
    }
  } finally {
    bell.takeDown()
  }
}

async function handle(asked: Asked) {
  const topic = findTopic(asked)
  if (topic instanceof Problem) return topic
  const partitions = await findPartitions(topic, asked)
  if (partitions instanceof Problem) return partitions
  const from = asked.header('last-event-id') || asked.text('offset')!
  const positions = attempt(() => positionsOf(from, partitions, 'latest'))
  if (positions instanceof Problem) return positions
  // Of a stream that ends a browser asks again, every second; what is refused it leaves alone.
  const misplaced = attempt(() => beyondEnd(partitions, positions))
  if (misplaced !== undefined) return misplaced
  const bell = new Bell(asked.rooms)
  const mayRead = () => asked.may('READ', topic.name)
  const followed = { topic, partitions, positions, format: asked.text('format') as Format, mayRead }
  const pieces = follow(followed, bell, asked.rooms)
  const body = streamOf(pieces, bell.takeDown)
  return { mediaType: 'text/event-stream', headers: { 'x-accel-buffering': 'no' }, body }
}

export const tailRoute: Route = {
  method: 'get',
  path: '/topics/{topic}/tail',
  id: 'tailRecords',
  needs: 'READ',
  summary: 'Committed records as they come, as server-sent events.',
  description:
    'Each event holds a record as `GET …/records` shows it; its id says where every partition goes on, and the header Last-Event-ID begins there. `gap`: retention took records before they were read. `end`: nothing more will come, and why.',
  parameters: [
    topicParameter,
    branchParameter,
    partitionParameter,
    {
      name: 'offset',
      in: 'query',
      description: `Where to begin: ${grammar}. The header Last-Event-ID wins.`,
      schema: { type: 'string', default: 'latest' },
    },
    formatParameter,
    {
      name: 'Last-Event-ID',
      in: 'header',
      description: 'The id of the last event that was seen.',
      schema: { type: 'string' },
    },
  ],
  answers: { 200: { description: 'Events, for as long as somebody listens.', mediaType: 'text/event-stream' } },
  problems: [404, 503],
  handle,
}
